#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/rules.h"
#include "model/plan/scalar_form.h"

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

}  // namespace

void check_runbook_rules(const View& root, MistakeList& mistakes) {
  RunbookRules(root, mistakes).run();
}

}  // namespace lb::plan
