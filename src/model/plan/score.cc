#include "model/plan/score.h"

#include <algorithm>
#include <functional>
#include <set>

#include "foundation/base/text.h"
#include "model/plan/front_matter.h"
#include "model/plan/language.h"
#include "model/plan/view.h"

namespace lb::plan {

namespace {

std::string counted(std::size_t count, const std::string& what) {
  return cat(count, " ", what, count == 1 ? "" : "s");
}

// The steps of a runbook and of those it uses.
class Steps {
 public:
  Steps(const Plan& plan, const Runbook& runbook) : plan_(plan) { take(runbook); }
  bool any(const std::function<bool(const Step&)>& is) const {
    return std::any_of(steps_.begin(), steps_.end(), [&](const Step* step) { return is(*step); });
  }
  bool has(std::initializer_list<std::string_view> verbs) const {
    return any([&](const Step& step) {
      return std::find(verbs.begin(), verbs.end(), step.verb) != verbs.end();
    });
  }
  std::size_t not_reviewed() const {
    return static_cast<std::size_t>(
        std::count_if(steps_.begin(), steps_.end(), [](const Step* step) { return step->review; }));
  }

 private:
  void take(const Runbook& runbook) {
    if (!seen_.insert(runbook.name).second) return;
    for (const auto& step : runbook.steps) take(step);
  }
  void take(const Step& step) {
    steps_.push_back(&step);
    for (const auto& inner : step.parallel) take(inner);
    const auto* used = step.verb == "use" ? plan_.runbook(step.what.text) : nullptr;
    if (used != nullptr) take(*used);
  }

  const Plan& plan_;
  std::vector<const Step*> steps_;
  std::set<std::string> seen_;
};

// Words, and what is decided by them, are no recovery.
bool acts(const Step& step) {
  static const std::set<std::string_view> talk = {"banner", "notify", "timer", "ask",
                                                  "choose", "gate",   "use",   "parallel"};
  return !talk.contains(step.verb);
}

// What answers a failure that somebody sees; the others are parts of these.
std::vector<const Runbook*> scenarios_of(const Plan& plan) {
  std::vector<const Runbook*> out;
  for (const auto& runbook : plan.runbooks) {
    if (!runbook.symptoms.empty()) out.push_back(&runbook);
  }
  return out;
}

ScoreItem targets(const Plan& plan) {
  ScoreItem out{"targets (RPO, RTO)", "", {}};
  for (const auto& store : plan.stores) {
    if (!store.objective.rpo && !plan.objectives.rpo)
      out.missing.push_back(cat("store ", store.name, " has no rpo"));
  }
  for (const auto* runbook : scenarios_of(plan)) {
    if (!runbook->objective.rto && !plan.objectives.rto)
      out.missing.push_back(cat("runbook ", runbook->name, " has no rto"));
  }
  out.found = cat(counted(plan.stores.size(), "store"), ", ",
                  counted(scenarios_of(plan).size(), "scenario"));
  return out;
}

ScoreItem scenarios(const Plan& plan) {
  const auto count = scenarios_of(plan).size();
  ScoreItem out{"failure scenarios", cat(counted(count, "runbook"), " with symptoms"), {}};
  if (count < scenarios_wanted) {
    out.missing.push_back(cat(scenarios_wanted - count, " more of at least ", scenarios_wanted,
                              ": a runbook counts when symptoms: say how its failure shows"));
  }
  return out;
}

ScoreItem procedures(const Plan& plan) {
  ScoreItem out{"step-by-step recovery", "", {}};
  std::size_t whole = 0;
  for (const auto* runbook : scenarios_of(plan)) {
    const Steps steps(plan, *runbook);
    const auto before = out.missing.size();
    if (!steps.any(acts))
      out.missing.push_back(cat("runbook ", runbook->name, " does nothing but talk"));
    if (const auto count = steps.not_reviewed(); count > 0) {
      out.missing.push_back(cat("runbook ", runbook->name, ": nobody has read ",
                                counted(count, "command"), " of it (review: required)"));
    }
    if (out.missing.size() == before) ++whole;
  }
  out.found = cat(counted(whole, "scenario"), " with steps that were read");
  if (scenarios_of(plan).empty()) out.missing.emplace_back("there is no scenario");
  return out;
}

ScoreItem health_checks(const Plan& plan) {
  ScoreItem out{"automated health checks", counted(plan.suites.size(), "check suite"), {}};
  if (plan.suites.empty()) out.missing.emplace_back("there is no suite under checks:");
  for (const auto* runbook : scenarios_of(plan)) {
    const Steps steps(plan, *runbook);
    if (steps.has({"restore", "switch"}) && !steps.has({"verify", "check", "wait", "watch"}))
      out.missing.push_back(cat("runbook ", runbook->name, " restores and looks at nothing after"));
  }
  return out;
}

ScoreItem messages(const Plan& plan) {
  const auto built_in = built_in_templates().size();
  ScoreItem out{"communication templates",
                cat(plan.templates.size(), " of the plan, ", built_in, " built in"),
                {}};
  for (const auto* runbook : scenarios_of(plan)) {
    if (!Steps(plan, *runbook).has({"notify"}))
      out.missing.push_back(cat("runbook ", runbook->name, " tells nobody (notify:)"));
  }
  return out;
}

ScoreItem drills(const Plan& plan, Timestamp now) {
  ScoreItem out{"drills, at least quarterly", "", {}};
  std::vector<std::string> often;
  std::set<std::string> drilled;
  for (const auto& drill : plan.drills) {
    const bool restores = !drill.restore.empty() || !drill.runbook.empty() || drill.pitr;
    if (restores && drill.every && longest_gap(*drill.every, now) <= drills_within)
      often.push_back(drill.name);
    if (!drill.runbook.empty()) drilled.insert(drill.runbook);
  }
  out.found = often.empty() ? "none" : join(often, ", ");
  if (often.empty())
    out.missing.emplace_back("no drill restores anything every quarter or more often");
  for (const auto* runbook : scenarios_of(plan)) {
    const bool restores = Steps(plan, *runbook).has({"restore"});
    if (restores && !drilled.contains(runbook->name))
      out.missing.push_back(cat("runbook ", runbook->name, " is in no drill (runbook:)"));
  }
  return out;
}

ScoreItem accessible(const Plan& plan) {
  ScoreItem out{"runbooks everybody can read", "", {}};
  std::size_t open = 0;
  for (const auto& runbook : plan.runbooks) {
    if (page_lies_open(plan, runbook)) ++open;
  }
  if (View(plan.tree, plan.files).at("repository").text("pages") == "sealed")
    out.missing.emplace_back("all are sealed: who has no key reads none (pages: sealed)");
  out.found = cat(counted(open, "page"), " beside the backups, for people without a key");
  if (plan.repository.copies.empty())
    out.missing.emplace_back("they are in one place only: the repository has no copy");
  return out;
}

ScoreItem documents(const Plan& plan, Timestamp now) {
  ScoreItem out{"documents kept up to date", counted(plan.runbooks.size(), "runbook"), {}};
  for (const auto& runbook : plan.runbooks) {
    const auto front = front_matter_of(plan, runbook);
    std::vector<std::string> lacks;
    if (runbook.owner.empty()) lacks.emplace_back("owner");
    if (!front.updated) lacks.emplace_back("updated");
    if (!front.review) lacks.emplace_back("review");
    if (front.classification.empty()) lacks.emplace_back("classification");
    if (!lacks.empty())
      out.missing.push_back(cat("runbook ", runbook.name, " does not say: ", join(lacks, ", ")));
    if (!front.updated || !front.review) continue;
    const auto due = next_time(*front.review, *front.updated);
    if (due && *due < now) {
      out.missing.push_back(cat("runbook ", runbook.name, " is stale: of ", front.updated_text,
                                ", to be read again ", front.review->text));
    }
  }
  return out;
}

ScoreItem contacts(const Plan& plan, Timestamp now) {
  ScoreItem out{"contacts known to be right", "", {}};
  std::size_t people = 0;
  for (const auto& person : plan.people) {
    if (!person.members.empty()) continue;
    ++people;
    if (person.addresses.empty() && person.via.empty() && person.phone.empty()) {
      out.missing.push_back(cat(person.name, " cannot be reached by anything"));
      continue;
    }
    const auto front = front_matter_of(plan, person);
    if (!front.updated) {
      out.missing.push_back(
          cat(person.name, " does not say when it was last seen to be right (updated:)"));
    } else if (now - *front.updated > contacts_trusted) {
      out.missing.push_back(cat(person.name, " is as of ", front.updated_text, ", ",
                                std::chrono::floor<std::chrono::days>(now - *front.updated).count(),
                                " days ago"));
    }
  }
  out.found = people == 1 ? "1 person" : cat(people, " people");
  if (people == 0) out.missing.emplace_back("there is nobody under people:");
  return out;
}

ScoreItem related(const Plan& plan, const std::vector<std::string>& links_missing) {
  const auto all = View(plan.tree, plan.files).text_map("links");
  ScoreItem out{"related documents", counted(all.size(), "link"), {}};
  for (const auto& [name, address] : all) {
    if (std::find(links_missing.begin(), links_missing.end(), name) != links_missing.end())
      out.missing.push_back(cat(name, ": ", address, " is not there"));
  }
  return out;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> links_to_files(const Plan& plan) {
  std::vector<std::pair<std::string, std::string>> out;
  for (auto& link : View(plan.tree, plan.files).text_map("links")) {
    const auto& address = link.second;
    // A path has no blank and a dot or a slash; other texts are names of what lies elsewhere.
    const bool elsewhere = address.find("://") != std::string::npos ||
                           address.find_first_of(" \n") != std::string::npos ||
                           address.starts_with("mailto:");
    const bool path = address.find_first_of("/.") != std::string::npos;
    if (!elsewhere && path) out.push_back(std::move(link));
  }
  return out;
}

std::vector<ScoreItem> score_of(const Plan& plan, const std::vector<std::string>& links_missing,
                                Timestamp now) {
  std::vector<ScoreItem> out = {targets(plan),       scenarios(plan), procedures(plan),
                                health_checks(plan), messages(plan),  drills(plan, now)};
  // Nothing to write for it: each run is recorded as it happens.
  out.push_back({"post-mortem template", "lifeboat postmortem drafts it from each run", {}});
  out.push_back(accessible(plan));
  out.push_back(documents(plan, now));
  out.push_back(contacts(plan, now));
  out.push_back(related(plan, links_missing));
  return out;
}

}  // namespace lb::plan
