#include "app/cli/run_view.h"

#include <algorithm>

#include "app/cli/text_width.h"
#include "foundation/base/text.h"

namespace lb::cli {

using record::RunInput;
using record::RunInputKind;
using runbook::Need;
using runbook::RunState;
using runbook::StepStatus;

namespace {

constexpr int dim = 2;
constexpr std::size_t step_indent = 9, item_indent = 12;
constexpr const char* prompt = "> ";
constexpr Micros times_interval = std::chrono::seconds(1);

RunInput input_of(RunInputKind kind, std::size_t step, const std::string& text = "") {
  RunInput out;
  out.kind = kind;
  out.step = step;
  out.text = text;
  out.data = Json::object();
  return out;
}

std::string rest_after_word(const std::string& line) {
  auto space = line.find(' ');
  return space == std::string::npos ? std::string() : std::string(trim(line.substr(space)));
}

std::vector<std::string> items_of(const plan::Step& step) {
  std::vector<std::string> out;
  for (const auto& each : step.what.items) {
    const auto* item = each.find("item");
    out.push_back(item != nullptr ? item->text : each.text);
  }
  return out;
}

std::string what_can_be_typed(Need need) {
  switch (need) {
    case Need::condition:
      return "y or n";
    case Need::review:
      return "done, when the command is right; skip REASON";
    case Need::answers:
      return "the answer";
    case Need::decision:
      return "approve, deny REASON, report TEXT, approve! REASON (breaks the glass)";
    case Need::confirmation:
      return "the name of the target";
    case Need::ticks:
      return "the number of an item that is done; -NUMBER REASON leaves it out";
    case Need::deed:
    case Need::witness:
      return "done [NOTE], skip REASON";
    case Need::outcome:
      return "done (it happened), retry (it did not), skip REASON";
    case Need::way_on:
      return "retry, done [NOTE] (by hand), skip REASON, undo";
    case Need::skip_approval:
      return "approve or deny, by somebody else";
  }
  return "";
}

Result<RunInput> tick_of(const plan::Step& step, std::size_t number, const std::string& line) {
  auto items = items_of(step);
  bool leave_out = line.starts_with('-');
  auto word = line.substr(leave_out ? 1 : 0, line.find(' ') - (leave_out ? 1 : 0));
  auto index = parse_uint(word);
  if (!index.ok() || *index < 1 || *index > items.size())
    return Error(ErrorKind::invalid, cat("type 1 to ", items.size()));
  auto out = input_of(RunInputKind::tick, number, rest_after_word(line));
  out.data.set("item", items[*index - 1]).set("ticked", !leave_out);
  return out;
}

Need need_now(const runbook::StepState& step) {
  return step.status == StepStatus::failed ? Need::way_on : step.need;
}

const char* mark_of(StepStatus status) {
  switch (status) {
    case StepStatus::done:
      return "✔";
    case StepStatus::failed:
    case StepStatus::passed:
      return "✘";
    case StepStatus::skipped:
      return "–";
    case StepStatus::undone:
      return "↶";
    case StepStatus::running:
      return "▶";
    case StepStatus::asks:
      return "?";
    case StepStatus::pending:
      break;
  }
  return " ";
}

int color_of(StepStatus status) {
  switch (status) {
    case StepStatus::done:
      return 32;
    case StepStatus::failed:
    case StepStatus::passed:
      return 31;
    case StepStatus::asks:
      return 33;
    case StepStatus::running:
      return 36;
    default:
      return 2;
  }
}

// The rows of an overview for whom the table is too wide.
std::string as_list(const std::vector<std::vector<std::string>>& rows, std::size_t columns) {
  constexpr std::size_t indent = 6;
  std::string out;
  for (const auto& row : rows) {
    if (row[0].empty() && row[1].empty()) {
      out += cat(row[2], "\n");
      continue;
    }
    auto number = row[1].size() < 2 ? " " + row[1] : row[1];
    out += wrapped(cat(row[0], " ", number, "  ", row[2]), columns, indent) + "\n";
    auto more = join(row[3].empty() || row[4].empty() ? std::vector{row[3] + row[4]}
                                                      : std::vector{row[4], row[3]},
                     ", ");
    auto second = std::string(indent, ' ') + more;
    if (!more.empty()) out += wrapped(second, columns, indent) + "\n";
  }
  return out;
}

// The step that what is typed speaks of; 0: none waits.
std::size_t waiting_step(const runbook::Script& script, const RunState& state) {
  for (auto number : runbook::frontier(script, state)) {
    auto status = state.at(number).status;
    if (status == StepStatus::asks || status == StepStatus::failed) return number;
  }
  return 0;
}

std::string prompt_of(const YamlNode::Entry& question) {
  const auto& kind = question.value.text;
  return cat("      ", question.key.text, " (", kind,
             kind == "time"      ? ", such as 2026-01-13T02:14:05Z"
             : kind == "boolean" ? ", true or false"
                                 : "",
             "):");
}

// Empty: it will be taken.
std::string wrong_answer(const std::string& kind, const std::string& answer) {
  Status right;
  if (kind == "time") right = parse_time(answer).status();
  if (kind == "number") right = parse_double(answer).status();
  bool flag = answer == "true" || answer == "false";
  if (kind == "boolean" && !flag) return cat("'", printable(answer), "' is not true or false");
  return right.ok() ? std::string() : right.error().text();
}

using Rows = std::vector<std::pair<std::string, std::string>>;

void add_shown(const Json& shown, Rows& rows) {
  for (const auto& [name, value] : shown.members()) {
    if (value.is_object()) {
      for (const auto& [inner, text] : value.members())
        rows.emplace_back(cat(replace_all(name, "_", " "), " ", inner), text.string());
    } else {
      rows.emplace_back(replace_all(name, "_", " "), value.string());
    }
  }
}

// What a decision is about, or why nobody knows what happened.
Rows rows_of(const runbook::StepState& step, Need need, const std::string& when) {
  Rows rows;
  add_shown(step.asks["shown"]["facts"], rows);
  add_shown(step.asks["shown"]["about"], rows);
  if (need == Need::condition) rows.emplace_back("holds?", when);
  if (need == Need::outcome)
    rows.emplace_back("began",
                      cat(step.asks["began"].string(), "; whether it happened is not known"));
  if (need == Need::outcome && step.asks["probe"].is_string())
    rows.emplace_back("because", step.asks["probe"].string());
  if (need == Need::skip_approval)
    rows.emplace_back(cat(step.skip_by, " wants to leave it out:"), step.skip_reason);
  return rows;
}

std::string named(const plan::Plan& plan, const std::string& key) {
  auto found = std::find_if(plan.people.begin(), plan.people.end(),
                            [&](const auto& person) { return person.name == key; });
  if (found == plan.people.end()) return key;
  auto name = found->full_name.empty() ? join(found->users, ", ") : found->full_name;
  return name.empty() || name == key ? key : cat(key, " (", printable(name), ")");
}

}  // namespace

RunView::RunView(Console& console, const Clock& clock, const plan::Plan& plan,
                 const runbook::Script& script, bool interactive)
    : console_(console),
      clock_(clock),
      plan_(plan),
      script_(script),
      interactive_(interactive),
      shown_(script.steps.size(), StepStatus::pending) {}

std::string RunView::head_of(const runbook::ScriptStep& step) const {
  auto by = step.step->by.empty() ? std::string() : cat(" [", step.step->by, "]");
  return cat(step.number, "/", script_.steps.size(), "  ", printable(runbook::title_of(*step.step)),
             by);
}

void RunView::changed(const RunState& state) {
  prompted_ = false;
  for (const auto& own : script_.steps) {
    const auto& step = state.at(own.number);
    auto& shown = shown_[own.number - 1];
    if (shown == step.status) continue;
    shown = step.status;
    bool timed = own.is_group() && own.step->limit;
    bool late = step.status == StepStatus::passed || step.status == StepStatus::failed;
    if (own.is_group() && !late && !(timed && step.status == StepStatus::running)) continue;
    if (step.status == StepStatus::pending || step.status == StepStatus::asks) continue;
    if (!own.phase.empty() && own.phase != phase_)
      console_.note(console_.bold(cat("\n", own.phase)));
    phase_ = own.phase;
    bool held = step.result["held"].boolean() && step.status != StepStatus::running;
    auto line = cat("  ", held ? "‖" : mark_of(step.status), " ", head_of(own));
    if (step.status != StepStatus::running && !step.text.empty())
      line += cat("  ", printable(step.text));
    auto until = runbook::end_of_wait(*own.step, step.began);
    if (timed) until = step.began + *own.step->limit;
    if (step.status == StepStatus::running && until)
      line += cat("  until ", format_time_seconds(*until));
    bool took = step.status == StepStatus::done && step.ended - step.began >= Seconds(1) &&
                step.began != Timestamp{};
    if (took) line += cat(" (", human_duration(step.ended - step.began), ")");
    tell(line, step_indent, held ? dim : color_of(step.status));
  }
  for (auto number : runbook::frontier(script_, state)) show_question(state, number);
}

void RunView::show_question(const RunState& state, std::size_t number) {
  const auto& step = state.at(number);
  bool waits = step.status == StepStatus::asks || step.status == StepStatus::failed;
  if (!waits) return;
  auto need = need_now(step);
  auto mark = cat(number, "/", step.attempt, "/", runbook::name_of(need), "/",
                  step.asks["hash"].string(), "/", step.ticks.size(), "/", step.reports.size());
  if (mark == asked_) return;
  asked_ = mark;
  if (answering_ != mark) {
    answering_ = mark;
    questions_answered_ = 0;
    answers_ = Json::object();
  }
  const auto& own = script_.at(number);
  if (!own.phase.empty() && own.phase != phase_) console_.note(console_.bold(cat("\n", own.phase)));
  phase_ = own.phase;
  tell(cat("  ? ", head_of(own), "  waits for ", waits_for(own, need)), step_indent, 33);
  tell_rows(rows_of(step, need, own.step->when));
  if (need == Need::ticks) {
    auto items = items_of(*own.step);
    for (std::size_t i = 0; i < items.size(); ++i) {
      auto found = step.ticks.find(items[i]);
      const char* box = found == step.ticks.end() ? "[ ]" : found->second ? "[x]" : "[-]";
      tell(cat("      ", i + 1, " ", box, " ", printable(items[i])), item_indent);
    }
  }
  if (!interactive_) return;
  if (need == Need::answers && questions_answered_ < own.step->what.entries.size()) {
    console_.note(prompt_of(own.step->what.entries[questions_answered_]));
    return;
  }
  tell(cat("      type: ", what_can_be_typed(need), "; help"), item_indent, dim);
}

std::size_t RunView::columns() const {
  return console_.options().err_is_terminal
             ? terminal_columns(fileno(stderr)).value_or(usual_columns)
             : 0;
}

void RunView::tell(const std::string& line, std::size_t indent, int color) {
  auto text = wrapped(line, columns(), indent);
  console_.note(color == 0 ? text : console_.colored(text, color));
}

void RunView::tell_rows(const Rows& rows) {
  constexpr std::size_t before = 6, between = 2;
  std::size_t width = 0;
  for (const auto& [name, value] : rows) width = std::max(width, width_of(name));
  for (const auto& [name, value] : rows) {
    auto pad = std::string(width - width_of(name) + between, ' ');
    tell(cat(std::string(before, ' '), printable(name), pad, printable(value)),
         before + width + between);
  }
}

std::string RunView::waits_for(const runbook::ScriptStep& step, Need need) const {
  if (need == Need::decision) {
    std::vector<std::string> names;
    for (const auto& key : runbook::deciders_of(plan_, *step.step))
      names.push_back(named(plan_, key));
    return join(names, " or ");
  }
  if (need == Need::skip_approval) return "somebody else";
  if (!step.step->by.empty()) return named(plan_, step.step->by);
  return interactive_ ? "you" : "anybody";
}

// What is left of the limit that ends first, of a step at work or of a group around it.
std::string RunView::limit_left(const RunState& state) const {
  std::optional<Micros> least;
  std::size_t whose = 0;
  for (const auto& own : script_.steps) {
    const auto& step = state.at(own.number);
    bool decides = step.need == Need::decision;
    bool waits = step.status == StepStatus::asks &&
                 (decides || step.need == Need::deed || step.need == Need::ticks ||
                  step.need == Need::answers || step.need == Need::witness);
    if (!own.step->limit || (step.status != StepStatus::running && !waits)) continue;
    auto since = !waits ? step.began : decides ? step.first_asked : step.asked;
    auto left = *own.step->limit - std::max(Micros(0), clock_.now() - since);
    if (least && *least <= left) continue;
    least = left;
    whose = own.number;
  }
  if (!least) return "";
  if (*least <= Micros(0)) return cat(", step ", whose, " is over its limit");
  return cat(", ", human_duration(std::chrono::duration_cast<Seconds>(*least)), " left for step ",
             whose);
}

// While somebody may be typing the line stays as it is: what they typed would vanish from it.
void RunView::show_times(const RunState& state) {
  auto now = clock_.steady();
  bool prompts = interactive_ && waiting_step(script_, state) != 0;
  if (prompts && prompted_) return console_.status(prompt);
  if (!prompts && now - times_shown_ < times_interval) return;
  times_shown_ = now;
  prompted_ = prompts;
  auto spent = std::chrono::duration_cast<Seconds>(clock_.now() - state.opened);
  auto line = cat("run ", state.runbook, "  ", human_duration(spent));
  if (script_.plan->objective.rto) {
    auto left = *script_.plan->objective.rto - (clock_.now() - state.opened);
    line += left > Micros(0) ? cat(", ", human_duration(std::chrono::duration_cast<Seconds>(left)),
                                   " of the RTO left")
                             : cat(", RTO passed by ",
                                   human_duration(std::chrono::duration_cast<Seconds>(-left)));
  }
  line += limit_left(state);
  auto turn = runbook::frontier(script_, state);
  auto after = turn.empty() ? script_.steps.size() + 1 : turn.back() + 1;
  if (after <= script_.steps.size())
    line += cat("  next: ", printable(runbook::title_of(*script_.at(after).step)));
  if (!prompts) return console_.status(line);
  // What is typed has a line of its own.
  console_.end_progress();
  console_.note(console_.colored(columns() == 0 ? line : cut_to(line, columns()), dim));
  console_.status(prompt);
}

std::optional<RunInput> RunView::next_answer(std::size_t number, const std::string& line) {
  const auto& questions = script_.at(number).step->what.entries;
  if (questions_answered_ >= questions.size()) questions_answered_ = 0;
  // Said at once, so that what was answered before need not be typed again.
  const auto& question = questions[questions_answered_];
  auto wrong = wrong_answer(question.value.text, line);
  if (!wrong.empty()) {
    console_.warn(wrong);
    console_.note(prompt_of(question));
    return std::nullopt;
  }
  answers_.set(questions[questions_answered_].key.text, line);
  ++questions_answered_;
  if (questions_answered_ < questions.size()) {
    console_.note(prompt_of(questions[questions_answered_]));
    return std::nullopt;
  }
  auto out = input_of(RunInputKind::answer, number);
  out.data.set("values", answers_);
  questions_answered_ = 0;
  asked_.clear();
  answering_.clear();
  return out;
}

std::optional<RunInput> RunView::typed(const RunState& state) {
  show_times(state);
  if (!interactive_) return std::nullopt;
  auto line = lines_.next();
  if (!line) return std::nullopt;
  prompted_ = false;
  console_.end_progress();
  auto text = std::string(trim(*line));
  if (text.empty()) return std::nullopt;
  auto waiting = waiting_step(script_, state);
  if (text == "help" || text == "?") {
    console_.note(overview(state));
    asked_.clear();
    if (waiting != 0) show_question(state, waiting);
    console_.note(
        "      at any time: note TEXT, abort REASON, help; Ctrl-C leaves the run as it is");
    return std::nullopt;
  }
  bool answers = waiting != 0 && state.at(waiting).status == StepStatus::asks &&
                 state.at(waiting).need == Need::answers;
  auto word = text.substr(0, text.find(' '));
  bool command = word == "note" || word == "abort" || word == "skip";
  if (answers && !command) return next_answer(waiting, text);
  auto input = read_line(script_, state, waiting, text);
  if (input.ok()) return std::move(input).take();
  asked_.clear();
  console_.warn(input.error().text());
  if (waiting != 0) show_question(state, waiting);
  return std::nullopt;
}

Result<RunInput> RunView::read_line(const runbook::Script& script, const RunState& state,
                                    std::size_t number, const std::string& line) {
  auto word = line.substr(0, line.find(' '));
  auto rest = rest_after_word(line);
  if (word == "note") return input_of(RunInputKind::note, 0, rest);
  if (word == "abort") return input_of(RunInputKind::abort, 0, rest);
  if (number == 0)
    return Error(ErrorKind::invalid, "the run waits for nobody now: note, abort, help");
  const auto& step = state.at(number);
  auto need = need_now(step);
  if (word == "skip") return input_of(RunInputKind::skip, number, rest);
  if (need == Need::confirmation) {
    auto out = input_of(RunInputKind::confirm, number);
    out.data.set("word", line);
    return out;
  }
  if (need == Need::ticks) return tick_of(*script.at(number).step, number, line);
  if (need == Need::condition) {
    bool yes = word == "y" || word == "yes", no = word == "n" || word == "no";
    if (!yes && !no) return Error(ErrorKind::invalid, "type y or n");
    auto out = input_of(RunInputKind::answer, number);
    out.data.set("holds", yes);
    return out;
  }
  if (word == "report") return input_of(RunInputKind::report, number, rest);
  if (word == "approve" || word == "approve!" || word == "deny") {
    auto out = input_of(word == "deny" ? RunInputKind::deny : RunInputKind::approve, number, rest);
    out.data.set("hash", step.asks["hash"]);
    if (word == "approve!") out.data.set("break_glass", true);
    return out;
  }
  if (word == "done") return input_of(RunInputKind::done, number, rest);
  if (word == "retry") return input_of(RunInputKind::retry, number, rest);
  if (word == "undo") return input_of(RunInputKind::undo, number, rest);
  return Error(ErrorKind::invalid, cat("type ", what_can_be_typed(need)));
}

std::string RunView::overview(const RunState& state) const {
  std::vector<std::vector<std::string>> rows;
  std::string phase;
  for (const auto& own : script_.steps) {
    const auto& step = state.at(own.number);
    if (!own.phase.empty() && own.phase != phase) rows.push_back({"", "", own.phase, "", ""});
    phase = own.phase;
    auto who = own.step->by.empty() ? step.by : own.step->by;
    auto text = step.text;
    if (step.status == StepStatus::asks) {
      text = cat("waits for ", waits_for(own, step.need));
      who.clear();
    }
    auto took = step.ended != Timestamp{} && step.began != Timestamp{} && step.ended >= step.began
                    ? human_duration(step.ended - step.began)
                    : std::string();
    rows.push_back({mark_of(step.status), cat(own.number), printable(runbook::title_of(*own.step)),
                    took, cat(who, who.empty() || text.empty() ? "" : ": ", printable(text))});
  }
  auto out = table(rows, {1, 3});
  auto lines = split(out, '\n');
  bool fits = columns() == 0 || std::all_of(lines.begin(), lines.end(), [&](const auto& line) {
                return width_of(line) <= columns();
              });
  return fits ? out : as_list(rows, columns());
}

}  // namespace lb::cli
