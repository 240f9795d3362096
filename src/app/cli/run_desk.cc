#include "app/cli/run_desk.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "recovery/drill/drill.h"

namespace lb::cli {

namespace {

// One that is gone or damaged can be done without where a copy has what it had.
bool may_do_without(const Error& error, const plan::Plan& plan) {
  auto code = error.exit_code();
  bool lost = code == ExitCode::no_repository || code == ExitCode::damaged;
  if (lost) return !plan.repository.copies.empty();
  return error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::timeout ||
         code == ExitCode::store_unreachable;
}

bool fits(const state::RunHead& head, const std::string& named) {
  return head.id.starts_with(named) || head.id.ends_with(named) || head.runbook == named;
}

Error pick_among(const std::vector<state::RunHead>& heads, const std::string& named) {
  std::vector<std::string> shown;
  for (const auto& head : heads) shown.push_back(cat(head.id, " (", head.runbook, ")"));
  if (heads.empty()) {
    return Error(ErrorKind::not_found, named.empty()
                                           ? std::string("no run is under way")
                                           : cat("no run '", printable(named), "' is under way"))
        .with_hint("lifeboat run ls shows all runs");
  }
  return Error(ErrorKind::invalid, cat(heads.size(), " runs fit: say which"))
      .with_hint(join(shown, ", "));
}

}  // namespace

Result<std::unique_ptr<Session>> session_without_repository(const Shell& shell, const Args& args) {
  auto session = std::make_unique<Session>();
  session->plan = LB_TRY(load_plan(shell, args));
  session->references =
      std::make_unique<References>(shell.world, shell.environment, session->plan.folder);
  session->state_folder = state_folder(shell, session->plan.plan.system);
  session->sandbox_root = drill::default_sandbox_root(shell.uid);
  session->journal =
      LB_TRY(state::Journal::open(shell.world, path_join(session->state_folder, "journal.sqlite")));
  return session;
}

Result<plan::Plan> plan_for_run(const std::string& text, const std::string& file) {
  // Its lines are not those of the file: the run keeps the plan with all that it includes.
  auto read = plan::read_plan(cat(file, " as the run keeps it"), text, nullptr);
  if (read.ok()) return std::move(read.plan);
  return Error(ErrorKind::corrupt, cat("the plan the run began with cannot be read: ",
                                       plan::format_mistakes(read.mistakes, false)));
}

Result<RunDesk> open_run_desk(const Shell& shell, const Args& args) {
  RunDesk out;
  auto session = Session::open(shell, args);
  if (session.ok()) {
    out.session = std::move(session).take();
  } else {
    out.session = LB_TRY(session_without_repository(shell, args));
    if (!may_do_without(session.error(), out.session->plan.plan))
      return std::move(session).take_error();
    shell.console.warn(cat("going on without the repository: ", session.error().text()));
  }
  out.log = std::make_unique<state::RunLog>(*out.session->journal, out.session->repository.get());
  return out;
}

Result<std::optional<RunDesk>> run_desk_of_this_machine(const Shell& shell, const Args& args) {
  auto loaded = LB_TRY(load_plan(shell, args));
  auto path = path_join(state_folder(shell, loaded.plan.system), "journal.sqlite");
  auto known = LB_TRY(path_exists(shell.world.files, path));
  if (!known) return std::optional<RunDesk>();
  RunDesk out;
  out.session = LB_TRY(session_without_repository(shell, args));
  out.log = std::make_unique<state::RunLog>(*out.session->journal, nullptr);
  return std::optional(std::move(out));
}

Status read_run(state::RunLog& log, RunDesk& desk) {
  desk.events = LB_TRY(log.events(desk.run));
  if (desk.events.empty())
    return Error(ErrorKind::corrupt, cat("run ", desk.run, " has no beginning"));
  const auto& opened = desk.events.front();
  desk.plan = LB_TRY(plan_for_run(opened.data["plan"].string(),
                                  opened.data["plan_file"].string("plan of the run")));
  std::map<std::string, std::string> given;
  for (const auto& [name, value] : opened.data["given"].members()) given[name] = value.string();
  desk.script = LB_TRY(runbook::make_script(desk.plan, desk.runbook, given));
  return {};
}

// The run of a drill is over with the drill, also of one that was killed and could not say so. It
// counts as long as people may be answering it.
static bool is_left_by_drill(const std::vector<record::RunEvent>& events, Timestamp now) {
  constexpr Micros answered_within = std::chrono::hours(24);
  return events.front().data["mode"].string() == "drill" &&
         now - events.back().at > answered_within;
}

Status pick_run(const Shell& shell, RunDesk& desk, const std::string& named, bool open) {
  auto heads = LB_TRY(desk.log->runs(true));
  std::vector<state::RunHead> fitting;
  for (auto& head : heads) {
    if (!named.empty() && !fits(head, named)) continue;
    if (!head.closed) {
      // Another machine may have closed it.
      auto events = desk.log->events(head.id);
      const bool known = events.ok() && !events->empty();
      head.closed = known && events->back().kind == record::RunEventKind::closed;
      const bool left = known && is_left_by_drill(*events, shell.world.clock.now());
      if (open && named.empty() && left) continue;
    }
    if (open && head.closed) continue;
    fitting.push_back(head);
  }
  bool newest_will_do = !open && !fitting.empty() && (named.empty() || fitting.size() > 1);
  if (newest_will_do) fitting.erase(fitting.begin(), fitting.end() - 1);
  if (fitting.size() != 1) return pick_among(fitting, named);
  desk.run = fitting.front().id;
  desk.runbook = fitting.front().runbook;
  LB_TRY(read_run(*desk.log, desk));
  if (!desk.log->lost().empty()) shell.console.warn(desk.log->lost());
  const auto& opened = desk.events.front();
  if (opened.data["plan_fingerprint"].string() != desk.session->plan.fingerprint) {
    shell.console.note(cat("the plan has changed since run ", desk.run,
                           " began: the run keeps its own version, of ",
                           format_time_seconds(opened.at)));
  }
  desk.session->plan.plan = desk.plan;
  return {};
}

// As far as the log says: a program that was killed could not say that it left.
static bool is_driven(const RunDesk& desk) {
  for (auto event = desk.events.rbegin(); event != desk.events.rend(); ++event) {
    if (event->kind == record::RunEventKind::driver) return !event->data["left"].boolean();
  }
  return true;
}

Status say(const Shell& shell, RunDesk& desk, record::RunInput input) {
  if (input.at == Timestamp{}) input.at = shell.world.clock.now();  // a signed one has its time
  input.host = shell.host;
  input.user = shell.user;
  LB_TRY(desk.log->put(desk.run, desk.act(), input));
  if (!desk.log->behind().empty()) {
    shell.console.warn(cat("said on this machine only for now: ", desk.log->behind()));
  }
  // Whoever drives takes it up within a second here, within seconds elsewhere.
  constexpr int looks = 40;
  for (int look = 0; look < looks && is_driven(desk); ++look) {
    auto events = LB_TRY(desk.log->events(desk.run));
    for (const auto& event : events) {
      if (event.data["input"].string() != input.id) continue;
      if (event.kind == record::RunEventKind::refused)
        return Error(ErrorKind::denied, event.text).with_exit(ExitCode::refused);
      shell.console.note(cat("taken up: ", event.text));
      return {};
    }
    if (!shell.world.clock.sleep(std::chrono::milliseconds(200), shell.stop)) break;
  }
  shell.console.warn(
      cat("recorded; nobody drives the run now. lifeboat resume ", desk.run, " goes on with it"));
  return {};
}

}  // namespace lb::cli
