#include "app/cli/alert_desk.h"

#include "app/cli/run_desk.h"
#include "foundation/base/text.h"
#include "operations/watch/alerts.h"

namespace lb::cli {

namespace {

constexpr Micros send_time = Seconds(10);

Status tell_and_carry(const Shell& shell, Session& session,
                      const std::vector<watch::Finding>& findings,
                      const std::vector<std::string>& looked_at_all_of) {
  const auto path = path_join(session.state_folder, "journal.sqlite");
  auto outbox = LB_TRY(state::Outbox::open(shell.world, *session.journal, path));
  notify::Postman postman(shell.world, session.plan.plan, *session.references, *session.journal,
                          *outbox);
  const auto before = LB_TRY(outbox->waiting());
  auto posted = post_findings(shell, session, postman, findings, looked_at_all_of);
  const auto waiting = LB_TRY(outbox->waiting());
  if (waiting > 0) {
    // What was posted by others may have to wait for long.
    auto carried = LB_TRY(waiting > before ? postman.drain(send_time, shell.stop)
                                           : postman.deliver_due(shell.stop));
    const auto left = LB_TRY(outbox->waiting());
    if (carried.undelivered + left > 0)
      shell.console.warn(cat(carried.undelivered, " messages could not be delivered, ", left,
                             " wait in the outbox: lifeboat message ls shows them"));
  }
  return posted;
}

}  // namespace

Status post_findings(const Shell& shell, const Session& session, notify::Postman& postman,
                     const std::vector<watch::Finding>& findings,
                     const std::vector<std::string>& looked_at_all_of) {
  state::FactLog log(*session.journal, session.repository.get(), "alert");
  auto told = LB_TRY(watch::tell({shell.world, session.plan.plan, postman, log, shell.host,
                                  cat(shell.host, ":", session.state_folder)},
                                 findings, looked_at_all_of));
  for (const auto& line : told) shell.console.note(line);
  if (!told.empty() && !log.behind().empty())
    shell.console.warn(cat("that people were told is known on this machine only for now: ",
                           log.behind(), "; another may tell them too"));
  return {};
}

void tell_people(const Shell& shell, Session& session, const std::vector<watch::Finding>& findings,
                 const std::vector<std::string>& looked_at_all_of) {
  auto told = tell_and_carry(shell, session, findings, looked_at_all_of);
  if (!told.ok())
    shell.console.warn(cat("not everybody was told of what is wrong: ", told.error().text()));
}

std::string told_text(const Error& error) {
  auto out = cat(error.text(), ".");
  if (!error.left().empty()) out += cat("\nLeft behind: ", error.left(), ".");
  if (!error.hint().empty()) out += cat("\nWhat to do: ", error.hint(), ".");
  return out;
}

std::vector<watch::Finding> findings_of(const Error& error, const std::string& subject,
                                        const std::string& host) {
  const auto from = cat("from ", host);
  const auto of = cat(subject, ", ", from);
  switch (error.exit_code()) {
    case ExitCode::store_unreachable:
      return {{"store unreachable", of, true, told_text(error)}};
    case ExitCode::target_unreachable:
      return {{"target unreachable", of, true, told_text(error)}};
    case ExitCode::no_repository:
      return {{"repository unreachable", from, true, told_text(error)}};
    case ExitCode::wrong_key:
      return {{"key unreachable", from, true, told_text(error)}};
    case ExitCode::damaged:
      return {{"verify failed", "the repository", true, told_text(error)}};
    default:
      return {};
  }
}

void tell_of_no_session(const Shell& shell, const Args& args, const Error& error,
                        const std::string& failed, const std::vector<std::string>& subjects) {
  if (error.kind() == ErrorKind::cancelled) return;
  // Without a plan nobody knows whom to tell; what is wrong in it has been said.
  const auto read = read_plan_file(shell, plan_path(shell, args));
  if (!read.ok() || !read->ok()) return;
  auto session = session_without_repository(shell, args);
  if (!session.ok()) return;
  std::vector<watch::Finding> findings;
  for (const auto& subject : subjects)
    findings.push_back({failed, subject, true, told_text(error)});
  auto more = findings_of(error, "the repository", shell.host);
  const bool away = error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::timeout;
  if (more.empty() && away)
    more.push_back({"repository unreachable", cat("from ", shell.host), true, told_text(error)});
  for (auto& finding : more) findings.push_back(std::move(finding));
  tell_people(shell, **session, findings);
}

}  // namespace lb::cli
