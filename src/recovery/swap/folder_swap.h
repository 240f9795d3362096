// A folder exchanged for another one: filled beside it, checked, then put in its place in one act
// of the file system. What was there is kept under a name that says so, and can be put back. Serves
// data directories of database servers and file trees alike; what is special to them comes in
// through the acts.
//
// Beside LIVE stand, as long as the swap knows them: LIVE.lifeboat-ID (the new one), LIVE.old-ID
// (what was there) and LIVE.swap-ID (what is known, one line of JSON; written durably before the
// act it speaks of). Which folder stands where is told by their inodes. A process that is killed
// anywhere leaves one whole folder under the name; where the file system cannot exchange names
// there is, for the moment between two renames, none, and whoever looks next puts it there.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/time.h"
#include "foundation/sys/clock.h"
#include "foundation/sys/files.h"

namespace lb::swap {

struct FolderWish {
  std::string live;  // absolute; a folder, neither a link nor where a file system is mounted
  std::string id;    // of the run: 4 to 26 of A-Z, a-z, 0-9
  Micros keep{0};    // how long what was there is kept
  // What the new one is filled with: the point and the moment, which is written down for whoever
  // goes on later.
  std::string point = {};
  std::optional<Timestamp> as_of = {};
};
std::string fresh_folder(const FolderWish& wish);
std::string old_folder(const FolderWish& wish);
std::string record_file(const FolderWish& wish);

enum class FolderStage {
  none,        // nothing is there
  unfinished,  // one that is not whole
  filled,      // the new one is whole
  verified,    // and its checks passed
  exchanged,   // it has the name, and is not in use yet
  swapped,     // it is in use, the old one is kept
  undoing,     // the old one is being put back
  undone,      // the old one is in use again, the new one is kept
};
std::string_view name_of(FolderStage stage);

struct FolderState {
  FolderStage stage = FolderStage::none;
  std::string beside;              // what stands beside the live one; empty when nothing does
  std::optional<Timestamp> until;  // swapped, undone: how long it is kept
  // What the new one was filled with, as the wish that filled it said; from filled on.
  std::string point = {};
  std::optional<Timestamp> as_of = {};
  bool stopped = false;  // the swap ended its use, and nothing may be in use since
};

struct FolderSwap {
  Files& files;
  Clock& clock;
  FolderWish wish;
};

// conflict when folders have the names of this swap and are not its own, or were moved by others.
// Only reads.
Result<FolderState> look_at_folder_swap(const FolderSwap& swap);

// Before a swap begins. refused (exit 5) when the live folder cannot be exchanged. Only reads.
Status check_folder_swap(Files& files, const FolderWish& wish);

// Each may be called again after it was done: a killed swap does not know.
struct FolderActs {
  // Fills the folder, which exists (0700) and is empty, or holds what a killed run left.
  std::function<Status(const std::string& folder)> fill = {};
  std::function<Status(const std::string& folder)> verify = {};
  // Ends the use of what has the name, and makes sure of it; begins it; proves it.
  std::function<Status()> stop = {}, start = {}, prove = {};
  // Whether there is a use to end, which an undo before the exchange then begins again: what was
  // down before the swap stays so. Without: there is, when there is a stop.
  std::function<Result<bool>()> in_use = {};
  // What is on its way to the name is made ready for it, while nothing is in use; `old` is where
  // the other one stands now. Not on the way back: the old one is as it was.
  std::function<Status(const std::string& folder, const std::string& old)> prepare = {};
};
// Does the next thing that is to be done, and no more: none or unfinished → filled → verified →
// exchanged → swapped. Says where it stands then. undoing, undone: refused.
Result<FolderState> advance_folder_swap(const FolderSwap& swap, const FolderActs& acts);

// After the exchange: stops, exchanges, starts and proves (undone). Before it: what was made beside
// is removed (none), after what the swap had stopped serves again. After either: nothing to do.
Result<FolderState> undo_folder_swap(const FolderSwap& swap, const FolderActs& acts);

// What swaps left beside a live folder.
struct KeptFolder {
  std::string id, path;
  FolderStage stage = FolderStage::none;
  std::optional<Timestamp> until;
  bool stopped = false;  // FolderState
  std::string trouble;   // why the swap cannot be looked at; empty when it can
};
// None where there is no such folder: a plan may speak of another host.
Result<std::vector<KeptFolder>> kept_folders(Files& files, Clock& clock, const std::string& live);
// Those whose time is over, with what is known of their swaps; never what has the live name, and
// none when nothing has. Returns the folders removed.
Result<std::vector<std::string>> remove_kept_folders(Files& files, Clock& clock,
                                                     const std::string& live);

}  // namespace lb::swap
