// Finding: what somebody looked at and found wrong, or right (again), in the words of `alerts:`.
// Verbs make them; alerts.h tells people. Holds no secret.
#pragma once

#include <optional>
#include <string>

namespace lb::watch {

struct Finding {
  std::string event;  // "backup failed"; of what is measured: "disk"
  std::string
      subject;  // what it is about, the same each time: "db", "the disk of /backups on host"
  bool wrong = false;
  std::string text = {};                // for people; what it is, and what to do
  std::optional<double> measured = {};  // against the bounds of the plan: a share, seconds
};

}  // namespace lb::watch
