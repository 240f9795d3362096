#include "recovery/check/recorded.h"

#include "foundation/base/text.h"
#include "stores/postgres/snapshot_details.h"

namespace lb::check {

void take_recorded(CheckedStore& store, pg::RecoveryServer& server) {
  auto bytes = store.snapshot->attachment(pg::attachment_fingerprint);
  if (!bytes.ok() || !*bytes) {
    store.row_deltas_missing = "the snapshot has no fingerprint";
    return;
  }
  auto fingerprint = parse_json(text_of(**bytes));
  if (!fingerprint.ok()) {
    store.row_deltas_missing = cat("the fingerprint cannot be read: ", fingerprint.error().text());
    return;
  }
  store.fingerprint = std::move(fingerprint).take();
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t> deltas;
  for (const auto& database : store.fingerprint["databases"].items()) {
    auto counted = server.row_deltas(database["snapshot"].string());
    if (!counted.ok()) {
      store.row_deltas_missing = counted.error().text();
      return;
    }
    auto oid = static_cast<std::uint32_t>(database["oid"].integer());
    for (const auto& [relation, rows] : *counted) {
      if (relation.database == oid) deltas[{oid, relation.filenode}] = rows;
    }
  }
  store.row_deltas = std::move(deltas);
}

}  // namespace lb::check
