#include "recovery/check/recorded_tables.h"

#include <algorithm>
#include <map>

#include "foundation/base/assert.h"
#include "stores/postgres/recorded_fingerprint.h"

namespace lb::check {

void RecordedTables::add(const RecordedTable& table) {
  LB_ASSERT(table.schema.size() < 1 << 30 && table.name.size() < 1 << 30);
  Entry entry{};
  entry.rows = table.rows.value_or(0);
  entry.has_rows = table.rows ? 1 : 0;
  entry.names = names_.size();
  entry.filenode = table.filenode;
  entry.schema_bytes = static_cast<std::uint32_t>(table.schema.size()) & 0x3fffffff;
  entry.name_bytes = static_cast<std::uint32_t>(table.name.size());
  entry.unlogged = table.unlogged ? 1 : 0;
  entries_.push_back(entry);
  names_.append(table.schema).append(table.name);
}

std::string_view RecordedTables::schema_of(const Entry& entry) const {
  return std::string_view(names_).substr(entry.names, entry.schema_bytes);
}

std::string_view RecordedTables::name_of(const Entry& entry) const {
  return std::string_view(names_).substr(entry.names + entry.schema_bytes, entry.name_bytes);
}

bool RecordedTables::is_before(const Entry& entry, std::string_view schema,
                               std::string_view name) const {
  const auto order = schema_of(entry).compare(schema);
  return order != 0 ? order < 0 : name_of(entry) < name;
}

void RecordedTables::sort() {
  std::sort(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) {
    return is_before(a, schema_of(b), name_of(b));
  });
}

RecordedTable RecordedTables::at(std::size_t number) const {
  const Entry& entry = entries_[number];
  RecordedTable out{std::string(schema_of(entry)), std::string(name_of(entry)), entry.filenode,
                    std::nullopt, entry.unlogged != 0};
  if (entry.has_rows) out.rows = entry.rows;
  return out;
}

std::optional<RecordedTable> RecordedTables::find(const std::string& schema,
                                                  const std::string& name) const {
  const auto found =
      std::partition_point(entries_.begin(), entries_.end(),
                           [&](const Entry& entry) { return is_before(entry, schema, name); });
  if (found == entries_.end() || schema_of(*found) != schema || name_of(*found) != name)
    return std::nullopt;
  return at(static_cast<std::size_t>(found - entries_.begin()));
}

Result<std::optional<std::vector<RecordedDatabase>>> read_recorded(repo::SnapshotReader& snapshot) {
  std::map<std::string, RecordedTables> tables;  // by database
  const auto keep = [&](const Json::Object& around, const Json& table) -> Status {
    std::string database;
    for (const auto& [key, value] : around) {
      if (key == "name") database = value.string();
    }
    RecordedTable one{table["schema"].string(), table["name"].string(), 0, std::nullopt,
                      table["unlogged"].boolean()};
    if (table["filenode"].is_int())
      one.filenode = static_cast<std::uint32_t>(table["filenode"].integer());
    if (table["rows"].is_int()) one.rows = table["rows"].integer();
    tables[database].add(one);
    return {};
  };
  auto document = LB_TRY(pg::read_fingerprint(snapshot, keep));
  if (!document) return std::optional<std::vector<RecordedDatabase>>();
  std::vector<RecordedDatabase> out;
  for (const auto& database : (*document)["databases"].items()) {
    const auto& name = database["name"].string();
    out.push_back({name, static_cast<std::uint32_t>(database["oid"].integer()),
                   database["snapshot"].string(), std::move(tables[name])});
    out.back().tables.sort();
  }
  return std::optional(std::move(out));
}

}  // namespace lb::check
