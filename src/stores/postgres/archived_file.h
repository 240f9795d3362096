// The files a server hands to its archive_command: what their names mean, and whether a segment is
// the one its name says. Pure. Called by recovery/archive before anything is stored.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stores/postgres/wal_page.h"

namespace lb::pg {

struct ArchivedName {
  enum class Kind {
    segment,  // "000000010000000000000003"
    partial,  // the same and ".partial": the last of a timeline that was left inside it
    history,  // "00000002.history"
    label,    // "000000010000000000000003.00000028.backup": a note that a base backup was taken
  };
  Kind kind = Kind::segment;
  std::uint32_t timeline = 0;
  std::uint32_t high = 0, low = 0;  // as the name writes the segment; its number needs the size

  std::uint64_t segment(std::uint64_t segment_bytes) const;
};
std::optional<ArchivedName> parse_archived_name(std::string_view name);

// The first page of a segment, which must be of `name` (and of this system, unless it is 0).
// corrupt: bytes of another place, timeline, size or system, with what was found.
Result<PageHeader> check_segment(const ArchivedName& name, ByteView bytes,
                                 std::uint64_t system_identifier);
// The size that the first page states, for log whose size nobody knows; invalid when it cannot.
Result<std::uint64_t> stated_segment_bytes(ByteView bytes);

// The first field of global/pg_control, in every version.
Result<std::uint64_t> control_system_identifier(ByteView control);

}  // namespace lb::pg
