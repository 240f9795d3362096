#include "app/cli/log_watch.h"

#include <algorithm>

#include "app/cli/wal_client.h"
#include "foundation/base/text.h"
#include "foundation/sys/real_path.h"
#include "recovery/archive/agent.h"
#include "recovery/archive/desk.h"
#include "stores/postgres/source.h"

namespace lb::cli {

namespace {

// A server whose disk would be full sooner than this needs somebody today.
constexpr Micros soon = std::chrono::hours(24);

// What the agent of this plan and store has in its hands; nothing when there is none.
std::set<std::string> uploading_now(const Shell& shell, const Session& session,
                                    const std::string& store) {
  const WalCaller caller{shell.environment, shell.folder, shell.uid};
  const auto path = session.plan.path;
  const auto absolute = path.starts_with('/') ? path : path_join(shell.folder, path);
  const auto work = work_of(caller, absolute, store);
  std::set<std::string> out;
  const auto answer = archive::ask_agent(work.socket, work.order, Seconds(5));
  if (!answer.ok()) return out;
  const auto details = parse_json(answer->details);
  if (!details.ok()) return out;
  for (const auto& server : (*details)["servers"].items()) {
    for (const auto& name : server["uploading"].items()) out.insert(name.string());
  }
  return out;
}

// Only where the server's folder is the one of this machine.
std::optional<std::uint64_t> available_at(Files& files, const pg::ServerLog& server) {
  if (server.data_folder.empty()) return std::nullopt;
  const auto folder = real_path(files, path_join(server.data_folder, "pg_wal"));
  const auto system = archive::system_of(files, server.data_folder);
  const bool here = folder.ok() && system.ok() && cat(*system) == server.system_identifier;
  if (!here) return std::nullopt;
  const auto space = files.space(*folder);
  return space.ok() ? std::optional(space->available) : std::nullopt;
}

void ask_server(const Shell& shell, const Session& session, const plan::Store& store,
                const std::string& system_identifier, LogWatch& watch) {
  auto asked = [&]() -> Result<pg::ServerLog> {
    const auto conninfo = LB_TRY(session.references->secret(store.address));
    return pg::read_server_log(conninfo);
  }();
  if (!asked.ok()) {
    watch.server_trouble = asked.error().text();
    const auto kind = asked.error().kind();
    watch.server_away = kind == ErrorKind::unavailable || kind == ErrorKind::timeout;
    return;
  }
  if (asked->system_identifier != system_identifier) {
    watch.server_trouble = "the server is another database system than the one backed up";
    return;
  }
  watch.disk_available = available_at(shell.world.files, *asked);
  watch.server = std::move(asked).take();
}

Status look_into_spool(const Shell& shell, const Session& session, const plan::Store& store,
                       const std::string& log_id, LogWatch& watch) {
  if (store.spool.empty()) return {};
  watch.spool = session.references->absolute(store.spool);
  watch.spool_bytes =
      LB_TRY(pg::left_in_spool(shell.world.files, watch.spool, log_id).context("read the spool"));
  return {};
}

std::string forecast(const LogWatch& watch) {
  if (!watch.growth || !watch.disk_available) return {};
  const auto full = archive::full_after(*watch.growth, *watch.disk_available);
  const auto rate = static_cast<std::uint64_t>(watch.growth->bytes_per_second);
  auto text = cat("; log grows by ", human_size(rate), "/s");
  if (full) {
    text += cat(", the server's disk would be full ", human_duration(*full),
                " after archiving stopped");
  }
  return text;
}

std::string slots_in_words(const pg::ServerLog& server) {
  std::string text;
  for (const auto& slot : server.slots) {
    text += cat("; slot ", slot.name, slot.active ? "" : " (nobody connected)", " keeps ",
                human_size(slot.kept_bytes));
    if (slot.state != "reserved" && !slot.state.empty()) text += cat(", ", slot.state);
  }
  return text;
}

// The newest attempt of archive_command failed, and none went well since.
bool archiving_fails(const pg::ServerLog& server) {
  return server.archives && server.last_failed &&
         (!server.last_archived || *server.last_failed > *server.last_archived);
}

// Log that nobody fetches stays, until the disk or the server's own limit ends it.
bool keeps_for_nobody(const pg::ServerLog& server) {
  return std::any_of(server.slots.begin(), server.slots.end(),
                     [](const auto& slot) { return !slot.active && slot.kept_bytes > 0; });
}

std::string slot_at_its_limit(const pg::ServerLog& server) {
  for (const auto& slot : server.slots) {
    if (slot.state == "unreserved" || slot.state == "lost") return slot.name;
  }
  return {};
}

std::optional<Micros> full_soon(const LogWatch& watch) {
  if (!watch.server || !watch.growth || !watch.disk_available) return std::nullopt;
  if (!archiving_fails(*watch.server) && !keeps_for_nobody(*watch.server)) return std::nullopt;
  const auto full = archive::full_after(*watch.growth, *watch.disk_available);
  return full && *full < soon ? full : std::nullopt;
}

std::string spool_text(const LogWatch& watch) {
  return cat(human_size(watch.spool_bytes), " of log are only in ", watch.spool,
             ", and nobody brings them into the repository: run lifeboat backup --follow");
}

void add_server_findings(const LogWatch& watch, const plan::Store& store, Timestamp now,
                         std::vector<watch::Finding>& out) {
  const auto& server = *watch.server;
  const bool fails = archiving_fails(server);
  const auto verdict = judge_log(watch, now);
  out.push_back({"log failing", store.name, fails, cat("Of ", store.name, ": ", verdict.text)});
  const auto full = full_soon(watch);
  const auto slot = slot_at_its_limit(server);
  std::string text;
  if (full)
    text = cat("At the rate of the last hour the server's disk is full in ", human_duration(*full),
               ", because nobody takes its log. ");
  if (!slot.empty())
    text += cat("Slot ", slot,
                " has reached the limit of what the server keeps "
                "(max_slot_wal_keep_size): log that was not fetched is removed. ");
  out.push_back({"log filling", store.name, full || !slot.empty(),
                 cat(text, "It keeps ", human_size(server.wal_bytes), " of log",
                     slots_in_words(server), ".")});
}

}  // namespace

Result<std::optional<LogWatch>> watch_log(const Shell& shell, Session& session,
                                          const plan::Store& store,
                                          const restore::StorePoints& points) {
  if (points.snapshots.empty() || points.logs.empty()) return std::optional<LogWatch>();
  const auto details = LB_TRY(pg::decode_details(points.snapshots.back().meta.details));
  for (const auto& index : points.logs) {
    if (index.log_id != details.log_id) continue;
    LogWatch watch;
    ask_server(shell, session, store, details.system_identifier, watch);
    watch.state = archive::state_of(index, watch.server ? &*watch.server : nullptr,
                                    uploading_now(shell, session, store.name), details.start_lsn);
    const auto admitted = LB_TRY(archive::read_admissions(*session.repository, index.log_id));
    watch.kept = store.log_continuous || !admitted.empty();
    watch.growth = archive::growth_of(index);
    LB_TRY(look_into_spool(shell, session, store, index.log_id, watch));
    return std::optional<LogWatch>(std::move(watch));
  }
  return std::optional<LogWatch>();
}

LogVerdict judge_log(const LogWatch& watch, Timestamp now) {
  const auto& state = watch.state;
  LogVerdict out{"ok", {}};
  const auto more = watch.server ? cat(slots_in_words(*watch.server), forecast(watch))
                                 : cat("; the server was not asked: ", watch.server_trouble);
  if (state.lost > 0) {
    out.state = "lost";
    out.text = cat(state.lost, state.lost == 1 ? " segment is" : " segments are",
                   " lost: points after the hole need a backup taken after it");
  } else if (state.missing > 0) {
    out.state = "hole";
    out.text = cat(state.missing, state.missing == 1 ? " segment is" : " segments are",
                   " missing between others: see lifeboat wal ls");
  } else if (watch.server && archiving_fails(*watch.server)) {
    out.state = "failing";
    out.text = cat("archive_command fails, last ", human_duration(now - *watch.server->last_failed),
                   " ago; the server keeps ", human_size(watch.server->wal_bytes), " of log");
  } else if (watch.spool_bytes > 0) {
    out.state = "spooled";
    out.text = spool_text(watch);
  } else {
    out.text = state.delayed_bytes == 0
                   ? std::string("whole")
                   : cat("whole; ", human_size(state.delayed_bytes), " still to come");
  }
  out.text += more;
  const bool worse = out.state == "failing" || out.state == "ok";
  const bool filling =
      full_soon(watch) || (watch.server && !slot_at_its_limit(*watch.server).empty());
  if (worse && filling) out.state = "filling";
  return out;
}

std::vector<watch::Finding> findings_of(const LogWatch& watch, const plan::Store& store,
                                        const std::string& host, Timestamp now) {
  std::vector<watch::Finding> out;
  const bool hole = watch.state.lost > 0 || watch.state.missing > 0;
  out.push_back({"log gap", store.name, hole,
                 cat(watch.state.lost + watch.state.missing, " segments of the log of ", store.name,
                     " are missing. Points after the hole need a backup taken after it: lifeboat "
                     "backup ",
                     store.name, "; lifeboat wal ls shows where it is.")});
  if (watch.server || watch.server_away)
    out.push_back({"store unreachable", cat(store.name, ", from ", host), watch.server_away,
                   watch.server_trouble});
  if (watch.server) add_server_findings(watch, store, now, out);
  if (watch.spool.empty()) return out;
  const auto on_host = cat("spool of ", store.name, " on ", host);
  out.push_back({"log failing", on_host, watch.spool_bytes > 0, spool_text(watch)});
  return out;
}

}  // namespace lb::cli
