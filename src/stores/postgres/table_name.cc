#include "stores/postgres/table_name.h"

#include <algorithm>
#include <vector>

#include "foundation/base/text.h"
#include "stores/postgres/connection.h"

namespace lb::pg {

namespace {

constexpr std::size_t name_bytes_max = 63;

Error bad_name(std::string_view text, std::string_view why) {
  return Error(ErrorKind::invalid, cat("'", printable(text), "' is no table: ", why))
      .with_hint("write schema.table, in double quotes what is not plain lower case");
}

// The part that begins at `at`, which moves behind it.
Result<std::string> take_part(std::string_view text, std::size_t& at) {
  std::string part;
  if (at < text.size() && text[at] == '"') {
    for (++at;; ++at) {
      if (at >= text.size()) return bad_name(text, "a quote is not closed");
      if (text[at] == '"' && (++at >= text.size() || text[at] != '"')) break;
      part += text[at];
    }
  } else {
    while (at < text.size() && text[at] != '.' && text[at] != '"') {
      auto c = text[at++];
      part += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  if (part.empty()) return bad_name(text, "a part of the name is empty");
  if (part.size() > name_bytes_max) return bad_name(text, "a part of the name is too long");
  return part;
}

}  // namespace

std::string TableName::quoted() const { return cat(quote_name(schema), ".", quote_name(name)); }

std::string TableName::shown() const { return printable(cat(schema, ".", name)); }

Result<TableName> parse_table_name(std::string_view text) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  for (;;) {
    parts.push_back(LB_TRY(take_part(text, at)));
    if (at >= text.size()) break;
    if (text[at] != '.') return bad_name(text, "something follows a quoted part");
    ++at;
  }
  if (parts.size() == 1) return TableName{"public", parts[0]};
  if (parts.size() == 2) return TableName{parts[0], parts[1]};
  return bad_name(text, "it has too many parts");
}

std::string name_with_suffix(const std::string& text, const std::string& suffix) {
  auto room = name_bytes_max - std::min(name_bytes_max, suffix.size());
  auto end = std::min(text.size(), room);
  // Not within a character of several bytes.
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return text.substr(0, end) + suffix;
}

}  // namespace lb::pg
