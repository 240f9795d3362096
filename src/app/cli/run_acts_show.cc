// What people are shown before they decide, and how they are asked.
#include <algorithm>

#include "app/cli/postmortem_text.h"
#include "app/cli/run_acts.h"
#include "foundation/base/text.h"
#include "model/plan/view.h"
#include "storage/state/run_log.h"
#include "stores/postgres/database_rescue.h"

namespace lb::cli {

using runbook::Act;

namespace {

const std::vector<std::string> no_files;

// Of a server the reference and where it leads; never all of it: connection strings hold passwords.
std::string shown_address(const Session& session, const RestorePlace& place) {
  if (!place.folder.empty()) return place.folder;
  auto out = place.server.text();
  auto secret = session.references->secret(place.server);
  if (!secret.ok()) return out;
  auto known = pg::connection_environment(*secret);
  if (!known.ok()) return out;
  std::map<std::string, std::string> parts(known->begin(), known->end());
  auto host = parts.contains("PGHOST") ? parts["PGHOST"] : parts["PGHOSTADDR"];
  if (host.empty()) host = "this machine";
  if (!parts["PGPORT"].empty()) host += cat(":", parts["PGPORT"]);
  return cat(out, " on ", printable(host));
}

// The middle of what drills measured for the stores, slowest store last.
std::optional<Micros> predicted(const std::vector<record::DrillRecord>& drills,
                                const std::vector<std::string>& stores) {
  std::optional<Micros> out;
  for (const auto& name : stores) {
    std::vector<Micros> took;
    for (const auto& drill : drills) {
      for (const auto& store : drill.stores) {
        if (store.store == name && store.measured_restore) took.push_back(*store.measured_restore);
      }
    }
    if (took.empty()) return std::nullopt;
    std::sort(took.begin(), took.end());
    auto middle = took[took.size() / 2];
    out = out ? std::max(*out, middle) : middle;
  }
  return out;
}

Timestamp reached_by(const restore::Choice& choice) {
  bool log = choice.target && choice.target->last_commit;
  return log ? choice.target->last_commit->time : choice.snapshot.meta.started;
}

// By a time: the name of a point tells nobody how much is lost.
std::string loss_after(const std::vector<restore::Choice>& chosen) {
  auto earliest = reached_by(chosen.front());
  for (const auto& choice : chosen) earliest = std::min(earliest, reached_by(choice));
  return cat("everything written after ", format_time_seconds(earliest));
}

// How far the points go, and how long that took in drills.
Status add_reach(repo::Repository& repository, const std::vector<restore::Choice>& chosen,
                 Json& about) {
  Json reached = Json::object();
  std::vector<std::string> names;
  for (const auto& choice : chosen) {
    names.push_back(choice.store);
    reached.set(choice.store, format_time(reached_by(choice)));
  }
  about.set("reaches", std::move(reached));
  auto drills = LB_TRY(state::drills(repository));
  auto time = predicted(drills, names);
  about.set("predicted_restore", time ? human_duration(*time) : "unknown: no drill measured it");
  return {};
}

}  // namespace

// The next restore or switch that follows the gate is what the decision is about.
Result<Json> RunActs::show(const Act& act) {
  Json facts = Json::object(), about = Json::object();
  auto add = [&](const runbook::ScriptStep& step) -> Status {
    auto more = LB_TRY(facts_of_restore(act, step));
    for (const auto& [name, value] : more["facts"].members()) facts.set(name, value);
    for (const auto& [name, value] : more["about"].members()) about.set(name, value);
    return {};
  };
  if (act.verb() == "restore" || act.verb() == "switch") {
    LB_TRY(add(act.own));
  } else {
    auto point = act.variables.find("point");
    if (point != act.variables.end()) facts.set("point", point->second);
    for (auto n = act.own.number + 1; n <= act.script.steps.size(); ++n) {
      const auto& next = act.script.at(n);
      if (next.step->verb == "gate") break;
      bool acts = next.step->verb == "restore" || next.step->verb == "switch";
      if (acts) LB_TRY(add(next));
      if (acts) break;
    }
  }
  return Json::object().set("facts", std::move(facts)).set("about", std::move(about));
}

Result<Json> RunActs::facts_of_restore(const Act& act, const runbook::ScriptStep& step) {
  Act own{act.plan, act.script, step, act.run, act.mode, 1, {}, act.variables};
  plan::View what(step.step->what, no_files);
  Json facts = Json::object(), about = Json::object();
  auto title = runbook::title_of(*step.step);
  auto expanded = own.expand(title);
  facts.set("host", shell_.host).set("act", expanded.ok() ? *expanded : title);
  const auto* target = static_cast<const plan::Target*>(nullptr);
  if (what.has("to")) {
    auto name = LB_TRY(own.expand(what.text("to")));
    target = plan_.target(name);
    facts.set("target", name);
  }
  if (step.step->verb != "restore") {
    return Json::object().set("facts", std::move(facts)).set("about", std::move(about));
  }
  if (target == nullptr) return Error(ErrorKind::invalid, "the plan has no such target");
  auto at = what.has("at") ? own.expand(what.text("at")) : Result<std::string>("latest");
  facts.set("point", at.ok() ? *at : at.error().text());
  // People also decide on what they then do by hand; the restore itself says that it cannot.
  std::vector<const plan::Store*> by_hand;
  auto* left = act.verb() == "gate" ? &by_hand : nullptr;
  auto stores = stores_of(own, left);
  bool none = !stores.ok() && stores.error().kind() == ErrorKind::unsupported;
  if (left != nullptr && none) {
    facts.set("overwrites", cat(stores.error().text(), ": to be done by hand"));
    return Json::object().set("facts", std::move(facts)).set("about", std::move(about));
  }
  if (!stores.ok()) return std::move(stores).take_error();
  Json places = Json::object();
  for (const auto* store : *stores) {
    auto place = LB_TRY(place_of(session_, *store, *target));
    places.set(store->name, shown_address(session_, place));
  }
  for (const auto* store : by_hand)
    places.set(store->name, cat("by hand: a ", plan::name_of(store->kind), " store"));
  facts.set("overwrites", std::move(places));
  auto copy = LB_TRY(copy_of(own));
  if (!copy.empty()) facts.set("from", cat("a copy: ", copy));
  auto unsaved = cat("what is not in the ", copy.empty() ? "repository" : "copy", " yet");
  facts.set("data_loss",
            at.ok() && *at != "latest" ? cat("everything written after ", *at) : unsaved);
  auto* from = LB_TRY(opened(copy));
  if (!copy.empty()) about.set("copy", standing(*from));
  if (from->repository != nullptr) {
    auto chosen = LB_TRY(choices(own, left));
    LB_TRY(add_reach(*from->repository, chosen, about));
    // What is newest changes while people read; a decision is about what stays.
    if (at.ok() && *at != "latest" && !chosen.empty()) facts.set("data_loss", loss_after(chosen));
  }
  return Json::object().set("facts", std::move(facts)).set("about", std::move(about));
}

// Nobody is shut out because they cannot be written to: they may decide at their own terminal.
Status RunActs::invite(const Act& act, const std::string& person, const std::string& token,
                       const Json& shown) {
  return post_.invite(act, person, token, shown);
}

// The draft lies with the reports of this machine; it can be made again at any time.
Result<runbook::ActEnd> RunActs::postmortem(const Act& act) {
  state::RunLog log(*session_.journal, session_.repository.get());
  auto events = LB_TRY(log.events(act.run));
  auto state = LB_TRY(runbook::fold(act.script, act.run, events));
  auto folder = path_join(session_.state_folder, "reports");
  auto path = path_join(folder, cat("postmortem-", act.run, ".md"));
  LB_TRY(make_directories(shell_.world.files, folder, 0700));
  auto text = LB_TRY(postmortem_text(shell_, session_, log, {plan_, act.script, state, events}));
  LB_TRY(write_durably(shell_.world.files, path, view_of(text)));
  return runbook::ActEnd{true,
                         cat("draft in ", path, "; lifeboat postmortem ", act.run, " prints it"),
                         Json::object(),
                         {}};
}

}  // namespace lb::cli
