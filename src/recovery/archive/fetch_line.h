// FetchLine: log on its way back to a server that recovers. It asks for one segment after another;
// the following ones are read ahead, several at once, into files without a name beside the one they
// will become. What is handed out is the segment of its name and of this system. Thread-safe.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "foundation/flow/task_group.h"
#include "foundation/sys/nameless_file.h"
#include "storage/repo/repository.h"

namespace lb::archive {

struct FetchLineOptions {
  std::string log_id;
  std::uint64_t segment_bytes = 16 << 20;
  std::uint64_t system_identifier = 0;   // 0: not known
  std::uint64_t ahead_bytes = 64 << 20;  // what is read ahead
  unsigned workers = 2;
};

// A segment: its bytes, or a file that only needs its name.
struct FetchedSegment {
  Buffer bytes;
  std::unique_ptr<NamelessFile> file;
};

class FetchLine {
 public:
  FetchLine(repo::Repository& repository, FetchLineOptions options);
  ~FetchLine();

  // A whole segment; the beginning of one that is not whole, followed by zeros, which end the log
  // for the server; nullopt when none of it is there. `folder`: where the server wants it.
  Result<std::optional<FetchedSegment>> get(std::uint32_t timeline, std::uint64_t segment,
                                            const std::string& folder);
  std::uint64_t segment_bytes() const { return options_.segment_bytes; }
  const std::string& log_id() const { return options_.log_id; }

 private:
  struct Piece {
    enum class State { waiting, running, ready, gone } state = State::waiting;
    std::string folder;
    FetchedSegment found;
  };
  using PiecePtr = std::shared_ptr<Piece>;  // shared: by the worker, who waits, and the list
  using Place = std::pair<std::uint32_t, std::uint64_t>;  // timeline, segment

  std::optional<FetchedSegment> take_ahead(const Place& place, const std::string& folder);
  void look_ahead(const Place& from, const std::string& folder);
  PiecePtr next_piece(Place& place, const std::stop_token& stop);
  Status check(const Place& place, ByteView bytes) const;
  std::optional<FetchedSegment> read_ahead(const Place& place, const std::string& folder);
  Status work(const std::stop_token& stop);

  repo::Repository& repository_;
  const FetchLineOptions options_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<Place, PiecePtr> pieces_;
  TaskGroup workers_;  // last: joins first
};

}  // namespace lb::archive
