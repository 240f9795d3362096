// The plain values of the repository: extents, rows, snapshots, findings. See docs/format.md.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/time.h"

namespace lb::repo {

// First 128 bits of HMAC-SHA-256(id key, chunk).
using ChunkId = std::array<std::uint8_t, 16>;

// A run of content that lies in one chunk, all of it or a part, and where that chunk is stored.
// `pack` indexes the snapshot's own pack list (SnapshotReader) and is meaningless outside it. A
// hole has no place.
struct Extent {
  std::uint64_t length = 0;  // bytes of content
  bool hole = false;         // all zero, not stored
  ChunkId id{};
  std::uint32_t pack = 0;
  std::uint32_t frame = 0;         // frame number in the pack (it is the nonce)
  std::uint64_t frame_offset = 0;  // where the sealed frame starts in the pack
  std::uint32_t frame_size = 0;    // sealed bytes
  std::uint32_t offset = 0;        // of the chunk in the opened frame
  std::uint32_t skip = 0;          // of a part: bytes of the chunk before the content
  std::uint32_t chunk_length = 0;  // of a part: bytes of its chunk; 0: the extent is a whole chunk
  bool is_part() const { return chunk_length != 0; }
  std::uint64_t chunk_bytes() const { return is_part() ? chunk_length : length; }
};

// Where a sealed frame lies. `pack` is a number in a list that the holder knows.
struct FramePlace {
  std::uint32_t pack = 0;
  std::uint32_t number = 0;  // in the pack
  std::uint32_t offset = 0;  // in the pack
  std::uint32_t size = 0;    // sealed
};

struct ChunkPlace {
  FramePlace frame;
  std::uint32_t offset = 0, length = 0;
};

// One line of a snapshot's sorted table. The key is bytes and unique in the table. Attributes are
// encoded by the store that wrote them; the repository does not look inside.
struct Row {
  std::string key;
  Buffer attributes;
  std::uint64_t size = 0;  // content bytes, holes included
  std::vector<Extent> extents;
};

// What a store says of its snapshot, sealed into the verdict.
struct SnapshotMeta {
  std::string store;  // name in the plan
  std::string kind;   // "files", "postgres"
  std::string host;
  Timestamp started{};  // backup began
  Timestamp taken{};    // the moment the content stands for (postgres: end of the base backup)
  std::string details;  // JSON text, small (< 64 KiB): LSNs, versions, settings of the backup
  // Unread files, bad pages: at most 1,000, then one line "and N more".
  std::vector<std::string> warnings;
  std::string parent;  // snapshot id or empty
};

// A run of rows of a snapshot's table, read as one.
struct TableBlock {
  std::string first_key;
  std::uint64_t rows = 0;
};

struct SnapshotInfo {
  std::string id;  // session name: sorts by time
  SnapshotMeta meta;
  Timestamp ended{};
  std::uint64_t rows = 0;
  std::uint64_t logical_bytes = 0;  // content, without holes
  std::uint64_t new_bytes = 0;      // content that was not in the repository before
  std::uint64_t stored_bytes = 0;   // pack bytes this session added
  std::uint64_t packs = 0;          // packs this snapshot needs
};

struct WriterStats {
  std::uint64_t rows = 0, logical_bytes = 0, new_bytes = 0, stored_bytes = 0;
};

// A segment of a store's log (PostgreSQL WAL). Numbers are those of the store.
struct LogName {
  std::string store;  // the log id: store name + '-' + database system identifier
  std::uint32_t timeline = 0;
  std::uint64_t segment = 0;  // number since the beginning of time: lsn / segment size
  auto operator<=>(const LogName&) const = default;
};

struct LogInfo {
  LogName name;
  bool complete = false;  // false: only tails, `durable_bytes` from the segment's start
  std::uint64_t durable_bytes = 0;
};

struct Finding {
  std::string object;                 // key of the damaged or missing object
  std::string problem;                // "frame 12 does not authenticate"
  std::vector<std::string> affected;  // "db 2026-01-13T02:00:00Z: base/5/16384", at most 100
};

struct Ledger;

struct VerifyOptions {
  double fraction = 1.0;   // of pack bytes read back; 0: structure only
  std::uint64_t seed = 0;  // picks the sample
  // Also decompress what is read and compare every chunk and pack with its hash.
  bool deep = false;
  std::uint64_t memory_bytes = 32 << 20;  // for the lists of chunks that tables are held against
  // Of another place of the repository: what was removed there on purpose may never have come here.
  std::shared_ptr<const Ledger> elsewhere = {};
};

struct VerifyReport {
  std::uint64_t objects = 0, snapshots = 0, packs = 0, packs_read = 0, bytes_read = 0, frames = 0,
                chunks = 0, log_segments = 0, records = 0;
  double fraction = 1.0;
  bool deep = false;
  std::vector<Finding> findings;
  std::vector<std::string> snapshots_ok, snapshots_damaged;  // ids
  bool clean() const { return findings.empty(); }
};

}  // namespace lb::repo
