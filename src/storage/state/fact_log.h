// FactLog: facts about the members of one family ("incident", "task"), durable in the local journal
// and, as far as it can be reached, in the repository. Unlike events of a run they have no numbers
// that exclude each other: two machines that were apart both add, and none is lost.
//
// In the repository: records of kind FAMILY (one a member: when it began) and "FAMILY.ID" (one a
// fact, and "claim-…" for what only one machine may do). Thread-safe as the journal is, except for
// behind().
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "foundation/sys/world.h"
#include "model/record/fact.h"
#include "storage/state/journal.h"

namespace lb::state {

class FactLog {
 public:
  // Both outlive the log. `repository` may be null: then everything stays local until one is there.
  FactLog(Journal& journal, repo::Repository* repository, std::string family)
      : journal_(journal), repository_(repository), family_(std::move(family)) {}

  std::string fresh_id() { return journal_.fresh_id(); }

  // Durable here when it returns, and in the repository unless that cannot be reached: then
  // behind() says why, and a later facts(…, true) on this machine sends it. Fills the id when
  // empty. The first fact makes the member. conflict: a fact of this id is there with other words.
  Status put(const std::string& member, record::Fact& fact);
  // Sorted. `far`: what is missing here is taken from the repository and the other way round.
  Result<std::vector<record::Fact>> facts(const std::string& member, bool far);
  // Ids of all that are known, oldest first. `far`: those of the repository too.
  Result<std::vector<std::string>> members(bool far);

  // Who has `what` of a member, asking for it with this call: `holder` when it was free or is
  // theirs already. An error when nobody can tell now.
  Result<std::string> claim(const std::string& member, const std::string& what,
                            const std::string& holder);

  const std::string& behind() const { return behind_; }  // empty: all is in the repository

 private:
  Status keep(const std::string& member, const record::Fact& fact);
  Status send(const std::string& member, const std::string& name, const std::string& text);
  Status send_head(const std::string& member);
  Status exchange(const std::string& member, std::vector<record::Fact>& facts);
  std::string kind_of(const std::string& member) const;

  Journal& journal_;
  repo::Repository* const repository_;
  const std::string family_;
  std::string behind_;
  std::set<std::string> heads_sent_;
};

}  // namespace lb::state
