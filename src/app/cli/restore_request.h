// What a call of `restore` asks for, and the parts of the verb, one for each kind of store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/cli/session.h"
#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "recovery/restore/points.h"
#include "recovery/swap/folder_swap.h"
#include "stores/postgres/database_rescue.h"
#include "stores/postgres/table_rescue.h"

namespace lb::cli {

// A table or a database that goes into a server instead of a folder.
struct Rescue {
  std::optional<pg::TableWish> table;
  std::string database;  // to be moved or that holds the table; empty: the plan's
  std::string as;        // the new database
  std::string what() const { return table ? table->table.shown() : printable(database); }
  std::string shown_as() const { return table ? table->as.shown() : printable(as); }
  plan::Reference into;
  std::string into_words;  // as it was given
  bool judged = false;     // checks follow: the summary has the rows that they expect
};

// What is restored takes the place of what is live, which is kept.
struct Replacement {
  Micros keep{0};
  std::string run;                  // --run: the swap to go on with
  std::vector<std::string> suites;  // checks that must pass first
  std::string stop, start;          // commands of the service, for a data directory
};

struct Request {
  const plan::Store* store = nullptr;
  restore::Wish wish;
  std::string folder;
  bool original = false;  // onto the place the store is backed up from, by whatever name
  std::vector<std::string> only;
  bool exact = false, dry_run = false;
  std::vector<std::pair<std::string, std::string>> tablespaces = {};  // --tablespace OLD=NEW
  bool delta = false;        // turn the data directory that is there into the point
  std::string guarded = {};  // the protected target that has the place; empty: none
  std::string confirmed;     // --confirm NAME
  std::string words;         // store and point as they were asked for
  std::optional<Rescue> rescue = {};
  std::optional<Replacement> replacement = {};
};

// invalid (exit 2) for what contradicts itself, unsupported for what does not exist yet.
Result<Request> read_request(const Session& session, const Args& args);

// Overwriting what somebody may still need asks for the name of the protected target that has the
// place, else for the system's, on the terminal or given by --confirm. `what` is shown first.
// refused (exit 5) without it.
Status confirm(const Shell& shell, const Session& session, const Request& request,
               const std::string& what);

// For JSON: what every restore says of itself.
Json restore_summary(const Request& request, const restore::Choice& choice,
                     const RestoreOutcome& outcome, Micros took);
Json dry_run_summary();

Result<Json> restore_files(const Shell& shell, Session& session, const Request& request,
                           const restore::Choice& choice);
Result<Json> restore_database(const Shell& shell, Session& session, const Request& request,
                              const restore::Choice& choice);
Result<Json> restore_rescue(const Shell& shell, Session& session, const Request& request,
                            const restore::Choice& choice);

// Some tables, each under its new name and in a transaction of its own, out of one restored copy.
// Those that are there by the note of their wish are left as they are.
Result<Json> restore_tables(const Shell& shell, Session& session, const Request& request,
                            const restore::Choice& choice,
                            const std::vector<pg::TableWish>& tables);

// The moment that a choice of a database brings back, as drills record it: the snapshot, or a later
// commit.
Timestamp as_of(const restore::Choice& choice);
// What is lost of what was written after the point, as a line for `confirm`.
std::string loss_line(const Shell& shell, const Request& request, const restore::Choice& choice);
// --how beside-then-swap, of a database of a running server, a data directory and a file tree.
Result<Json> restore_database_swap(const Shell& shell, Session& session, const Request& request,
                                   const restore::Choice& choice);
Result<Json> restore_cluster_swap(const Shell& shell, Session& session, const Request& request,
                                  const restore::Choice& choice);
Result<Json> restore_tree_swap(const Shell& shell, Session& session, const Request& request,
                               const restore::Choice& choice);
// refused (exit 5) when repository, state or sandboxes lie in the tree that is to be exchanged.
Status check_tree_apart(Files& files, const Session& session, const std::string& live);

}  // namespace lb::cli
