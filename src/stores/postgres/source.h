// The postgres Source (physical base backup over the replication protocol) and the log stream.
//
// Rows of the snapshot table: key = path below the data directory ("base/5/16384"; '/' as written),
// or "pg_tblspc/<oid>/…" for tablespaces; attributes = FileAttributes below; relation files are cut
// in pages. WAL needed from start_lsn to the fingerprint's LSN is put into the repository's log
// before the snapshot commits: from the running stream if there is one, else fetched by the backup
// itself.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "foundation/base/log.h"
#include "foundation/base/secret.h"
#include "stores/postgres/snapshot_details.h"
#include "stores/seam/store.h"

namespace lb::pg {

struct FileAttributes {
  enum class Kind : std::uint8_t { file, directory, symlink } kind = Kind::file;
  std::uint32_t mode = 0600;
  std::int64_t mtime = 0;   // seconds
  std::string link_target;  // symlink
};
Buffer encode(const FileAttributes& attributes);
Result<FileAttributes> decode_attributes(ByteView bytes);

struct SourceOptions {
  std::string store = {};  // name in the plan
  bool log_continuous = false;
  bool fast_checkpoint = true;
  // The data directory on this host: its files are read where they lie. Empty: through the server.
  std::string data_folder = {};
  // With a continuous log only changed pages are read; every so many backups all of them, to
  // compare. 1: always all; 0: never.
  std::uint32_t compare_every = 7;
};
std::unique_ptr<Source> make_source(Secret conninfo, SourceOptions options);

// Continuous WAL streaming into the repository through a physical replication slot.
struct StreamStatus {
  Lsn received = 0, durable = 0, server_flush = 0;  // durable: in the repository
  Lsn acknowledged = 0;  // the server need not keep it: durable in the spool, if there is one
  std::uint32_t timeline = 0;
  std::optional<Timestamp> last_commit;  // newest commit durable in the repository
  Timestamp at{};
  std::string slot, slot_state;  // "reserved", "extended", "unreserved", "lost"
  std::string gap;               // newest hole this run met: "0/3000000 to 0/9000000", or empty
};
struct StreamOptions {
  std::string store;
  std::string slot;  // default "lifeboat_" + store
  // Up to this timeline a person has said that it may begin before the end of its parent's stored
  // log; on a later one such a server is refused, for it may be a clone.
  std::uint32_t admitted_timeline = 0;
  // Partial segments are durable at least this often; at once where commits wait for it.
  Micros tail_interval = std::chrono::milliseconds(700);
  // A folder of this host: what is durable there counts as received, up to so many bytes that the
  // repository does not have yet. Empty: only what is in the repository counts.
  std::string spool_folder = {};
  std::uint64_t spool_bytes_max = 4ull << 30;
  std::function<void(const StreamStatus&)> on_status;  // each time something became durable
  std::function<void(const std::string&)> on_trouble;  // reconnects, slot limits, gaps: loud
};
// Runs until `stop` or a failure that needs a person (slot lost, gap, foreign system identifier).
// A lost connection is retried with back-off; timeline switches are followed.
Status stream_log(World& world, repo::Repository& repository, const Secret& conninfo,
                  const StreamOptions& options, std::stop_token stop);
// Log in the spool of a system's log that nobody is bringing into the repository, in bytes; 0 while
// a stream runs there.
Result<std::uint64_t> left_in_spool(Files& files, const std::string& spool_folder,
                                    const std::string& log_id);

}  // namespace lb::pg
