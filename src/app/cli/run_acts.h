// RunActs: the steps of runbooks on the real world: commands, restores, checks, waiting. What a
// step found out goes on as variables of the run, so that another machine can go on with it.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "app/cli/restore_request.h"
#include "app/cli/run_post.h"
#include "app/cli/session.h"
#include "operations/runbook/acts.h"
#include "recovery/check/check.h"
#include "recovery/check/redactor.h"
#include "recovery/restore/points.h"

namespace lb::cli {

struct Request;  // restore_request.h

// Where a store goes when a target is restored into.
struct RestorePlace {
  std::string folder;      // files, or a data directory; empty: a server
  plan::Reference server;  // connection string of the database
  bool original = false;   // the store's own place
};
// What the variable restored_STORE says of one that took the place of what was live.
constexpr const char* exchanged_mark = "exchanged";
// Of one that traffic was switched to, at its address.
constexpr const char* switched_mark = "switched";
// And of a database, with its name.
constexpr const char* database_prefix = "database ";

// The same for every try of a step, and for who takes it back: a swap that was interrupted is gone
// on with, whoever resumes.
std::string swap_id_of(const runbook::Act& act, const std::string& store);
// What an attempt at notify says in its intent: which outbox its message goes into, and where.
constexpr const char* outbox_pin = "outbox";
constexpr const char* outbox_host_pin = "outbox_host";
constexpr Micros keep_old_default = std::chrono::hours(24 * 7);
// invalid when the target has no place for the store.
Result<RestorePlace> place_of(const Session& session, const plan::Store& store,
                              const plan::Target& target);
// unsupported when a restore into it would leave out what it asks for (mask:, migrate:, wipe:).
Status refuse_unmade(const plan::Plan& plan, const plan::Target& target);

class RunActs final : public runbook::Acts {
 public:
  // All outlive it. `session.repository` may be null: then only steps that need none can be done.
  RunActs(const Shell& shell, Session& session, const plan::Plan& plan);

  // Of the incident that the run belongs to; before its first step.
  Status watch_incident(const std::string& incident) { return post_.watch(incident); }

  runbook::ActEnd act(const runbook::Act& act, std::stop_token stop) override;
  Result<runbook::Trace> happened(const runbook::Act& act, std::stop_token stop) override;
  Result<runbook::Variables> pin(const runbook::Act& act) override;
  bool repeats_safely(const runbook::Act& act) const override;
  void end_left_running(const runbook::Act& act) override;
  runbook::ActEnd undo(const runbook::Act& act, std::stop_token stop) override;
  Result<Json> show(const runbook::Act& act) override;
  std::string word_to_type(const runbook::Act& act) override;
  Status invite(const runbook::Act& act, const std::string& person, const std::string& token,
                const Json& shown) override;
  Status inform(const runbook::Act& act, const std::string& person,
                const std::string& text) override {
    return post_.inform(act, person, text);
  }
  Status alarm(const runbook::Act& act, const std::string& person,
               const std::string& text) override {
    return post_.inform(act, person, text, notify::Severity::critical);
  }
  bool invited_before(const runbook::Act& act, const std::string& person,
                      const std::string& mark) override {
    return post_.invited(act, person, mark);
  }
  Status review_later(const runbook::Act& act, const std::string& text) override;

 private:
  using End = runbook::ActEnd;
  using Result_ = Result<End>;

  Result_ done(const runbook::Act& act, std::stop_token stop);
  void report_restore(const runbook::Act& act, const Result_& end);
  Result_ command(const runbook::Act& act, const std::string& text, std::stop_token stop);
  Result_ task(const runbook::Act& act, std::stop_token stop);
  Result_ choose(const runbook::Act& act);
  Result_ restore(const runbook::Act& act, std::stop_token stop);
  Result_ restore_store(const runbook::Act& act, Session& from, const plan::Store& store,
                        const restore::Choice& choice, std::stop_token stop);
  Status refuse_unbuilt(const runbook::Act& act, const std::vector<restore::Choice>& chosen) const;
  // The run asked for the name of the protected target whose place it is; refused when the step
  // names another one.
  Status guard(const runbook::Act& act, const std::string& guarded, Request& request) const;
  Result_ replace(const runbook::Act& act, const Shell& shell, Session& from,
                  const plan::Store& store, const RestorePlace& place,
                  const restore::Choice& choice);
  Result_ replace_tree(const runbook::Act& act, const Shell& shell, Session& from,
                       const plan::Store& store, const RestorePlace& place,
                       const restore::Choice& choice);
  Result_ restore_named(const runbook::Act& act, const Shell& shell, Session& from, Request request,
                        const RestorePlace& place, const restore::Choice& choice);
  Result_ restore_beside(const runbook::Act& act, const Shell& shell, Session& from,
                         const plan::Store& store, const RestorePlace& place,
                         const restore::Choice& choice);
  bool posts_here(const runbook::Act& act) const;
  Result<std::string> undo_tree(const runbook::Act& act, const plan::Store& store,
                                const std::string& folder);
  Result_ undo_restore(const runbook::Act& act, std::stop_token stop);
  Result<std::string> undo_cluster(const runbook::Act& act, const plan::Store& store,
                                   const std::string& folder, std::stop_token stop);
  Result_ switch_to(const runbook::Act& act, std::stop_token stop);
  Result_ undo_switch(const runbook::Act& act, std::stop_token stop);
  Result_ verify(const runbook::Act& act, std::stop_token stop);
  Result_ one_check(const runbook::Act& act, const std::string& name, std::stop_token stop);
  Result_ suites(const runbook::Act& act, const std::vector<const plan::Suite*>& suites,
                 std::stop_token stop);
  check::CheckedStore checked_of(const runbook::Act& act, const plan::Store& store) const;
  Result_ query(const runbook::Act& act);
  Result_ bisect(const runbook::Act& act, std::stop_token stop);
  Result_ assess(const runbook::Act& act, std::stop_token stop);
  Result<std::string> assess_one(const runbook::Act& act, const plan::Store& store,
                                 runbook::ActEnd& out, bool& differs, std::stop_token stop);
  Result<repo::SnapshotInfo> assessed_point(const runbook::Act& act,
                                            const plan::Store& store) const;
  Result<RestorePlace> assessed_place(const runbook::Act& act, const plan::Store& store) const;
  Result<runbook::Variables> pin_assessed(const runbook::Act& act) const;
  Result_ wait(const runbook::Act& act, std::stop_token stop);
  Result_ watch(const runbook::Act& act, std::stop_token stop);
  Result_ status(const runbook::Act& act);
  Result_ preflight(const runbook::Act& act, std::stop_token stop);
  Result_ postmortem(const runbook::Act& act);
  Result<std::vector<restore::Choice>> choices(
      const runbook::Act& act, std::vector<const plan::Store*>* not_built = nullptr);
  Result<std::string> moment_of_all(const runbook::Act& act,
                                    const std::vector<restore::Choice>& chosen);
  Result<std::string> proven_moment(const plan::Store& store,
                                    const record::StoreResult& result) const;
  Result<std::vector<restore::Choice>> proven_choices(
      const runbook::Act& act, const std::vector<const plan::Store*>& stores);
  Result<std::vector<restore::Choice>> clean_choices(const runbook::Act& act,
                                                     const std::vector<const plan::Store*>& stores);
  Result<std::vector<restore::Choice>> pinned_choices(
      const runbook::Act& act, const std::vector<const plan::Store*>& stores);
  // `not_built`: takes the members of a group that no build can restore, instead of an error.
  Result<std::vector<const plan::Store*>> stores_of(
      const runbook::Act& act, std::vector<const plan::Store*>* not_built = nullptr) const;
  Result<Json> facts_of_restore(const runbook::Act& act, const runbook::ScriptStep& step);
  Status need_repository() const;
  // The copy that the step reads (from:); empty: the repository.
  Result<std::string> copy_of(const runbook::Act& act) const;
  Result<Session*> opened(const std::string& copy);
  // What the step reads: its repository is there.
  Result<Session*> read_by(const runbook::Act& act);
  // Its repository may be null.
  Result<Session*> read_for_point(const runbook::Act& act, const std::string& store);
  static void set_source(const runbook::Act& act, const std::string& store, const std::string& copy,
                         runbook::Variables& set);
  std::string standing(const Session& from) const;
  std::string base_url(const runbook::Act& act) const;

  const Shell& shell_;
  Session& session_;
  const plan::Plan& plan_;
  const check::Redactor redactor_;
  RunPost post_;
  std::mutex restoring_;  // restores talk to one console and one repository
  std::mutex opening_;
  std::map<std::string, std::unique_ptr<Session>> copies_;  // by what from: says
};

}  // namespace lb::cli
