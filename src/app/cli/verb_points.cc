// ls, info, show: what the repository holds, in lists and in plain words.
#include "app/cli/fingerprint_table.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "foundation/codec/json_items.h"
#include "model/report/report.h"
#include "recovery/restore/points.h"
#include "storage/repo/ledger.h"
#include "storage/repo/usage.h"

namespace lb::cli {

namespace {

Json json_of(const repo::SnapshotInfo& snapshot) {
  return Json::object()
      .set("id", snapshot.id)
      .set("store", snapshot.meta.store)
      .set("kind", snapshot.meta.kind)
      .set("host", snapshot.meta.host)
      .set("started", format_time(snapshot.meta.started))
      .set("taken", format_time(snapshot.meta.taken))
      .set("rows", snapshot.rows)
      .set("logical_bytes", snapshot.logical_bytes)
      .set("new_bytes", snapshot.new_bytes)
      .set("stored_bytes", snapshot.stored_bytes)
      .set("warnings", static_cast<std::uint64_t>(snapshot.meta.warnings.size()));
}

std::string notes_of(const repo::SnapshotInfo& snapshot, const repo::Hold* hold, Timestamp now) {
  std::vector<std::string> notes;
  auto warnings = snapshot.meta.warnings.size();
  if (warnings > 0) notes.push_back(cat(warnings, " warnings"));
  if (hold != nullptr && hold->holds_at(now)) {
    auto until = hold->until ? cat(" until ", format_time_seconds(*hold->until)) : std::string();
    notes.push_back(cat("held", until, hold->why.empty() ? "" : ": ", printable(hold->why)));
  }
  return join(notes, ", ");
}

Result<ExitCode> ls(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args));
  auto stores = LB_TRY(pick_stores(session->plan.plan, args.positionals));
  auto all = LB_TRY(session->repository->snapshots());
  auto care = LB_TRY(repo::read_ledger_if_whole(*session->repository->core()));
  auto now = shell.world.clock.now();
  std::vector<std::vector<std::string>> rows = {
      {"POINT", "STORE", "TAKEN", "SIZE", "NEW", "STORED", "ITEMS", "NOTES"}};
  Json list = Json::array();
  for (const auto& snapshot : all) {
    bool wanted = args.positionals.empty();
    for (const auto* store : stores) wanted = wanted || store->name == snapshot.meta.store;
    if (!wanted) continue;
    auto found = care.ledger.holds.find(snapshot.id);
    const auto* hold = found != care.ledger.holds.end() ? &found->second : nullptr;
    bool held = hold != nullptr && hold->holds_at(now);
    list.push(json_of(snapshot).set("held", held));
    rows.push_back({snapshot.id, snapshot.meta.store, format_time_seconds(snapshot.meta.taken),
                    human_size(snapshot.logical_bytes), human_size(snapshot.new_bytes),
                    human_size(snapshot.stored_bytes), human_count(snapshot.rows),
                    notes_of(snapshot, hold, now)});
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.points/1", Json::object().set("points", std::move(list)));
  } else if (rows.size() == 1) {
    shell.console.note("no recovery points yet; take one with lifeboat backup");
  } else {
    shell.console.out(table(rows, {3, 4, 5, 6}));
  }
  return ExitCode::ok;
}

// "until" of a store: the newest moment it can be brought back to.
struct Reach {
  std::optional<Timestamp> from, to;
  std::vector<std::string> holes;
  std::size_t points = 0;
};

Result<Reach> reach_of(const restore::StorePoints& points, const repo::Ledger& ledger) {
  Reach reach;
  reach.points = points.snapshots.size();
  if (points.snapshots.empty()) return reach;
  reach.from = points.snapshots.front().meta.taken;
  reach.to = points.snapshots.back().meta.taken;
  for (const auto& snapshot : points.snapshots) {
    if (points.kind != plan::StoreKind::postgres) break;
    auto details = LB_TRY(pg::decode_details(snapshot.meta.details));
    for (const auto& log : points.logs) {
      if (log.log_id != details.log_id) continue;
      auto window = pg::window_of(log, details, snapshot.meta.taken);
      if (window.to && *window.to > *reach.to) reach.to = window.to;
    }
  }
  for (const auto& log : points.logs) {
    for (const auto& hole : log.holes) {
      // No kept point needs what prune removed: it is no loss, but it is not reachable either.
      bool pruned = ledger.removed_log(log.log_id, hole.first_segment);
      reach.holes.push_back(
          cat(pruned ? "log pruned from " : "log missing from ", pg::format_lsn(hole.from), " to ",
              pg::format_lsn(hole.to), " on timeline ", hole.timeline,
              hole.after ? cat(" (after ", format_time_seconds(*hole.after), ")") : ""));
    }
  }
  return reach;
}

const record::DrillRecord* last_proof(const std::vector<record::DrillRecord>& drills,
                                      const std::string& store) {
  for (auto drill = drills.rbegin(); drill != drills.rend(); ++drill) {
    if (drill->verdict != record::Verdict::pass) continue;
    for (const auto& result : drill->stores) {
      if (result.store == store) return &*drill;
    }
  }
  return nullptr;
}

std::string words_for(const plan::Store& store, const Reach& reach,
                      const record::DrillRecord* proof, Timestamp now) {
  if (reach.points == 0)
    return cat(store.name, ": nothing to go back to yet. Take a point: lifeboat backup ",
               store.name);
  std::string text;
  if (store.kind == plan::StoreKind::postgres && *reach.to > *reach.from && store.log_continuous) {
    text = cat(store.name, ": any moment from ", format_time_seconds(*reach.from), " to ",
               format_time(*reach.to), " (", human_duration(now - *reach.to), " ago), from ",
               reach.points, " base snapshots and the log");
  } else {
    text = cat(store.name, ": ", reach.points, reach.points == 1 ? " point" : " points", ", from ",
               format_time_seconds(*reach.from), " to ", format_time_seconds(*reach.to), " (",
               human_duration(now - *reach.to), " ago)");
  }
  for (const auto& hole : reach.holes) text += cat("\n    hole: ", hole);
  text += proof != nullptr ? cat("\n    last proven ", format_time_seconds(proof->started),
                                 " by drill ", proof->drill)
                           : "\n    never proven by a drill";
  return text;
}

// How much is there, in three senses, and how long the place will hold it.
struct Sizes {
  std::uint64_t logical = 0;  // of all points, each counted whole
  std::uint64_t unique = 0;   // what was new when each was taken
  repo::Usage stored;
  std::optional<std::uint64_t> available;  // on the disk of a directory
};

Result<Sizes> sizes_of(const Shell& shell, Session& session, Timestamp now) {
  Sizes out;
  for (const auto& snapshot : LB_TRY(session.repository->snapshots())) {
    out.logical += snapshot.logical_bytes;
    out.unique += snapshot.new_bytes;
  }
  out.stored = repo::usage_of(LB_TRY(session.blobs->list("")), now);
  if (!session.repository_folder.empty()) {
    out.available = LB_TRY(shell.world.files.space(session.repository_folder)).available;
  }
  return out;
}

std::string growth_words(const Sizes& sizes, Timestamp now) {
  auto rate = sizes.stored.bytes_a_day();
  auto room = sizes.available ? cat(human_size(*sizes.available), " free") : std::string();
  if (!rate) return room.empty() ? "too young to tell" : cat("too young to tell; ", room);
  auto text = cat(human_size(*rate), " a day over the last ", human_duration(sizes.stored.window),
                  ", before what prune frees");
  if (room.empty()) return text;
  auto full = repo::full_at(*rate, *sizes.available, now);
  return cat(text, "; ", room,
             full ? cat(": full on ", format_time_seconds(*full).substr(0, 10), " at that rate")
                  : ", enough for a century at that rate");
}

std::string size_words(const Sizes& sizes, Timestamp now) {
  const auto& stored = sizes.stored;
  return table(
      {{"  content", cat(human_size(sizes.logical), " in all points, ", human_size(sizes.unique),
                         " of it different")},
       {"  stored", cat(human_size(stored.total()), ": packs ", human_size(stored.packs),
                        ", index ", human_size(stored.indexes), ", log ", human_size(stored.logs),
                        ", other ", human_size(stored.verdicts + stored.records + stored.other))},
       {"  growth", growth_words(sizes, now)}});
}

Json json_of(const Sizes& sizes, Timestamp now) {
  Json out = Json::object()
                 .set("logical_bytes", sizes.logical)
                 .set("unique_bytes", sizes.unique)
                 .set("stored_bytes", sizes.stored.total())
                 .set("pack_bytes", sizes.stored.packs)
                 .set("index_bytes", sizes.stored.indexes)
                 .set("log_bytes", sizes.stored.logs);
  if (sizes.available) out.set("available_bytes", *sizes.available);
  auto rate = sizes.stored.bytes_a_day();
  if (!rate) return out;
  out.set("bytes_a_day", *rate).set("window_us", std::int64_t{sizes.stored.window.count()});
  auto full = sizes.available ? repo::full_at(*rate, *sizes.available, now) : std::nullopt;
  if (full) out.set("full_at", format_time(*full));
  return out;
}

Result<ExitCode> info(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args));
  auto stores = LB_TRY(pick_stores(session->plan.plan, args.positionals));
  auto drills = LB_TRY(state::drills(*session->repository));
  auto now = shell.world.clock.now();
  auto sizes = LB_TRY(sizes_of(shell, *session, now));
  auto ledger = std::move(LB_TRY(repo::read_ledger_if_whole(*session->repository->core())).ledger);
  Json list = Json::array();
  std::string text =
      cat("Repository ", session->repository->id(), " at ", session->repository->describe(), "\n",
          size_words(sizes, now), "\nHow far back can I go?\n");
  for (const auto* store : stores) {
    auto points = LB_TRY(restore::read_points(*session->repository, *store));
    auto reach = LB_TRY(reach_of(points, ledger));
    const auto* proof = last_proof(drills, store->name);
    text += cat("  ", words_for(*store, reach, proof, now), "\n");
    Json line = Json::object()
                    .set("store", store->name)
                    .set("points", static_cast<std::uint64_t>(reach.points));
    if (reach.from) line.set("from", format_time(*reach.from));
    if (reach.to) line.set("to", format_time(*reach.to));
    Json holes = Json::array();
    for (const auto& hole : reach.holes) holes.push(hole);
    line.set("holes", std::move(holes));
    if (proof != nullptr) line.set("last_proven", format_time(proof->started));
    list.push(std::move(line));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.info/1", Json::object()
                                               .set("repository", session->repository->id())
                                               .set("stored_bytes", sizes.stored.total())
                                               .set("sizes", json_of(sizes, now))
                                               .set("stores", std::move(list)));
  } else {
    shell.console.out(text);
  }
  return ExitCode::ok;
}

std::string describe(const repo::SnapshotInfo& snapshot) {
  std::vector<std::vector<std::string>> rows = {
      {"point", snapshot.id},
      {"store", cat(snapshot.meta.store, " (", snapshot.meta.kind, ") on ", snapshot.meta.host)},
      {"started", format_time(snapshot.meta.started)},
      {"taken", format_time(snapshot.meta.taken)},
      {"ended", format_time(snapshot.ended)},
      {"items", human_count(snapshot.rows)},
      {"size",
       cat(human_size(snapshot.logical_bytes), " (", human_size(snapshot.new_bytes), " new, ",
           human_size(snapshot.stored_bytes), " stored, in ", snapshot.packs, " packs)")},
      {"parent", snapshot.meta.parent.empty() ? "none" : snapshot.meta.parent},
  };
  auto text = table(rows);
  for (const auto& warning : snapshot.meta.warnings) text += cat("warning  ", warning, "\n");
  return text;
}

// One line, with the fingerprint as it was recorded: read into a tree it would take ten times its
// size.
Result<std::string> json_line(const repo::SnapshotInfo& snapshot, const Json& details,
                              const std::optional<Buffer>& fingerprint) {
  Json line = Json::object().set("schema", "lifeboat.point/1");
  const Json facts = json_of(snapshot);
  for (const auto& [name, value] : facts.members()) line.set(name, value);
  line.set("details", details);
  if (!fingerprint) return line.set("fingerprint", Json()).dump();
  auto leave_out = [](const Json::Object&, const Json&) { return Status(); };
  LB_TRY(parse_json_items(text_of(*fingerprint), "tables", leave_out).context("fingerprint"));
  auto text = line.dump();
  text.pop_back();
  text.reserve(text.size() + fingerprint->size() + 20);
  text.append(",\"fingerprint\":").append(text_of(*fingerprint)).append("}");
  return text;
}

Result<ExitCode> show(const Shell& shell, const Args& args) {
  if (args.positionals.empty()) {
    return Error(ErrorKind::invalid, "show needs a point or drill id")
        .with_hint("lifeboat ls lists points");
  }
  auto session = LB_TRY(Session::open(shell, args));
  const auto& id = args.positionals[0];
  auto& console = shell.console;
  for (const auto& drill : LB_TRY(state::drills(*session->repository))) {
    if (!drill.id.starts_with(id)) continue;
    console.out(console.options().json ? report::drill_json(drill)
                                       : report::drill_table(drill, console.options().color));
    return ExitCode::ok;
  }
  for (const auto& snapshot : LB_TRY(session->repository->snapshots())) {
    if (!snapshot.id.starts_with(id)) continue;
    auto reader = LB_TRY(session->repository->snapshot(snapshot.id));
    auto attached = LB_TRY(reader->attachment(pg::attachment_fingerprint));
    Json details;
    if (!snapshot.meta.details.empty()) details = LB_TRY(parse_json(snapshot.meta.details));
    if (console.options().json) {
      auto line = LB_TRY(json_line(snapshot, details, attached));
      console.out(line);
      return ExitCode::ok;
    }
    auto text = describe(snapshot);
    for (const auto& [name, value] : details.members())
      text += cat("  ", name, ": ", value.is_string() ? value.string() : value.dump(), "\n");
    if (attached) {
      auto tables = LB_TRY(fingerprint_table(text_of(*attached)).context("fingerprint"));
      text += tables;
    }
    console.out(text);
    return ExitCode::ok;
  }
  return Error(ErrorKind::not_found, cat("no recovery point or drill '", printable(id), "'"))
      .with_hint("lifeboat ls lists points, lifeboat drill ls lists drills")
      .with_exit(ExitCode::point_unreachable);
}

}  // namespace

Verb ls_verb() {
  return {
      {"ls",
       "Lists recovery points, oldest first.",
       {"lifeboat ls            # all stores", "lifeboat ls db --json  # one store, for a script"},
       "ls [STORE...]",
       {},
       1000},
      ls};
}

Verb info_verb() {
  return {{"info",
           "Says in plain words how far back each store can go and when that was last proven.",
           {"lifeboat info          # every store", "lifeboat info db       # one store"},
           "info [STORE...]",
           {},
           1000},
          info};
}

Verb show_verb() {
  return {{"show",
           "Shows one recovery point with its fingerprint, or one drill.",
           {"lifeboat show 06FQ0KZ4      # the beginning of an id is enough",
            "lifeboat show 06FQ0KZ4 --json | jq .fingerprint.databases[].tables"},
           "show POINT|DRILL",
           {},
           1},
          show};
}

}  // namespace lb::cli
