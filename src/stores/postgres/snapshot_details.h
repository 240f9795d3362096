// What a postgres snapshot records in SnapshotMeta::details, and the fingerprint's shape.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/codec/json.h"
#include "stores/postgres/lsn.h"

namespace lb::pg {

struct Tablespace {
  std::uint32_t oid = 0;
  std::string name, location;
};

struct SnapshotDetails {
  std::string system_identifier;
  int server_version = 0;      // 150018
  std::uint32_t timeline = 0;  // of the backup's start
  Lsn start_lsn = 0;           // redo location: replay begins here
  Lsn stop_lsn = 0;            // consistent from here on
  std::uint64_t segment_bytes = 16 << 20;
  bool checksums = false;
  bool hints_logged = false;     // by checksums or wal_log_hints
  std::string database;          // the one the plan's address names: what checks of this store ask
  std::string log_id;            // store name + '-' + system identifier
  std::uint64_t data_bytes = 0;  // size of the data directory with tablespaces
  std::vector<Tablespace> tablespaces;
  std::vector<std::string> bad_pages;  // "base/5/16384 block 12": failed their checksum twice
  // How it was taken: "replication" (the server sent its files), "local" (read where they lie),
  // "remote" (read through the server's file functions). Empty: before this was recorded.
  std::string way;
  // What was read: "full" (all files), "pages" (of relations what the log said had changed),
  // "compared" (all pages, to see whether the log had said all).
  std::string mode;
  std::string why_full;               // why it was not "pages", when it could have been
  std::uint64_t bytes_read = 0;       // of the cluster's files
  std::uint64_t tables_carried = 0;   // whose rows were told by the log, not counted
  std::uint32_t since_full_read = 0;  // backups in a row that did not read everything
};

Json encode(const SnapshotDetails& details);
Result<SnapshotDetails> decode_details(const std::string& json_text);

// Fingerprint: attachment "fingerprint" of the snapshot, JSON:
// { "at": RFC 3339, "lsn": "0/…" (insert LSN just after the snapshot was taken),
//   "snapshot": "xmin:xmax:xip,…" (pg_current_snapshot of the counting transaction, per database),
//   "server_version": "15.18", "system_identifier": "…", "settings": {name: value},
//   "databases": [ { "name", "oid", "bytes", "snapshot", "lsn", "extensions": [{"name","version"}],
//     "roles": [names of who owns or may use something in it; missing: an older program],
//     "catalog": {"tables": n, "views": n, "functions": n, "triggers": n, "sequences": n,
//     "indexes": n,
//                 "constraints": n, "foreign_keys": n, "policies": n},
//     "tables": [ {"schema", "name", "oid", "filenode", "rows": exact count, "bytes"} ] } ] }
// Attachment names:
inline constexpr const char* attachment_fingerprint = "fingerprint";
inline constexpr const char* attachment_backup_label = "backup_label";
inline constexpr const char* attachment_tablespace_map = "tablespace_map";
inline constexpr const char* attachment_manifest = "backup_manifest";

}  // namespace lb::pg
