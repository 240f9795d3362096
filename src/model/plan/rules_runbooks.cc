#include <algorithm>
#include <set>

#include "foundation/base/text.h"
#include "model/plan/rules.h"
#include "model/plan/scalar_form.h"
#include "model/plan/sql_names.h"

namespace lb::plan {

namespace {

class RunbookRules {
 public:
  RunbookRules(const View& root, MistakeList& mistakes)
      : runbooks_(root.at("runbooks")),
        copies_(root.at("repository").at("copies")),
        mistakes_(mistakes) {}

  void run() {
    for (const auto& [name, runbook] : runbooks_.entries()) {
      path_.assign(1, name);
      follow(runbook, 0);
      for (const auto& step : steps_of(runbook)) {
        check_with(step);
        check_subject(step);
        check_copy(step.at("restore"));
        check_wait(step.at("wait"));
      }
    }
  }

 private:
  // Also those that stand side by side.
  static std::vector<View> steps_of(const View& runbook) {
    std::vector<View> out;
    for (const auto& step : runbook.at("steps").items()) {
      out.push_back(step);
      for (const auto& inner : step.at("parallel").items()) out.push_back(inner);
    }
    return out;
  }

  // Reports each circle once: from the runbook whose name comes first in it.
  void follow(const View& runbook, std::size_t depth) {
    constexpr std::size_t steps_followed_max = 10'000;
    for (const auto& step : steps_of(runbook)) {
      auto used = step.text("use");
      if (used.empty() || ++followed_ > steps_followed_max) continue;
      if (used == path_[0]) {
        if (path_[0] != *std::min_element(path_.begin(), path_.end())) continue;
        mistakes_.add(step.at("use").node(), cat("runbook '", shown(used), "' uses itself"),
                      cat("the circle is ", join(path_, " → "), " → ", used));
      } else if (std::find(path_.begin(), path_.end(), used) == path_.end()) {
        path_.push_back(used);
        follow(runbooks_.at(used), depth + 1);
        path_.pop_back();
      }
    }
  }

  void check_with(const View& step) {
    if (!step.has("use") || !runbooks_.has(step.text("use"))) return;
    auto parameters = runbooks_.at(step.text("use")).at("parameters");
    std::vector<std::string> known;
    for (const auto& parameter : parameters.entries()) known.push_back(parameter.first);
    for (const auto& [name, value] : step.at("with").entries()) {
      if (parameters.has(name)) continue;
      mistakes_.add(value.node(),
                    cat("runbook '", step.text("use"), "' has no parameter '", shown(name), "'"),
                    suggest(name, known));
    }
    for (const auto& name : known) {
      if (step.at("with").has(name)) continue;
      mistakes_.add(step.at("use").node(),
                    cat("runbook '", step.text("use"), "' needs '", name, "'"),
                    cat("add with: {", name, ": …}"));
    }
  }

  void check_subject(const View& step) {
    for (const char* verb : {"restore", "choose", "assess", "bisect"}) {
      auto what = step.at(verb);
      if (!what.node().is_mapping()) continue;
      if (what.has("store") != what.has("group")) continue;
      mistakes_.add(what.node(), cat(verb, ": needs either 'store' or 'group'"));
    }
  }

  // By its address or its number from 1, as on the command line.
  void check_copy(const View& restore) {
    auto from = restore.node().is_mapping() ? restore.text("from") : std::string();
    if (from.empty() || from.find('$') != std::string::npos) return;
    std::vector<std::string> known;
    for (const auto& copy : copies_.items()) known.push_back(copy.text("at"));
    auto number = parse_uint(from);
    bool named = std::find(known.begin(), known.end(), from) != known.end();
    if (named || (number.ok() && *number >= 1 && *number <= known.size())) return;
    mistakes_.add(restore.at("from").node(), cat("the plan has no copy '", shown(from), "'"),
                  known.empty() ? "add repository: {copies: [{at: PLACE, within: 24h}]}"
                                : cat("copies, also by number from 1: ", join(known, ", ")));
  }

  void check_wait(const View& wait) {
    if (!wait.node().is_mapping()) return;
    int ways = 0;
    for (const char* key : {"http", "run", "for"}) ways += wait.has(key) ? 1 : 0;
    if (ways == 1) return;
    mistakes_.add(wait.node(), "wait: needs one of 'http', 'run' and 'for'");
  }

  const View runbooks_, copies_;
  MistakeList& mistakes_;
  std::vector<std::string> path_;
  std::size_t followed_ = 0;
};

// The names in the SQL of queries: each runbook that no other uses is walked as a run of it goes,
// with what has a value by then. A name without one would be found out in the night itself.
class QueryNames {
 public:
  QueryNames(const View& root, MistakeList& mistakes)
      : runbooks_(root.at("runbooks")), mistakes_(mistakes) {
    for (const auto& [store, from] : root.at("stores").entries()) {
      for (const char* prefix : {"point_", "target_", "restored_", "rows_", "source_"})
        of_stores_.insert(cat(prefix, store));
    }
  }

  void run() {
    std::set<std::string> used;
    for (const auto& [name, runbook] : runbooks_.entries()) {
      for (const auto& step : runbook.at("steps").items()) {
        used.insert(step.text("use"));
        for (const auto& inner : step.at("parallel").items()) used.insert(inner.text("use"));
      }
    }
    for (const auto& [name, runbook] : runbooks_.entries()) {
      if (used.contains(name)) continue;
      given_ = of_stores_;
      walk(runbook, {}, 0);
    }
  }

 private:
  using Words = std::set<std::string>;

  void walk(const View& runbook, Words parameters, std::size_t depth) {
    constexpr std::size_t depth_max = 64, steps_max = 100'000;
    if (depth > depth_max || walked_ > steps_max) return;
    for (const auto& [name, kind] : runbook.at("parameters").entries()) parameters.insert(name);
    for (const auto& step : runbook.at("steps").items()) {
      ++walked_;
      take(step, parameters, depth);
      for (const auto& inner : step.at("parallel").items()) take(inner, parameters, depth);
    }
  }

  void take(const View& step, const Words& parameters, std::size_t depth) {
    auto query = step.at("query");
    if (query.has("sql")) check(query.at("sql"), parameters);
    auto used = step.text("use");
    if (!used.empty() && runbooks_.has(used)) walk(runbooks_.at(used), parameters, depth + 1);
    for (const auto& [name, kind] : step.at("ask").entries()) given_.insert(name);
    if (step.has("choose") || step.has("restore")) given_.insert({"point", "restored_target"});
    if (step.has("assess")) given_.insert("damage");
    if (step.has("bisect")) given_.insert("clean");
    if (step.has("timer")) given_.insert(cat("clock_", step.text("timer")));
    if (query.has("save")) given_.insert(query.text("save"));
    if (!step.at("save").node().is_mapping()) given_.insert(step.text("save"));
    for (const auto& [name, where] : step.at("save").entries()) given_.insert(name);
  }

  void check(const View& sql, const Words& parameters) {
    auto read = names_in_sql(sql.text());
    if (!read.ok()) return add(sql, read.error().text(), read.error().hint());
    auto known = given_;
    known.insert(parameters.begin(), parameters.end());
    for (const auto& name : read->names) {
      if (known.contains(name)) continue;
      auto near = suggest(name, {known.begin(), known.end()});
      add(sql, cat("sql: $", shown(name), " has no value by then"),
          near.empty() ? "an ask:, choose: or save: before this step gives it one" : near);
    }
    for (const auto& name : read->quoted) {
      if (!known.contains(name)) continue;
      add(sql, cat("sql: $", shown(name), " stands in quotes, where it is text"),
          "leave the quotes out: its value is given as one");
    }
  }

  // A runbook that is used twice is walked twice.
  void add(const View& at, const std::string& text, const std::string& suggestion) {
    if (said_.insert(cat(at.place().text(), text)).second)
      mistakes_.add(at.node(), text, suggestion);
  }

  const View runbooks_;
  MistakeList& mistakes_;
  Words of_stores_, given_, said_;
  std::size_t walked_ = 0;
};

}  // namespace

void check_runbook_rules(const View& root, MistakeList& mistakes) {
  RunbookRules(root, mistakes).run();
  QueryNames(root, mistakes).run();
}

}  // namespace lb::plan
