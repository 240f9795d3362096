#include "recovery/drill/bisect_probe.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "recovery/drill/runner.h"
#include "storage/state/bisect_log.h"

namespace lb::drill {

namespace {

constexpr const char* good = "good";
constexpr const char* bad = "bad";
constexpr const char* undecided = "undecided";

Answer answer_of(const record::BisectProbe& probe) {
  if (probe.answer == good) return Answer::good;
  return probe.answer == bad ? Answer::bad : Answer::undecided;
}

// What the checks say, and nothing else: an objective that was missed or a copy that could not be
// restored says nothing about what is in it.
void judge_checks(const record::DrillRecord& drilled, std::size_t checks,
                  record::BisectProbe& probe) {
  using record::CheckState;
  probe.answer = undecided;
  if (drilled.checks.size() < checks || checks == 0) {
    probe.reason = drilled.reason;
    return;
  }
  const record::CheckResult* failed = nullptr;
  const record::CheckResult* unable = nullptr;
  for (const auto& check : drilled.checks) {
    bool seen = check.examined > 0;
    if (check.state == CheckState::fail && seen && failed == nullptr) failed = &check;
    bool ran = check.state == CheckState::pass || check.state == CheckState::fail;
    if ((!ran || !seen) && unable == nullptr) unable = &check;
  }
  if (failed != nullptr) {
    probe.answer = bad;
    probe.reason = cat(failed->name, ": ", failed->reason);
  } else if (unable != nullptr) {
    probe.reason = cat(unable->name, ": ", unable->reason);
  } else {
    probe.answer = good;
    auto passed = drilled.checks.size();
    probe.reason = cat(passed, passed == 1 ? " check passed" : " checks passed");
  }
}

// The stages of each probe say nothing of the search: its own two lines do.
class WarningsOnly final : public Log {
 public:
  explicit WarningsOnly(Log& log) : log_(log) {}
  void note(const std::string&) override {}
  void warn(const std::string& line) override { log_.warn(line); }

 private:
  Log& log_;
};

std::vector<record::BisectStore> stores_of(const std::vector<restore::Choice>& choices) {
  std::vector<record::BisectStore> out;
  for (const auto& choice : choices) {
    record::BisectStore store;
    store.store = choice.store;
    store.kind = plan::name_of(choice.kind);
    store.point = choice.snapshot.id;
    store.point_taken = choice.snapshot.meta.taken;
    store.reached = choice.snapshot.meta.started;
    if (choice.target) {
      store.reached = choice.snapshot.meta.taken;
      const auto& last = choice.target->last_commit;
      if (last && last->time > *store.reached) store.reached = last->time;
      store.lsn = pg::format_lsn(last ? last->end_lsn : choice.details->stop_lsn);
    }
    out.push_back(std::move(store));
  }
  return out;
}

plan::Plan plan_for_probes(const BisectRequest& request) {
  plan::Plan out = request.plan;
  out.suites = {request.suite};
  for (auto& target : out.targets) {
    // Services have no place here: what they write would be found by the check.
    target.start.clear();
    target.url.clear();
  }
  return out;
}

}  // namespace

std::string point_words(const std::string& snapshot) { return cat("point ", snapshot); }

Prober::Prober(const DrillTools& tools, const BisectRequest& request,
               const std::vector<restore::StorePoints>& points, record::BisectRecord& record)
    : tools_(tools),
      request_(request),
      points_(points),
      record_(record),
      plan_(plan_for_probes(request)) {
  drill_.name = "bisect";
  drill_.restore = request.stores;
  drill_.group = request.group;
  drill_.into = request.target;
  drill_.checks = {request.suite.name};
}

Status Prober::recall() {
  if (request_.series.empty()) return {};
  earlier_ =
      LB_TRY(state::bisect_probes(tools_.repository, request_.series, request_.series_since));
  // What could not be decided may be by now.
  std::erase_if(earlier_, [](const auto& each) { return each.second.answer == undecided; });
  if (!earlier_.empty())
    tools_.log.note(cat("going on: ", earlier_.size(),
                        earlier_.size() == 1 ? " probe was" : " probes were", " made before"));
  return {};
}

const record::BisectProbe* Prober::known(const Position& position) const {
  auto found = known_.find(position.words);
  return found == known_.end() ? nullptr : &found->second;
}

std::vector<restore::StorePoints> Prober::points_for(const Position& position) const {
  auto out = points_;
  if (position.base.empty()) return out;
  for (auto& store : out) {
    auto base = std::find_if(store.snapshots.begin(), store.snapshots.end(),
                             [&](const auto& each) { return each.id == position.base; });
    if (base != store.snapshots.end()) store.snapshots.erase(base + 1, store.snapshots.end());
  }
  return out;
}

static Result<std::vector<restore::Choice>> choose_among(
    const std::vector<restore::StorePoints>& points, const std::string& group,
    const restore::Wish& wish, const DrillTools& tools) {
  auto now = tools.world.clock.now();
  if (!group.empty()) return restore::choose_together(points, wish, now, tools.repository);
  std::vector<restore::Choice> out;
  for (const auto& each : points)
    out.push_back(LB_TRY(restore::choose(each, wish, now, tools.repository)));
  return out;
}

Result<std::vector<restore::Choice>> Prober::choose(const Position& position) const {
  return choose_among(points_for(position), request_.group, position.wish, tools_);
}

Result<std::vector<restore::Choice>> Prober::choose_freely(const restore::Wish& wish) const {
  return choose_among(points_, request_.group, wish, tools_);
}

record::BisectProbe Prober::restore_and_check(const Position& position, std::stop_token stop) {
  record::BisectProbe out;
  out.words = position.words;
  out.at = position.at;
  out.started = tools_.world.clock.now();
  out.answer = undecided;
  auto choices = choose(position);
  if (!choices.ok()) {
    out.reason = choices.error().text();
    return out;
  }
  out.stores = stores_of(*choices);
  auto points = points_for(position);
  DrillRequest request{plan_, drill_, position.wish, {}, {}, {}, {}, {}, {}, {}, false, 2};
  request.lost_at = position.at;
  request.started_by = request_.started_by;
  request.host = request_.host;
  request.version = request_.version;
  request.plan_fingerprint = request_.plan_fingerprint;
  request.folder = request_.folder;
  request.plan_folder = request_.plan_folder;
  request.workers = request_.workers;
  WarningsOnly quiet(tools_.log);
  DrillTools tools{tools_.world, tools_.repository, tools_.journal, tools_.references, quiet};
  auto drilled = Runner(tools, request, &points).run(stop);
  judge_checks(drilled, request_.suite.checks.size(), out);
  if (!drilled.cleaned_up) {
    record_.warnings.push_back(cat("the sandbox of ", position.words,
                                   " was not removed: the next drill or bisect sweeps it"));
  }
  out.took = tools_.world.clock.now() - out.started;
  return out;
}

Status Prober::remember(record::BisectProbe probe) {
  tools_.log.note(cat("  ", probe.answer, ": ", probe.reason));
  record_.probes.push_back(probe);
  known_.insert_or_assign(probe.words, std::move(probe));
  return {};
}

Result<Answer> Prober::probe(const Position& position, std::stop_token stop) {
  if (const auto* found = known(position)) return answer_of(*found);
  auto before = earlier_.find(position.words);
  if (before != earlier_.end() && choose(position).ok()) {
    auto answer = answer_of(before->second);
    ++made_;
    LB_TRY(remember(before->second));
    return answer;
  }
  ++made_;
  tools_.log.note(cat("probe ", made_, " of at most ", request_.probes_max, ": ", position.words,
                      " of ", format_time_seconds(position.at)));
  auto probe = restore_and_check(position, stop);
  if (stop.stop_requested())
    return Error(ErrorKind::cancelled, cat("stopped at probe ", made_, " (", position.words, ")"));
  if (!request_.series.empty())
    LB_TRY(state::put_bisect_probe(tools_.repository, request_.series, probe));
  auto answer = answer_of(probe);
  LB_TRY(remember(std::move(probe)));
  return answer;
}

}  // namespace lb::drill
