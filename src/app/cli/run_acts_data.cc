// Steps on data: choosing a point, restoring, checking, asking.
#include <algorithm>

#include "app/cli/copies.h"
#include "app/cli/point_words.h"
#include "app/cli/protected_places.h"
#include "app/cli/restore_request.h"
#include "app/cli/run_acts.h"
#include "app/cli/swap_checks.h"
#include "app/cli/target_guard.h"
#include "foundation/base/text.h"
#include "model/plan/unsupported.h"
#include "model/plan/view.h"
#include "recovery/check/check.h"
#include "stores/postgres/connection.h"

namespace lb::cli {

using runbook::Act;
using runbook::ActEnd;

namespace {

const std::vector<std::string> no_files;
// Stores with a log decide the moment; the others follow it.
const restore::Choice& ruling_of(const std::vector<restore::Choice>& chosen) {
  auto ruling = std::find_if(chosen.begin(), chosen.end(),
                             [](const auto& choice) { return choice.target.has_value(); });
  return ruling == chosen.end() ? chosen.front() : *ruling;
}

Timestamp time_of(const restore::Choice& choice) {
  bool log = choice.target && choice.target->last_commit;
  return log ? choice.target->last_commit->time : choice.snapshot.meta.taken;
}

bool is_folder(const std::string& address) { return address.starts_with('/'); }

std::string variable(const Act& act, const std::string& name) {
  auto found = act.variables.find(name);
  return found == act.variables.end() ? std::string() : found->second;
}

record::CheckState worst(const std::vector<record::CheckResult>& results) {
  auto out = record::CheckState::pass;
  for (const auto& result : results) out = std::max(out, result.state);
  return out;
}

Json as_json(const std::vector<record::CheckResult>& results) {
  Json out = Json::array();
  for (const auto& result : results) {
    Json line = Json::object()
                    .set("suite", result.suite)
                    .set("name", result.name)
                    .set("state", record::name_of(result.state))
                    .set("expected", result.expected)
                    .set("got", result.got);
    if (!result.reason.empty()) line.set("reason", result.reason);
    out.push(std::move(line));
  }
  return out;
}

}  // namespace

Result<RestorePlace> place_of(const Session& session, const plan::Store& store,
                              const plan::Target& target) {
  const plan::Reference* address = nullptr;
  for (const auto& wanted : {store.name, std::string(plan::name_of(store.kind))}) {
    for (const auto& [name, reference] : target.addresses) {
      if (name == wanted && address == nullptr) address = &reference;
    }
  }
  RestorePlace out;
  // Production is where the store lives, unless the plan says otherwise.
  out.original = address == nullptr && target.protect;
  if (out.original) address = &store.address;
  if (address == nullptr) {
    return Error(ErrorKind::invalid, cat("target ", target.name, " has no place for store ",
                                         store.name, " (", target.place.text(), ")"))
        .with_hint(cat("add stores: {", store.name, ": …} to the target"));
  }
  if (store.kind == plan::StoreKind::files) {
    out.folder = LB_TRY(session.references->path(*address));
    return out;
  }
  auto secret = LB_TRY(session.references->secret(*address));
  if (is_folder(std::string(secret.reveal()))) {
    out.folder = std::string(secret.reveal());
  } else {
    out.server = *address;
  }
  return out;
}

Status refuse_unmade(const plan::Plan& plan, const plan::Target& target) {
  auto asked = plan::unsupported_of_target(plan, target);
  if (asked.empty()) return {};
  return Error(ErrorKind::unsupported, cat("not supported yet: ", asked, " of target ", target.name,
                                           " (", target.place.text(), ")"))
      .with_left("nothing was restored")
      .with_hint(
          cat("restore elsewhere, do by hand what ", target.name, " asks for, and say done"));
}

Result<std::vector<const plan::Store*>> RunActs::stores_of(
    const Act& act, std::vector<const plan::Store*>* not_built) const {
  plan::View what(act.step().what, no_files);
  std::vector<const plan::Store*> out;
  auto add = [&](const std::string& name) -> Status {
    const auto* store = plan_.store(name);
    if (store == nullptr) return Error(ErrorKind::invalid, cat("the plan has no store ", name));
    bool built = store->kind == plan::StoreKind::postgres || store->kind == plan::StoreKind::files;
    if (!built && not_built != nullptr) {
      not_built->push_back(store);
      return {};
    }
    if (!built) {
      return Error(ErrorKind::unsupported,
                   cat("not supported yet: a ", plan::name_of(store->kind), " store (", name, ")"))
          .with_hint("do this one by hand and say done, or leave it out with its reason");
    }
    out.push_back(store);
    return {};
  };
  if (what.has("store")) {
    not_built = nullptr;  // nothing is left without it
    auto name = LB_TRY(act.expand(what.text("store")));
    LB_TRY(add(name));
    return out;
  }
  auto name = LB_TRY(act.expand(what.text("group")));
  const auto* group = plan_.group(name);
  if (group == nullptr) return Error(ErrorKind::invalid, cat("the plan has no group ", name));
  for (const auto& store : group->stores) LB_TRY(add(store));
  if (!out.empty()) return out;
  return Error(ErrorKind::unsupported, cat("not supported yet: any of the stores of group ", name))
      .with_hint("do this one by hand and say done, or leave it out with its reason");
}

Result<std::vector<restore::Choice>> RunActs::choices(const Act& act,
                                                      std::vector<const plan::Store*>* not_built) {
  plan::View what(act.step().what, no_files);
  auto stores = LB_TRY(stores_of(act, not_built));
  auto* read = LB_TRY(read_by(act));
  auto& repository = *read->repository;
  if (!act.pinned.empty()) return pinned_choices(act, stores);
  auto prefer = act.verb() == "choose" ? what.text("prefer") : std::string();
  if (prefer == "proven") return proven_choices(act, stores);
  if (prefer == "clean") return clean_choices(act, stores);
  std::vector<restore::StorePoints> points;
  for (const auto* store : stores)
    points.push_back(LB_TRY(restore::read_points(repository, *store)));
  auto choose = [&](const std::string& at) -> Result<std::vector<restore::Choice>> {
    auto wish = LB_TRY(wish_of(at));
    auto now = shell_.world.clock.now();
    if (points.size() > 1) return restore::choose_together(points, wish, now, repository);
    std::vector<restore::Choice> out;
    out.push_back(LB_TRY(restore::choose(points.front(), wish, now, repository)));
    return out;
  };
  std::string at = "latest";
  for (const char* key : {"at", "before"}) {
    if (what.has(key)) at = LB_TRY(act.expand(what.text(key)));
  }
  auto chosen = choose(at);
  bool beyond = !chosen.ok() && chosen.error().exit_code() == ExitCode::point_unreachable;
  auto limit = parse_time(at);
  if (!beyond || !what.has("before") || !limit.ok()) return chosen;
  // What failed is often noticed after the log had ended: the newest before it is wanted then.
  auto newest = choose("latest");
  if (!newest.ok()) return chosen;
  bool fits = std::all_of(newest->begin(), newest->end(),
                          [&](const auto& choice) { return time_of(choice) <= *limit; });
  return fits ? std::move(newest) : std::move(chosen);
}

// Each store at the moment that was chosen when the step began, whatever is newest by now.
Result<std::vector<restore::Choice>> RunActs::pinned_choices(
    const Act& act, const std::vector<const plan::Store*>& stores) {
  auto now = shell_.world.clock.now();
  auto* read = LB_TRY(read_by(act));
  auto& repository = *read->repository;
  std::vector<restore::Choice> out;
  for (const auto* store : stores) {
    auto pinned = act.pinned.find(store->name);
    if (pinned == act.pinned.end())
      return Error(ErrorKind::corrupt, cat("no point was chosen for ", store->name));
    auto wish = LB_TRY(wish_of(pinned->second));
    auto points = LB_TRY(restore::read_points(repository, *store));
    out.push_back(LB_TRY(restore::choose(points, wish, now, repository)));
  }
  return out;
}

Result<runbook::Variables> RunActs::pin(const Act& act) {
  runbook::Variables out;
  if (act.verb() == "notify") {
    // The intent says where the message is recognised: elsewhere it is not known to have left.
    out[outbox_pin] = LB_TRY(outbox_identity(shell_, session_));
    out[outbox_host_pin] = shell_.host;
  }
  if (act.verb() == "assess" && act.mode != "drill") return pin_assessed(act);
  if (act.verb() != "restore") return out;
  auto chosen = LB_TRY(choices(act));
  for (const auto& choice : chosen) out[choice.store] = moment_of(choice);
  plan::View what(act.step().what, no_files);
  auto at = LB_TRY(act.expand(what.text("at")));
  // What names one point exactly is not put into other words: a time might choose another base.
  if (names_exactly(at) && chosen.size() == 1) out[chosen.front().store] = at;
  return out;
}

// The moment that brings back all that was chosen. The last commit may be older than the point of a
// store that follows it: at that commit the one before would be taken, or none.
Result<std::string> RunActs::moment_of_all(const Act& act,
                                           const std::vector<restore::Choice>& chosen) {
  const auto& ruling = ruling_of(chosen);
  auto newest = time_of(ruling);
  for (const auto& choice : chosen) newest = std::max(newest, time_of(choice));
  bool log = ruling.target && ruling.target->last_commit;
  if (!log || newest == time_of(ruling)) return moment_of(ruling);
  auto* read = LB_TRY(read_by(act));
  std::vector<restore::StorePoints> points;
  for (const auto& choice : chosen)
    points.push_back(LB_TRY(restore::read_points(*read->repository, *plan_.store(choice.store))));
  auto wish = LB_TRY(wish_of(format_time(newest)));
  auto again = restore::choose_together(points, wish, shell_.world.clock.now(), *read->repository);
  if (!again.ok()) return moment_of(ruling);  // the log does not reach that far
  bool same = std::equal(again->begin(), again->end(), chosen.begin(), chosen.end(),
                         [](const auto& one, const auto& other) {
                           return one.store == other.store && moment_of(one) == moment_of(other);
                         });
  return same ? format_time(newest) : moment_of(ruling);
}

Result<ActEnd> RunActs::choose(const Act& act) {
  std::vector<const plan::Store*> not_built;
  auto chosen = LB_TRY(choices(act, &not_built));
  auto drills = LB_TRY(state::drills(*session_.repository));
  ActEnd out;
  out.ok = true;
  std::vector<std::string> lines;
  for (const auto& choice : chosen) {
    bool proven = std::any_of(drills.begin(), drills.end(), [&](const auto& drill) {
      return drill.verdict == record::Verdict::pass &&
             std::any_of(drill.stores.begin(), drill.stores.end(),
                         [&](const auto& store) { return store.point == choice.snapshot.id; });
    });
    lines.push_back(cat(choice.store, ": ", moment_of(choice), " (base ", choice.snapshot.id,
                        " of ", format_time_seconds(choice.snapshot.meta.taken), ", ",
                        proven ? "proven by a drill" : "proven by no drill", ")"));
    out.set[cat("point_", choice.store)] = choice.snapshot.id;
    set_source(act, choice.store, "", out.set);
  }
  for (const auto* store : not_built) {
    lines.push_back(
        cat(store->name, ": none, a ", plan::name_of(store->kind), " store is not supported yet"));
  }
  out.set["point"] = LB_TRY(moment_of_all(act, chosen));
  out.text = join(lines, "; ");
  if (plan::View(act.step().what, no_files).text("prefer") == "clean")
    out.text += "; found clean by a bisect, or by a drill's check for encrypted content";
  return out;
}

// Before anything is restored: what would be left out, or done in another way than the plan says.
Status RunActs::refuse_unbuilt(const Act& act, const std::vector<restore::Choice>& chosen) const {
  plan::View what(act.step().what, no_files);
  auto name = LB_TRY(act.expand(what.text("to")));
  if (const auto* target = plan_.target(name)) LB_TRY(refuse_unmade(plan_, *target));
  for (const auto& choice : chosen) {
    auto why = plan::unsupported_of_restore(act.step().what, *plan_.store(choice.store));
    if (why.empty()) continue;
    return Error(ErrorKind::unsupported, cat("not supported yet: ", why))
        .with_left("nothing was restored")
        .with_hint("change the step, or do this one by hand and say done");
  }
  return {};
}

Result<ActEnd> RunActs::restore(const Act& act, std::stop_token stop) {
  const std::lock_guard one_at_a_time(restoring_);
  plan::View what(act.step().what, no_files);
  auto chosen = LB_TRY(choices(act));
  LB_TRY(refuse_unbuilt(act, chosen));
  auto* from = LB_TRY(read_by(act));
  if (!from->copy.empty()) shell_.console.note(cat("from     ", standing(*from)));
  ActEnd out;
  out.ok = true;
  std::vector<std::string> lines;
  for (const auto& choice : chosen) {
    if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped between two stores");
    auto done = LB_TRY(restore_store(act, *from, *plan_.store(choice.store), choice, stop)
                           .context(cat("restore ", choice.store)));
    lines.push_back(done.text);
    out.set[cat("target_", choice.store)] = LB_TRY(act.expand(what.text("to")));
    out.set.insert(done.set.begin(), done.set.end());
    set_source(act, choice.store, from->copy, out.set);
    out.data.set(choice.store, std::move(done.data));
  }
  out.set["restored_target"] = LB_TRY(act.expand(what.text("to")));
  // Messages name the point also where no step chose it beforehand.
  if (variable(act, "point").empty()) out.set["point"] = moment_of(ruling_of(chosen));
  out.text = cat(join(lines, "; "), from->copy.empty() ? "" : cat("; out of ", from->copy));
  if (from->healing != nullptr) (void)tell_healed(shell_.console, *from->healing);
  return out;
}

Result<ActEnd> RunActs::restore_store(const Act& act, Session& from, const plan::Store& store,
                                      const restore::Choice& choice, std::stop_token stop) {
  plan::View what(act.step().what, no_files);
  auto name = LB_TRY(act.expand(what.text("to")));
  const auto* target = plan_.target(name);
  if (target == nullptr) return Error(ErrorKind::invalid, cat("the plan has no target ", name));
  auto place = LB_TRY(place_of(session_, store, *target));
  LB_TRY(check_first(shell_, from, *target, choice));
  Shell inner{shell_.world, shell_.console, shell_.environment, shell_.folder,
              shell_.host,  shell_.user,    shell_.uid,         stop};
  Request request;
  request.store = &store;
  request.folder = place.folder;
  request.original = place.original;
  request.only = what.texts("only");
  request.exact = what.text("mode") == "exact";
  request.words = cat(from.repository->id(), " ", store.name, " ", act.run);
  auto how = what.text("how");
  ActEnd out;
  out.ok = true;
  out.set[cat("point_", store.name)] = choice.snapshot.id;
  const bool database = store.kind == plan::StoreKind::postgres;
  if (database && (how == "beside-then-swap" || (how.empty() && place.folder.empty())))
    return replace(act, inner, from, store, place, choice);
  if (!database && how == "beside-then-swap")
    return replace_tree(act, inner, from, store, place, choice);
  if (database && what.has("only")) return restore_beside(act, inner, from, store, place, choice);
  if (!place.folder.empty()) {
    // Named after the step: whoever is killed goes on in it, and nobody else has it.
    if (!database && how == "beside") {
      place.folder = cat(place.folder, "_restored_", swap_id_of(act, store.name));
      request.folder = place.folder;
      request.original = false;
      request.exact = true;
    }
    LB_TRY(guard(act, protected_folder(shell_, session_, place.folder), request));
    auto data = LB_TRY(database ? restore_database(inner, from, request, choice)
                                : restore_files(inner, from, request, choice));
    out.text = cat(store.name, " to ", place.folder, ": ",
                   human_size(static_cast<std::uint64_t>(data["bytes"].integer())));
    out.set[cat("restored_", store.name)] = place.folder;
    out.data = std::move(data);
    return out;
  }
  return restore_named(act, inner, from, request, place, choice);
}

// A database under a name of its own in a server that runs.
Result<ActEnd> RunActs::restore_named(const Act& act, const Shell& shell, Session& from,
                                      Request request, const RestorePlace& place,
                                      const restore::Choice& choice) {
  const auto& store = *request.store;
  auto how = plan::View(act.step().what, no_files).text("how");
  ActEnd out;
  out.ok = true;
  out.set[cat("point_", store.name)] = choice.snapshot.id;
  if (how != "beside" && how != "new") {
    return Error(ErrorKind::unsupported,
                 cat("not supported yet: restore of a running server '", how, "'"))
        .with_hint("beside-then-swap exchanges it, beside brings it back under another name");
  }
  Rescue rescue;
  rescue.into = place.server;
  rescue.into_words = place.server.text();
  rescue.judged = true;
  auto base = choice.details->database;
  rescue.as = how == "beside" ? pg::name_with_suffix(base, "_restored") : base;
  auto into = LB_TRY(session_.references->secret(place.server));
  LB_TRY(guard(act, protected_target(session_, rescue, into), request));
  request.rescue = std::move(rescue);
  auto data = LB_TRY(restore_rescue(shell, from, request, choice));
  out.text = cat(store.name, " to database ", request.rescue->as);
  out.set[cat("restored_", store.name)] = cat(database_prefix, request.rescue->as);
  out.set[cat("rows_", store.name)] = data["expected_rows"].dump();
  out.data = std::move(data);
  return out;
}

Result<ActEnd> RunActs::verify(const Act& act, std::stop_token stop) {
  std::vector<const plan::Suite*> wanted;
  const auto& node = act.step().what;
  for (const auto& suite : plan_.suites) {
    bool named = std::any_of(node.items.begin(), node.items.end(),
                             [&](const auto& item) { return item.text == suite.name; });
    if (node.is_scalar() || named) wanted.push_back(&suite);
  }
  return suites(act, wanted, stop);
}

Result<ActEnd> RunActs::one_check(const Act& act, const std::string& name, std::stop_token stop) {
  for (const auto& suite : plan_.suites) {
    for (const auto& check : suite.checks) {
      if (check.name != name) continue;
      plan::Suite alone{suite.name, {check}, suite.place};
      return suites(act, {&alone}, stop);
    }
  }
  return Error(ErrorKind::invalid, cat("no suite has a check named '", name, "'"))
      .with_hint("give the check a name: in checks:");
}

// The copy that this run made of the store, or the live one. A check that could reach another
// database than the one it is to judge is worse than none: what cannot be told stays without a
// connection, and its checks cannot run.
check::CheckedStore RunActs::checked_of(const Act& act, const plan::Store& store) const {
  check::CheckedStore out;
  out.name = store.name;
  out.kind = store.kind;
  out.live = true;
  out.row_deltas_missing = "the copy is not the one whose log was counted";
  auto rows = parse_json(variable(act, cat("rows_", store.name)));
  if (rows.ok() && rows->is_object()) out.expected_rows = rows_of_json(*rows);
  auto restored = variable(act, cat("restored_", store.name));
  if (store.kind == plan::StoreKind::files) {
    auto own = session_.references->path(store.address);
    out.folder = !restored.empty() ? restored : own.ok() ? *own : std::string();
    return out;
  }
  auto address = store.address;
  if (!restored.empty()) {
    const auto* target = plan_.target(variable(act, cat("target_", store.name)));
    if (target == nullptr) return out;
    auto place = place_of(session_, store, *target);
    if (!place.ok()) return out;
    // A data directory is asked where it serves: only one that was exchanged does.
    if (!place->folder.empty() && restored != exchanged_mark) return out;
    if (place->folder.empty()) address = place->server;
  }
  auto secret = session_.references->secret(address);
  if (!secret.ok()) return out;
  if (!restored.starts_with(database_prefix)) {
    out.connection = std::string(secret->reveal());
    return out;
  }
  auto other = pg::conninfo_to(*secret, restored.substr(std::string(database_prefix).size()));
  if (other.ok()) out.connection = std::string(other->reveal());
  return out;
}

Result<ActEnd> RunActs::suites(const Act& act, const std::vector<const plan::Suite*>& wanted,
                               std::stop_token stop) {
  check::CheckContext context{shell_.world, shell_.world.http, base_url(act), {}, {}, stop};
  context.environment = shell_.environment;
  for (const auto& target : plan_.targets) {
    for (const auto& service : target.start) context.service_urls[service.name] = base_url(act);
  }
  std::vector<std::unique_ptr<repo::SnapshotReader>> snapshots;
  std::vector<std::string> asked;
  for (const auto& store : plan_.stores) {
    bool built = store.kind == plan::StoreKind::files || store.kind == plan::StoreKind::postgres;
    if (!built) continue;
    auto checked = checked_of(act, store);
    auto point = variable(act, cat("point_", store.name));
    auto* from = LB_TRY(read_for_point(act, store.name));
    if (!point.empty() && from->repository != nullptr) {
      snapshots.push_back(LB_TRY(from->repository->snapshot(point)));
      checked.snapshot = snapshots.back().get();
    }
    auto restored = variable(act, cat("restored_", store.name));
    asked.push_back(cat(store.name, restored.empty() ? ": live" : cat(": ", restored)));
    context.stores.push_back(std::move(checked));
  }
  std::map<std::string, std::string> saved;
  std::vector<record::CheckResult> all;
  for (const auto* suite : wanted) {
    auto results = check::run_suite(*suite, context, saved);
    all.insert(all.end(), results.begin(), results.end());
  }
  auto judged = check::judge(all);
  ActEnd out;
  out.ok = judged.verdict == record::Verdict::pass && worst(all) == record::CheckState::pass;
  auto passed = std::count_if(all.begin(), all.end(), [](const auto& result) {
    return result.state == record::CheckState::pass;
  });
  auto why = out.ok || judged.reason.empty() ? std::string() : cat(": ", judged.reason);
  out.text = cat(passed, " of ", all.size(), all.size() == 1 ? " check" : " checks", " passed", why,
                 " (", join(asked, "; "), ")");
  out.data.set("checks", as_json(all));
  return out;
}

}  // namespace lb::cli
