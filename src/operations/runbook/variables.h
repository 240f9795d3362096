// Variables of a run: $name and ${name} in the texts of steps, and the conditions of `when:`. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "operations/runbook/script.h"

namespace lb::runbook {

using Variables = std::map<std::string, std::string>;

class Names {
 public:
  // Both outlive it. `set`: what answers and results gave.
  Names(const Script& script, const Variables& set) : script_(script), set_(set) {}

  // invalid, naming it, when a variable has no value.
  Result<std::string> expand(const std::string& text, std::size_t scope) const;
  Result<std::string> value(const std::string& name, std::size_t scope) const;
  // All that a step sees, for its command's environment.
  Variables all(std::size_t scope) const;

 private:
  const Script& script_;
  const Variables& set_;
};

// The names in a text, in order.
std::vector<std::string> variables_in(const std::string& text);

// "$x", "not $x", "$x == word", "$x != word", and with <, <=, >, >= numbers. nullopt: no such form,
// a person is asked.
Result<std::optional<bool>> decide(const std::string& condition, const Names& names,
                                   std::size_t scope);

}  // namespace lb::runbook
