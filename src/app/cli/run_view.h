// RunView: a run on the terminal: what happens, who must act, what comes next; and what is typed
// there, as an input to the run. Asks nothing itself and decides nothing.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "app/cli/console.h"
#include "foundation/sys/terminal.h"
#include "operations/runbook/driver.h"

namespace lb::cli {

class RunView {
 public:
  // All outlive it. `interactive`: lines are read from stdin.
  RunView(Console& console, const Clock& clock, const plan::Plan& plan,
          const runbook::Script& script, bool interactive);

  void changed(const runbook::RunState& state);
  // Keeps the line of time at the bottom, and gives what was typed.
  std::optional<record::RunInput> typed(const runbook::RunState& state);
  // Steps with their states, and what the run waits for.
  std::string overview(const runbook::RunState& state) const;

  // A typed line, as what the step waits for. invalid with what can be typed.
  static Result<record::RunInput> read_line(const runbook::Script& script,
                                            const runbook::RunState& state, std::size_t step,
                                            const std::string& line);

 private:
  void show_question(const runbook::RunState& state, std::size_t step);
  void show_times(const runbook::RunState& state);
  std::string limit_left(const runbook::RunState& state) const;
  // On a terminal broken between words.
  void tell(const std::string& line, std::size_t indent, int color = 0);
  void tell_rows(const std::vector<std::pair<std::string, std::string>>& rows);
  std::size_t columns() const;  // 0: no terminal
  std::string head_of(const runbook::ScriptStep& step) const;
  std::string waits_for(const runbook::ScriptStep& step, runbook::Need need) const;
  std::optional<record::RunInput> next_answer(std::size_t step, const std::string& line);

  Console& console_;
  const Clock& clock_;
  const plan::Plan& plan_;
  const runbook::Script& script_;
  const bool interactive_;
  TypedLines lines_;
  std::string phase_, asked_;
  std::string answering_;  // what the answers so far belong to: asked once more, they stay
  bool prompted_ = false;
  std::vector<runbook::StepStatus> shown_;
  std::size_t questions_answered_ = 0;
  Json answers_ = Json::object();
  Micros times_shown_{0};
};

}  // namespace lb::cli
