// Prober: restores a position into a sandbox, checks it there, and remembers the answer. Used by
// run_bisect only; one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "recovery/drill/bisect.h"
#include "recovery/drill/bisect_search.h"

namespace lb::drill {

// A moment that can be restored.
struct Position {
  restore::Wish wish;
  std::string words;  // for people, and to tell positions apart
  Timestamp at{};
  pg::Lsn lsn = 0;   // in a log
  std::string base;  // the newest snapshot that may serve as the base; empty: any
};

std::string point_words(const std::string& snapshot);  // "point 06FQ0KZ4…"

class Prober {
 public:
  Prober(const DrillTools& tools, const BisectRequest& request,
         const std::vector<restore::StorePoints>& points, record::BisectRecord& record);

  // Answers of an earlier program, where the request has a series.
  Status recall();
  bool may_probe() const { return made_ < request_.probes_max; }
  std::size_t made() const { return made_; }
  // The answer, known already or found out now. An error only when it was stopped, or an answer
  // could not be recorded.
  Result<Answer> probe(const Position& position, std::stop_token stop);
  const record::BisectProbe* known(const Position& position) const;
  // Each store where it stands at the position.
  Result<std::vector<restore::Choice>> choose(const Position& position) const;
  // With any base: what a restore would choose.
  Result<std::vector<restore::Choice>> choose_freely(const restore::Wish& wish) const;

 private:
  std::vector<restore::StorePoints> points_for(const Position& position) const;
  record::BisectProbe restore_and_check(const Position& position, std::stop_token stop);
  Status remember(record::BisectProbe probe);

  const DrillTools& tools_;
  const BisectRequest& request_;
  const std::vector<restore::StorePoints>& points_;
  record::BisectRecord& record_;
  plan::Plan plan_;    // with the checks alone, and a target that starts nothing
  plan::Drill drill_;  // the way a position is restored
  std::map<std::string, record::BisectProbe> earlier_, known_;
  std::size_t made_ = 0;
};

}  // namespace lb::drill
