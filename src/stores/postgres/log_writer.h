// LogWriter: the received log on its way into the repository: whole segments as they fill, tails of
// the unfinished one when asked, each with its summary, and segments with the detail of what they
// changed. What is stored already is compared, never written over. One thread. Private to
// stores/postgres.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "foundation/crypto/hash.h"
#include "storage/repo/repository.h"
#include "stores/postgres/log_sink.h"
#include "stores/postgres/wal_reader.h"

namespace lb::pg {

class LogWriter final : public LogSink {
 public:
  using Trouble = std::function<void(const std::string&)>;
  LogWriter(repo::Repository& repository, std::string log_id, std::uint64_t segment_bytes,
            Trouble on_trouble);

  Status settle(std::stop_token) override { return {}; }
  Status begin(std::uint32_t timeline, Lsn at) override;
  Status append(Lsn at, ByteView bytes) override;
  Status flush() override;

  std::uint32_t timeline() const override { return timeline_; }
  Lsn received() const override { return segment_start_ + bytes_.size(); }
  Lsn durable() const override { return durable_; }
  LogPlace stored() const override { return {timeline_, durable_}; }
  std::optional<Timestamp> last_commit() const override { return last_commit_; }
  Result<bool> full() const override { return false; }

 private:
  repo::LogName name() const;
  Status open_segment();
  Status put_segment();
  Status put_tail();
  Status compare_stored();
  void scan(ByteView bytes);
  Buffer take_summary(bool whole_segment);
  void now_durable(const std::optional<Commit>& commit);

  repo::Repository& repository_;
  std::string log_id_;
  std::uint64_t segment_bytes_;
  Trouble on_trouble_;
  std::uint32_t timeline_ = 0;
  Lsn segment_start_ = 0, durable_ = 0;
  Buffer bytes_;              // of the segment being received
  std::uint64_t stored_ = 0;  // bytes of it that the repository has
  // Of those found there, until they are compared: a segment need not stand in memory twice.
  struct Found {
    std::uint64_t bytes = 0;
    Digest digest{};
  };
  std::optional<Found> found_;
  std::unique_ptr<WalScanner> scanner_;
  std::optional<Commit> pending_commit_;  // newest commit scanned
  std::optional<Timestamp> last_commit_;
};

}  // namespace lb::pg
