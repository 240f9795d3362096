// SpooledLog: received log is durable in a spool on this host first, which is what the server
// hears, and a thread carries it from there into the repository. So commits that wait for the
// stream do not wait for the repository, and go on while it is out of reach, until the spool is
// full. What a crash left in the spool is carried before a new connection is made. Private to
// stores/postgres.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "foundation/sys/clock.h"
#include "stores/postgres/log_spool.h"
#include "stores/postgres/log_writer.h"

namespace lb::pg {

class SpooledLog final : public LogSink {
 public:
  using Trouble = std::function<void(const std::string&)>;  // from two threads
  struct Options {
    std::uint64_t bytes_max = 0;  // on the disk; beyond it no more is taken
    Micros tail_interval{0};      // how long the repository may lag behind, while it can be reached
  };
  // `make_writer`: a way into the repository, anew after each trouble. All outlive it.
  SpooledLog(Clock& clock, std::unique_ptr<LogSpool> spool,
             std::function<std::unique_ptr<LogWriter>()> make_writer, const Options& options,
             Trouble on_trouble);
  // Carries what is there, unless the repository is out of reach or it is much; says what stays.
  ~SpooledLog() override;
  SpooledLog(const SpooledLog&) = delete;
  SpooledLog& operator=(const SpooledLog&) = delete;

  Status settle(std::stop_token stop) override;
  Status begin(std::uint32_t timeline, Lsn at) override;
  Status append(Lsn at, ByteView bytes) override;
  Status flush() override;
  std::uint32_t timeline() const override { return timeline_; }
  Lsn received() const override { return spool_->received(); }
  Lsn durable() const override { return spool_->durable(); }
  LogPlace stored() const override;
  std::optional<Timestamp> last_commit() const override;
  Result<bool> full() const override;

 private:
  void carry_on(std::stop_token stop);
  Status carry(std::stop_token stop);
  Status take(const LogSpool::Part& part);
  Status flush_writer();
  Status failure() const;
  bool wait_for_more(Micros limit, const std::stop_token& stop);

  Clock& clock_;
  const std::unique_ptr<LogSpool> spool_;
  const std::function<std::unique_ptr<LogWriter>()> make_writer_;
  const Options options_;
  const Trouble on_trouble_;
  std::uint32_t timeline_ = 0;  // of the receiving side

  std::unique_ptr<LogWriter> writer_;  // of the carrying thread
  Micros oldest_{0};                   // when the oldest byte came that is not in the repository

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool more_ = false;             // durable in the spool, not looked at
  bool hurry_ = false;            // somebody waits until the spool is empty
  std::optional<Error> failure_;  // needs a person
  std::optional<Error> trouble_;  // of the last try
  LogPlace stored_;
  std::optional<Timestamp> last_commit_;
  std::jthread thread_;
};

}  // namespace lb::pg
