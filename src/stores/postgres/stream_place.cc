#include "stores/postgres/stream_place.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/timeline_history.h"

namespace lb::pg {
namespace {

Error foreign_line(std::uint32_t stored, std::uint32_t server) {
  return Error(ErrorKind::denied,
               cat("the server is on timeline ", server, ", which does not descend from timeline ",
                   stored, " of the stored log"))
      .with_hint(
          "is this the right server? An old primary that came back after a failover must not "
          "write into the log of its successor")
      .with_exit(ExitCode::refused);
}

}  // namespace

Result<std::optional<StreamPlace>> place_after(const std::vector<repo::LogInfo>& stored,
                                               std::uint64_t segment_bytes,
                                               const ServerLine& server) {
  if (stored.empty()) return std::optional<StreamPlace>();
  const repo::LogInfo& last = stored.back();
  const std::uint64_t next = last.name.segment + (last.complete ? 1 : 0);
  const Lsn held =
      last.name.segment * segment_bytes + (last.complete ? segment_bytes : last.durable_bytes);
  StreamPlace place;
  place.timeline = last.name.timeline;
  place.at = next * segment_bytes;
  const std::vector<Generation> line = descent_of(server.switches, server.timeline);
  auto own = std::find_if(line.begin(), line.end(), [&](const Generation& generation) {
    return generation.timeline == place.timeline;
  });
  if (own == line.end()) return foreign_line(place.timeline, server.timeline);
  if (own->until && held > *own->until) {
    place.left = place.timeline;
    place.left_at = *own->until;
    place.remark = cat("the server left timeline ", place.timeline, " at ", format_lsn(*own->until),
                       ", but its log is stored up to ", format_lsn(held), ": ",
                       human_size(held - *own->until), " were lost by the failover");
  }
  // Past the switch there is nothing more to come on the old timeline.
  while (own->until && place.at >= *own->until) {
    place.at = *own->until / segment_bytes * segment_bytes;
    ++own;
    place.timeline = own->timeline;
  }
  return std::optional<StreamPlace>(std::move(place));
}

}  // namespace lb::pg
