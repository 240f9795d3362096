// Script: a runbook made flat. `use:` is replaced by the steps it stands for, so that each step has
// one number that people and the journal name it by. Pure; points into the plan, which outlives it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/plan/plan.h"

namespace lb::runbook {

struct ScriptStep {
  std::size_t number = 0;  // from 1
  const plan::Step* step = nullptr;
  std::string phase;       // the heading it stands under; may be empty
  std::string runbook;     // the one it is written in
  std::size_t scope = 0;   // whose parameters it sees
  std::size_t parent = 0;  // the `use` or `parallel` it belongs to; 0: none
  std::size_t last = 0;    // use, parallel: the number of the last step inside
  bool is_group() const { return last != 0; }
};

// The parameters of one `use`: name -> text, in which the names of `outer` count.
struct Scope {
  std::size_t outer = 0;
  std::map<std::string, std::string> values;
};

struct Script {
  std::string runbook;
  const plan::Runbook* plan = nullptr;
  std::vector<ScriptStep> steps;  // number - 1 is the index
  std::vector<Scope> scopes;      // [0]: what the run was given

  const ScriptStep& at(std::size_t number) const { return steps.at(number - 1); }
  // By number ("4") or by name; 0: there is none.
  std::size_t find(const std::string& words) const;
  // The step that `goto` of step `from` means: beside it, or beside a group that it stands in; the
  // same runbook used twice has two of each name. 0: there is none, also where steps stand side by
  // side and none follows another.
  std::size_t reached_from(std::size_t from, const std::string& words) const;
};

// `given`: values of the runbook's parameters. invalid when one is missing, unknown or not of its
// kind, or the script would have more than 10,000 steps.
Result<Script> make_script(const plan::Plan& plan, const std::string& runbook,
                           const std::map<std::string, std::string>& given);

// For people: "restore db to production", "docker compose stop api".
std::string title_of(const plan::Step& step);
// What the step asks for and no code does: "restore from another copy (from)"; empty: nothing. Acts
// refuse it; they never do something else instead.
std::string not_built(const plan::Step& step);
// When `wait: {for: …}` that began then is over; nothing for other steps.
std::optional<Timestamp> end_of_wait(const plan::Step& step, Timestamp began);
// Whether a person does it; nothing happens by itself.
bool is_done_by_people(const plan::Step& step);
// Whether it may overwrite, expose or remove what production needs.
bool is_destructive(const plan::Plan& plan, const plan::Step& step, const std::string& target);

}  // namespace lb::runbook
