// Reading a plan: YAML text in, a checked Plan or every mistake at once. Pure; files for `include:`
// come through the loader. Refuses in well under a second: alias bombs, more than 10 MB, bad UTF-8.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "model/plan/plan.h"

namespace lb::plan {

struct Mistake {
  Place place;
  std::string text;         // "unknown key 'stroes'"
  std::string suggestion;   // "did you mean 'stores'?"; may be empty
  std::string source_line;  // the offending line, for the caret
};

// Gives the text of an included file (path relative to the including one already resolved).
using Loader = std::function<Result<std::string>(const std::string& path)>;

struct ReadOutcome {
  Plan plan;                      // meaningful only when mistakes is empty
  std::vector<Mistake> mistakes;  // in file order
  bool ok() const { return mistakes.empty(); }
};

ReadOutcome read_plan(const std::string& file_name, const std::string& text, const Loader& loader);
// "file:line:column: text", the line, a caret, the suggestion.
std::string format_mistakes(const std::vector<Mistake>& mistakes, bool color);

// `plan explain`: the plan with every default filled in (valid YAML), and per store the worst-case
// loss and restore time the schedule allows against its objective. `now` anchors schedules.
struct Explanation {
  std::string yaml;
  struct Line {
    std::string store;
    std::optional<Micros> worst_loss;  // none: never backed up by schedule
    std::string worst_loss_why;        // "every hour + 5 min backup + upload"
    std::optional<Micros> target_rpo, target_rto, goal;
    std::optional<Micros> predicted_restore;  // from measured rates when given
    bool meets_rpo = false;
    std::string remark;  // "hourly snapshots cannot meet an RPO of 1 h"
  };
  std::vector<Line> lines;
  std::vector<std::string> remarks;  // on the repository and its copies
};
struct Measured {  // what earlier backups and drills measured, per store; all optional
  std::string store;
  std::optional<Micros> backup_took, restore_took;
};
Explanation explain(const Plan& plan, const std::vector<Measured>& measured, Timestamp now);
// JSON Schema (draft 2020-12) of the plan language, pretty-printed.
std::string json_schema();
// The same for people, as Markdown: docs/plan.md.
std::string language_reference();

}  // namespace lb::plan
