// RunLog: the events and inputs of runs, durable in the local journal and, as far as it can be
// reached, in the repository, so that another machine can go on. Each event's number is taken once:
// the second program that writes it gets conflict, here or in the repository, and must stop.
//
// In the repository: records of kind "run" (one a run: who opened it) and "run.ID" ("000001" an
// event, "input-…" an input). Thread-safe as the journal is.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "foundation/sys/world.h"
#include "model/record/run_record.h"
#include "storage/state/journal.h"

namespace lb::state {

struct RunHead {
  std::string id;  // sorts by time
  std::string runbook;
  Timestamp opened{};
  bool closed = false;
};

class RunLog {
 public:
  // Both outlive the log. `repository` may be null: then everything stays local until one is there.
  RunLog(Journal& journal, repo::Repository* repository)
      : journal_(journal), repository_(repository) {}

  // Durable here when it returns, and in the repository unless that cannot be reached: then
  // behind() says why, and the next call tries again. conflict: somebody else wrote this number.
  // Fills `at` and `host` when empty. `act`: "run db-loss".
  Status append(const std::string& run, const std::string& act, record::RunEvent& event);
  // In order, without gaps: what is missing here is taken from the repository and the other way
  // round; where both have a number, the repository's event counts, because every machine sees it.
  // corrupt when a number is missing.
  Result<std::vector<record::RunEvent>> events(const std::string& run);

  // Fills id, at, host and user when empty.
  Status put(const std::string& run, const std::string& act, record::RunInput& input);
  // By id. `far`: those in the repository too, which costs a listing.
  Result<std::vector<record::RunInput>> inputs(const std::string& run, bool far);

  // All that are known, oldest first.
  Result<std::vector<RunHead>> runs(bool far);
  // The highest number of an event that the last call of inputs() saw, of whoever wrote it.
  std::uint64_t furthest() const { return furthest_; }
  const std::string& behind() const { return behind_; }  // empty: all is in the repository
  // Of the run read last: what this machine wrote while another one drove the run. It happened, but
  // is no part of the run. Empty: nothing.
  const std::string& lost() const { return lost_; }

 private:
  Status keep_local(const std::string& run, const std::string& act, const record::RunEvent& event);
  Status send(const std::string& run, const std::string& name, const std::string& text);
  Status send_waiting(const std::string& run);
  Result<std::vector<std::string>> names_of(const std::string& run,
                                            const std::map<std::string, Json>& here);
  Status fetch(const std::string& run, std::map<std::string, Json>& out);

  Result<Json> record_of(const std::string& run, const std::string& name);
  void leave_lost_branch(const std::map<std::string, Json>& here, std::map<std::string, Json>& out);

  Journal& journal_;
  repo::Repository* const repository_;
  std::string behind_, lost_;
  std::uint64_t furthest_ = 0;
  std::map<std::string, Json> seen_;  // records never change: each is read once
  // Of each run that has any: name in the repository -> text.
  std::map<std::string, std::map<std::string, std::string>> waiting_;
};

}  // namespace lb::state
