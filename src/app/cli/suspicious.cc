#include "app/cli/suspicious.h"

#include <algorithm>
#include <set>

#include "app/cli/console.h"
#include "foundation/base/text.h"
#include "storage/repo/repository.h"
#include "stores/postgres/wal_reader.h"

namespace lb::cli {

namespace {

constexpr std::size_t named_max = 5;

std::string file_of(const pg::RelationId& relation) {
  return cat("base/", relation.database, "/", relation.filenode);
}

// "shop public.orders, shop public.items and 3 more files". Indexes and what belongs to a table
// otherwise have no name of their own.
std::string list_of(const std::vector<pg::RelationId>& relations, std::uint64_t count,
                    const RelationNames& names) {
  std::set<std::string> named;
  for (const auto& relation : relations) {
    auto name = names.table_of(file_of(relation));
    if (!name.empty() && named.size() < named_max) named.insert(std::move(name));
  }
  const auto more = count - named.size();
  auto text = join({named.begin(), named.end()}, ", ");
  if (more == 0) return text;
  const auto files = more == 1 ? " file" : " files";
  return text.empty() ? cat(human_count(more), files)
                      : cat(text, " and ", human_count(more), " more", files);
}

std::string name_of(const pg::RelationId& relation, const RelationNames& names) {
  auto name = names.table_of(file_of(relation));
  return name.empty() ? cat("file ", file_of(relation)) : name;
}

// The names that were right when a transaction ended: those of the newest point before it.
class NamesInTime {
 public:
  NamesInTime(repo::Repository& repository, const restore::StorePoints& points)
      : repository_(repository), points_(points) {}

  const RelationNames& at(Timestamp time) {
    const repo::SnapshotInfo* newest = nullptr;
    for (const auto& point : points_.snapshots) {
      if (newest == nullptr || point.meta.taken <= time) newest = &point;
    }
    const auto [found, fresh] = known_.try_emplace(newest == nullptr ? "" : newest->id);
    if (!fresh || newest == nullptr) return found->second;
    // Without names files are told by their numbers.
    auto reader = repository_.snapshot(newest->id);
    if (reader.ok()) found->second = RelationNames::of(**reader);
    return found->second;
  }

 private:
  repo::Repository& repository_;
  const restore::StorePoints& points_;
  std::map<std::string, RelationNames> known_;
};

bool may_hold(const pg::LogPart& part, Timestamp since) {
  return part.summary.max_commit_time && *part.summary.max_commit_time >= since;
}

// The segment being written has nothing beside it yet: what it holds is read now, behind the
// segment before it, so that records across both are seen.
Result<Buffer> detail_of_tail(repo::Repository& repository, const pg::LogIndex& index,
                              const pg::LogPart& part) {
  const auto segment = part.info.name.segment;
  const auto before = std::find_if(index.parts.begin(), index.parts.end(), [&](const auto& each) {
    return each.info.complete && each.info.name.timeline == part.info.name.timeline &&
           each.info.name.segment + 1 == segment;
  });
  const bool has_before = before != index.parts.end();
  const auto first = has_before ? segment - 1 : segment;
  auto scanner =
      pg::WalScanner::create(first * index.segment_bytes, index.segment_bytes, {.detail = true});
  if (has_before) {
    const auto bytes = LB_TRY(repository.get_log(before->info.name));
    LB_TRY(scanner->feed(bytes));
    (void)scanner->take_detail();
  }
  const auto bytes = LB_TRY(repository.get_log(part.info.name));
  LB_TRY(scanner->feed(bytes));
  return pg::encode(scanner->take_detail());
}

Result<std::optional<Buffer>> detail_of(repo::Repository& repository, const pg::LogIndex& index,
                                        const pg::LogPart& part) {
  if (part.info.complete) return repository.get_log_detail(part.info.name);
  auto read = detail_of_tail(repository, index, part);
  if (!read.ok()) return std::optional<Buffer>();  // it is counted as not fully known
  return std::optional<Buffer>(std::move(read).take());
}

}  // namespace

std::vector<std::string> deeds_of(const pg::Suspect& suspect, const RelationNames& names) {
  std::vector<std::string> out;
  for (const auto& database : suspect.databases_dropped)
    out.push_back(cat("dropped or moved database ", database.database));
  if (suspect.dropped_count > 0) {
    const auto* verb = suspect.created_count > 0 ? "emptied, rewrote or replaced " : "dropped ";
    out.push_back(cat(verb, list_of(suspect.dropped, suspect.dropped_count, names)));
  }
  for (const auto& rows : suspect.rows) {
    const auto of = cat(" rows of ", name_of(rows.relation, names));
    if (rows.deleted > 0) out.push_back(cat("deleted ", human_count(rows.deleted), of));
    if (rows.updated > 0) out.push_back(cat("changed ", human_count(rows.updated), of));
  }
  return out;
}

Result<Suspicions> find_suspicious(repo::Repository& repository, const restore::StorePoints& points,
                                   const pg::LogIndex& index, Timestamp since) {
  Suspicions out;
  NamesInTime names(repository, points);
  for (const auto& part : index.parts) {
    if (!may_hold(part, since)) continue;
    ++out.looked_at;
    const auto bytes = LB_TRY(detail_of(repository, index, part));
    if (!bytes) {
      ++out.unknown;
      continue;
    }
    const auto detail = LB_TRY(pg::decode_detail(*bytes));
    if (!detail.suspects_complete) ++out.unknown;
    for (const auto& suspect : detail.suspects) {
      if (suspect.time < since) continue;
      out.found.push_back(
          {part.info.name.timeline, suspect, deeds_of(suspect, names.at(suspect.time))});
    }
  }
  return out;
}

Json to_json(const Suspicions& suspicions) {
  Json list = Json::array();
  for (const auto& found : suspicions.found) {
    Json deeds = Json::array();
    for (const auto& deed : found.deeds) deeds.push(deed);
    list.push(Json::object()
                  .set("time", format_time(found.suspect.time))
                  .set("timeline", std::int64_t{found.timeline})
                  .set("xid", std::int64_t{found.suspect.xid})
                  .set("lsn", pg::format_lsn(found.suspect.lsn))
                  .set("deeds", std::move(deeds)));
  }
  return Json::object()
      .set("suspicious", std::move(list))
      .set("segments", suspicions.looked_at)
      .set("segments_unknown", suspicions.unknown);
}

std::string to_text(const Suspicions& suspicions, const std::string& store) {
  std::vector<std::vector<std::string>> rows = {{"COMMITTED", "BEFORE", "WHAT"}};
  for (const auto& found : suspicions.found) {
    rows.push_back({format_time_seconds(found.suspect.time), pg::format_lsn(found.suspect.lsn),
                    join(found.deeds, "; ")});
  }
  auto text = rows.size() > 1 ? table(rows) : std::string("nothing suspicious\n");
  text += cat("looked through ", human_count(suspicions.looked_at),
              suspicions.looked_at == 1 ? " segment" : " segments",
              suspicions.unknown > 0
                  ? cat(", of ", human_count(suspicions.unknown), " it is not fully known")
                  : "",
              "\n");
  if (rows.size() > 1) {
    text += cat("to go back to just before one: lifeboat restore ", store,
                " --to FOLDER --before LSN, with the LSN of the column BEFORE\n");
  }
  return text;
}

}  // namespace lb::cli
