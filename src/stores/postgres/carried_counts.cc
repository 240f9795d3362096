#include "stores/postgres/carried_counts.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/log_path.h"

namespace lb::pg {
namespace {

Error not_exact(std::string why) { return Error(ErrorKind::unsupported, std::move(why)); }

std::string snapshot_of(const Json& fingerprint, const Json& oid) {
  for (const Json& database : fingerprint["databases"].items()) {
    if (database["oid"] == oid) return database["snapshot"].string();
  }
  return {};
}

}  // namespace

Status settle_counts(Fingerprint& fingerprint, const Json& before, const RowsBetween& between) {
  const Json::Array& databases = fingerprint.json["databases"].items();
  for (std::size_t n = 0; n < databases.size(); ++n) {
    if (fingerprint.tables[n].carried() == 0) continue;
    const Json& database = databases[n];
    const auto rows =
        LB_TRY(between(snapshot_of(before, database["oid"]), database["snapshot"].string()));
    std::map<std::uint32_t, std::int64_t> added;  // by file
    for (const auto& [relation, count] : rows) {
      if (relation.database == static_cast<std::uint32_t>(database["oid"].integer()))
        added[relation.filenode] += count;
    }
    LB_TRY(fingerprint.tables[n].settle(added));
  }
  return {};
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
