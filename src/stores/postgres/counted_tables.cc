#include "stores/postgres/counted_tables.h"

#include <algorithm>

#include "foundation/base/assert.h"
#include "foundation/codec/json.h"

namespace lb::pg {
namespace {

Json json_of(const std::optional<std::int64_t>& number) { return number ? Json(*number) : Json(); }

}  // namespace

void CountedTables::add(std::string_view schema, std::string_view name, const CountedTable& table) {
  entries_.push_back(
      {table, static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(schema.size())});
  names_.append(schema).append(name);
  if (table.carried) ++carried_;
}

Status CountedTables::for_each(const Look& look) {
  std::string_view names = names_;
  for (Entry& entry : entries_) {
    const std::string_view schema = names.substr(0, entry.schema_bytes);
    const std::string_view name = names.substr(entry.schema_bytes, entry.name_bytes);
    names.remove_prefix(schema.size() + name.size());
    LB_TRY(look(schema, name, entry.table));
  }
  return {};
}

Status CountedTables::settle(const std::map<std::uint32_t, std::int64_t>& added) {
  for (Entry& entry : entries_) {
    CountedTable& table = entry.table;
    if (!table.carried) continue;
    LB_ASSERT(table.filenode && table.rows);
    const auto change = added.find(*table.filenode);
    if (change != added.end()) *table.rows += change->second;
    if (*table.rows < 0)
      return Error(ErrorKind::unsupported, "the log took away more rows than there were");
    table.carried = false;
  }
  carried_ = 0;
  return {};
}

void CountedTables::write_to(std::string& json) const {
  LB_ASSERT(carried_ == 0);
  std::string_view names = names_;
  for (const Entry& entry : entries_) {
    const CountedTable& table = entry.table;
    const auto take = [&](std::size_t bytes) {
      const std::string_view taken = names.substr(0, bytes);
      names.remove_prefix(bytes);
      return taken;
    };
    Json item = Json::object();
    item.set("schema", take(entry.schema_bytes)).set("name", take(entry.name_bytes));
    item.set("oid", std::int64_t{table.oid}).set("filenode", json_of(table.filenode));
    item.set("rows", json_of(table.rows)).set("bytes", json_of(table.bytes));
    if (table.unlogged) item.set("unlogged", true);
    if (&entry != entries_.data()) json += ',';
    json += item.dump();
  }
}

void KnownRows::add(std::uint32_t oid, std::uint32_t filenode, std::int64_t rows) {
  known_.push_back({oid, filenode, rows});
}

void KnownRows::sort() {
  std::sort(known_.begin(), known_.end(),
            [](const Known& a, const Known& b) { return a.oid < b.oid; });
}

std::optional<std::int64_t> KnownRows::find(std::uint32_t oid, std::uint32_t filenode) const {
  const auto at = std::lower_bound(known_.begin(), known_.end(), oid,
                                   [](const Known& a, std::uint32_t b) { return a.oid < b; });
  if (at == known_.end() || at->oid != oid || at->filenode != filenode) return std::nullopt;
  return at->rows;
}

}  // namespace lb::pg
