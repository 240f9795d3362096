// Where in the log of a database things went bad: between a point that is good and a place that is
// bad, down to the transaction. Used by run_bisect only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "recovery/drill/bisect_probe.h"
#include "stores/postgres/log_path.h"

namespace lb::drill {

// What lies between a good position and a bad one.
struct Edge {
  std::optional<Position> clean, bad;
  std::size_t unknown = 0;     // between them
  bool out_of_probes = false;  // more could have been learned
  std::optional<Position> bad_before_good;
};

// Probes positions, oldest first, until nothing more can be learned or no probe is left.
// `look_back`: one more shows whether the check tells a time before from a time after.
Result<Edge> narrow(Prober& prober, const std::vector<Position>& positions, bool look_back,
                    std::stop_token stop);

struct LogEdge {
  Edge edge;                // its positions stand in the log, on the good point
  std::string transaction;  // empty: not narrowed to one
  std::string trouble;      // why the log could not be searched, or says something else
};

// `good`: a point of the only store; `bad`: a later point, or a place in the log.
Result<LogEdge> search_log(const DrillTools& tools, const BisectRequest& request, Prober& prober,
                           const restore::StorePoints& points, const Position& good,
                           const Position& bad, std::stop_token stop);

// With everything that ends at or before `lsn`, by its words "LSN 0/5A on point ID".
Position place_in_log(pg::Lsn lsn, const std::string& base, Timestamp at);

}  // namespace lb::drill
