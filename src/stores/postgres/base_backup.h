// Runs BASE_BACKUP on a replication link and hands its archives on, entry
// by entry, as they arrive. PostgreSQL 15 and later send one stream of archives with their names,
// 13 and 14 an unnamed one for each tablespace of the list. Private to stores/postgres.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "stores/postgres/replication.h"
#include "stores/postgres/snapshot_details.h"
#include "stores/postgres/tar_stream.h"

namespace lb::pg {

struct BaseBackupStart {
  Lsn start = 0;
  std::uint32_t timeline = 0;
  std::uint64_t estimated_bytes = 0;
  std::vector<Tablespace> tablespaces;  // without names
};

struct BaseBackupEnd {
  Lsn stop = 0;
  std::uint32_t timeline = 0;
  std::uint64_t sent_bytes = 0;  // as counted by the server
};

// Where the entries go. Names are complete: entries of a tablespace carry "pg_tblspc/<oid>/".
class BaseBackupSink : public TarSink {
 public:
  virtual Status started(const BaseBackupStart& start) = 0;
  virtual void progress(std::uint64_t bytes) = 0;
  // Of the server's manifest, which comes last: some 200 bytes a file.
  virtual Status manifest(ByteView bytes) = 0;
};

Result<BaseBackupEnd> run_base_backup(ReplicationLink& link, bool fast_checkpoint,
                                      BaseBackupSink& sink, std::stop_token stop);

}  // namespace lb::pg
