// watch: looks after all that people must hear of, in the foreground, or once for a timer.
#include <optional>

#include "app/cli/alert_desk.h"
#include "app/cli/incident_verbs.h"
#include "app/cli/standing.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

constexpr Micros heartbeat_limit = Seconds(10);

// Whoever waits for it outside raises the alarm when it stays away: so nothing is sent unless all
// is well, and the address, which is a secret, is in no text.
void send_heartbeat(const Shell& shell, const Session& session) {
  const auto& reference = session.plan.plan.heartbeat;
  if (reference.empty()) return;
  auto called = [&]() -> Status {
    const auto address = LB_TRY(session.references->secret(reference));
    HttpRequest request;
    request.method = "GET";
    request.url = address.reveal();
    request.limit = heartbeat_limit;
    auto answer = LB_TRY(shell.world.http.send(request));
    if (answer.status >= 200 && answer.status < 300) return {};
    return Error(ErrorKind::unavailable, cat("HTTP ", answer.status));
  }();
  if (!called.ok()) shell.console.warn(cat("the heartbeat was not taken: ", called.error().text()));
}

// The session is opened anew each time: the plan, the key and the repository may change.
class Around {
 public:
  Around(const Shell& shell, const Args& args) : shell_(shell), args_(args) {}

  void look() {
    auto looked = [&]() -> Status {
      auto opened = Session::open(shell_, args_);
      if (!opened.ok()) {
        tell_of_no_session(shell_, args_, opened.error(), "repository unreachable",
                           {cat("from ", shell_.host)});
        return std::move(opened).take_error();
      }
      auto& session = **opened;
      const auto standing = LB_TRY(look_and_tell(shell_, session));
      say(standing);
      if (standing.good()) send_heartbeat(shell_, session);
      return {};
    }();
    if (looked.ok()) {
      problem_.clear();
    } else if (looked.error().text() != problem_) {
      problem_ = looked.error().text();
      shell_.console.warn(cat("not everything could be looked at: ", problem_));
    }
  }

 private:
  // What is wrong, when that changes.
  void say(const Standing& standing) {
    std::string now;
    for (const auto& line : standing.lines) {
      if (!line.good) now += cat("\n  ", line.what, ": ", line.state);
    }
    if (said_ && *said_ == now) return;
    said_ = now;
    shell_.console.note(now.empty() ? std::string("all is well")
                                    : cat("not well (lifeboat status says more):", now));
  }

  const Shell& shell_;
  const Args& args_;
  std::string problem_;
  std::optional<std::string> said_;
};

Result<ExitCode> run(const Shell& shell, const Args& args) {
  Around around(shell, args);
  return watch_people(shell, args, "watch", [&] { around.look(); });
}

}  // namespace

Verb watch_verb() {
  return {{"watch",
           "Looks after what people must hear of: what is wrong and what is good again (alerts:), "
           "incidents that nobody answers, overdue reviews, messages that wait; and calls the "
           "heartbeat as long as all is well.",
           {"lifeboat watch          # until it is stopped, as a service",
            "lifeboat watch --once   # what is due now, for a timer"},
           "watch [--once]",
           {{"once", 0, "", "does what is due now and ends", false}},
           0},
          run};
}

}  // namespace lb::cli
