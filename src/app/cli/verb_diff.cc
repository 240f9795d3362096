#include "app/cli/damage.h"
#include "app/cli/point_view.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "storage/repo/diff.h"
#include "stores/postgres/source.h"

namespace lb::cli {

namespace {

struct Tally {
  std::uint64_t added = 0, removed = 0, changed = 0, attributes = 0;
};

struct Change {
  const char* mark;  // as people see it
  const char* word;  // in JSON
  std::uint64_t Tally::*count;
};

constexpr Change added{"+", "added", &Tally::added}, removed{"-", "removed", &Tally::removed},
    changed{"M", "content", &Tally::changed}, touched{"a", "attributes", &Tally::attributes};

// What a person would call the same: times of the inode and its number are no difference.
Result<bool> equal_attributes(const PointView& point, const repo::Row& a, const repo::Row& b) {
  if (a.attributes == b.attributes) return true;
  if (!point.is_files()) {
    auto one = LB_TRY(pg::decode_attributes(a.attributes));
    auto other = LB_TRY(pg::decode_attributes(b.attributes));
    one.mtime = other.mtime;  // of a database's file: when it was last written out
    return pg::encode(one) == pg::encode(other);
  }
  auto one = LB_TRY(files::decode_attributes(a.attributes));
  auto other = LB_TRY(files::decode_attributes(b.attributes));
  for (auto* each : {&one, &other}) {
    each->ctime_ns = 0;
    each->inode = each->device = 0;
    if (each->kind == FileKind::directory) each->mtime_ns = 0;
  }
  return files::encode(one) == files::encode(other);
}

Result<std::optional<Change>> change_of(const PointView& point, const repo::Row* before,
                                        const repo::Row* after) {
  if (before == nullptr) return std::optional(added);
  if (after == nullptr) return std::optional(removed);
  if (!repo::equal_content(*before, *after)) return std::optional(changed);
  auto same = LB_TRY(equal_attributes(point, *before, *after));
  return same ? std::optional<Change>() : std::optional(touched);
}

Status print(const Shell& shell, const PointView& point, const Change& change,
             const repo::Row* before, const repo::Row* after, bool raw) {
  LB_ASSERT(before != nullptr || after != nullptr);
  auto path = point.path_of(before != nullptr ? before->key : after->key);
  auto table = point.relations.table_of(path);
  if (shell.console.options().json) {
    auto line = Json::object().set("change", change.word);
    set_path(line, path);
    if (before != nullptr) line.set("size_before", before->size);
    if (after != nullptr) line.set("size_after", after->size);
    if (!table.empty()) line.set("table", table);
    shell.console.event("lifeboat.difference/1", std::move(line));
    return {};
  }
  auto whose = table.empty() ? std::string() : cat("  (", printable(table), ")");
  auto text = raw ? cat(change.mark, " ", path) + '\0'
                  : cat(change.mark, " ", printable(path), whose, "\n");
  return shell.console.raw(view_of(text));
}

struct Pair {
  PointView before, after;
};

Result<Pair> read_pair(Session& session, const Args& args) {
  const auto& names = args.positionals;
  if (names.size() == 2) {
    auto before = LB_TRY(open_point(session, names[0]));
    auto after = LB_TRY(open_point(session, names[1]));
    return Pair{std::move(before), std::move(after)};
  }
  auto points = LB_TRY(named_points(session, names[0]));
  if (points.size() < 2) {
    return Error(ErrorKind::not_found,
                 cat("'", printable(names[0]), "' has one point: there is nothing to compare"))
        .with_exit(ExitCode::point_unreachable);
  }
  auto before = LB_TRY(open_point(session, points[points.size() - 2]));
  auto after = LB_TRY(open_point(session, points.back()));
  return Pair{std::move(before), std::move(after)};
}

Status check_pair(const Pair& pair) {
  if (pair.before.info.meta.kind == pair.after.info.meta.kind) return {};
  return Error(ErrorKind::invalid,
               cat("a point of kind ", pair.before.info.meta.kind, " and one of kind ",
                   pair.after.info.meta.kind, " cannot be compared"))
      .with_exit(ExitCode::usage);
}

// What a point named by a store or an id is compared with: the store as it is now.
Result<ExitCode> compare_with_live(const Shell& shell, Session& session, const Args& args) {
  auto info = LB_TRY(named_points(session, args.positionals[0])).back();
  const auto* store = session.plan.plan.store(info.meta.store);
  if (store == nullptr) {
    return Error(ErrorKind::not_found, cat("the plan has no store ", printable(info.meta.store),
                                           ": where it lives is not known"))
        .with_exit(ExitCode::usage);
  }
  const bool raw = args.has("null");
  auto each = [&](Difference one) -> Status {
    if (shell.console.options().json) {
      shell.console.event(one.schema, std::move(one.json));
      return {};
    }
    if (raw) one.text.back() = '\0';
    return shell.console.raw(view_of(one.text));
  };
  auto place = LB_TRY(live_place(session, *store));
  const auto damage =
      LB_TRY(assess_store(shell, session, *store, info, place, true, each, shell.stop)
                 .context(cat("compare ", info.id, " with live ", store->name)));
  if (damage.suspicions && !damage.suspicions->found.empty() && !shell.console.options().json)
    shell.console.out(to_text(*damage.suspicions, store->name));
  const auto exit = damage.unseen ? ExitCode::warnings : ExitCode::ok;
  shell.console.event("lifeboat.summary/1", Json::object()
                                                .set("verb", "diff")
                                                .set("ok", !damage.unseen)
                                                .set("exit", static_cast<int>(exit))
                                                .set("before", info.id)
                                                .set("after", "live")
                                                .set("store", store->name)
                                                .set("differs", damage.any)
                                                .set("text", damage.text)
                                                .set("damage", damage.data));
  shell.console.note(cat(info.id, " of ", format_time_seconds(info.meta.taken), " to live ",
                         store->name, ": ", damage.text));
  return exit;
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  if (args.positionals.empty()) {
    return Error(ErrorKind::invalid, "diff needs a store or two points")
        .with_hint("lifeboat ls lists points")
        .with_exit(ExitCode::usage);
  }
  auto session = LB_TRY(Session::open(shell, args));
  if (args.positionals.size() == 2 && args.positionals[1] == "live")
    return compare_with_live(shell, *session, args);
  auto pair = LB_TRY(read_pair(*session, args));
  LB_TRY(check_pair(pair));
  Tally tally;
  auto sink = [&](const repo::Row* before, const repo::Row* after) -> Status {
    auto change = LB_TRY(change_of(pair.after, before, after));
    if (!change) return {};
    ++(tally.*(change->count));
    const auto& of = after != nullptr ? pair.after : pair.before;
    return print(shell, of, *change, before, after, args.has("null"));
  };
  LB_TRY(repo::diff_snapshots(*pair.before.reader, *pair.after.reader, sink, shell.stop));
  auto summary = Json::object()
                     .set("verb", "diff")
                     .set("ok", true)
                     .set("exit", 0)
                     .set("before", pair.before.info.id)
                     .set("after", pair.after.info.id)
                     .set("added", tally.added)
                     .set("removed", tally.removed)
                     .set("content", tally.changed)
                     .set("attributes", tally.attributes);
  shell.console.event("lifeboat.summary/1", std::move(summary));
  shell.console.note(cat(pair.before.info.id, " to ", pair.after.info.id, ": ", tally.added,
                         " added, ", tally.removed, " removed, ", tally.changed, " changed, ",
                         tally.attributes, " with other attributes"));
  return ExitCode::ok;
}

}  // namespace

Verb diff_verb() {
  return {{"diff",
           "Says what changed between two recovery points: + added, - removed, M content, a "
           "attributes. With live as the second: how what is there now differs from the point, "
           "without changing anything; of a database by tables: < fewer rows, > more, ~ only "
           "estimated, and the transactions since that took much away. What could not be looked "
           "at has a ? and makes it exit 3.",
           {"lifeboat diff media                  # the last two points of the store",
            "lifeboat diff 06FQ0KZ4 06FQ9RT1      # any two, the earlier first",
            "lifeboat diff 06FQ0KZ4 live          # damage, before anything is restored"},
           "diff STORE | diff POINT POINT | diff POINT live [-0]",
           {{"null", '0', "", "names as they are, each ended by a NUL", false}},
           2},
          run};
}

}  // namespace lb::cli
