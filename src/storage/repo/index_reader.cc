#include "storage/repo/index_reader.h"

#include <algorithm>
#include <set>

#include "foundation/base/text.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

// A merge may remove what was listed a moment ago; what it put instead is in the next list.
constexpr int lists_max = 4;

class Reading {
 public:
  Reading(const Core& core, IndexTaker& taker, std::vector<std::string>& warnings)
      : core_(core), taker_(taker), warnings_(warnings) {}

  // True when something that was listed has gone since.
  Result<bool> list_once(const std::stop_token& stop) {
    auto objects = LB_TRY(core_.blobs.list("x/"));
    // Merged ones first, so that what they stand for is left out.
    std::stable_partition(objects.begin(), objects.end(),
                          [](const auto& object) { return is_merged_index(object.key); });
    bool gone = false;
    for (const auto& object : objects) {
      if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
      if (done_.contains(object.key) || taker_.covers(object.key)) continue;
      auto read = read_one(object.key);
      if (read.ok()) continue;
      if (read.error().kind() != ErrorKind::not_found) return std::move(read).take_error();
      gone = true;
    }
    return gone;
  }

 private:
  Status read_one(const std::string& key) {
    if (LB_TRY(covered_by_parts(key))) return taker_.cover(key);
    auto bytes = LB_TRY(core_.blobs.get(key));
    auto object = open_index(core_.keys, key, bytes);
    if (!object.ok()) {
      done_.insert(key);
      warnings_.push_back(cat("index ", key, " is damaged; what it lists is stored again"));
      return {};
    }
    done_.insert(key);
    done_.insert(object->replaces.begin(), object->replaces.end());
    return taker_.take(key, *object);
  }

  Result<bool> covered_by_parts(const std::string& key) {
    if (!is_merged_index(key)) return false;
    auto head = open_first_frame(core_.keys, key, core_.blobs);
    if (!head.ok() && head.error().kind() != ErrorKind::corrupt) {
      return std::move(head).take_error();
    }
    auto parts =
        head.ok() ? decode_replaces(*head) : Result<std::vector<std::string>>(head.error());
    if (!parts.ok()) return false;  // said when the whole is read
    bool covered = std::all_of(parts->begin(), parts->end(),
                               [this](const auto& part) { return taker_.covers(part); });
    return covered && !parts->empty();
  }

  const Core& core_;
  IndexTaker& taker_;
  std::vector<std::string>& warnings_;
  std::set<std::string> done_;  // read, damaged, or stood for
};

}  // namespace

Status read_indexes(const Core& core, IndexTaker& taker, std::vector<std::string>& warnings,
                    const std::stop_token& stop) {
  Reading reading(core, taker, warnings);
  for (int lists = 0; lists < lists_max; ++lists) {
    if (!LB_TRY(reading.list_once(stop))) return {};
  }
  return {};
}

}  // namespace lb::repo
