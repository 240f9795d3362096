#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "recovery/archive/desk.h"
#include "recovery/archive/line_rule.h"
#include "stores/postgres/log_writer.h"
#include "stores/postgres/timeline_history.h"

namespace lb::archive {

namespace {

using Kind = pg::ArchivedName::Kind;

constexpr std::uint64_t history_bytes_max = 1 << 20;
constexpr std::uint64_t segment_bytes_max = 1 << 30;

Error other_content(const std::string& what, ByteView there, ByteView here) {
  return Error(ErrorKind::conflict,
               cat(what, " is in the repository with other content: SHA-256 ",
                   to_hex(sha256(there)), " there, ", to_hex(sha256(here)), " here"))
      .with_hint("two servers write one log: a clone, or a server that was restored to the past")
      .with_exit(ExitCode::refused);
}

// Every segment file of a server has the size of its segments.
Result<std::uint64_t> segment_bytes_in(Files& files, const std::string& wal_folder) {
  const auto entries = LB_TRY(files.list(wal_folder));
  for (const auto& entry : entries) {
    const auto name = pg::parse_archived_name(entry.name);
    if (!name || name->kind != Kind::segment) continue;
    const auto facts = files.info(path_join(wal_folder, entry.name));
    if (facts.ok() && facts->kind == FileKind::regular && facts->size > 0) return facts->size;
  }
  return Error(ErrorKind::not_found, cat("no log segment in ", printable(wal_folder)));
}

std::string history_name(std::uint32_t timeline) {
  return cat(pg::segment_name(timeline, 0, 16 << 20).substr(0, 8), ".history");
}

}  // namespace

Status Desk::push_history(Server& server, const pg::ArchivedName& name, const std::string& path) {
  const auto bytes = LB_TRY(read_file(world_.files, path, history_bytes_max));
  const auto switches = LB_TRY(
      pg::parse_history(name.timeline, text_of(bytes)).context(cat("timeline ", name.timeline)));
  const auto segment_bytes =
      LB_TRY(segment_bytes_in(world_.files, path_join(server.data_folder, "pg_wal")));
  const auto infos = LB_TRY(repository_.logs(server.log_id));
  const auto admissions = LB_TRY(read_admissions(repository_, server.log_id));
  LB_TRY(judge_line(infos, segment_bytes, name.timeline, switches, admissions));
  auto put = repository_.put_history(server.log_id, name.timeline, bytes);
  if (!put.ok() && put.error().kind() == ErrorKind::conflict && repository_.may_read()) {
    const auto there = LB_TRY(repository_.get_history(server.log_id, name.timeline));
    if (there) return other_content(history_name(name.timeline), *there, bytes);
  }
  LB_TRY(std::move(put));
  server.judged.insert(name.timeline);
  return {};
}

// The server hands a timeline's history over before its segments; after an agent that served it
// has ended, the next one looks at it again.
Status Desk::know_timeline(Server& server, const pg::ArchivedName& name) {
  if (name.timeline == 1 || server.judged.contains(name.timeline)) return {};
  const auto file = history_name(name.timeline);
  const auto path = path_join(path_join(server.data_folder, "pg_wal"), file);
  const auto local = LB_TRY(path_exists(world_.files, path));
  if (local) return push_history(server, name, path).context(file);
  if (repository_.may_read()) {
    const auto there = LB_TRY(repository_.get_history(server.log_id, name.timeline));
    if (there) {
      server.judged.insert(name.timeline);  // it was judged when it came
      return {};
    }
  }
  server.judged.insert(name.timeline);
  if (options_.on_trouble) {
    options_.on_trouble(cat(file,
                            " is neither on the server nor readable in the repository: where ",
                            "timeline ", name.timeline, " began cannot be checked"));
  }
  return {};
}

// What is log in it becomes a tail of the segment, which the old timeline never completes.
Status Desk::push_partial(Server& server, const pg::ArchivedName& name, const std::string& path) {
  const auto bytes = LB_TRY(read_file(world_.files, path, segment_bytes_max));
  LB_TRY(pg::check_segment(name, bytes, server.system_identifier));
  const auto segment = name.segment(bytes.size());
  const auto start = segment * bytes.size();
  const auto log = ByteView(bytes).first(pg::log_bytes_in(bytes, start));
  if (repository_.may_read()) {
    const auto stored = repository_.get_log({server.log_id, name.timeline, segment});
    const bool missing = !stored.ok() && stored.error().kind() == ErrorKind::not_found;
    if (!stored.ok() && !missing) return stored.error();
    const auto common = missing ? 0 : std::min(stored->size(), log.size());
    if (common > 0 && !std::equal(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(common),
                                  stored->begin())) {
      return other_content(path_name(path), ByteView(*stored).first(common), log.first(common));
    }
  }
  pg::LogWriter writer(repository_, server.log_id, bytes.size(), [this](const std::string& line) {
    if (options_.on_trouble) options_.on_trouble(line);
  });
  LB_TRY(writer.begin(name.timeline, start));
  LB_TRY(writer.append(start, log));
  return writer.flush();
}

Result<Answer> Desk::push_segment(Server& server, const pg::ArchivedName& name,
                                  const Order& order) {
  const auto trouble = LB_TRY(server.line->push(name, order.name, order.path));
  const auto facts = LB_TRY(world_.files.info(order.path));
  Answer answer;
  if (!trouble.empty()) answer.notices.push_back(trouble);
  std::unique_lock lock(mutex_);
  const auto hole = hole_before(server, name, facts.size);
  server.stored.emplace(name.timeline, name.segment(facts.size));
  if (!hole.empty()) {
    answer.notices.push_back(hole);
    if (options_.on_trouble) options_.on_trouble(hole);
  }
  return answer;
}

namespace {

// The first segment behind those that are stored below `segment`, on this timeline or on one it may
// have come from; 0 when there are none.
std::uint64_t expected_next(const std::set<std::pair<std::uint32_t, std::uint64_t>>& stored,
                            std::uint32_t timeline, std::uint64_t segment) {
  std::uint64_t next = 0;
  for (const auto& [its_timeline, number] : stored) {
    if (its_timeline <= timeline && number < segment) next = std::max(next, number + 1);
  }
  return next;
}

}  // namespace

// Empty when the segment before is stored, or nothing before it.
std::string Desk::hole_before(Server& server, const pg::ArchivedName& name,
                              std::uint64_t segment_bytes) {
  const auto segment = name.segment(segment_bytes);
  auto next = expected_next(server.stored, name.timeline, segment);
  if (next == 0 || next == segment) return {};
  // A stream may have stored it meanwhile.
  const auto infos = repository_.logs(server.log_id);
  for (const auto& info : infos.ok() ? *infos : std::vector<repo::LogInfo>()) {
    if (info.complete) server.stored.emplace(info.name.timeline, info.name.segment);
  }
  next = expected_next(server.stored, name.timeline, segment);
  if (next == segment) return {};
  return cat("HOLE in the log of ", options_.store, ": ",
             pg::segment_name(name.timeline, next, segment_bytes), " to ",
             pg::segment_name(name.timeline, segment - 1, segment_bytes),
             " are not stored. Unless they still come, points after them need a new backup: "
             "take one now");
}

}  // namespace lb::archive
