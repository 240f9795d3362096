#include "storage/repair/index_rebuild.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/index_object.h"
#include "storage/repo/pack_format.h"
#include "storage/repo/put_once.h"

namespace lb::repair {

namespace {

Result<std::vector<repo::FooterFrame>> footer_of(const repo::Core& core, const std::string& name,
                                                 std::uint64_t size) {
  Error bad(ErrorKind::corrupt, cat("object ", name, " is not a whole pack"));
  if (size < repo::pack_header_bytes + repo::pack_trailer_bytes) return bad;
  auto tail =
      LB_TRY(core.blobs.get_range(name, size - repo::pack_trailer_bytes, repo::pack_trailer_bytes));
  auto trailer = LB_TRY(repo::open_trailer(core.keys, name, tail));
  auto sealed = LB_TRY(core.blobs.get_range(name, trailer.footer_offset, trailer.footer_bytes));
  return repo::open_footer(core.keys, trailer, name, sealed);
}

// An index has no room for gaps: frames follow one another from the header on.
Status add_pack(const repo::Core& core, const repo::StoredPack& pack, repo::Index& index) {
  auto frames = LB_TRY(footer_of(core, pack.name, pack.bytes));
  auto number = static_cast<std::uint32_t>(index.packs.size());
  repo::IndexPack out{{pack.name, pack.bytes, pack.sha256}, {}};
  std::vector<repo::IndexEntry> entries;
  std::uint64_t at = repo::pack_header_bytes;
  for (const auto& frame : frames) {
    if (frame.offset != at) return Error(ErrorKind::corrupt, "frames do not follow one another");
    at += frame.sealed_bytes;
    for (const auto& chunk : frame.chunks) {
      entries.push_back({repo::short_id(chunk.id), number,
                         static_cast<std::uint32_t>(out.frame_sizes.size()), chunk.offset,
                         chunk.length});
    }
    out.frame_sizes.push_back(frame.sealed_bytes);
  }
  index.packs.push_back(std::move(out));
  index.entries.insert(index.entries.end(), entries.begin(), entries.end());
  return {};
}

}  // namespace

Result<std::vector<std::string>> unlisted_packs(const repo::Core& core, const Verdicts& verdicts) {
  std::set<std::string> listed;
  for (const auto& object : LB_TRY(core.blobs.list("x/"))) {
    auto bytes = core.blobs.get(object.key);
    auto index = bytes.ok() ? repo::open_index(core.keys, object.key, *bytes)
                            : Result<repo::IndexObject>(bytes.error());
    if (!index.ok()) continue;
    for (const auto& pack : index->index.packs) listed.insert(pack.pack.name);
  }
  std::vector<std::string> out;
  for (const auto& [name, pack] : verdicts.packs) {
    if (!listed.contains(name)) out.push_back(name);
  }
  return out;
}

Result<std::uint64_t> index_packs(const repo::Core& core, const Verdicts& verdicts,
                                  const std::vector<std::string>& packs, std::stop_token stop) {
  auto session = repo::fresh_session_id(core);
  std::uint64_t done = 0;
  std::uint32_t number = 0;
  repo::Index index;
  auto put = [&]() -> Status {
    if (index.packs.empty()) return {};
    auto name = repo::index_key(session, number++);
    auto count = index.packs.size();
    auto sealed =
        repo::seal_index(core.keys, core.random, name, std::exchange(index, repo::Index{}));
    LB_TRY(repo::put_once(core.blobs, name, sealed));
    done += count;
    return {};
  };
  for (const auto& name : packs) {
    if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    auto known = verdicts.packs.find(name);
    if (known == verdicts.packs.end()) continue;
    auto added = add_pack(core, known->second, index);
    bool damage = !added.ok() && (added.error().kind() == ErrorKind::corrupt ||
                                  added.error().kind() == ErrorKind::not_found);
    if (!added.ok() && !damage) return std::move(added).take_error();
    if (index.packs.size() == repo::packs_per_index) LB_TRY(put());
  }
  LB_TRY(put());
  LB_TRY(core.blobs.flush());
  return done;
}

}  // namespace lb::repair
