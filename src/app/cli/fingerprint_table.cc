#include "app/cli/fingerprint_table.h"

#include <map>

#include "app/cli/text_width.h"
#include "foundation/base/text.h"
#include "foundation/codec/json_items.h"

namespace lb::cli {

namespace {

// Of one database.
struct Columns {
  std::size_t tables = 0, name_width = 0, rows_width = 0;
  std::string text;
};
using Databases = std::map<std::string, Columns, std::less<>>;

std::string name_in(const Json& table) {
  return cat(table["schema"].string(), ".", table["name"].string());
}

std::string rows_in(const Json& table) {
  const auto& rows = table["rows"];
  return rows.is_null() ? "not readable" : human_count(static_cast<std::uint64_t>(rows.integer()));
}

Result<Columns*> columns_of(Databases& databases, const Json::Object& around) {
  for (const auto& [key, value] : around) {
    if (key == "name") return &databases[value.string()];
  }
  return Error(ErrorKind::invalid, "the fingerprint has tables of a database without a name");
}

Result<Json> measure(std::string_view fingerprint, Databases& databases) {
  return parse_json_items(fingerprint, "tables",
                          [&](const Json::Object& around, const Json& table) -> Status {
                            auto* columns = LB_TRY(columns_of(databases, around));
                            ++columns->tables;
                            auto name = width_of(name_in(table)), rows = width_of(rows_in(table));
                            columns->name_width = std::max(columns->name_width, name);
                            columns->rows_width = std::max(columns->rows_width, rows);
                            return {};
                          });
}

Status write(std::string_view fingerprint, Databases& databases) {
  auto written = parse_json_items(
      fingerprint, "tables", [&](const Json::Object& around, const Json& table) -> Status {
        auto* columns = LB_TRY(columns_of(databases, around));
        auto name = name_in(table), rows = rows_in(table);
        columns->text.append("  ").append(name);
        columns->text.append(
            columns->name_width - width_of(name) + 2 + columns->rows_width - width_of(rows), ' ');
        columns->text.append(rows).append("\n");
        return {};
      });
  return written.status();
}

}  // namespace

Result<std::string> fingerprint_table(std::string_view fingerprint) {
  Databases databases;
  auto json = LB_TRY(measure(fingerprint, databases));
  LB_TRY(write(fingerprint, databases));
  std::string text;
  for (const auto& database : json["databases"].items()) {
    auto& columns = databases[database["name"].string()];
    text += cat("\ndatabase ", database["name"].string(), ", ",
                human_size(static_cast<std::uint64_t>(database["bytes"].integer())), ", ",
                columns.tables, " tables, counted at ", json["at"].string(), "\n");
    text += columns.text;
    columns.text = {};
  }
  return text;
}

}  // namespace lb::cli
