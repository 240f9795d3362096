// Damage of a live server: which tables of a recovery point are missing there or hold fewer rows,
// and which came. It writes nothing: the sessions are read-only, a statement waits for no lock and
// works for a limited time, and no snapshot is held while tables are counted one after another.
// Values that changed do not show in counts; the log names the transactions that changed many.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "foundation/base/secret.h"
#include "foundation/sys/clock.h"
#include "storage/repo/repository.h"

namespace lb::pg {

struct TableDifference {
  enum class Kind {
    missing,    // recorded, not there
    extra,      // there, not recorded
    fewer,      // rows than recorded
    more,       // rows than recorded, as in any database that is used
    estimated,  // not counted in time: `rows` is the server's estimate
    unseen,     // it could not be looked at: nothing is known of it
    database_missing,
    database_extra,
    catalog,  // as many tables, but other numbers of functions, indexes …: see `why`
  };
  Kind kind = Kind::missing;
  std::string database, schema, name;  // of a whole database the last two are empty
  std::optional<std::int64_t> recorded, rows;
  bool rewritten = false;     // its file is another one: TRUNCATE, VACUUM FULL or a restore
  std::string why;            // of estimated, unseen and catalog
  std::string table() const;  // "shop public.orders"
};

struct ServerDamage {
  std::uint64_t missing = 0, extra = 0, fewer = 0, more = 0, equal = 0;  // tables
  std::uint64_t estimated = 0, unseen = 0, catalog = 0;
  std::uint64_t databases_missing = 0, databases_extra = 0;
  std::uint64_t rows_missing = 0;  // of tables that are missing or hold fewer
  bool other_system = false;       // the server is not the one that the point was taken from
};

struct CountLimits {
  Micros table = Seconds(10), whole = std::chrono::minutes(2);
  Micros lock = Seconds(2);
};

using TableDifferenceSink = std::function<Status(const TableDifference&)>;

// not_found when nothing was recorded with the point. store_unreachable when the server does not
// answer, or no longer.
Result<ServerDamage> assess_server(repo::SnapshotReader& snapshot, const Secret& conninfo,
                                   const Clock& clock, const CountLimits& limits,
                                   const TableDifferenceSink& sink, std::stop_token stop);

}  // namespace lb::pg
