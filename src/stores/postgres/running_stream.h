// RunningStream: stream_log on a thread, with what it said. For tests only.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "stores/postgres/source.h"

namespace lb::pg {

inline void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

class RunningStream {
 public:
  static StreamOptions usual() {
    StreamOptions out;
    out.tail_interval = std::chrono::milliseconds(200);
    return out;
  }
  RunningStream(World& world, repo::Repository& repository, std::string conninfo,
                StreamOptions options = usual())
      : conninfo_(std::string_view(conninfo)), options_(std::move(options)) {
    options_.store = "db";
    options_.on_status = [this](const StreamStatus& status) {
      const std::lock_guard lock(mutex_);
      status_ = status;
    };
    options_.on_trouble = [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      troubles_ += line + "\n";
    };
    thread_ = std::jthread([this, &world, &repository](std::stop_token stop) {
      outcome_ = stream_log(world, repository, conninfo_, options_, std::move(stop));
      ended_ = true;
    });
  }
  StreamStatus status() {
    const std::lock_guard lock(mutex_);
    return status_;
  }
  std::string troubles() {
    const std::lock_guard lock(mutex_);
    return troubles_;
  }
  bool ended() const { return ended_; }
  void wait_durable(const std::string& lsn, std::uint32_t timeline = 1) {
    const Lsn wanted = parse_lsn(lsn).take();
    while (!ended_ && (status().durable < wanted || status().timeline < timeline)) pause();
  }
  void wait_trouble(const std::string& part) {
    while (!ended_ && troubles().find(part) == std::string::npos) pause();
  }
  Status stop() {
    thread_.request_stop();
    return wait();
  }
  Status wait() {
    if (thread_.joinable()) thread_.join();
    return outcome_;
  }

 private:
  Secret conninfo_;
  StreamOptions options_;
  std::mutex mutex_;
  StreamStatus status_;
  std::string troubles_;
  std::atomic<bool> ended_ = false;
  Status outcome_;
  std::jthread thread_;
};

}  // namespace lb::pg
