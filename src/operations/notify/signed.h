// What a person says under a key that the plan registers for them: proven whenever it is read back,
// by anybody who has the plan. Pure.
#pragma once

#include <string>

#include "model/plan/plan.h"

namespace lb::notify {

// denied (exit 5): the plan has no key of that person, or `signature` (hex) is not theirs for
// `text`.
Status check_signed(const plan::Plan& plan, const std::string& person, const std::string& text,
                    const std::string& signature);
// The same for a key that is told with what was said. `key`: hex.
Status check_signed_by(const std::string& key, const std::string& person, const std::string& text,
                       const std::string& signature);

}  // namespace lb::notify
