// A whole PostgreSQL cluster on this host exchanged for a restored one: its data directory, with
// the server stopped by the caller's command and started again by another. See folder_swap.h.
//
// The new cluster keeps the live one's configuration (postgresql.conf, postgresql.auto.conf,
// pg_hba.conf, pg_ident.conf, as far as they lie in the data directory), so that it archives and
// listens as the old one did; its tablespaces lie within its own directory.
#pragma once

#include <stop_token>

#include "foundation/base/secret.h"
#include "foundation/sys/world.h"
#include "recovery/swap/folder_swap.h"

namespace lb::swap {

struct ClusterPreview {
  std::optional<std::string> system_identifier;  // of the live one; nothing when it cannot be read
  bool running = false;
  std::uint64_t space_bytes = 0;   // free beside it
  std::vector<std::string> notes;  // what will be otherwise than before, for people
};
// Before a swap begins. refused (exit 5): no data directory, a standby, or check_folder_swap;
// exhausted (exit 22): less free space than `bytes_needed`. Only reads.
Result<ClusterPreview> check_cluster_swap(World& world, const FolderWish& wish,
                                          std::uint64_t bytes_needed);

struct ClusterSwap {
  World& world;
  const Secret& conninfo;  // of the live server, a superuser or member of pg_monitor
  std::string live;
  Micros limit = Seconds(120);  // for the server to end, and again for it to answer
  // The restored cluster, recovered and shut down; and its checks, on a server of the caller's.
  std::function<Status(const std::string& folder)> fill = {};
  std::function<Status(const std::string& folder)> verify = {};
  // Commands of the service. They are not called when the server is down, or up, already.
  std::function<Status()> stop = {}, start = {};
  std::stop_token stopped = {};
};
// The acts of folder swaps for it. `cluster` is referred to and outlives them.
FolderActs cluster_acts(const ClusterSwap& cluster);

}  // namespace lb::swap
