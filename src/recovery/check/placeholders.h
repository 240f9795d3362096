// $name in requests: values saved by earlier checks, and columns of the row at hand. Internal,
// pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "foundation/codec/json.h"

namespace lb::check {

using RowValues = std::map<std::string, std::optional<std::string>>;

struct Placeholders {
  const std::map<std::string, std::string>& saved;
  const RowValues* row = nullptr;  // its columns hide saved values of the same name

  // invalid: nothing of this name was saved. not_found: the row's column is NULL.
  Result<std::string> value(const std::string& name) const;
};

enum class Fill { plain, url };  // url: a whole URL is kept, a value inside a path is escaped

// "$name" and "${name}" are replaced, "$$" becomes "$"; a lone $ stays.
Result<std::string> fill(const std::string& text, const Placeholders& values, Fill how);

// The names `text` refers to.
std::set<std::string> names_in(const std::string& text);

}  // namespace lb::check
