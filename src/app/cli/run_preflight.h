// Preflight: looks whether what the steps of a run need is in place. Changes nothing: no file is
// made to see whether one could be, no row is written.
#pragma once

#include <string>
#include <vector>

#include "app/cli/run_acts.h"
#include "app/cli/session.h"
#include "foundation/base/text.h"
#include "operations/runbook/preflight.h"
#include "stores/postgres/server_preflight.h"

namespace lb::cli {

class Preflight {
 public:
  // All outlive it.
  Preflight(const Shell& shell, Session& session, const runbook::Act& act, std::stop_token stop)
      : shell_(shell),
        session_(session),
        act_(act),
        stop_(std::move(stop)),
        needs_(runbook::preflight_needs(act.plan, act.script, act.variables)) {}

  std::vector<runbook::PreflightFinding> look();

 private:
  using State = runbook::PreflightFinding::State;
  // A restore of the steps, and where it goes.
  struct Going {
    const runbook::WantedRestore& wanted;
    RestorePlace place;
    std::string what;  // "target staging for db"
    // The live data is meant to be what it replaces.
    bool may_be_live() const { return place.original || wanted.target->protect; }
  };

  void look_at(const std::string& word);
  void repository();
  void credentials();
  void network();
  void databases(const std::string& word);
  void database(const std::string& word, const Going& going);
  void of_server(const std::string& word, const std::string& what, const plan::Reference& server,
                 repo::SnapshotReader& point);
  void of_folder(const std::string& word, const std::string& what, repo::SnapshotReader& point);
  Result<std::unique_ptr<repo::SnapshotReader>> point_of(const plan::Store& store);

  void targets();
  // Each of these says what it found; true: nothing stands in the way.
  bool target_is_built(const Going& going);
  bool is_no_alias(const Going& going);
  bool target_server(const Going& going);
  bool server_can_take(const Going& going, pg::Connection& server, const pg::ServerPlace& there);
  bool name_is_free(const Going& going, pg::Connection& server);
  Status tables_are_free(const Going& going, pg::Connection& server);
  bool is_not_the_source(const Going& going, const pg::ServerPlace& there);
  bool is_not_the_silent_source(const Going& going, const pg::ServerPlace& there);
  bool target_folder(const Going& going);
  bool overlaps_nothing(const Going& going);
  bool no_live_server(const Going& going);
  bool can_be_written(const Going& going);

  void disk();
  void disk_has(const std::string& folder, std::uint64_t bytes,
                const std::vector<std::string>& written_over);
  void ports();
  void port(const plan::Target& target, const std::vector<std::uint16_t>* taken);
  void tools();

  // Those of the steps' restores whose place is known; the others are said.
  std::vector<Going> goings(const std::string& word);
  void add(State state, std::string text, std::string hint = {}) {
    findings_.push_back({state, std::move(text), std::move(hint)});
  }
  void unseen(const std::string& what, const Error& error) {
    add(State::unseen, cat(what, ": ", error.text()), error.hint());
  }
  void add(const std::string& what, const Result<Diagnosis>& seen);

  const Shell& shell_;
  Session& session_;
  const runbook::Act& act_;
  std::stop_token stop_;
  const runbook::PreflightNeeds needs_;
  std::vector<runbook::PreflightFinding> findings_;
};

// The folder that exists and is nearest to the path, which may be it.
Result<std::string> nearest_folder(Files& files, std::string path);
Result<std::unique_ptr<pg::Connection>> open_for_preflight(const Session& session,
                                                           const plan::Reference& server);

}  // namespace lb::cli
