#include "foundation/base/text.h"
#include "model/adopt/plan_tree.h"

namespace lb::adopt {

namespace {

// "Monthly restore drill: …". What fails over, or tries the procedures themselves, is for people.
bool is_restore_test(const std::string& text) {
  return mentions(text, {"drill", "test", "audit"}) && mentions(text, {"restor"}) &&
         !mentions(text,
                   {"failover", "fail over", "outage", "region", "procedure", "method", "runbook"});
}
bool is_pitr_audit(const std::string& text) {
  return mentions(text, {"pitr", "point in time"}) && mentions(text, {"audit", "verif", "test"});
}

// The store a test speaks of, among those that can be restored into a sandbox; null without one.
const Tree::Member* store_of(const Draft& draft, const std::string& text) {
  auto kind = store_kind(text);
  for (const auto& store : draft.stores.members) {
    bool built = store.second.find("postgres") != nullptr || store.second.find("files") != nullptr;
    bool named = kind == "postgres" || kind == "files" ? store.second.find(kind) != nullptr : true;
    if (built && named) return &store;
  }
  return nullptr;
}

Tree one_check(const char* verb, const char* value) {
  Tree check;
  check.set(verb, Tree::of(value));
  return check;
}

// What can be checked of any data: that it is what was there when the point was taken, and sound.
std::string suite_for(Draft& draft, const Tree::Member& store) {
  auto name = cat("restored-", store.first);
  if (draft.checks.find(name) != nullptr) return name;
  Tree suite = Tree::list();
  suite.remark = "not in the source: what can be checked of any data; add what yours must fulfil";
  if (store.second.find("postgres") != nullptr) {
    for (const char* verb : {"count", "foreign_keys", "amcheck"})
      suite.items.push_back(one_check(verb, "all"));
  } else {
    Tree files, check;
    files.set("store", Tree::of(store.first));
    files.set("count", Tree::of("recorded"));
    files.set("hashes", Tree::of("recorded"));
    check.set("files", std::move(files));
    suite.items.push_back(std::move(check));
  }
  draft.checks.set(name, std::move(suite));
  return name;
}

Tree restore_drill(Draft& draft, const Tree::Member& store, const Tree& task) {
  Tree drill, checks = Tree::list();
  drill.line = task.find("review")->line;
  drill.set("every", *task.find("every"));
  drill.set("restore", Tree::of(store.first));
  drill.set("into", Tree::of("sandbox"));
  checks.items.push_back(Tree::of(suite_for(draft, store)));
  drill.set("checks", std::move(checks));
  return drill;
}

Tree pitr_drill(const Tree& task, const Span& window) {
  Tree drill, audit;
  drill.line = task.find("review")->line;
  drill.set("every", *task.find("every"));
  drill.set("into", Tree::of("sandbox"));
  audit.set("window", Tree::of(window.text));
  drill.set("pitr", std::move(audit));
  return drill;
}

}  // namespace

Tree drills_of(Draft& draft) {
  Tree drills, tasks;
  const auto* database = draft.stores.find("db");
  bool has_log = database != nullptr && database->find("log") != nullptr;
  for (auto& [name, task] : draft.tasks.members) {
    const auto& text = task.find("review")->text;
    auto window = find_span(text);
    const auto* store = is_restore_test(text) ? store_of(draft, text) : nullptr;
    if (is_pitr_audit(text) && window && has_log) {
      drills.set(name, pitr_drill(task, *window));
    } else if (store != nullptr) {
      drills.set(name, restore_drill(draft, *store, task));
    } else {
      tasks.set(name, std::move(task));
    }
  }
  draft.tasks = std::move(tasks);
  return drills;
}

}  // namespace lb::adopt
