// LogSpool: received log on a disk of this host until the repository has it. A file a segment, in
// frames: "LBSP", the length of its bytes (u32), where they stand in the log (u64), the CRC-32C of
// length, place and bytes (u32), then the bytes; numbers little-endian. What a power cut left in
// part is known by its checksum and cut off when the spool is opened: nobody was told that it is
// durable. The log lies there as the server sent it, not sealed, in files of mode 0600.
// Thread-safe: one thread receives, another takes out. Private to stores/postgres.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "foundation/sys/files.h"
#include "stores/postgres/log_sink.h"

namespace lb::pg {

class LogSpool {
 public:
  static constexpr const char* in_use = "the spool is in use";
  using Trouble = std::function<void(const std::string&)>;
  // Makes the folder (0700) where it is missing. unavailable, with the native text in_use, while
  // another program has it. What was cut off is said. All outlive it.
  static Result<std::unique_ptr<LogSpool>> open(Files& files, const std::string& folder,
                                                std::uint64_t segment_bytes,
                                                const Trouble& on_trouble);

  // Of log that lies in such a folder while nobody has it; 0 while somebody does.
  static Result<std::uint64_t> left_in(Files& files, const std::string& folder);

  // What its files say; nothing where no log is in them.
  static Result<std::optional<std::uint64_t>> segment_bytes_in(Files& files,
                                                               const std::string& folder);

  // Of the side that receives. After an error: close(), then begin() anew.
  Status begin(std::uint32_t timeline, Lsn at);  // at the beginning of a segment
  Status append(ByteView bytes);
  Status sync();   // all that was appended is durable afterwards
  Status close();  // no more comes for now; what is durable can be taken out and forgotten
  Lsn received() const { return received_; }
  Lsn durable() const { return durable_; }

  // Of the side that takes it out.
  struct Part {
    LogPlace place;
    Buffer bytes;
  };
  Result<std::optional<Part>> next();  // durable log in its order; nothing: no more for now
  void again();                        // from the oldest that is there
  // The repository has all of older timelines, and of this one up to there.
  Status forget(const LogPlace& until);

  std::uint64_t bytes() const;  // that it takes on the disk
  bool empty() const;

 private:
  using Id = std::pair<std::uint32_t, std::uint64_t>;  // timeline, number of the segment
  struct Segment {
    std::uint64_t file_bytes = 0;  // durable ones
    Lsn end = 0;                   // of the durable log in it
  };

  LogSpool(Files& files, std::string folder, std::uint64_t segment_bytes)
      : files_(files), folder_(std::move(folder)), segment_bytes_(segment_bytes) {}
  std::string path_of(const Id& id) const;
  Status look(const Trouble& on_trouble);
  Result<Segment> whole_frames(const Id& id, const std::string& path);
  Status open_segment();
  Status write_frame();

  Files& files_;
  const std::string folder_;
  const std::uint64_t segment_bytes_;
  std::unique_ptr<FileLock> lock_;

  // Of the receiving side.
  std::unique_ptr<File> file_;
  Buffer pending_;             // not in a frame yet
  std::uint64_t written_ = 0;  // of the file
  std::uint32_t timeline_ = 0;
  Lsn received_ = 0, durable_ = 0;

  mutable std::mutex mutex_;
  std::map<Id, Segment> segments_;
  std::optional<Id> current_;  // being received
  // Of the other side.
  Id taken_{};                     // the segment that is read
  std::uint64_t taken_bytes_ = 0;  // of its file
};

}  // namespace lb::pg
