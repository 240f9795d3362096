// Repository: an encrypted, deduplicated, append-only home of snapshots, logs and records on a
// BlobStore. It needs nothing but itself and a key; no local state. Format: docs/format.md.
// One Repository may be used by several threads; several processes and hosts may write at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "foundation/base/secret.h"
#include "foundation/sys/clock.h"
#include "foundation/sys/files.h"
#include "foundation/sys/random.h"
#include "storage/blob/blob_store.h"
#include "storage/repo/types.h"

namespace lb::repo {

struct Core;

// How a stream's content is cut into chunks.
enum class Cut {
  content,  // content-defined, 16/64/256 KiB
  pages,    // fixed, 128 KiB (16 PostgreSQL pages)
};

// Writes the content of one row. One thread; several streams of one writer may run in parallel.
class ContentStream {
 public:
  virtual ~ContentStream() = default;  // without finish(): the row is dropped
  virtual Status write(ByteView bytes) = 0;
  // write() of the last bytes before a hole or the end: nothing needs to be kept to see what
  // follows.
  virtual Status write_last(ByteView bytes) { return write(bytes); }
  virtual Status hole(std::uint64_t length) = 0;
  // What a row of the parent snapshot holds at [offset, offset + length), unread. Errors as of
  // SnapshotWriter::reuse. The row must outlive the stream; ranges in rising order are found fast.
  virtual Status reuse(const Row& parent_row, std::uint64_t offset, std::uint64_t length) = 0;
  // write() of bytes (at most 128 KiB) between content that is reused: they are gathered into one
  // chunk with those that follow, wherever in the row these stand.
  virtual Status write_apart(ByteView bytes) = 0;
  virtual Status finish(Buffer attributes) = 0;  // adds the row
};

// Writes an attachment in pieces. One thread.
class AttachmentStream {
 public:
  virtual ~AttachmentStream() = default;  // without finish(): there is no such attachment
  virtual Status write(ByteView bytes) = 0;
  virtual Status finish() = 0;
};

// Reads one in pieces. One thread.
class AttachmentCursor {
 public:
  virtual ~AttachmentCursor() = default;
  virtual Result<ByteView> next() = 0;  // lent until the next call; empty at the end
};

// A row whose content is all at hand: a small file.
struct WholeRow {
  std::string key;
  ByteView content;  // lent until add_whole returns
  Buffer attributes;
};

// One backup session. Thread-safe. Destroyed without commit: nothing becomes visible (garbage
// packs).
class SnapshotWriter {
 public:
  virtual ~SnapshotWriter() = default;
  virtual const std::string& id() const = 0;
  virtual Status add(std::string key, Buffer attributes) = 0;  // a row without content
  virtual Result<std::unique_ptr<ContentStream>> open(std::string key, Cut cut) = 0;
  // What streams (Cut::content) would store one by one, for less: several rows are hashed side by
  // side.
  virtual Status add_whole(std::span<WholeRow> rows) = 0;
  // The content of a row of the parent snapshot given to Repository::begin, unread. not_found: what
  // was stored is no longer there; read the content anew.
  virtual Status reuse(const Row& parent_row, Buffer attributes) = 0;
  // Named bytes beside the table (fingerprint, backup_label): read back by
  // SnapshotReader::attachment.
  virtual Status attach(const std::string& name, ByteView bytes) = 0;
  // attach() of what need not stand in memory as a whole.
  virtual Result<std::unique_ptr<AttachmentStream>> open_attachment(const std::string& name) = 0;
  virtual WriterStats stats() const = 0;
  // Puts table, index and verdict, durably; after ok the snapshot is visible. `meta` is final here.
  virtual Result<SnapshotInfo> commit(const SnapshotMeta& meta) = 0;
};

// Rows in key order.
class RowCursor {
 public:
  virtual ~RowCursor() = default;
  virtual Result<std::optional<Row>> next() = 0;  // nullopt at the end
};

// Receives content from several threads at once; each (row, offset) once, in no order.
class FetchSink {
 public:
  virtual ~FetchSink() = default;
  virtual Status data(std::size_t row, std::uint64_t offset, ByteView bytes) = 0;
  // All data of this row has been given; exactly once a row.
  virtual Status done(std::size_t row) = 0;
};

// What lies where rows are to go, read by several threads at once.
class PresentContent {
 public:
  virtual ~PresentContent() = default;
  // Short only at the end of what there is.
  virtual Result<std::size_t> read_at(std::size_t row, std::uint64_t offset, MutableBytes out) = 0;
};

// One committed snapshot. Thread-safe; cursors belong to one thread.
class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  virtual const SnapshotInfo& info() const = 0;
  virtual Result<std::unique_ptr<RowCursor>> rows(const std::string& key_prefix = {}) = 0;
  virtual Result<std::optional<Row>> find(const std::string& key) = 0;
  // The table for those who jump about in it: what each of its blocks holds, in key order, and the
  // rows of one. A block that does not hold what the outline says is corrupt.
  virtual std::vector<TableBlock> outline() const = 0;
  virtual Result<std::vector<Row>> block_rows(std::size_t block) = 0;
  virtual Result<std::optional<Buffer>> attachment(const std::string& name) = 0;
  // attachment() of what need not stand in memory as a whole; null: there is none.
  virtual Result<std::unique_ptr<AttachmentCursor>> open_attachment(const std::string& name) = 0;
  virtual Result<Buffer> read(const Row& row, std::uint64_t offset, std::uint64_t size) = 0;
  // Content of many rows, fetched and opened by `workers` threads in pack order; holes are not
  // given. Every chunk is authenticated and its id checked before the sink sees it.
  virtual Status fetch(std::span<const Row> rows, FetchSink& sink, unsigned workers,
                       std::stop_token stop) = 0;
  // Makes holes of what is present already (chunk ids compared), so that fetch() brings the rest.
  // It may leave anything in: what is brought can still be what lies there.
  virtual Status leave_out_present(std::span<Row>, PresentContent&, unsigned /*workers*/,
                                   std::stop_token) {
    return {};
  }
  // True when `read_at(offset, out)` yields exactly the content of the row (chunk ids compared).
  virtual Result<bool> same_content(
      const Row& row,
      const std::function<Result<std::size_t>(MutableBytes, std::uint64_t)>& read_at) = 0;
};

struct OpenOptions {
  unsigned workers = 2;                       // sealing threads of a session
  std::uint64_t memory_bytes = 104ull << 20;  // budget of one session
  // Where the index is kept between sessions, in a folder named after the repository's id; made
  // when it is not there. Empty or without `files`: each session reads the whole index into memory
  // (about 45 bytes a chunk).
  std::string cache_folder = {};
  Files* files = nullptr;
};

class Repository {
 public:
  virtual ~Repository() = default;
  virtual const std::string& id() const = 0;  // 32 hex digits
  virtual std::string describe() const = 0;   // where it is
  // Committed, oldest first. One whose record is damaged is listed without a store, with the kind
  // "damaged" and the problem as its warning, so that the others stay within reach.
  virtual Result<std::vector<SnapshotInfo>> snapshots() = 0;
  virtual Result<std::unique_ptr<SnapshotReader>> snapshot(const std::string& id) = 0;
  // `parent` may be null; it must outlive the writer.
  virtual Result<std::unique_ptr<SnapshotWriter>> begin(const std::string& store,
                                                        SnapshotReader* parent,
                                                        std::stop_token stop) = 0;

  // Log. A segment that is there already with the same bytes is ok; with others it is a conflict.
  // `summary` is small (commit times, LSNs), sealed with it and readable without the data. So is
  // `detail`, which may be large (changed pages) and is not read with the summary; empty: none. Of
  // a segment that is there already neither is looked at.
  virtual Status put_log(const LogName& name, ByteView bytes, ByteView summary,
                         ByteView detail = {}) = 0;
  // Bytes of an unfinished segment from `offset` on; superseded and removed when put_log lands.
  // Tails start where the last one ended; `summary` covers everything up to the end of this tail.
  virtual Status put_log_tail(const LogName& name, std::uint64_t offset, ByteView bytes,
                              ByteView summary) = 0;
  // Sorted by timeline, segment.
  virtual Result<std::vector<LogInfo>> logs(const std::string& log_id) = 0;
  virtual Result<std::vector<std::string>> log_ids() = 0;
  virtual Result<Buffer> get_log(const LogName& name) = 0;          // tails: stitched, not padded
  virtual Result<Buffer> get_log_summary(const LogName& name) = 0;  // of the newest durable part
  // nullopt: put without a detail, not whole yet, or not there.
  virtual Result<std::optional<Buffer>> get_log_detail(const LogName& name) = 0;
  virtual Status put_history(const std::string& log_id, std::uint32_t timeline, ByteView bytes) = 0;
  virtual Result<std::optional<Buffer>> get_history(const std::string& log_id,
                                                    std::uint32_t timeline) = 0;

  // Records: journal lines, drill results, verification results. Ids sort by time. A record that is
  // there already with the same bytes is ok; with others it is a conflict.
  virtual Status put_record(const std::string& kind, const std::string& id, ByteView bytes) = 0;
  virtual Result<std::vector<std::string>> records(const std::string& kind) = 0;  // oldest first
  virtual Result<Buffer> get_record(const std::string& kind, const std::string& id) = 0;
  // A fresh id that sorts by time (48-bit milliseconds + 80 random bits, base32), also among those
  // of one millisecond.
  virtual std::string fresh_id() = 0;

  virtual Result<VerifyReport> verify(
      const VerifyOptions& options, std::stop_token stop,
      const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) = 0;
  virtual Result<std::uint64_t> stored_bytes() = 0;  // all objects

  // False: the key may only write. Snapshots, logs and records are put and found, not read.
  virtual bool may_read() const { return true; }

  // For the folders of storage/ that stand above this one: the store, the keys, the clock. Null
  // when there is no object store behind (doubles in tests).
  virtual const Core* core() const { return nullptr; }
};

// What a guess of the passphrase costs. The defaults are for people; tests that open many
// repositories lower them (1 pass, 8 KiB at least).
struct InitOptions {
  std::uint32_t passes = 5;
  std::uint64_t memory_bytes = 40ull << 20;
};

// Creates keys and the `repo` object. `key_text` is a passphrase or the text of a key file.
// conflict when the place holds a repository or anything else but the key slot of an interrupted
// init.
Status init_repository(BlobStore& blobs, Clock& clock, Random& random, const Secret& key_text,
                       const InitOptions& options = {});
// no_repository, wrong_key (in under a second), damaged as exit codes of the error.
Result<std::unique_ptr<Repository>> open_repository(BlobStore& blobs, Clock& clock, Random& random,
                                                    const Secret& key_text,
                                                    const OpenOptions& options = {});

// Another place of the same repository, with the keys of the one that is open: no slot is needed
// there. denied when the place holds another repository.
Result<std::unique_ptr<Repository>> open_copy(const Repository& opened, BlobStore& blobs);

}  // namespace lb::repo
