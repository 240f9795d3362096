#include "stores/postgres/carried_counts.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/log_path.h"

namespace lb::pg {
namespace {

using Added = std::map<std::int64_t, std::int64_t>;  // rows by file

Error not_exact(std::string why) { return Error(ErrorKind::unsupported, std::move(why)); }

std::string snapshot_of(const Json& fingerprint, const Json& oid) {
  for (const Json& database : fingerprint["databases"].items()) {
    if (database["oid"] == oid) return database["snapshot"].string();
  }
  return {};
}

bool is_carried(const Json& table) { return table[carried_mark].boolean(); }

bool has_carried_table(const Json& database) {
  const Json::Array& tables = database["tables"].items();
  return std::any_of(tables.begin(), tables.end(), is_carried);
}

Json settle_table(const Json& table, const Added& added) {
  if (!is_carried(table)) return table;
  Json out = Json::object();
  for (const auto& [key, value] : table.members()) {
    if (key != carried_mark) out.set(key, value);
  }
  const auto change = added.find(table["filenode"].integer());
  if (change != added.end()) out.set("rows", table["rows"].integer() + change->second);
  return out;
}

// All members but one, which may be large.
Json without(const Json& whole, std::string_view member) {
  Json out = Json::object();
  for (const auto& [key, value] : whole.members()) {
    if (key != member) out.set(key, value);
  }
  return out;
}

Result<Json> settle_database(const Json& database, const Json& before, const RowsBetween& between) {
  const auto rows =
      LB_TRY(between(snapshot_of(before, database["oid"]), database["snapshot"].string()));
  Added added;
  for (const auto& [relation, count] : rows) {
    if (relation.database == static_cast<std::uint32_t>(database["oid"].integer()))
      added[relation.filenode] += count;
  }
  Json tables = Json::array();
  for (const Json& table : database["tables"].items()) {
    Json settled = settle_table(table, added);
    if (settled["rows"].integer() < 0)
      return not_exact("the log took away more rows than there were");
    tables.push(std::move(settled));
  }
  Json out = without(database, "tables");
  out.set("tables", std::move(tables));
  return out;
}

}  // namespace

Json moments_of(const Json& fingerprint) {
  Json databases = Json::array();
  for (const Json& database : fingerprint["databases"].items())
    databases.push(without(database, "tables"));
  return Json::object().set("databases", std::move(databases));
}

std::uint64_t carried_tables(const Json& fingerprint) {
  std::uint64_t count = 0;
  for (const Json& database : fingerprint["databases"].items()) {
    const Json::Array& tables = database["tables"].items();
    count += static_cast<std::uint64_t>(std::count_if(tables.begin(), tables.end(), is_carried));
  }
  return count;
}

Result<Json> settle_counts(const Json& fingerprint, const Json& before,
                           const RowsBetween& between) {
  Json databases = Json::array();
  for (const Json& database : fingerprint["databases"].items()) {
    if (!has_carried_table(database)) {
      databases.push(database);
      continue;
    }
    Json settled = LB_TRY(settle_database(database, before, between));
    databases.push(std::move(settled));
  }
  Json out = without(fingerprint, "databases");
  out.set("databases", std::move(databases));
  return out;
}

Result<std::unique_ptr<WalScanner>> scan_rows(repo::Repository& repository,
                                              const SnapshotDetails& from, std::uint32_t timeline,
                                              Lsn until) {
  const LogIndex index = LB_TRY(read_log_index(repository, from.log_id, from.segment_bytes,
                                               from.start_lsn / from.segment_bytes));
  const LogPath path = LB_TRY(trace_path(index, from, timeline));
  const Lsn first = from.start_lsn / from.segment_bytes * from.segment_bytes;
  auto scanner = WalScanner::create(first, from.segment_bytes, {.row_deltas = true});
  Lsn end = first;
  for (const LogPart* part : path.parts) {
    const Lsn begins = part->info.name.segment * from.segment_bytes;
    if (begins >= until || scanner->reached_end()) break;
    const Buffer bytes = LB_TRY(repository.get_log(part->info.name));
    LB_TRY(scanner->feed(bytes));
    end = begins + bytes.size();
  }
  if (end < until) return not_exact(cat("the log ends at ", format_lsn(end)));
  return scanner;
}

}  // namespace lb::pg
