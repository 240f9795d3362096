// Where swaps of a plan may have left something: the servers and data directories of its postgres
// stores, the trees of its files stores and where its targets have them, and what the command line
// adds.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/session.h"
#include "recovery/swap/folder_swap.h"
#include "stores/postgres/kept_databases.h"

namespace lb::cli {

// One server: two connections to a database that nobody exchanges.
struct SwapServerPlace {
  std::string store;  // of the plan; empty: given with --into
  std::unique_ptr<pg::Connection> connection, second;
  plan::Reference reference;
};
// One thing that a swap left.
struct LeftBySwap {
  std::string id, live, beside, stage, store;
  std::optional<std::uint64_t> bytes;
  std::optional<Timestamp> since, until;
  std::string note;                   // why it stays, or what is wrong
  SwapServerPlace* server = nullptr;  // of a database
  std::optional<pg::SwapMark> mark;   // of a database
  bool stopped = false;               // its use was ended, and may not have begun again
  bool is_tree = false;               // a folder of files, which no database server works on
  bool is_folder() const { return server == nullptr; }
};

class SwapPlaces {
 public:
  // A server that does not answer is said and left out; with --into it is an error.
  static Result<std::unique_ptr<SwapPlaces>> open(const Shell& shell, const Session& session,
                                                  const Args& args);
  Result<std::vector<LeftBySwap>> all();
  // The one of this id, also by its beginning when that is unique.
  Result<LeftBySwap> find(const std::string& id);

  std::vector<std::unique_ptr<SwapServerPlace>>& servers() { return servers_; }
  const std::vector<std::string>& folders() const { return folders_; }
  // Of a plan's store with that data directory; nothing when there is none.
  std::optional<Secret> conninfo_of(const std::string& folder) const;

 private:
  SwapPlaces(const Shell& shell, const Session& session) : shell_(shell), session_(session) {}
  void add_trees(const plan::Store& store);
  // Nothing of a data directory is in it.
  bool is_tree(const std::string& folder) const;
  Status add_server(const std::string& store, const plan::Reference& reference, bool must);

  const Shell& shell_;
  const Session& session_;
  std::vector<std::unique_ptr<SwapServerPlace>> servers_;
  std::vector<std::string> folders_;
};

}  // namespace lb::cli
