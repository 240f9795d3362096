#include "recovery/check/recorded.h"

#include "foundation/base/text.h"

namespace lb::check {

void take_recorded(CheckedStore& store, pg::RecoveryServer& server) {
  auto recorded = read_recorded(*store.snapshot);
  if (!recorded.ok()) {
    store.row_deltas_missing = cat("the fingerprint cannot be read: ", recorded.error().text());
    return;
  }
  if (!*recorded) {
    store.row_deltas_missing = "the snapshot has no fingerprint";
    return;
  }
  store.recorded = std::move(*recorded);
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t> deltas;
  for (const auto& database : *store.recorded) {
    auto counted = server.row_deltas(database.snapshot);
    if (!counted.ok()) {
      store.row_deltas_missing = counted.error().text();
      return;
    }
    for (const auto& [relation, rows] : *counted) {
      if (relation.database == database.oid) deltas[{database.oid, relation.filenode}] = rows;
    }
  }
  store.row_deltas = std::move(deltas);
}

}  // namespace lb::check
