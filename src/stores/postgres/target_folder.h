// The guards of a folder that is to be restored into: what may be written over, and what never.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "foundation/sys/files.h"

namespace lb::pg {

// All of these are refused (exit 5).
Status refused_folder(const std::string& folder, std::string_view why,
                      std::string hint = "give a new or empty folder");
// When the folder holds anything but the mark of a restore.
Status check_target_empty(Files& files, const std::string& folder);
// When a server works in the folder, or one that cannot be looked at may.
Status check_no_server(Files& files, const std::string& folder);

// By its global/pg_control, in decimal; nothing when that is missing or not whole.
std::optional<std::string> system_identifier_in(Files& files, const std::string& folder);

// A data directory that is there already.
struct PresentData {
  // In decimal, as SnapshotDetails has it. Nothing when pg_control is missing or not whole.
  std::optional<std::string> system_identifier;
};
// When the folder is no data directory, or a server works in it.
Result<PresentData> look_at_present_data(Files& files, const std::string& folder);

// When the data directory is of another major version than the server that is to be restored: its
// files mean nothing to the other one. Says nothing where the version cannot be read.
Status check_same_major(Files& files, const std::string& folder, int server_version);

// What a folder takes on its disk.
Result<std::uint64_t> allocated_bytes(Files& files, const std::string& folder);

}  // namespace lb::pg
