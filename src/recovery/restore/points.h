// Recovery points: what can be reached, and which one a wish means. Reading is separate from
// choosing; choosing is pure but for the log look-ups of resolve().
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/plan/plan.h"
#include "storage/repo/repository.h"
#include "stores/postgres/log_index.h"

namespace lb::restore {

// Everything the repository holds of one store.
struct StorePoints {
  std::string store;
  plan::StoreKind kind = plan::StoreKind::files;
  std::vector<repo::SnapshotInfo> snapshots;  // oldest first
  std::vector<pg::LogIndex> logs;             // postgres: one for each system identifier seen
};
Result<StorePoints> read_points(repo::Repository& repository, const plan::Store& store);

// A snapshot, and for postgres how to go on from it.
struct Choice {
  std::string store;
  plan::StoreKind kind = plan::StoreKind::files;
  repo::SnapshotInfo snapshot;
  std::optional<pg::SnapshotDetails> details;
  std::optional<pg::RecoveryTarget> target;
};

struct Wish {
  pg::Wanted wanted;     // kind latest, time, ... ; files understands latest, snapshot and time
  std::string snapshot;  // kind snapshot: its id (a unique beginning is enough)
};

// point_unreachable (exit 14) with what can be reached in the hint.
Result<Choice> choose(const StorePoints& points, const Wish& wish, Timestamp now,
                      repo::Repository& repository);

// One consistent point for stores restored together: the newest moment at which every store can
// stand. Files committed before a row refers to them, so the moment is the earliest *start* among
// the newest snapshots of stores without a log; stores with a log are then recovered to that
// moment.
Result<std::vector<Choice>> choose_together(const std::vector<StorePoints>& stores,
                                            const Wish& wish, Timestamp now,
                                            repo::Repository& repository);

// "latest", RFC 3339 time. For the other kinds the command line has its own flags.
Result<Wish> parse_wish(const std::string& text);

}  // namespace lb::restore
