// swap ls, undo, clean: what restores with --how beside-then-swap left beside live databases and
// data directories.
#include "app/cli/protected_places.h"
#include "app/cli/service_command.h"
#include "app/cli/swap_places.h"
#include "app/cli/swap_steps.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "recovery/swap/cluster_swap.h"

namespace lb::cli {

namespace {

Json json_of(const LeftBySwap& left) {
  auto out = Json::object()
                 .set("id", left.id)
                 .set("kind", left.is_folder() ? "folder" : "database")
                 .set("live", left.live)
                 .set("beside", left.beside)
                 .set("stage", left.stage)
                 .set("store", left.store);
  if (left.bytes) out.set("bytes", *left.bytes);
  if (left.until) out.set("kept_until", format_time_seconds(*left.until));
  if (!left.note.empty()) out.set("note", left.note);
  return out;
}

Result<ExitCode> ls(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args));
  auto places = LB_TRY(SwapPlaces::open(shell, *session, args));
  auto all = LB_TRY(places->all());
  if (shell.console.options().json) {
    Json list = Json::array();
    for (const auto& each : all) list.push(json_of(each));
    shell.console.event("lifeboat.summary/1", Json::object()
                                                  .set("verb", "swap ls")
                                                  .set("ok", true)
                                                  .set("exit", 0)
                                                  .set("swaps", std::move(list)));
    return ExitCode::ok;
  }
  if (all.empty()) {
    shell.console.out("no swap has left anything");
    return ExitCode::ok;
  }
  std::vector<std::vector<std::string>> rows = {
      {"ID", "LIVE", "STAGE", "BESIDE IT", "SIZE", "KEPT UNTIL"}};
  for (const auto& each : all) {
    rows.push_back({each.id, printable(each.live), each.stage, printable(each.beside),
                    each.bytes ? human_size(*each.bytes) : "",
                    each.until ? format_time_seconds(*each.until) : each.note});
  }
  shell.console.out(table(rows));
  return ExitCode::ok;
}

// Once the names were exchanged, going back takes away what was written since.
bool is_exchanged(const LeftBySwap& left) {
  return left.stage == "swapped" || left.stage == "exchanged" || left.stage == "undoing";
}

// The protected target whose place it is; empty: none.
Result<std::string> guarded_by(const Shell& shell, const Session& session, const LeftBySwap& left) {
  if (left.is_folder()) return protected_folder(shell, session, left.live);
  Rescue rescue;
  rescue.into = left.server->reference;
  rescue.into_words = rescue.into.text();
  auto into = LB_TRY(session.references->secret(rescue.into));
  return protected_target(session, rescue, into);
}

Status confirm_undo(const Shell& shell, const Session& session, const Args& args,
                    const LeftBySwap& left) {
  if (!is_exchanged(left)) return {};
  auto guarded = LB_TRY(guarded_by(shell, session, left));
  swap::DestructiveAct act;
  act.host = shell.host;
  act.target = guarded.empty() ? session.plan.plan.system : guarded;
  auto kind = left.is_tree ? "folder " : left.is_folder() ? "data directory " : "database ";
  act.place = cat(kind, left.live);
  act.store = left.store;
  act.point = cat("as it was before swap ", left.id);
  act.as_of = left.since;
  act.now = shell.world.clock.now();
  act.overwritten = {{act.place, std::nullopt}};
  act.kept = Micros(0);
  if (left.mark && left.mark->until) act.kept = *left.mark->until - left.mark->since;
  if (left.is_folder()) {
    act.notes.push_back("what is put aside is kept as long as the old one would have been");
    act.kept.reset();
  }
  shell.console.note(swap::shown(act));
  return confirm_swap(shell, args.get("confirm"), act);
}

Result<std::string> undo_database(const Shell& shell, const LeftBySwap& left) {
  pg::SwapServer server{*left.server->connection, *left.server->second, shell.world.clock};
  auto state = LB_TRY(pg::undo_swap(server, {left.live, left.id, {}}, shell.stop));
  if (state.stage == pg::SwapStage::none) return cat(printable(left.beside), " is removed");
  return cat(printable(left.live), " is again what it was before swap ", left.id,
             "; what was put aside is ", printable(state.beside), ", kept until ",
             format_time_seconds(state.until.value()));
}

Result<std::string> undo_tree(const Shell& shell, const Session& session, const Args& args,
                              const LeftBySwap& left) {
  if (left.stopped && !args.has("start"))
    return Error(ErrorKind::invalid, "the swap stopped what uses the folder")
        .with_hint("give --start, the command that starts it again");
  swap::FolderActs acts;
  if (args.has("stop")) acts.stop = service_command(shell, session, args.get("stop"));
  if (args.has("start")) acts.start = service_command(shell, session, args.get("start"));
  swap::FolderSwap folder{shell.world.files, shell.world.clock, {left.live, left.id, {}}};
  auto state = LB_TRY(swap::undo_folder_swap(folder, acts));
  if (state.stage == swap::FolderStage::none) return cat(printable(left.beside), " is removed");
  return cat(printable(left.live), " is again what it was before swap ", left.id,
             "; what was put aside is ", printable(state.beside), ", kept until ",
             format_time_seconds(state.until.value()));
}

Result<std::string> undo_folder(const Shell& shell, const Session& session, const Args& args,
                                const SwapPlaces& places, const LeftBySwap& left) {
  if (left.is_tree) return undo_tree(shell, session, args, left);
  auto conninfo = places.conninfo_of(left.live);
  bool serves = is_exchanged(left) || left.stopped;
  if (serves && (!conninfo || !args.has("stop") || !args.has("start")))
    return Error(ErrorKind::invalid, "a data directory is exchanged while its server is down")
        .with_hint(
            "give --stop and --start, the commands of its service, and name the folder as "
            "data: of its store in the plan");
  Secret none;
  swap::ClusterSwap cluster{shell.world, conninfo ? *conninfo : none, left.live};
  cluster.stop = service_command(shell, session, args.get("stop"));
  cluster.start = service_command(shell, session, args.get("start"));
  cluster.stopped = shell.stop;
  swap::FolderSwap folder{shell.world.files, shell.world.clock, {left.live, left.id, {}}};
  auto state = LB_TRY(swap::undo_folder_swap(folder, swap::cluster_acts(cluster)));
  if (state.stage == swap::FolderStage::none)
    return cat(printable(left.beside), " is removed",
               left.stopped ? cat("; the server on ", printable(left.live), " answers again") : "");
  return cat(printable(left.live), " is again what it was before swap ", left.id,
             ", and its server answers; what was put aside is ", printable(state.beside),
             ", kept until ", format_time_seconds(state.until.value()));
}

Result<ExitCode> finish(const Shell& shell, Session& session, state::Act& act,
                        const std::string& verb, const Result<std::string>& done, Json details) {
  if (!done.ok()) {
    LB_TRY(act.finish(false, done.error().text(), Json::object()));
    return done.error();
  }
  LB_TRY(act.finish(true, *done, details));
  if (auto mirrored = session.journal->mirror(*session.repository); !mirrored.ok())
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  if (shell.console.options().json) {
    details.set("verb", verb).set("ok", true).set("exit", 0).set("text", *done);
    shell.console.event("lifeboat.summary/1", std::move(details));
  } else {
    shell.console.out(*done);
  }
  return ExitCode::ok;
}

Result<ExitCode> undo(const Shell& shell, const Args& args) {
  if (args.positionals.empty())
    return Error(ErrorKind::invalid, "which swap?").with_hint("lifeboat swap ls lists them");
  auto session = LB_TRY(Session::open(shell, args));
  auto places = LB_TRY(SwapPlaces::open(shell, *session, args));
  auto left = LB_TRY(places->find(args.positionals[0]));
  LB_TRY(confirm_undo(shell, *session, args, left));
  auto act =
      LB_TRY(state::Act::begin(shell.world, *session->journal, "swap undo", left.store,
                               cat("Undoing swap ", left.id, " of ", left.live), json_of(left)));
  auto done = left.is_folder() ? undo_folder(shell, *session, args, *places, left)
                               : undo_database(shell, left);
  return finish(shell, *session, *act, "swap undo", done, json_of(left));
}

struct Cleaned {
  std::vector<std::string> removed, left;
};

Result<Cleaned> remove_all(const Shell& shell, SwapPlaces& places) {
  auto& world = shell.world;
  Cleaned out;
  for (auto& server : places.servers()) {
    auto cleaned = LB_TRY(pg::remove_kept_databases(*server->connection, world.clock.now()));
    out.removed.insert(out.removed.end(), cleaned.removed.begin(), cleaned.removed.end());
    out.left.insert(out.left.end(), cleaned.left.begin(), cleaned.left.end());
  }
  for (const auto& folder : places.folders()) {
    auto removed = LB_TRY(swap::remove_kept_folders(world.files, world.clock, folder));
    out.removed.insert(out.removed.end(), removed.begin(), removed.end());
  }
  return out;
}

Result<ExitCode> clean_now(const Shell& shell, Session& session, SwapPlaces& places) {
  auto act =
      LB_TRY(state::Act::begin(shell.world, *session.journal, "swap clean", {},
                               "Removing what swaps kept and whose time is over", Json::object()));
  auto cleaned = remove_all(shell, places);
  Json removed = Json::array();
  if (cleaned.ok()) {
    for (const auto& each : cleaned->removed) removed.push(each);
    for (const auto& each : cleaned->left) shell.console.warn(cat("not removed: ", each));
  }
  auto text = [&]() -> Result<std::string> {
    if (!cleaned.ok()) return cleaned.error();
    if (cleaned->removed.empty()) return std::string("nothing to remove");
    return cat("removed ", printable(join(cleaned->removed, ", ")));
  }();
  return finish(shell, session, *act, "swap clean", text,
                Json::object().set("removed", std::move(removed)));
}

Result<ExitCode> clean(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args));
  auto places = LB_TRY(SwapPlaces::open(shell, *session, args));
  if (!args.has("dry-run")) return clean_now(shell, *session, *places);
  auto all = LB_TRY(places->all());
  auto now = shell.world.clock.now();
  for (const auto& each : all) {
    bool goes = each.until && *each.until <= now && each.note.empty();
    auto why = each.note.empty() && each.until
                   ? cat("kept until ", format_time_seconds(*each.until))
                   : each.note;
    shell.console.out(cat(goes ? "would remove " : "keeps ", printable(each.beside),
                          goes || why.empty() ? "" : ": ", goes ? "" : why));
  }
  if (all.empty()) shell.console.out("no swap has left anything");
  shell.console.event("lifeboat.summary/1",
                      Json::object().set("verb", "swap clean").set("ok", true).set("exit", 0));
  return ExitCode::ok;
}

std::vector<Flag> place_flags() {
  return {{"into", 0, "CONNINFO",
           "look at this server: env:NAME, file:PATH; default: those of the plan's stores", true},
          {"folder", 0, "PATH",
           "look beside this folder; default: data: and files of the plan's stores", true}};
}

std::vector<Flag> with_places(std::vector<Flag> flags) {
  for (auto& flag : place_flags()) flags.push_back(std::move(flag));
  return flags;
}

}  // namespace

Verb swap_ls_verb() {
  return {{"swap ls",
           "Lists what restores with --how beside-then-swap left beside what is live.",
           {"lifeboat swap ls                        # of the plan's stores",
            "lifeboat swap ls --into env:ADMIN_URL   # of another server"},
           "swap ls [--into CONNINFO] [--folder PATH]",
           place_flags(),
           0},
          ls};
}

Verb swap_undo_verb() {
  return {{"swap undo",
           "Puts back what was live before a swap, or removes what an unfinished one made.",
           {"lifeboat swap undo k7m2q9x4   # the id is said by restore, and by swap ls",
            "lifeboat swap undo k7m2q9x4 --stop \"systemctl stop postgresql\" --start \"systemctl "
            "start postgresql\"   # a data directory"},
           "swap undo ID [--into CONNINFO] [--folder PATH] [--stop COMMAND --start COMMAND]",
           with_places(
               {{"stop", 0, "COMMAND", "of a data directory: stops its server", false},
                {"start", 0, "COMMAND", "of a data directory: starts its server", false},
                {"confirm", 0, "NAME", "the name that is asked for, instead of typing it", false}}),
           1},
          undo};
}

Verb swap_clean_verb() {
  return {{"swap clean",
           "Removes what swaps kept and whose time is over.",
           {"lifeboat swap clean -n   # what would go, and what stays",
            "lifeboat swap clean      # for a timer"},
           "swap clean [--into CONNINFO] [--folder PATH] [-n]",
           with_places({{"dry-run", 'n', "", "say what would be removed", false}}),
           0},
          clean};
}

}  // namespace lb::cli
