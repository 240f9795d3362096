// Desk: takes the log files that a server hands over and gives them back to one that recovers. It
// holds the opened repository; the agent keeps one for all its clients, a client without an agent
// makes one for itself. Nothing is stored before the server is known to be the one that may write
// this log, and nothing is "done" before it is durable. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "foundation/sys/world.h"
#include "recovery/archive/fetch_line.h"
#include "recovery/archive/instance.h"
#include "recovery/archive/push_line.h"
#include "recovery/archive/wire.h"

namespace lb::archive {

struct DeskOptions {
  std::string store, host;
  std::size_t ahead_max = 6;  // segments pushed before they are asked for; 0: none
  Micros meet_every{0};       // how long another instance's admission may stay unseen
  std::function<void(const std::string&)> on_trouble;
};

// The system of the store's newest point, or of its log; 0 when nothing is known of it.
Result<std::uint64_t> known_system(repo::Repository& repository, const std::string& store);
std::string log_id_of(const std::string& store, std::uint64_t system_identifier);
// The newest timeline that was admitted to the log of the store's known system; 0: none.
Result<std::uint32_t> admitted_timeline(repo::Repository& repository, const std::string& store);
// The system of the cluster in a data directory.
Result<std::uint64_t> system_of(Files& files, const std::string& data_folder);

class Desk {
 public:
  Desk(World& world, repo::Repository& repository, DeskOptions options)
      : world_(world), repository_(repository), options_(std::move(options)) {}

  Answer serve(const Order& order);

 private:
  // One server that pushes.
  struct Server {
    std::string data_folder, log_id, token;
    std::uint64_t system_identifier = 0;
    std::unique_ptr<PushLine> line;
    std::optional<Micros> met;       // when it was last seen to be the one that may write
    std::set<std::uint32_t> judged;  // timelines whose history is stored and accepted
    // What is stored of the log, as far as holes are looked for.
    std::set<std::pair<std::uint32_t, std::uint64_t>> stored;
  };

  Result<Answer> push(const Order& order);
  Result<Answer> fetch(const Order& order);
  Answer look();
  Result<Server*> server_of(const Order& order);
  Result<std::unique_ptr<Server>> make_server(const Order& order);
  Status meet(Server& server, std::uint32_t timeline);
  Status push_history(Server& server, const pg::ArchivedName& name, const std::string& path);
  Status push_partial(Server& server, const pg::ArchivedName& name, const std::string& path);
  Result<Answer> push_segment(Server& server, const pg::ArchivedName& name, const Order& order);
  Status know_timeline(Server& server, const pg::ArchivedName& name);
  std::string hole_before(Server& server, const pg::ArchivedName& name,
                          std::uint64_t segment_bytes);
  Result<FetchLine*> fetch_line_of(const Order& order);
  Result<std::optional<FetchedSegment>> find(FetchLine& line, const pg::ArchivedName& name,
                                             const std::string& folder);

  World& world_;
  repo::Repository& repository_;
  const DeskOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Server>> servers_;       // by data directory
  std::map<std::uint64_t, std::unique_ptr<FetchLine>> fetches_;  // by system
};

}  // namespace lb::archive
