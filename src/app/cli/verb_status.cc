#include "app/cli/alert_desk.h"
#include "app/cli/standing.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

void show(const Shell& shell, const Standing& standing) {
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"WHAT", "STATE", "IN WORDS"}};
  for (const auto& line : standing.lines) {
    rows.push_back({line.what, line.state, line.text});
    list.push(
        Json::object().set("what", line.what).set("state", line.state).set("text", line.text));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.status/1",
                        Json::object().set("ok", standing.good()).set("lines", std::move(list)));
  } else {
    shell.console.out(table(rows));
  }
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto opened = Session::open(shell, args);
  if (!opened.ok()) {
    tell_of_no_session(shell, args, opened.error(), {}, {});
    return std::move(opened).take_error();
  }
  const auto standing = LB_TRY(look_and_tell(shell, **opened));
  show(shell, standing);
  return standing.good() ? ExitCode::ok : ExitCode::check_not_met;
}

}  // namespace

Verb status_verb() {
  return {{"status",
           "Says what would be lost now, what is overdue, and what was interrupted. Exit 4 if "
           "anything is. Tells whom alerts: names of what became wrong, once.",
           {"lifeboat status          # for people", "lifeboat status --json   # for a monitor"},
           "status",
           {},
           0},
          run};
}

}  // namespace lb::cli
