#include "operations/runbook/rehearsal.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/sql_names.h"
#include "model/plan/unsupported.h"
#include "model/plan/view.h"
#include "operations/runbook/drilled.h"
#include "operations/runbook/post_mortem.h"
#include "operations/runbook/preflight.h"

namespace lb::runbook {

namespace {

constexpr Micros wait_limit = std::chrono::minutes(5);
constexpr Micros look_interval = std::chrono::milliseconds(200);

const std::vector<std::string> no_files;

constexpr std::string_view held_prefix = "held: ";

ActEnd held(const std::string& what) {
  return {true, cat(held_prefix, what), Json::object().set("held", true), {}};
}

std::vector<std::string> stores_of(const plan::Plan& plan, const plan::Step& step,
                                   std::string* group) {
  plan::View what(step.what, no_files);
  if (what.has("store")) return {what.text("store")};
  const auto* found = plan.group(what.text("group"));
  if (found == nullptr) return {};
  if (group != nullptr) *group = found->name;
  return found->stores;
}

// What went wrong, for the verdict: whether it speaks of the backup or of the sandbox. A check that
// did not pass speaks of the backup.
ErrorKind kind_of(const StepState& step) {
  const auto name = step.result["kind"].string();
  for (auto kind :
       {ErrorKind::not_found, ErrorKind::denied, ErrorKind::invalid, ErrorKind::corrupt,
        ErrorKind::timeout, ErrorKind::exhausted, ErrorKind::cancelled, ErrorKind::unsupported}) {
    if (lb::name_of(kind) == name) return kind;
  }
  return ErrorKind::unavailable;
}

std::string state_of(const StepState& step) {
  if (step.result["held"].boolean()) return "held";
  return std::string(name_of(step.status));
}

void describe(const Script& script, const RunState& state, record::DrillRecord& record) {
  record.runbook = script.runbook;
  for (const auto& own : script.steps) {
    if (own.is_group()) continue;
    const auto& step = state.at(own.number);
    record::DrilledStep out;
    out.number = own.number;
    out.title = title_of(*own.step);
    out.phase = own.phase;
    out.by = own.step->by;
    out.state = state_of(step);
    bool says_so = out.state == "held" && step.text.starts_with(held_prefix);
    out.text = says_so ? step.text.substr(held_prefix.size()) : step.text;
    bool timed = step.began != Timestamp{} && step.ended >= step.began;
    if (timed) out.took = step.ended - step.began;
    record.steps.push_back(std::move(out));
  }
  auto held = std::count_if(record.steps.begin(), record.steps.end(),
                            [](const auto& step) { return step.state == "held"; });
  if (held == 0) return;
  record.findings.push_back(
      {"note",
       cat(held, " of the ", record.steps.size(), " steps of runbook ", script.runbook,
           " were held: what they would do was not exercised"),
       "lifeboat drill NAME --attended lets people do theirs; commands are tried on a system that "
       "may be touched."});
}

}  // namespace

ActEnd held_assessment() {
  auto out = held("it looks at what is live, which a drill does not");
  out.set["damage"] = "not looked at in a drill";
  return out;
}

RehearsedStores restored_by(const plan::Plan& plan, const Script& script) {
  RehearsedStores out;
  std::size_t groups = 0, alone = 0;
  for (const auto& own : script.steps) {
    if (own.step->verb != "restore") continue;
    std::string group;
    for (const auto& store : stores_of(plan, *own.step, &group)) {
      if (std::find(out.stores.begin(), out.stores.end(), store) == out.stores.end())
        out.stores.push_back(store);
    }
    ++(group.empty() ? alone : groups);
    if (!group.empty()) out.group = group;
  }
  if (alone > 0 || groups > 1) out.group.clear();
  return out;
}

Result<std::map<std::string, std::string>> copies_read_by(const plan::Plan& plan,
                                                          const Script& script,
                                                          const Variables& given) {
  std::map<std::string, std::string> all;
  for (const auto& own : script.steps) {
    if (own.step->verb != "restore") continue;
    auto from =
        Names(script, given).expand(plan::View(own.step->what, no_files).text("from"), own.scope);
    if (!from.ok()) {
      return Error(ErrorKind::unsupported, cat("not supported yet: step ", own.number,
                                               " restores from a copy that is known only when it "
                                               "is reached: ",
                                               from.error().text()))
          .with_hint("give it in the with: of the drill");
    }
    for (const auto& store : stores_of(plan, *own.step, nullptr)) {
      auto [known, is_new] = all.emplace(store, *from);
      if (is_new || known->second == *from) continue;
      return Error(ErrorKind::unsupported,
                   cat("not supported yet: a drill of a runbook that restores ", store,
                       " from two places"))
          .with_hint("a drill restores each store once: drill runbooks that read one place each");
    }
  }
  std::erase_if(all, [](const auto& each) { return each.second.empty(); });
  return all;
}

ActEnd RehearsalActs::act(const Act& act, std::stop_token stop) {
  const std::lock_guard lock(one_at_a_time_);
  auto end = done(act, stop);
  if (end.ok()) return std::move(end).take();
  return {
      false, end.error().text(), Json::object().set("kind", lb::name_of(end.error().kind())), {}};
}

Result<ActEnd> RehearsalActs::done(const Act& act, std::stop_token stop) {
  const auto& verb = act.verb();
  auto unbuilt = not_built(act.step());
  if (!unbuilt.empty()) return Error(ErrorKind::unsupported, cat("not supported yet: ", unbuilt));
  if (verb == "choose") return choose(act);
  if (verb == "restore") return restore(act, stop);
  if (verb == "bisect") return bisect(act);
  if (verb == "verify") return verify(act, stop);
  if (verb == "check") return one_check(act, act.step().what.text, stop);
  if (verb == "watch")
    return one_check(act, plan::View(act.step().what, no_files).text("check"), stop);
  if (verb == "query") return query(act);
  if (verb == "wait") return wait(act, stop);
  if (verb == "banner") return ActEnd{true, act.step().what.text, Json::object(), {}};
  if (verb == "preflight") return preflight(act);
  if (verb == "assess") return held_assessment();
  if (verb == "timer") return ActEnd{true, "the drill keeps the time", Json::object(), {}};
  return held("it would reach something outside the sandbox");
}

// What the drill has looked at of its sandbox, before the first step: what that lacked would have
// ended it there, inconclusive. The rest is of the real target, which a drill does not touch, and
// is not said to be in place.
Result<ActEnd> RehearsalActs::preflight(const Act& act) {
  std::vector<std::string> seen, left;
  auto unseen = rehearsal_.preflight_unseen();
  for (const auto& word : preflight_words(act.step())) {
    bool own = word == "disk" || word == "version" || word == "repository" ||
               (word == "extensions" && unseen.empty());
    (own ? seen : left).push_back(word);
  }
  auto not_seen = left.empty() ? std::string() : cat("not looked at: ", join(left, ", "));
  if (!unseen.empty()) not_seen += cat(" (", join(unseen, "; "), ")");
  if (seen.empty()) return held(not_seen);
  return ActEnd{true,
                cat("in the sandbox: ", join(seen, ", "), not_seen.empty() ? "" : "; ", not_seen),
                Json::object(),
                {}};
}

Result<ActEnd> RehearsalActs::choose(const Act& act) {
  ActEnd out;
  out.ok = true;
  auto stores = stores_of(plan_, act.step(), nullptr);
  for (const auto& store : stores) {
    auto point = rehearsal_.point_of(store);
    if (point.empty()) continue;
    if (!out.set.contains("point")) out.set["point"] = point;
    out.set[cat("point_", store)] = point;
    out.text += cat(out.text.empty() ? "" : "; ", store, ": ", point);
  }
  if (out.text.empty()) out.text = "nothing of it is restored by this runbook";
  return out;
}

// A search restores many points one after another; a drill restores one, and later steps get that
// as the clean one.
Result<ActEnd> RehearsalActs::bisect(const Act& act) {
  auto out = LB_TRY(choose(act));
  auto point = out.set.find("point");
  auto clean = point == out.set.end() ? std::string("latest") : point->second;
  auto end = held("a drill looks at one point, not for the last clean one");
  end.set["clean"] = clean;
  return end;
}

Result<ActEnd> RehearsalActs::restore(const Act& act, std::stop_token stop) {
  auto stores = stores_of(plan_, act.step(), nullptr);
  // Else what came of it would be said of a place that nobody read.
  auto copy = LB_TRY(act.expand(plan::View(act.step().what, no_files).text("from")));
  for (const auto& store : stores) {
    auto read = parts_.copies.find(store);
    const auto from = read == parts_.copies.end() ? std::string() : read->second;
    if (from == copy) continue;
    return Error(ErrorKind::unsupported,
                 cat("this drill reads ", store, " from ", from.empty() ? "the repository" : from,
                     ", and the step asks for ", copy.empty() ? "the repository" : copy));
  }
  // What is refused in earnest must not pass here.
  for (const auto& name : stores) {
    const auto* store = plan_.store(name);
    auto why = store == nullptr ? "" : plan::unsupported_of_restore(act.step().what, *store);
    if (!why.empty()) return Error(ErrorKind::unsupported, cat("not supported yet: ", why));
  }
  LB_TRY(rehearsal_.restore(stores, stop));
  return ActEnd{
      true,
      cat(join(stores, ", "), copy.empty() ? "" : cat(" out of copy ", copy), " into the sandbox"),
      Json::object(),
      {{"restored_target", rehearsal_.record().target}}};
}

// In earnest what the runbook does not restore lives on, and checks and services ask it: what the
// drill restores beside the runbook stands for it.
Status RehearsalActs::stand_up(const Act& act, std::stop_token stop) {
  const auto own = restored_by(plan_, act.script).stores;
  std::vector<std::string> beside;
  for (const auto& store : plan_.stores) {
    if (std::find(own.begin(), own.end(), store.name) == own.end()) beside.push_back(store.name);
  }
  LB_TRY(rehearsal_.restore(beside, stop));
  return rehearsal_.serve(stop);
}

Result<ActEnd> RehearsalActs::verify(const Act& act, std::stop_token stop) {
  LB_TRY(stand_up(act, stop));
  std::vector<std::string> wanted;
  const auto& node = act.step().what;
  for (const auto& suite : plan_.suites) {
    bool named = std::any_of(node.items.begin(), node.items.end(),
                             [&](const auto& item) { return item.text == suite.name; });
    if (node.is_scalar() || named) wanted.push_back(suite.name);
  }
  auto results = LB_TRY(rehearsal_.check(wanted, stop));
  auto passed = std::count_if(results.begin(), results.end(), [](const auto& result) {
    return result.state == record::CheckState::pass;
  });
  bool all = !results.empty() && static_cast<std::size_t>(passed) == results.size();
  return ActEnd{
      all,
      cat(passed, " of ", results.size(), results.size() == 1 ? " check passed" : " checks passed"),
      Json::object(),
      {}};
}

// A watch looks once: what it looks at stays as it was restored.
Result<ActEnd> RehearsalActs::one_check(const Act& act, const std::string& name,
                                        std::stop_token stop) {
  if (!act.variables.contains("restored_target"))
    return held("nothing that could be checked is restored by then");
  auto wanted = LB_TRY(act.expand(name));
  for (const auto& suite : plan_.suites) {
    for (const auto& check : suite.checks) {
      if (check.name != wanted) continue;
      LB_TRY(rehearsal_.serve(stop));
      auto result = LB_TRY(rehearsal_.check_one(suite.name, check, stop));
      bool passed = result.state == record::CheckState::pass;
      auto why = passed || result.reason.empty() ? std::string() : cat(": ", result.reason);
      return ActEnd{
          passed, cat(wanted, ": ", record::name_of(result.state), why), Json::object(), {}};
    }
  }
  return Error(ErrorKind::invalid, cat("no suite has a check named '", wanted, "'"));
}

// Of what was restored; what is live is not asked by a drill.
Result<ActEnd> RehearsalActs::query(const Act& act) {
  auto store = LB_TRY(act.expand(plan::View(act.step().what, no_files).text("store")));
  auto database = rehearsal_.database_of(store);
  if (!database || parts_.query == nullptr)
    return held(cat("nothing of ", store, " that could be asked is restored by then"));
  // A step that was held gave none.
  auto sql = LB_TRY(plan::names_in_sql(plan::View(act.step().what, no_files).text("sql")));
  for (const auto& name : sql.names) {
    if (!act.expand(cat("${", name, "}")).ok())
      return held(cat("$", name, " has no value in this drill"));
  }
  return parts_.query(act, *database);
}

Result<ActEnd> RehearsalActs::wait(const Act& act, std::stop_token stop) {
  plan::View what(act.step().what, no_files);
  if (!what.has("http")) return held("waiting for something outside the sandbox");
  auto words = what.text("http");
  auto space = words.find(' ');
  auto path = space == std::string::npos ? std::string() : words.substr(space + 1);
  const auto* target = plan_.target(rehearsal_.record().target);
  if (!path.starts_with('/') || target == nullptr || target->url.empty())
    return held("the target has no url");
  LB_TRY(stand_up(act, stop));
  HttpRequest request;
  request.method = words.substr(0, space);
  request.url = target->url + path;
  request.limit = Seconds(5);
  auto end = clock_.steady() + std::min(wait_limit, what.duration("limit").value_or(wait_limit));
  std::string last;
  do {
    auto answer = rehearsal_.ask(request);
    last = answer.ok() ? cat("HTTP ", answer->status) : answer.error().text();
    if (answer.ok() && answer->status >= 200 && answer->status < 400)
      return ActEnd{true, cat(words, ": ", last), Json::object(), {}};
    if (!clock_.sleep(look_interval, stop)) return Error(ErrorKind::cancelled, "stopped");
  } while (clock_.steady() < end);
  return Error(ErrorKind::timeout, cat(words, " did not answer well: ", last));
}

Result<Trace> RehearsalActs::happened(const Act&, std::stop_token) { return Trace{}; }

ActEnd RehearsalActs::undo(const Act&, std::stop_token) {
  return held("there is nothing to take back outside the sandbox");
}

Result<Json> RehearsalActs::show(const Act& act) {
  auto point = act.variables.find("point");
  return Json::object().set(
      "facts", Json::object()
                   .set("point", point == act.variables.end() ? "not chosen" : point->second)
                   .set("target", rehearsal_.record().target));
}

Status rehearse(const DriverTools& tools, const DriverOptions& options, const plan::Plan& plan,
                const Script& script, const std::string& run, const NewRun& fresh,
                drill::Rehearsal& rehearsal, std::stop_token stop) {
  Driver driver(tools, options, plan, script, run);
  LB_TRY(driver.open(fresh));
  auto driven = driver.drive(stop);
  // Nobody can go on with it: the sandbox goes with the drill.
  auto closed = driver.give_up("the drill ended here");
  auto end = LB_TRY(std::move(driven));
  LB_TRY(std::move(closed));
  const auto& state = driver.state();
  describe(script, state, rehearsal.record());
  auto events = LB_TRY(tools.log.events(run));
  rehearsal.record().deviations = deviations(script, state, events);
  describe_people(plan, script, state, events, rehearsal.record());
  if (end == Driver::End::closed && state.closed == RunResult::done) {
    std::size_t failed = 0;
    for (const auto& step : state.steps) failed += step.status == StepStatus::passed ? 1 : 0;
    if (failed == 0) return {};
    return Error(ErrorKind::unavailable,
                 cat(failed, " steps of runbook ", script.runbook, " failed"))
        .with_exit(ExitCode::check_not_met);
  }
  for (auto number : frontier(script, state)) {
    const auto& step = state.at(number);
    if (step.status != StepStatus::failed) continue;
    return Error(kind_of(step), cat("step ", number, " of runbook ", script.runbook, " (",
                                    title_of(*script.at(number).step), ") failed: ", step.text))
        .with_exit(ExitCode::check_not_met);
  }
  return Error(ErrorKind::cancelled,
               cat("runbook ", script.runbook, " was not carried out to its end"));
}

}  // namespace lb::runbook
