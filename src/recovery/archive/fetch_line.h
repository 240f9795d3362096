// FetchLine: log on its way back to a server that recovers. It asks for one segment after another;
// the following ones are read ahead into memory, several at once. Thread-safe.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "foundation/flow/task_group.h"
#include "storage/repo/repository.h"

namespace lb::archive {

struct FetchLineOptions {
  std::string log_id;
  std::uint64_t segment_bytes = 16 << 20;
  std::uint64_t memory_bytes = 48 << 20;  // what is read ahead
  unsigned workers = 2;
};

class FetchLine {
 public:
  FetchLine(repo::Repository& repository, FetchLineOptions options);
  ~FetchLine();

  // A whole segment; the beginning of one that is not whole, followed by zeros, which end the log
  // for the server; nullopt when none of it is there.
  Result<std::optional<Buffer>> get(std::uint32_t timeline, std::uint64_t segment);
  std::uint64_t segment_bytes() const { return options_.segment_bytes; }
  const std::string& log_id() const { return options_.log_id; }

 private:
  struct Piece {
    enum class State { waiting, running, ready, gone } state = State::waiting;
    Buffer bytes;
  };
  using PiecePtr = std::shared_ptr<Piece>;  // shared: by the worker, who waits, and the list
  using Place = std::pair<std::uint32_t, std::uint64_t>;  // timeline, segment

  std::optional<Buffer> take_ahead(const Place& place);
  void look_ahead(const Place& from);
  Status work(const std::stop_token& stop);

  repo::Repository& repository_;
  const FetchLineOptions options_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<Place, PiecePtr> pieces_;
  TaskGroup workers_;  // last: joins first
};

}  // namespace lb::archive
