// What is shown before something that somebody may still need is replaced, and the name that has to
// be typed then. The same text is what an approval is bound to. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/base/time.h"

namespace lb::swap {

struct Overwritten {
  std::string what;  // "data directory /var/lib/postgresql/15/main"
  std::optional<std::uint64_t> bytes;
};

struct DestructiveAct {
  std::string host;    // where it is done
  std::string target;  // the plan's name of it; of the system when it is no target of the plan
  std::string place;   // folder, server and database: what a person recognises
  std::string store;
  std::string point;               // snapshot
  std::optional<Timestamp> as_of;  // the moment that is restored; nothing: by LSN or name alone
  std::optional<Timestamp> last_write;  // newest change of what is replaced, when it is known
  Timestamp now{};
  std::vector<Overwritten> overwritten;
  std::optional<Micros> kept;      // how long the old is kept; nothing: not at all
  std::vector<std::string> notes;  // what else will be otherwise than before
};

// What is lost for good of what was written after the point; negative times are none.
std::string data_loss(const DestructiveAct& act);
// Several lines, each "word     text".
std::string shown(const DestructiveAct& act);
// refused (exit 5) unless `typed` is the target's name, exactly.
Status check_typed_name(const DestructiveAct& act, std::string_view typed);

}  // namespace lb::swap
