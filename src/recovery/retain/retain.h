// Retention: which recovery points a plan keeps and why, and which log they need. Pure. Ages count
// from a store's newest point, not from the clock: a store whose backups stopped keeps its history,
// and a wrong clock removes nothing. A point that took damaged pages of its source with it does not
// count, nor stand for a period that has another: sound ones do not go while only such come in.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "model/plan/plan.h"
#include "storage/repo/ledger.h"

namespace lb::retain {

// A point and what else is known of it.
struct Point {
  std::string id, store;
  Timestamp taken{};
  bool damaged = false;            // its record cannot be read
  bool flawed = false;             // its source had damaged pages, which are in it
  bool proven = false;             // a drill brought it back and passed
  std::optional<repo::Hold> held;  // one that holds now
  // Points with the same number lie on one stretch of log without a hole; none: there is no log.
  std::optional<int> chain;
  std::optional<Timestamp> chain_end;  // how far that log reaches
};

struct Decision {
  Point point;
  std::vector<std::string> why;  // it is kept: "newest", "daily", …; empty: it is forgotten
  bool anchors_pitr = false;     // the log from here on is needed
  bool kept() const { return !why.empty(); }
};

struct RetentionPlan {
  std::vector<Decision> decisions;  // by store, oldest first
  std::size_t forgotten() const;
  // Stores that would lose more than half of their points: a person should have asked for that.
  std::vector<std::string> halved() const;
};

// `stores`: those of the plan; points of others are kept, since a name missing from a plan is no
// wish. Whatever the policy says, these are kept: the newest of a store, the newest without damaged
// pages, the newest that a drill proved, held ones, damaged ones, ones from the future.
RetentionPlan plan_prune(std::span<const Point> points, const plan::Retain& policy,
                         const std::set<std::string>& stores, Timestamp now);

// What a base backup needs of its log.
struct BaseLog {
  std::string log_id;
  std::uint64_t first_segment = 0, last_segment = 0;  // to be consistent
  bool kept = false;
  bool open = false;  // and everything after it
};
// Stored segments that no kept base needs. Logs without any base are left alone: their first one
// may be on its way. `stored`: log id -> the segments that are there, sorted.
std::map<std::string, std::vector<repo::LogRange>> removable_log(
    std::span<const BaseLog> bases,
    const std::map<std::string, std::vector<std::uint64_t>>& stored);

}  // namespace lb::retain
