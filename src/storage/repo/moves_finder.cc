#include "storage/repo/moves_finder.h"

#include <algorithm>

#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

std::vector<MovedPlace> MovesFinder::known(const std::string& pack, std::uint32_t frame) {
  std::lock_guard lock(mutex_);
  return moves_.places(pack, frame);
}

std::optional<MovedPlace> MovesFinder::find(const std::string& pack, std::uint32_t frame,
                                            const Good& good) {
  for (auto& place : known(pack, frame)) {
    if (good(place)) return place;
  }
  auto listed = core_.blobs.list("e/");
  if (!listed.ok()) return std::nullopt;
  for (auto object = listed->rbegin(); object != listed->rend(); ++object) {
    if (!read(object->key)) continue;
    for (auto& place : known(pack, frame)) {
      if (good(place)) return place;
    }
  }
  return std::nullopt;
}

// Whether it is new and of a repacking. One that cannot be read moves nothing; another may do.
bool MovesFinder::read(const std::string& key) {
  std::lock_guard lock(mutex_);
  if (!read_.insert(key).second) return false;
  auto session = key.substr(2);
  auto first = open_first_frame(core_.keys, key, core_.blobs);
  if (!first.ok()) return false;
  auto head = decode_head(session, *first);
  if (!head.ok() || head->state != VerdictState::moved) return false;
  auto frames = read_object(core_.keys, key, core_.blobs);
  if (!frames.ok()) return false;
  auto verdict = decode_verdict(core_.keys, session, *frames);
  if (verdict.ok()) moves_.add(verdict->moved);
  return verdict.ok();
}

}  // namespace lb::repo
