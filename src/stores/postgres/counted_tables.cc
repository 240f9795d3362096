#include "stores/postgres/counted_tables.h"

#include <algorithm>

#include "foundation/base/assert.h"
#include "foundation/codec/json.h"

namespace lb::pg {
namespace {

Json json_of(const std::optional<std::int64_t>& number) { return number ? Json(*number) : Json(); }

}  // namespace

// Gives the names in the order they were kept.
class CountedTables::Names {
 public:
  explicit Names(const std::vector<std::string>& blocks) : blocks_(blocks) {}
  std::string_view name_of(const Entry& entry) {
    if (entry.next_schema) schema = take(entry.schema_bytes);
    return take(entry.name_bytes);
  }
  std::string_view schema;  // of the last one

 private:
  std::string_view take(std::size_t bytes) {
    if (bytes == 0) return {};
    if (at_ == blocks_[block_].size()) {
      ++block_;
      at_ = 0;
    }
    at_ += bytes;
    return std::string_view(blocks_[block_]).substr(at_ - bytes, bytes);
  }

  const std::vector<std::string>& blocks_;
  std::size_t block_ = 0, at_ = 0;
};

void CountedTables::Entry::take(const CountedTable& table) {
  oid = table.oid;
  filenode = table.filenode.value_or(0);
  rows = table.rows.value_or(0);
  bytes = table.bytes.value_or(0);
  has_filenode = table.filenode ? 1 : 0;
  has_rows = table.rows ? 1 : 0;
  has_bytes = table.bytes ? 1 : 0;
  unlogged = table.unlogged ? 1 : 0;
  carried = table.carried ? 1 : 0;
}

CountedTable CountedTables::Entry::table() const {
  CountedTable out;
  out.oid = oid;
  if (has_filenode) out.filenode = filenode;
  if (has_rows) out.rows = rows;
  if (has_bytes) out.bytes = bytes;
  out.unlogged = unlogged;
  out.carried = carried;
  return out;
}

void CountedTables::add(std::string_view schema, std::string_view name, const CountedTable& table) {
  LB_ASSERT(schema.size() < 1 << 24);  // a server's names have some tens of bytes
  Entry entry{};
  entry.take(table);
  entry.next_schema = tables_ == 0 || schema != schema_ ? 1 : 0;
  entry.schema_bytes = static_cast<std::uint32_t>(schema.size()) & 0xffffff;
  entry.name_bytes = static_cast<std::uint32_t>(name.size());
  if (entry.next_schema) keep_name(schema_ = schema);
  keep_name(name);
  if (entries_.empty() || entries_.back().size() == block_tables)
    entries_.emplace_back().reserve(block_tables);
  entries_.back().push_back(entry);
  ++tables_;
  if (table.carried) ++carried_;
}

void CountedTables::keep_name(std::string_view name) {
  if (name.empty()) return;
  if (names_.empty() || names_.back().size() + name.size() > block_bytes)
    names_.emplace_back().reserve(std::max(block_bytes, name.size()));
  names_.back() += name;
}

Status CountedTables::for_each(const Look& look) {
  Names names(names_);
  for (auto& block : entries_) {
    for (Entry& entry : block) {
      const std::string_view name = names.name_of(entry);
      CountedTable table = entry.table();
      const Status looked = look(names.schema, name, table);
      entry.take(table);
      LB_TRY(Status(looked));
    }
  }
  return {};
}

Status CountedTables::settle(const std::map<std::uint32_t, std::int64_t>& added) {
  const auto settle_one = [&](std::string_view, std::string_view, CountedTable& table) -> Status {
    if (!table.carried) return {};
    LB_ASSERT(table.filenode && table.rows);
    const auto change = added.find(*table.filenode);
    if (change != added.end()) *table.rows += change->second;
    if (*table.rows < 0)
      return Error(ErrorKind::unsupported, "the log took away more rows than there were");
    table.carried = false;
    return {};
  };
  LB_TRY(for_each(settle_one));
  carried_ = 0;
  return {};
}

Status CountedTables::write_to(const TakeText& take) const {
  LB_ASSERT(carried_ == 0);
  Names names(names_);
  std::string json;
  for (const auto& block : entries_) {
    for (const Entry& entry : block) {
      const CountedTable table = entry.table();
      const std::string_view name = names.name_of(entry);
      Json item = Json::object();
      item.set("schema", names.schema).set("name", name);
      item.set("oid", std::int64_t{table.oid}).set("filenode", json_of(table.filenode));
      item.set("rows", json_of(table.rows)).set("bytes", json_of(table.bytes));
      if (table.unlogged) item.set("unlogged", true);
      json += item.dump();
      LB_TRY(take(json));
      json = ",";
    }
  }
  return {};
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
