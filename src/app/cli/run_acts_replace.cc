// Steps that take the place of what is live: a database or a data directory exchanged for a
// restored one, traffic switched; and taking both back.
#include <algorithm>

#include "app/cli/point_words.h"
#include "app/cli/protected_places.h"
#include "app/cli/restore_request.h"
#include "app/cli/run_acts.h"
#include "app/cli/service_command.h"
#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "model/plan/view.h"
#include "recovery/swap/cluster_swap.h"
#include "recovery/swap/old_watch.h"
#include "recovery/swap/switch.h"
#include "stores/postgres/database_swap.h"

namespace lb::cli {

using runbook::Act;
using runbook::ActEnd;

namespace {

constexpr Micros answer_limit = std::chrono::minutes(5);
constexpr Micros still_window = std::chrono::seconds(5);
constexpr std::size_t swap_id_length = 8;

const std::vector<std::string> no_files;

bool asks_one_database(const plan::Check& check) {
  return std::holds_alternative<plan::CheckTables>(check.what) ||
         std::holds_alternative<plan::CheckFresh>(check.what) ||
         std::holds_alternative<plan::CheckForeignKeys>(check.what) ||
         std::holds_alternative<plan::CheckAmcheck>(check.what) ||
         std::holds_alternative<plan::CheckSql>(check.what) ||
         std::holds_alternative<plan::CheckEqual>(check.what);
}

// Suites of the verify: steps that follow and ask nothing but a database: they pass before the
// exchange, not only after it.
std::vector<std::string> suites_before(const plan::Plan& plan, const Act& act) {
  std::vector<std::string> out;
  for (auto n = act.own.number + 1; n <= act.script.steps.size(); ++n) {
    const auto& step = *act.script.at(n).step;
    if (step.verb == "restore") break;
    if (step.verb != "verify") continue;
    for (const auto& suite : plan.suites) {
      bool named = step.what.is_scalar() ||
                   std::any_of(step.what.items.begin(), step.what.items.end(),
                               [&](const auto& item) { return item.text == suite.name; });
      bool fits = std::all_of(suite.checks.begin(), suite.checks.end(), asks_one_database);
      if (named && fits) out.push_back(suite.name);
    }
  }
  return out;
}

}  // namespace

std::string swap_id_of(const Act& act, const std::string& store) {
  auto digest = to_hex(sha256(view_of(cat(act.run, "/", act.own.number, "/", store))));
  return digest.substr(0, swap_id_length);
}

// A step that names an unprotected target, whose place is that of a protected one: the name that
// was to be typed was not asked for.
Status RunActs::guard(const Act& act, const std::string& guarded, Request& request) const {
  request.guarded = guarded;
  request.confirmed = guarded.empty() ? session_.plan.plan.system : guarded;
  plan::View what(act.step().what, no_files);
  auto name = LB_TRY(act.expand(what.text("to")));
  const auto* target = plan_.target(name);
  if (guarded.empty() && (target == nullptr || !target->protect))
    warn_of_unknown_places(shell_, session_);
  if (guarded.empty() || (target != nullptr && target->protect)) return {};
  return Error(ErrorKind::denied,
               cat("target ", name, " leads to the place of ", guarded, ", which is protected"))
      .with_left("nothing was restored")
      .with_hint(
          cat("if that is meant, let the step name ", guarded, ": then its name is asked for"))
      .with_exit(ExitCode::refused);
}

Result<ActEnd> RunActs::replace(const Act& act, const Shell& shell, Session& from,
                                const plan::Store& store, const RestorePlace& place,
                                const restore::Choice& choice) {
  plan::View what(act.step().what, no_files);
  Request request;
  request.store = &store;
  request.words = cat(from.repository->id(), " ", store.name, " ", act.run);
  Replacement replacement;
  replacement.keep = what.duration("keep_old").value_or(keep_old_default);
  replacement.run = swap_id_of(act, store.name);
  replacement.suites = suites_before(plan_, act);
  replacement.stop = what.text("stop");
  replacement.start = what.text("start");
  request.replacement = replacement;
  request.folder = place.folder;
  bool cluster = !place.folder.empty();
  if (cluster && (replacement.stop.empty() || replacement.start.empty())) {
    return Error(ErrorKind::invalid, "a data directory is exchanged while its server is down")
        .with_hint("give the step stop: and start:, the commands of the service");
  }
  if (cluster) LB_TRY(guard(act, protected_folder(shell, session_, place.folder), request));
  if (!cluster) {
    Rescue rescue;
    rescue.into = place.server;
    rescue.into_words = place.server.text();
    rescue.database = choice.details->database;
    auto secret = LB_TRY(session_.references->secret(place.server));
    LB_TRY(guard(act, protected_target(session_, rescue, secret), request));
    request.rescue = std::move(rescue);
  }
  auto data = LB_TRY(cluster ? restore_cluster_swap(shell, from, request, choice)
                             : restore_database_swap(shell, from, request, choice));
  ActEnd out;
  out.ok = true;
  out.text = cat(store.name, " exchanged; the old one is ", data["old"].string(), ", kept until ",
                 data["kept_until"].string());
  // Gone on with after a crash, it is the point it was filled from, whatever is newest now.
  out.set[cat("point_", store.name)] = data["point"].string();
  out.set[cat("restored_", store.name)] =
      cluster ? std::string(exchanged_mark) : cat(database_prefix, data["database"].string());
  out.set[cat("rows_", store.name)] = data["expected_rows"].dump();
  out.data = std::move(data);
  return out;
}

// Some tables under new names in the database that is live. What they are and of what point stands
// in their comments: whoever goes on after a crash finds those that were made before.
Result<ActEnd> RunActs::restore_beside(const Act& act, const Shell& shell, Session& from,
                                       const plan::Store& store, const RestorePlace& place,
                                       const restore::Choice& choice) {
  plan::View what(act.step().what, no_files);
  if (!place.folder.empty()) {
    return Error(ErrorKind::unsupported, "not supported yet: only: into a data directory")
        .with_left("nothing was restored")
        .with_hint("name a target whose address is a server that runs");
  }
  std::vector<pg::TableWish> tables;
  std::vector<std::string> names;
  for (const auto& name : what.texts("only")) {
    pg::TableWish wish;
    wish.table = LB_TRY(pg::parse_table_name(name));
    wish.as = {wish.table.schema, pg::name_with_suffix(wish.table.name, "_restored")};
    wish.note = cat("restored by lifeboat: ", wish.table.shown(), " of ", moment_of(choice), " (",
                    swap_id_of(act, store.name), ")");
    names.push_back(wish.as.shown());
    tables.push_back(std::move(wish));
  }
  Request request;
  request.store = &store;
  Rescue rescue;
  rescue.table = tables.front();
  rescue.into = place.server;
  rescue.into_words = place.server.text();
  auto into = LB_TRY(session_.references->secret(place.server));
  LB_TRY(guard(act, protected_target(session_, rescue, into), request));
  request.rescue = std::move(rescue);
  ActEnd out;
  out.ok = true;
  out.data = LB_TRY(restore_tables(shell, from, request, choice, tables));
  out.text = cat(store.name, ": ", join(names, ", "), " beside what is live");
  out.set[cat("point_", store.name)] = choice.snapshot.id;
  return out;
}

Result<std::string> RunActs::undo_cluster(const Act& act, const plan::Store& store,
                                          const std::string& folder, std::stop_token stop) {
  plan::View what(act.step().what, no_files);
  auto conninfo = LB_TRY(session_.references->secret(store.address));
  swap::ClusterSwap cluster{shell_.world, conninfo, folder};
  cluster.stop = service_command(shell_, session_, what.text("stop"));
  cluster.start = service_command(shell_, session_, what.text("start"));
  cluster.stopped = stop;
  swap::FolderSwap swapped{
      shell_.world.files, shell_.world.clock, {folder, swap_id_of(act, store.name), {}}};
  auto state = LB_TRY(swap::undo_folder_swap(swapped, swap::cluster_acts(cluster)));
  return cat(store.name, ": ", swap::name_of(state.stage),
             state.beside.empty() ? "" : cat(", put aside is ", state.beside));
}

Result<ActEnd> RunActs::undo_restore(const Act& act, std::stop_token stop) {
  plan::View what(act.step().what, no_files);
  auto stores = LB_TRY(stores_of(act));
  auto name = LB_TRY(act.expand(what.text("to")));
  const auto* target = plan_.target(name);
  if (target == nullptr) return Error(ErrorKind::invalid, cat("the plan has no target ", name));
  if (what.text("how") != "beside-then-swap") {
    return Error(ErrorKind::unsupported,
                 "only an exchange (how: beside-then-swap) can be taken back")
        .with_hint("restore the point from before instead");
  }
  std::vector<std::string> lines;
  for (const auto* store : stores) {
    auto place = LB_TRY(place_of(session_, *store, *target));
    auto id = swap_id_of(act, store->name);
    if (!place.folder.empty()) {
      bool tree = store->kind == plan::StoreKind::files;
      auto done = tree ? undo_tree(act, *store, place.folder)
                       : undo_cluster(act, *store, place.folder, stop);
      if (!done.ok()) return std::move(done).take_error();
      lines.push_back(*done);
      continue;
    }
    auto into = LB_TRY(session_.references->secret(place.server));
    auto maintenance = LB_TRY(pg::conninfo_to(into, "postgres"));
    auto first = LB_TRY(pg::Connection::open(maintenance));
    auto second = LB_TRY(pg::Connection::open(maintenance));
    auto live = LB_TRY(pg::Connection::open(into));
    auto database = LB_TRY(live->query("SELECT current_database()"));
    live.reset();
    pg::SwapServer server{*first, *second, shell_.world.clock};
    auto state =
        LB_TRY(pg::undo_swap(server, {database.rows.at(0).at(0).value_or(""), id, {}}, stop));
    lines.push_back(cat(store->name, ": ", pg::name_of(state.stage),
                        state.beside.empty() ? "" : cat(", put aside is ", state.beside)));
  }
  return ActEnd{true, join(lines, "; "), Json::object(), {}};
}

namespace {

struct SwitchParts {
  swap::SwitchWish wish;
  Secret content;
  const plan::Target* target = nullptr;
};

// Checks that follow ask where the traffic goes now, and not what was left; a copy that this run
// restored there keeps its name.
void ask_there(const Session& session, const plan::Plan& plan, const plan::Target& target,
               const Act& act, runbook::Variables& set) {
  set["restored_target"] = target.name;
  for (const auto& store : plan.stores) {
    bool asked = store.kind == plan::StoreKind::postgres || store.kind == plan::StoreKind::files;
    auto before = act.variables.find(cat("target_", store.name));
    bool restored = before != act.variables.end() && before->second == target.name;
    if (!asked || restored) continue;
    auto place = place_of(session, store, target);
    if (!place.ok() || place->original) continue;
    set[cat("target_", store.name)] = target.name;
    set[cat("restored_", store.name)] =
        store.kind == plan::StoreKind::files ? place->folder : std::string(switched_mark);
  }
}

// What clients are to connect to: the target's first address.
Result<SwitchParts> parts_of(const Session& session, const plan::Plan& plan, const Act& act,
                             const std::function<Status()>& hook) {
  plan::View what(act.step().what, no_files);
  SwitchParts out;
  out.wish.id = act.run.substr(act.run.size() > 20 ? act.run.size() - 20 : 0);
  out.wish.hook = hook;
  if (what.has("to")) {
    auto name = LB_TRY(act.expand(what.text("to")));
    out.target = plan.target(name);
    if (out.target == nullptr)
      return Error(ErrorKind::invalid, cat("the plan has no target ", name));
  }
  if (!what.has("write")) return out;
  auto place = what.reference("write");
  LB_TRY(swap::check_switch_place(place));
  out.wish.file = session.references->absolute(place.value);
  if (out.target == nullptr || out.target->addresses.empty()) {
    return Error(ErrorKind::invalid, "switch: write: needs a target with an address")
        .with_hint("give the target postgres: or stores:");
  }
  out.content = LB_TRY(session.references->secret(out.target->addresses.front().second));
  return out;
}

// What is proven after a switch, within the limit of its step.
class SwitchProof {
 public:
  SwitchProof(const Shell& shell, const Session& session, const Act& act, std::stop_token stop)
      : world_(shell.world),
        session_(session),
        end_(world_.clock.steady() + act.step().limit.value_or(answer_limit)),
        stop_(std::move(stop)) {}

  Status new_answers(const plan::Plan& plan, const plan::Target& target) {
    for (const auto& [store, address] : target.addresses) {
      const auto* known = plan.store(store);
      bool database =
          store == "postgres" || (known != nullptr && known->kind == plan::StoreKind::postgres);
      if (!database) continue;
      auto secret = LB_TRY(session_.references->secret(address));
      LB_TRY(swap::prove_database_answers(world_, secret, left(), stop_));
      lines_.push_back(cat(store, " of ", target.name, " answers"));
    }
    if (target.url.empty()) return {};
    LB_TRY(swap::prove_url_answers(world_, target.url, left(), stop_));
    lines_.push_back(cat(target.url, " answers"));
    return {};
  }

  Status old_is_still(const plan::Store& store, const plan::Target& target) {
    auto fresh = place_of(session_, store, target);
    bool same = !fresh.ok() || !fresh->folder.empty() || fresh->original ||
                fresh->server.text() == store.address.text();
    if (same) return {};
    auto old = session_.references->secret(store.address);
    if (!old.ok()) {
      lines_.push_back(cat("not proven: whether the old ", store.name,
                           " is still written to, its address cannot be read"));
      return {};
    }
    auto still = swap::prove_old_is_still(world_, *old, still_window, left(), stop_);
    if (still.ok()) {
      lines_.push_back(cat("nobody writes to the old ", store.name));
      return {};
    }
    auto kind = still.error().kind();
    if (kind == ErrorKind::conflict || kind == ErrorKind::cancelled) return still.status();
    // Only a server that is there says why in a code of its own.
    if (!still.error().native().empty()) {
      return Error(ErrorKind::conflict, cat("the old ", store.name,
                                            " is there and lets nobody look whether it is still "
                                            "written to: ",
                                            still.error().text()))
          .with_hint("stop it, or let the user of its address in, then try again");
    }
    // It may be gone, which nobody can write to either.
    lines_.push_back(
        cat("the old ", store.name, " does not answer from here: nobody was seen to write to it"));
    return {};
  }

  std::string said() const { return join(lines_, "; "); }

 private:
  Micros left() const { return std::max(Micros(0), end_ - world_.clock.steady()); }

  World& world_;
  const Session& session_;
  const Micros end_;
  const std::stop_token stop_;
  std::vector<std::string> lines_;
};

}  // namespace

Result<ActEnd> RunActs::switch_to(const Act& act, std::stop_token stop) {
  plan::View what(act.step().what, no_files);
  Json said = Json::object();
  auto hook = [&]() -> Status {
    if (!what.has("run")) return {};
    auto end = LB_TRY(command(act, what.text("run"), stop));
    said = end.data;
    if (end.ok) return {};
    return Error(ErrorKind::unavailable, cat("the hook: ", end.text));
  };
  SwitchProof proof(shell_, session_, act, stop);
  auto parts = LB_TRY(parts_of(session_, plan_, act, hook));
  LB_TRY(swap::make_switch(shell_.world.files, parts.wish, parts.content));
  if (parts.target != nullptr) {
    LB_TRY(proof.new_answers(plan_, *parts.target));
    for (const auto& store : plan_.stores) {
      if (store.kind == plan::StoreKind::postgres) LB_TRY(proof.old_is_still(store, *parts.target));
    }
  }
  ActEnd out;
  out.ok = true;
  out.text = proof.said().empty() ? std::string("switched; nothing to prove it by was named")
                                  : cat("switched: ", proof.said());
  out.data = std::move(said);
  if (parts.target != nullptr) ask_there(session_, plan_, *parts.target, act, out.set);
  return out;
}

Result<ActEnd> RunActs::undo_switch(const Act& act, std::stop_token stop) {
  plan::View what(act.step().what, no_files);
  auto hook = [&]() -> Status {
    const auto& text = act.step().undo.empty() ? what.text("run") : act.step().undo;
    if (text.empty()) return {};
    auto end = LB_TRY(command(act, text, stop));
    if (end.ok) return {};
    return Error(ErrorKind::unavailable, cat("the hook: ", end.text));
  };
  auto parts = LB_TRY(parts_of(session_, plan_, act, hook));
  LB_TRY(swap::undo_switch(shell_.world.files, parts.wish));
  return ActEnd{true, "switched back", Json::object(), {}};
}

}  // namespace lb::cli
