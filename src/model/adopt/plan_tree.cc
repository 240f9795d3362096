#include "model/adopt/plan_tree.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/adopt/hints.h"

namespace lb::adopt {

namespace {

// Whether all words of the component begin a word of the title: "Database Loss" and "PostgreSQL
// database losses".
bool speaks_of(const std::string& title, const std::string& component) {
  auto words = words_of(component);
  return !words.empty() && std::all_of(words.begin(), words.end(), [&](const std::string& word) {
    return mentions(title, {word});
  });
}

void place_recovery_times(Draft& draft) {
  for (const auto& found : draft.found_objectives) {
    if (found.rpo || found.component.empty()) continue;
    auto fits = std::find_if(draft.runbooks.begin(), draft.runbooks.end(), [&](const auto& one) {
      return !one.rto && speaks_of(one.title, found.component);
    });
    if (fits != draft.runbooks.end()) {
      fits->rto = Tree::of(found.span.text, found.line);
      continue;
    }
    for (std::size_t i = 0; i < draft.outline.blocks.size(); ++i) {
      bool row = draft.outline.blocks[i].kind == Block::Kind::row;
      if (row && draft.outline.blocks[i].line == found.line) draft.placed[i] = {};
    }
  }
}

Tree list_of(const std::vector<Tree>& items) {
  Tree out = Tree::list();
  out.items = items;
  return out;
}

void add_hints(const Draft& draft, std::vector<Tree>& steps) {
  for (auto& step : steps) {
    const auto* manual = step.find("manual");
    auto hint = manual != nullptr ? hint_for(draft, manual->text) : std::string();
    if (!hint.empty()) step.above.push_back(cat("Lifeboat could do this: ", hint));
  }
}

void name_once(std::vector<Tree>& steps) {
  FreshNames names(" (", ")");
  for (auto& step : steps) {
    if (step.find("name") != nullptr) step.at("name").text = names.fresh(step.at("name").text);
  }
}

Tree runbook_tree(const Draft& draft, RunbookDraft& from) {
  Tree out;
  out.line = from.line;
  out.above = from.above;
  if (!from.symptoms.empty()) out.set("symptoms", list_of(from.symptoms));
  if (!from.prevention.empty()) out.set("prevention", list_of(from.prevention));
  if (from.rto) {
    Tree objective;
    objective.set("rto", *from.rto);
    out.set("objective", std::move(objective));
  }
  if (draft.owner) out.set("owner", *draft.owner);
  if (draft.version) out.set("version", *draft.version);
  if (draft.updated) out.set("updated", *draft.updated);
  if (draft.review) out.set("review", *draft.review);
  if (draft.classification) out.set("classification", *draft.classification);
  if (from.steps.empty()) from.steps.push_back(Tree());
  if (from.steps.back().members.empty())
    from.steps.back().set(
        "manual", Tree::of("the source gives no steps for this").with_remark("to be written"));
  name_once(from.steps);
  add_hints(draft, from.steps);
  out.set("steps", list_of(from.steps));
  return out;
}

Tree repository_tree(const Draft& draft) {
  Tree out;
  out.set("at", Tree::of("env:LIFEBOAT_REPOSITORY")
                    .with_remark("not in the source: a directory or s3://bucket/prefix"));
  out.set(
      "key",
      Tree::of("env:LIFEBOAT_KEY").with_remark("not in the source: a passphrase, file: or kms:"));
  if (!draft.retain.members.empty()) out.set("retain", draft.retain);
  return out;
}

// A store with an RPO needs a schedule that can meet it, and a log points to be replayed on.
void complete_schedules(Draft& draft) {
  constexpr Micros hour{3'600'000'000};
  for (auto& [name, store] : draft.stores.members) {
    const auto* objective = store.find("objective");
    const auto* rpo = objective == nullptr ? nullptr : objective->find("rpo");
    bool log = store.find("log") != nullptr;
    if ((rpo == nullptr && !log) || store.find("every") != nullptr) continue;
    auto span = rpo == nullptr ? std::nullopt : find_span(rpo->text);
    const char* every = log || !span || span->length > hour ? "hourly"
                        : span->length == hour              ? "30m"
                                                            : "5m";
    store.set("every", Tree::of(every).with_remark("not in the source"));
  }
}

Tree stores_tree(Draft& draft) {
  complete_schedules(draft);
  if (!draft.stores.members.empty()) return draft.stores;
  Tree store, out;
  store.set("files",
            Tree::of("env:FILES_FOLDER").with_remark("the source names nothing that holds data"));
  out.set("files", std::move(store));
  return out;
}

void drop_empty_suites(Tree& checks) {
  Tree kept;
  for (auto& [name, suite] : checks.members) {
    if (!suite.items.empty()) kept.set(name, std::move(suite));
  }
  checks = std::move(kept);
}

Tree targets_tree() {
  Tree production, sandbox, out;
  production.set("protect", Tree::raw("true").with_remark(
                                "not in the source: never written to without asking"));
  sandbox.set("isolate",
              Tree::of("network").with_remark("not in the source: where drills restore to"));
  out.set("production", std::move(production));
  out.set("sandbox", std::move(sandbox));
  return out;
}

}  // namespace

Tree plan_tree(Draft& draft, const std::string& system) {
  place_recovery_times(draft);
  Tree out;
  out.set("version", Tree::raw("1"));
  out.set("system", Tree::of(system));
  if (!draft.objectives.members.empty()) out.set("objectives", draft.objectives);
  out.set("repository", repository_tree(draft));
  out.set("stores", stores_tree(draft));
  out.set("targets", targets_tree());
  auto drills = drills_of(draft);
  drop_empty_suites(draft.checks);
  if (!draft.checks.members.empty()) out.set("checks", draft.checks);
  if (!drills.members.empty()) out.set("drills", std::move(drills));
  Tree runbooks;
  for (auto& runbook : draft.runbooks) runbooks.set(runbook.name, runbook_tree(draft, runbook));
  if (!runbooks.members.empty()) out.set("runbooks", std::move(runbooks));
  struct Part {
    const char* name;
    const Tree* tree;
  };
  for (const auto& [name, tree] :
       {Part{"people", &draft.people}, Part{"escalation", &draft.escalation},
        Part{"raci", &draft.raci}, Part{"alerts", &draft.alerts}, Part{"tasks", &draft.tasks},
        Part{"links", &draft.links}}) {
    if (!tree->members.empty()) out.set(name, *tree);
  }
  return out;
}

}  // namespace lb::adopt
