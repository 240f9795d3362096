// FollowWatch: whether a stream of log is well, from what it says. FollowDesk: tells people of it
// and carries messages as long as `backup --follow` runs.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/session.h"
#include "operations/watch/finding.h"
#include "stores/postgres/source.h"

namespace lb::cli {

// A stream that lost its server connects again in a moment; only a trouble that lasts is told.
inline constexpr Micros trouble_lasts = Seconds(30);

// Thread-safe: the stream speaks, the desk looks.
class FollowWatch {
 public:
  // `store` outlives it. `host`: this one.
  FollowWatch(const plan::Store& store, std::string host) : store_(store), host_(std::move(host)) {}

  void status(const pg::StreamStatus& status);
  void trouble(const std::string& text, Micros steady);
  void ended(const Status& status);

  // A trouble after which nothing was heard of: nobody writes, or nobody listens.
  bool in_doubt(Micros steady) const;
  // The server says that somebody is connected to our slot.
  void connected();
  std::string slot() const;
  std::vector<watch::Finding> findings(Micros steady) const;

 private:
  const plan::Store& store_;
  const std::string host_;
  mutable std::mutex mutex_;
  std::optional<pg::StreamStatus> status_;
  std::optional<Micros> trouble_at_;
  std::string trouble_, failure_;
};

class FollowDesk {
 public:
  // All outlive it.
  FollowDesk(const Shell& shell, Session& session, const std::vector<const plan::Store*>& stores);
  ~FollowDesk();  // looks once more, and tells

  FollowWatch& of(std::size_t index) { return *watches_.at(index); }

 private:
  void work(std::stop_token stop);
  void look();

  const Shell& shell_;
  Session& session_;
  const std::vector<const plan::Store*>& stores_;
  std::vector<std::unique_ptr<FollowWatch>> watches_;
  std::map<std::string, std::optional<bool>> told_;  // event and subject -> wrong
  std::jthread thread_;
};

}  // namespace lb::cli
