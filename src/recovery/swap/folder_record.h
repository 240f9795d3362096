// What is known of a swap of folders, and what is to be renamed next. Pure but for reading and
// writing the one file. Private to recovery/swap.
#pragma once

#include <optional>
#include <string>

#include "foundation/base/time.h"
#include "foundation/sys/files.h"

namespace lb::swap {

// The last thing that is known to be done; `undoing` and `filling` are only begun.
enum class FolderStep { filling, filled, verified, swapped, undoing, undone };

struct FolderRecord {
  std::string id, live;
  FolderStep step = FolderStep::filling;
  std::uint64_t old_inode = 0, fresh_inode = 0;
  Timestamp since{};
  Micros keep{0};
  std::string point;
  std::optional<Timestamp> as_of;
  std::optional<Timestamp> until;
  bool stopped = false;  // its use was ended for the exchange, and may not have begun again
  bool operator==(const FolderRecord&) const = default;
};

Result<std::optional<FolderRecord>> read_folder_record(Files& files, const std::string& path);
Status write_folder_record(Files& files, const std::string& path, const FolderRecord& record);

// Which folder has which name: inodes, 0 where there is nothing.
struct FolderPlaces {
  std::uint64_t live = 0, fresh = 0, old = 0;
  bool operator==(const FolderPlaces&) const = default;
};
enum class FolderMove {
  none,            // each has its name
  exchange_fresh,  // live and fresh change names
  exchange_old,    // live and old change names
  fresh_to_live,   // nothing has the live name
  old_to_live,
  fresh_to_old,  // what was live is put aside under its own name
  old_to_fresh,
};
// The next move on the way to what `wanted` names having the live name and the other one its own.
// conflict when that cannot be reached from here.
Result<FolderMove> next_move(const FolderPlaces& places, const FolderRecord& record,
                             bool want_fresh);

}  // namespace lb::swap
