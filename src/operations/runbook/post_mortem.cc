#include "operations/runbook/post_mortem.h"

#include <algorithm>
#include <set>

#include "foundation/base/text.h"
#include "model/plan/view.h"

namespace lb::runbook {

using record::RunEvent;
using record::RunEventKind;

namespace {

constexpr Micros gap = std::chrono::minutes(10);
constexpr const char* to_be_written = "_To be written._\n";
const std::vector<std::string> no_files;

// "ada (lead, team)" → "lead". Who has no role stays somebody.
std::string role_of(const std::string& by) {
  auto open = by.find('(');
  if (open == std::string::npos) return "somebody without a role";
  return by.substr(open + 1, by.find_first_of(",)", open) - open - 1);
}

std::string step_text(const Script& script, std::uint64_t number) {
  if (number == 0 || number > script.steps.size()) return "";
  return cat("step ", number, " (", printable(title_of(*script.at(number).step)), ")");
}

std::string seconds_between(Timestamp from, Timestamp to) {
  return human_duration(std::chrono::duration_cast<Seconds>(to - from));
}

std::string line_of(const Script& script, const RunEvent& event) {
  auto step = step_text(script, event.step);
  auto text = printable(event.text);
  switch (event.kind) {
    case RunEventKind::opened:
      return cat("the run was asked for by ", role_of(event.by));
    case RunEventKind::driver:
      return text.starts_with("left") ? "the run was left as it was"
                                      : cat("the run was taken up on ", event.host);
    case RunEventKind::asks:
      return cat(step, " waited for people: ", event.data["need"].string());
    case RunEventKind::began:
      return cat(step, " began", event.attempt > 1 ? cat(", try ", event.attempt) : "");
    case RunEventKind::ended:
      return cat(step, ": ", event.data["result"].string(), text.empty() ? "" : ", ", text,
                 event.by.find('(') == std::string::npos ? "" : cat(", by ", role_of(event.by)));
    case RunEventKind::undo_began:
      return cat(step, ": taking it back began");
    case RunEventKind::undone:
      return cat(step, ": taking it back ",
                 event.data["result"].string() == "done" ? "worked" : "failed");
    case RunEventKind::refused:
      return cat("refused: ",
                 text.substr(text.find(": ") == std::string::npos ? 0 : text.find(": ") + 2));
    case RunEventKind::noted:
      return cat(role_of(event.by), step.empty() ? "" : " on ", step, ": ", text);
    case RunEventKind::closed:
      return cat("the run ended: ", event.data["result"].string());
  }
  return text;
}

class Writer {
 public:
  Writer(const plan::Plan& plan, const Script& script, const RunState& state,
         const std::vector<RunEvent>& events, const Surroundings& surroundings)
      : plan_(plan),
        script_(script),
        state_(state),
        events_(events),
        drills_(surroundings.drills),
        incident_(surroundings.incident ? &*surroundings.incident : nullptr),
        forecast_(surroundings.forecast ? &*surroundings.forecast : nullptr) {}

  std::string write() {
    head();
    impact();
    detection();
    timeline();
    section("Trigger and contributing factors", to_be_written);
    why_drills_did_not_catch_it();
    path();
    predicted_and_real();
    decisions();
    communications();
    well_and_wrong();
    actions();
    evidence();
    return std::move(out_);
  }

 private:
  void section(const std::string& title, const std::string& text) {
    out_ += cat("\n## ", title, "\n\n", text);
  }

  void head() {
    out_ = cat("# Post-mortem: ", script_.runbook, " of ", plan_.system, "\n\n");
    out_ += "_Draft from the journal. Roles stand for people; nobody is blamed here._\n";
    auto result = !state_.closed                         ? "not ended yet"
                  : *state_.closed == RunResult::done    ? "all steps have ended"
                  : *state_.closed == RunResult::aborted ? "ended by a person before its end"
                                                         : "failed";
    section(
        "Summary",
        cat("Runbook **", script_.runbook, "** was run from ", format_time_seconds(state_.opened),
            " to ", format_time_seconds(state_.last_event), ": ", result, ". ",
            script_.steps.size(), " steps, ", count(StepStatus::skipped), " left out, ",
            count(StepStatus::passed) + count(StepStatus::failed), " failed.\n"));
  }

  std::size_t count(StepStatus status) const {
    return static_cast<std::size_t>(
        std::count_if(state_.steps.begin(), state_.steps.end(),
                      [&](const auto& step) { return step.status == status; }));
  }

  std::string variable(const std::string& name) const {
    auto found = state_.variables.find(name);
    return found == state_.variables.end() ? std::string() : found->second;
  }

  void impact() {
    auto text = cat("- Duration, from the start of the run to its last event: ",
                    seconds_between(state_.opened, state_.last_event), "\n");
    auto failed = failed_at();
    if (failed)
      text += cat("- Duration, from the failure (", format_time_seconds(*failed),
                  ") to the last event: ", seconds_between(*failed, state_.last_event), "\n");
    const auto& rto = script_.plan->objective.rto;
    if (rto) {
      bool met = state_.last_event - state_.opened <= *rto;
      text += cat("- Objective (RTO, start of the run to its end): ", human_duration(*rto), ", ",
                  met ? "met" : "missed", "\n");
    }
    if (!variable("point").empty())
      text += cat("- Loss: what was written after ", variable("point"), "\n");
    for (const auto& [name, value] : state_.variables) {
      if (name.starts_with("point_")) text += cat("- Point of ", name.substr(6), ": ", value, "\n");
    }
    section("Impact", cat(text, "- Who noticed what: ", to_be_written, loss_by_store()));
  }

  // What each restore reached, against the failure.
  std::string loss_by_store() const {
    std::string rows;
    const auto failed = failed_at();
    for (const auto& event : events_) {
      const bool restored = event.kind == RunEventKind::ended && event.step != 0 &&
                            script_.at(event.step).step->verb == "restore" &&
                            event.data["result"].string() == "done";
      if (!restored) continue;
      for (const auto& store : plan_.stores) {
        const auto& data = event.data[store.name];
        if (!data.is_object()) continue;
        const auto& log = data["last_commit"];
        const auto reached = parse_time((log.is_string() ? log : data["taken"]).string());
        rows +=
            cat("| ", store.name, " | ", event.step, " | ", data["point"].string(), " | ",
                reached.ok() ? format_time_seconds(*reached) : "not known", " | ",
                loss_text(reached.ok() ? std::optional(*reached) : std::nullopt, failed), " |\n");
      }
    }
    if (rows.empty()) return "";
    return cat(
        "\n| store | step | point | reached | lost, from there to the failure |\n"
        "|---|---|---|---|---|\n",
        rows);
  }

  static std::string loss_text(const std::optional<Timestamp>& reached,
                               const std::optional<Timestamp>& failed) {
    if (!reached || !failed) return "not known";
    return *reached >= *failed ? "nothing" : seconds_between(*reached, *failed);
  }

  // As people answered it, or as the incident has it.
  std::optional<Timestamp> failed_at() const {
    auto answered = parse_time(variable("failed_at"));
    if (answered.ok()) return *answered;
    return incident_ != nullptr ? incident_->failed_at : std::nullopt;
  }

  void detection() {
    auto failed = failed_at();
    std::string text;
    if (incident_ != nullptr) {
      const auto& it = *incident_;
      text += cat("- Incident ", it.severity, " \"", printable(it.title), "\", opened ",
                  format_time_seconds(it.opened), "\n");
      if (failed)
        text +=
            cat("- From the failure to its opening: ", seconds_between(*failed, it.opened), "\n");
      text += cat("- From its opening to the first answer: ",
                  it.acknowledged ? seconds_between(it.opened, *it.acknowledged)
                                  : std::string("nobody acknowledged it"),
                  "\n");
      if (it.closed)
        text +=
            cat("- From its opening to its end: ", seconds_between(it.opened, *it.closed), "\n");
    }
    text += failed ? cat("- From the failure to the start of the run: ",
                         seconds_between(*failed, state_.opened), "\n")
                   : std::string("- When it failed was not asked for.\n");
    section("Detection", cat(text, "- How it was noticed: ", to_be_written));
  }

  // What was said of the incident stands among the events of the run.
  std::vector<std::pair<Timestamp, std::string>> timeline_lines() const {
    std::vector<std::pair<Timestamp, std::string>> out;
    for (const auto& event : events_) out.emplace_back(event.at, line_of(script_, event));
    if (incident_ == nullptr) return out;
    for (const auto& line : incident_->lines) {
      const auto who = line.by.empty() ? std::string("Lifeboat") : role_of(line.by);
      out.emplace_back(line.at, cat("incident: ", line.text, ", by ", who));
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    return out;
  }

  void timeline() {
    std::string text;
    const auto lines = timeline_lines();
    Timestamp last = lines.empty() ? state_.opened : lines.front().first;
    for (const auto& [at, line] : lines) {
      if (at - last > gap) text += cat("- _", seconds_between(last, at), " without an event_\n");
      last = at;
      if (!line.empty()) text += cat("- ", format_time_seconds(at), "  ", line, "\n");
    }
    section("Timeline", text);
  }

  void why_drills_did_not_catch_it() {
    if (drills_.empty()) {
      section("Why drills did not catch it", cat("No drill was ever run. ", to_be_written));
      return;
    }
    const auto& last = drills_.back();
    section("Why drills did not catch it",
            cat("The last drill (", last.drill, ", ", format_time_seconds(last.started),
                ") ended with ", record::name_of(last.verdict), ", ",
                seconds_between(last.started, state_.opened), " before this run. ", to_be_written));
  }

  void path() {
    auto found = deviations(script_, state_, events_);
    std::string text;
    for (const auto& each : found) text += cat("- ", each, "\n");
    section("Recovery path and deviations from the runbook",
            text.empty() ? std::string("The runbook was followed as it is written.\n") : text);
  }

  void predicted_and_real() {
    std::string text = "| step | predicted | real |\n|---|---|---|\n";
    for (const auto& own : script_.steps) {
      const auto& step = state_.at(own.number);
      if (own.is_group() || step.began == Timestamp{} || step.ended < step.began) continue;
      auto shown = step.asks["shown"]["about"]["predicted_restore"].string();
      text += cat("| ", own.number, " ", replace_all(printable(title_of(*own.step)), "|", "\\|"),
                  " | ", predicted_of(own.number, shown), " | ",
                  human_duration(step.ended - step.began), " |\n");
    }
    section("Predicted and real times", text + whole_predicted());
  }

  // By earlier runs of the same step, else what was shown to who decided.
  std::string predicted_of(std::size_t number, const std::string& shown) const {
    if (forecast_ != nullptr) {
      for (const auto& step : forecast_->steps) {
        if (step.number == number && step.half && step.most)
          return cat(human_duration(*step.half), ", at most ", human_duration(*step.most), " (",
                     step.measured, step.measured == 1 ? " time" : " times", " before)");
      }
    }
    return shown.empty() ? "–" : shown;
  }

  std::string whole_predicted() const {
    if (forecast_ == nullptr || forecast_->runs == 0)
      return "\nNo earlier run or drill of this runbook predicted how long it takes.\n";
    return cat("\nAll of it: predicted ", human_duration(forecast_->half),
               " in half of all cases, ", human_duration(forecast_->most), " in nine of ten, by ",
               forecast_->runs, forecast_->runs == 1 ? " earlier run" : " earlier runs", " (",
               forecast_->unknown, forecast_->unknown == 1 ? " step was" : " steps were",
               " never measured); took ", seconds_between(state_.opened, state_.last_event), ".\n");
  }

  void decisions() {
    std::string text;
    for (const auto& event : events_) {
      bool decided = event.kind == RunEventKind::ended && event.data["hash"].is_string();
      if (!decided) continue;
      text += cat("- ", format_time_seconds(event.at), "  ", role_of(event.by), ": ", event.text);
      if (event.data["break_glass"].boolean()) text += " **(the glass was broken)**";
      text += "\n";
      for (const auto& [name, value] : event.data["shown"]["facts"].members()) {
        text += cat("  - ", replace_all(name, "_", " "), ": ",
                    value.is_string() ? value.string() : value.dump(), "\n");
      }
    }
    section("Decisions, with what was shown then", text.empty() ? "None was asked for.\n" : text);
  }

  void communications() {
    std::string text;
    for (const auto& event : events_) {
      bool sent = event.kind == RunEventKind::ended && event.step != 0 &&
                  script_.at(event.step).step->verb == "notify";
      if (sent) text += cat("- ", format_time_seconds(event.at), "  ", printable(event.text), "\n");
    }
    if (incident_ != nullptr) {
      for (const auto& line : incident_->lines) {
        if (line.text.starts_with("told "))
          text += cat("- ", format_time_seconds(line.at), "  incident: ", line.text, "\n");
      }
    }
    section("Communications", text.empty() ? "None was sent by the run.\n" : text);
  }

  void well_and_wrong() {
    std::string well, wrong;
    for (const auto& own : script_.steps) {
      const auto& step = state_.at(own.number);
      bool good = step.status == StepStatus::done && step.attempt == 1 && !own.is_group();
      if (good && own.step->verb == "restore")
        well += cat("- ", step_text(script_, own.number), " worked at the first try\n");
      if (step.status == StepStatus::failed || step.status == StepStatus::passed)
        wrong += cat("- ", step_text(script_, own.number), ": ", printable(step.text), "\n");
    }
    section("What went well", well + to_be_written);
    section("What went wrong", wrong + to_be_written);
    section("Where we were lucky", to_be_written);
  }

  void actions() {
    std::string text = "| action | owner | until |\n|---|---|---|\n";
    for (const auto& each : follow_ups(plan_, script_, state_, events_)) {
      text += cat("| ", replace_all(each.text, "|", "\\|"), " | ",
                  each.owner.empty() ? "_to be named_" : each.owner, " | ",
                  format_time_seconds(each.due).substr(0, 10), " |\n");
    }
    section("Actions", text);
  }

  void evidence() {
    std::string more;
    if (!drills_.empty())
      more += cat("- Last drill ", drills_.back().drill, ": `lifeboat report ", drills_.back().id,
                  "`.\n");
    for (const auto& [name, link] : plan::View(plan_.tree, plan_.files).text_map("links"))
      more += cat("- ", name, ": ", printable(link), "\n");
    section("Evidence", cat("- Run ", state_.id, ": `lifeboat run show ", state_.id,
                            " --json` has every event with the output of commands.\n",
                            incident_ == nullptr
                                ? std::string()
                                : cat("- Incident ", incident_->id, ": `lifeboat incident show ",
                                      incident_->id, " --json`.\n"),
                            more));
  }

  const plan::Plan& plan_;
  const Script& script_;
  const RunState& state_;
  const std::vector<RunEvent>& events_;
  const std::vector<record::DrillRecord>& drills_;
  const IncidentStory* const incident_;
  const Forecast* const forecast_;
  std::string out_;
};

}  // namespace

std::vector<std::string> deviations(const Script& script, const RunState& state,
                                    const std::vector<RunEvent>& events) {
  std::vector<std::string> out;
  std::set<std::uint64_t> interrupted;
  for (const auto& event : events) {
    auto step = step_text(script, event.step);
    auto result = event.data["result"].string();
    if (event.kind == RunEventKind::ended && result == "skipped")
      out.push_back(cat(step, " was left out: ", printable(event.text)));
    if (event.kind == RunEventKind::ended && result == "failed")
      out.push_back(cat(
          step, " failed: ", printable(event.text),
          event.data["then"].string().empty() ? "" : cat("; then: ", event.data["then"].string())));
    if (event.kind == RunEventKind::began && event.attempt > 1)
      out.push_back(cat(step, " was tried again"));
    if (event.kind == RunEventKind::undone && result == "done")
      out.push_back(cat(step, " was taken back"));
    if (event.kind == RunEventKind::asks && event.data["need"].string() == "outcome" &&
        interrupted.insert(event.step).second)
      out.push_back(cat(step, " was interrupted, and nobody could tell whether it had happened"));
  }
  if (state.closed && *state.closed == RunResult::aborted)
    out.push_back("the run was ended before its end");
  return out;
}

std::string review_of_broken_glass(const Script& script, const RunEvent& event) {
  return cat("Review that the glass was broken at ", step_text(script, event.step), ": ",
             printable(event.text));
}

std::vector<FollowUp> follow_ups(const plan::Plan& plan, const Script& script,
                                 const RunState& state, const std::vector<RunEvent>& events) {
  std::vector<FollowUp> out;
  auto due = state.last_event + review_within;
  auto owner = script.plan->owner;
  for (const auto& event : events) {
    auto result = event.data["result"].string();
    auto step = step_text(script, event.step);
    if (event.data["break_glass"].boolean())
      out.push_back({review_of_broken_glass(script, event), owner, due});
    if (event.kind != RunEventKind::ended) continue;
    if (result == "failed")
      out.push_back({cat("Find out why ", step, " failed: ", printable(event.text)), owner, due});
    if (result == "skipped" && !event.data["held"].boolean() && !event.data["asked_by"].is_null())
      out.push_back({cat("Review that critical ", step, " was left out"), owner, due});
    bool written = event.step != 0 && script.at(event.step).step->verb == "document";
    if (written)
      out.push_back({cat("Write up: ", script.at(event.step).step->what.text), owner, due});
  }
  out.push_back({cat("Bring the text of runbook ", script.runbook, " in line with what was done"),
                 owner, due});
  for (const auto& person : plan.people) {
    if (out.back().owner.empty() && person.name == "lead") out.back().owner = person.name;
  }
  return out;
}

std::string post_mortem(const plan::Plan& plan, const Script& script, const RunState& state,
                        const std::vector<RunEvent>& events, const Surroundings& surroundings) {
  return Writer(plan, script, state, events, surroundings).write();
}

}  // namespace lb::runbook
