// A runbook in a drill: the same steps, by the same driver; what they do goes into the drill's
// sandbox, and what would reach anything outside it is held and said to be.
#pragma once

#include <functional>

#include "operations/runbook/driver.h"
#include "recovery/drill/drill.h"

namespace lb::runbook {

// What a rehearsal is given from outside.
struct RehearsalParts {
  std::map<std::string, std::string> copies = {};  // store -> the copy that the drill reads it from
  // Carries out a query: step against what was restored; without it such steps are held.
  std::function<Result<ActEnd>(const Act&, const drill::RestoredDatabase&)> query = {};
};

class RehearsalActs final : public Acts {
 public:
  RehearsalActs(const plan::Plan& plan, drill::Rehearsal& rehearsal, Clock& clock,
                RehearsalParts parts = {})
      : plan_(plan), rehearsal_(rehearsal), clock_(clock), parts_(std::move(parts)) {}

  ActEnd act(const Act& act, std::stop_token stop) override;
  Result<Trace> happened(const Act&, std::stop_token) override;
  bool repeats_safely(const Act&) const override { return true; }
  ActEnd undo(const Act& act, std::stop_token stop) override;
  Result<Json> show(const Act& act) override;
  std::string word_to_type(const Act&) override { return {}; }
  Status invite(const Act&, const std::string&, const std::string&, const Json&) override {
    return {};
  }
  Status inform(const Act&, const std::string&, const std::string&) override { return {}; }

 private:
  Result<ActEnd> done(const Act& act, std::stop_token stop);
  Result<ActEnd> preflight(const Act& act);
  Result<ActEnd> choose(const Act& act);
  Result<ActEnd> bisect(const Act& act);
  Result<ActEnd> restore(const Act& act, std::stop_token stop);
  Status stand_up(const Act& act, std::stop_token stop);
  Result<ActEnd> verify(const Act& act, std::stop_token stop);
  Result<ActEnd> one_check(const Act& act, const std::string& name, std::stop_token stop);
  Result<ActEnd> query(const Act& act);
  Result<ActEnd> wait(const Act& act, std::stop_token stop);

  const plan::Plan& plan_;
  drill::Rehearsal& rehearsal_;
  Clock& clock_;
  const RehearsalParts parts_;
  std::mutex one_at_a_time_;  // a rehearsal is for one thread
};

// The stores that the steps restore, each once; a group stands for its stores, and is given back
// when it is the only one.
struct RehearsedStores {
  std::vector<std::string> stores;
  std::string group;
};
RehearsedStores restored_by(const plan::Plan& plan, const Script& script);
// Of each store that they restore from a copy (from:), which one: what a drill of them has to read.
// `given`: what the drill says of parameters and questions. unsupported when that is not known
// before the drill begins, or when a store is restored from two places: a drill restores it once.
Result<std::map<std::string, std::string>> copies_read_by(const plan::Plan& plan,
                                                          const Script& script,
                                                          const Variables& given);

// Drives the run to its end inside the sandbox, and adds to the drill's record what it did.
// `attended`: people are asked on the terminal as in earnest; else their steps are held.
Status rehearse(const DriverTools& tools, const DriverOptions& options, const plan::Plan& plan,
                const Script& script, const std::string& run, const NewRun& fresh,
                drill::Rehearsal& rehearsal, std::stop_token stop);

}  // namespace lb::runbook
