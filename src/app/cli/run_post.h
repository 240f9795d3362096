// RunPost: the messages of a run: into the outbox at once, carried from it by a thread of its own
// as long as the run is driven here.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "app/cli/session.h"
#include "operations/notify/messages.h"
#include "operations/runbook/acts.h"
#include "operations/watch/finding.h"

namespace lb::cli {

// Which outbox this machine has; what is posted is recognised in it alone.
Result<std::string> outbox_identity(const Shell& shell, const Session& session);

class RunPost {
 public:
  // All outlive it.
  RunPost(const Shell& shell, Session& session, const plan::Plan& plan)
      : shell_(shell), session_(session), plan_(plan) {}
  // Gives what waits some seconds more.
  ~RunPost();

  // From now on the escalation of the incident is carried on with the messages. Before any other.
  Status watch(const std::string& incident);
  // A message by template; ends when it has left, after its approval if it needs one, or is known
  // to be late.
  Result<runbook::ActEnd> tell(const runbook::Act& act, std::stop_token stop);
  // A decision is asked for; `token` goes to that person alone.
  Status invite(const runbook::Act& act, const std::string& person, const std::string& token,
                const Json& shown);

  Status inform(const runbook::Act& act, const std::string& person, const std::string& text,
                notify::Severity severity = notify::Severity::warning);
  // Whether invite() has stored the one with the link of this mark.
  bool invited(const runbook::Act& act, const std::string& person, const std::string& mark);
  // Tells whom alerts: names, once.
  void report(const std::vector<watch::Finding>& findings);

 private:
  Status open();
  void carry(std::stop_token stop);
  void escalate(std::stop_token stop);
  // What is to be said of messages of that key which have not arrived; empty: all have.
  Result<std::string> wait_for_delivery(const std::string& key, std::stop_token stop);
  void ask_approval(const runbook::Act& act, const notify::Told& told);
  Result<runbook::ActEnd> when_approved(const runbook::Act& act, const notify::Told& told,
                                        std::stop_token stop);

  const Shell& shell_;
  Session& session_;
  const plan::Plan& plan_;
  std::mutex mutex_;  // of opening
  std::unique_ptr<state::Outbox> outbox_;
  std::unique_ptr<notify::Postman> postman_;
  std::string incident_;
  std::stop_source cut_;  // ends the message that is being sent
  std::atomic<bool> carrier_ended_{false};
  std::jthread carrier_, escalator_;
};

}  // namespace lb::cli
