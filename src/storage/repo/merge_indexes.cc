#include "storage/repo/merge_indexes.h"

#include <algorithm>
#include <map>
#include <set>

#include "storage/repo/index_object.h"
#include "storage/repo/put_once.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

// A merged object is read whole into memory by every reader: so large, and no larger.
constexpr std::uint64_t merged_bytes_wanted = 8 << 20;
// Fewer are not worth it.
constexpr std::size_t objects_min = 8;

class Merger {
 public:
  Merger(const Core& core, const std::stop_token& stop) : core_(core), stop_(stop) {}

  Result<IndexMerge> run() {
    for (auto& pack : LB_TRY(core_.blobs.list("p/"))) packs_[std::move(pack.key)] = pack.size;
    auto objects = LB_TRY(core_.blobs.list("x/"));
    LB_TRY(finish_interrupted(objects));
    std::vector<std::string> group;
    std::uint64_t bytes = 0;
    for (const auto& object : objects) {
      if (object.size >= merged_bytes_wanted / 2 || removed_.contains(object.key)) continue;
      group.push_back(object.key);
      bytes += object.size;
      if (bytes < merged_bytes_wanted) continue;
      LB_TRY(merge(std::exchange(group, {})));
      bytes = 0;
    }
    LB_TRY(merge(std::move(group)));
    return done_;
  }

 private:
  // What a merged index stands for goes, if it is still there.
  Status finish_interrupted(const std::vector<BlobInfo>& objects) {
    std::set<std::string> listed;
    for (const auto& object : objects) listed.insert(object.key);
    for (const auto& object : objects) {
      if (!is_merged_index(object.key)) continue;
      auto head = open_first_frame(core_.keys, object.key, core_.blobs);
      if (!head.ok() && head.error().kind() != ErrorKind::corrupt) return head.status();
      auto parts =
          head.ok() ? decode_replaces(*head) : Result<std::vector<std::string>>(head.error());
      if (!parts.ok()) continue;
      bool any = std::any_of(parts->begin(), parts->end(),
                             [&](const auto& part) { return listed.contains(part); });
      if (!any || !whole(object.key)) continue;
      // Before what it stands for goes, it must be there to stay.
      LB_TRY(core_.blobs.flush());
      for (const auto& part : *parts) {
        if (listed.contains(part)) LB_TRY(remove(part));
      }
    }
    return {};
  }

  bool whole(const std::string& key) {
    auto bytes = core_.blobs.get(key);
    return bytes.ok() && open_index(core_.keys, key, *bytes).ok();
  }

  Status remove(const std::string& key) {
    LB_TRY(core_.blobs.remove(key));
    removed_.insert(key);
    ++done_.objects;
    return {};
  }

  Status merge(std::vector<std::string> keys) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    if (keys.size() < objects_min) return {};
    std::vector<std::string> replaced;
    Index merged;
    std::map<std::string, std::uint32_t> numbers;
    std::set<ChunkId> seen;
    for (const auto& key : keys) {
      auto bytes = core_.blobs.get(key);
      if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found) continue;
      auto sealed = LB_TRY(std::move(bytes));
      auto object = open_index(core_.keys, key, sealed);
      if (!object.ok()) continue;
      add(object->index, merged, numbers, seen);
      replaced.push_back(key);
    }
    if (replaced.size() < objects_min) return {};
    auto key = merged_index_key(fresh_session_id(core_));
    auto entries = merged.entries.size();
    LB_TRY(put_once(core_.blobs, key,
                    seal_merged_index(core_.keys, core_.random, key, replaced, std::move(merged))));
    LB_TRY(core_.blobs.flush());
    ++done_.written;
    done_.entries += entries;
    for (const auto& part : replaced) LB_TRY(remove(part));
    return {};
  }

  void add(const Index& index, Index& merged, std::map<std::string, std::uint32_t>& numbers,
           std::set<ChunkId>& seen) {
    std::vector<std::optional<std::uint32_t>> packs;  // number in `merged` of those that are there
    for (const auto& pack : index.packs) {
      auto there = packs_.find(pack.pack.name);
      packs.emplace_back();
      if (there == packs_.end() || there->second != pack.pack.bytes) continue;
      auto next = static_cast<std::uint32_t>(merged.packs.size());
      auto [found, added] = numbers.try_emplace(pack.pack.name, next);
      if (added) merged.packs.push_back(pack);
      // Two indexes that describe a pack differently cannot both be right; the first stays.
      if (merged.packs[found->second].frame_sizes == pack.frame_sizes) packs.back() = found->second;
    }
    for (auto entry : index.entries) {
      if (!packs[entry.pack] || !seen.insert(entry.id).second) continue;
      entry.pack = *packs[entry.pack];
      merged.entries.push_back(entry);
    }
  }

  const Core& core_;
  const std::stop_token& stop_;
  std::map<std::string, std::uint64_t> packs_;
  std::set<std::string> removed_;
  IndexMerge done_;
};

}  // namespace

Result<IndexMerge> merge_indexes(const Core& core, const std::stop_token& stop) {
  return Merger(core, stop).run();
}

}  // namespace lb::repo
