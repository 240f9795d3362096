// ServerFacts: what a backup and its diagnosis must know of a running server. Private to
// stores/postgres.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "stores/postgres/connection.h"
#include "stores/postgres/lsn.h"

namespace lb::pg {

struct ServerFacts {
  int version = 0;                              // 150018
  std::map<std::string, std::string> settings;  // of pg_settings, raw values in their base unit
  std::uint64_t segment_bytes = 16 << 20;
  std::uint32_t blocks_per_segment = 131072;
  bool checksums = false, in_recovery = false;
  bool hints_logged = false;  // what the first reading of a row changes in its page
  bool superuser = false, may_replicate = false;
  // Of a standby: a copy of its files is consistent from here on at the earliest.
  std::optional<Lsn> consistent_from = {};  // 0: it may not be asked
  std::uint64_t data_bytes = 0;             // all databases the role may see; 0: unknown
  std::string role;

  std::int64_t number(const std::string& setting) const;  // 0 when unknown
};
Result<ServerFacts> read_server_facts(Connection& connection);

// "15.18 (Debian …)" from 150018: "15.18".
std::string version_text(int server_version);

inline constexpr int version_min = 130000;  // the oldest whose log is understood
inline constexpr int version_max = 189999;

}  // namespace lb::pg
