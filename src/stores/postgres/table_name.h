// The name of a table as people write it on a command line, by the rules of SQL: public.orders is
// lower case, "Orders" is taken as it is. Pure.
#pragma once

#include <string>
#include <string_view>

#include "foundation/base/result.h"

namespace lb::pg {

struct TableName {
  std::string schema, name;
  std::string quoted() const;  // "public"."orders"
  std::string shown() const;   // public.orders
  bool operator==(const TableName&) const = default;
};

// A name without a schema is in public.
Result<TableName> parse_table_name(std::string_view text);

// `text` with `suffix`, shortened before it so that the whole fits into a name.
std::string name_with_suffix(const std::string& text, const std::string& suffix);

}  // namespace lb::pg
