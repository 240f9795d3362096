// ContentReader: the content of open files, through a cache of pieces and read
// ahead by a few threads where reads go forward. Thread-safe, also for several
// reads of one file.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "foundation/flow/task_group.h"
#include "recovery/mount/piece_cache.h"
#include "recovery/mount/pieces.h"
#include "recovery/mount/point_tree.h"
#include "recovery/mount/read_window.h"

namespace lb::mount {

// A run of content: bytes of a piece, or zeros where `bytes` is null.
struct Part {
  SharedBytes bytes;
  std::uint64_t offset = 0, size = 0;
};

struct OpenFile {
  OpenFile(std::shared_ptr<PointTree> of, std::uint64_t table_id, NumberedRow content)
      : tree(std::move(of)), table(table_id), row(std::move(content)), pieces(pieces_of(*row)) {}

  const std::shared_ptr<PointTree> tree;  // shared with other open files and the mount
  const std::uint64_t table;
  const NumberedRow row;
  const std::vector<Piece> pieces;
  std::atomic<bool> closed{false};
  std::mutex window_mutex;
  ReadWindow window;
};

struct ReadLimits {
  std::uint64_t cache_bytes = 32 << 20;
  unsigned ahead_threads = 4;  // requests in flight
};

class ContentReader {
 public:
  explicit ContentReader(const ReadLimits& limits, std::stop_token stop = {});

  // `table` tells the point from others of the mount.
  std::shared_ptr<OpenFile> open(std::shared_ptr<PointTree> tree, std::uint64_t table,
                                 NumberedRow row);
  void close(const std::shared_ptr<OpenFile>& file);
  // Less than asked for only at the end of the file.
  Result<std::vector<Part>> read(const std::shared_ptr<OpenFile>& file, std::uint64_t offset,
                                 std::uint64_t size);

 private:
  struct Task {
    std::shared_ptr<OpenFile> file;
    std::size_t first = 0, last = 0;  // pieces
  };
  static PieceKey key_of(const OpenFile& file, std::size_t piece) {
    return {file.table, file.row.number(), piece};
  }
  Result<SharedBytes> piece(const OpenFile& file, std::size_t number);
  void look_ahead(const std::shared_ptr<OpenFile>& file, std::uint64_t offset, std::uint64_t size);
  void order(Task task);
  Status work(const std::stop_token& stop);
  void load(const Task& task, const std::stop_token& stop);
  void load_run(const OpenFile& file, std::size_t first, std::size_t last,
                const std::stop_token& stop);

  PieceCache cache_;
  std::atomic<unsigned> open_files_{0};
  std::mutex mutex_;
  std::condition_variable_any ordered_;
  std::deque<Task> tasks_;
  TaskGroup threads_;  // last: joins before anything above goes
};

}  // namespace lb::mount
