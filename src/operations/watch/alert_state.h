// AlertState: whether people know of something that is wrong, as the fold of its facts: "raised"
// {event, subject, people}, "cleared". Pure: the same on every machine.
#pragma once

#include <string>
#include <vector>

#include "model/record/fact.h"

namespace lb::watch {

namespace kind {
inline constexpr const char* raised = "raised";
inline constexpr const char* cleared = "cleared";
}  // namespace kind

struct AlertState {
  std::string event, subject;
  bool raised = false;
  std::uint64_t times = 0;  // how often it was raised; two machines that were apart count once
  Timestamp since{};        // of the last change
  std::vector<std::string> told;  // when it was raised
};
AlertState fold(const std::vector<record::Fact>& facts);

// Of the same thing, on every machine. `bound`: as the plan has it; may be empty.
std::string alert_id(const std::string& event, const std::string& subject,
                     const std::string& bound);

}  // namespace lb::watch
