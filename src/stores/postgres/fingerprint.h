// The fingerprint of a cluster: what is in it and how much of it, exactly, at one moment per
// database. Shape: snapshot_details.h. Private to stores/postgres.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "foundation/base/secret.h"
#include "foundation/codec/json.h"
#include "foundation/sys/clock.h"
#include "stores/postgres/lsn.h"

namespace lb::pg {

struct Fingerprint {
  Json json;
  Lsn lsn = 0;  // everything counted was written to the log before it
  std::vector<std::string> warnings;
};

// The log up to `lsn` is on the server's disk soon after this returns. With `before`, an earlier
// fingerprint of the cluster, tables that it counted and whose file is the same are not counted:
// they have its rows and the mark `carried`, until settle_counts() has added what changed since.
Result<Fingerprint> take_fingerprint(const Secret& conninfo, const std::string& system_identifier,
                                     Clock& clock, const Json* before, std::stop_token stop);

}  // namespace lb::pg
