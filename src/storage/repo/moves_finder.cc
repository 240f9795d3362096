#include "storage/repo/moves_finder.h"

#include <algorithm>

#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

constexpr int rounds_max = 10;

}  // namespace

std::vector<MovedPlace> MovesFinder::known(const std::string& pack, const Extent& extent) {
  std::lock_guard lock(mutex_);
  return moves_.places(pack, extent);
}

std::optional<MovedPlace> MovesFinder::find_known(const std::string& pack, const Extent& extent,
                                                  const Good& good) {
  for (auto& place : known(pack, extent)) {
    if (good(place)) return place;
  }
  return std::nullopt;
}

std::optional<MovedPlace> MovesFinder::find(const std::string& pack, const Extent& extent,
                                            const Good& good) {
  if (auto place = find_known(pack, extent, good)) return place;
  // A verdict or a pack that went between two of our calls is stood for by a newer verdict, which
  // was there before: until a list brings nothing new.
  bool any_new = true;
  for (int round = 0; any_new && round < rounds_max; ++round) {
    any_new = false;
    auto listed = core_.blobs.list("e/");
    if (!listed.ok()) return std::nullopt;
    for (auto object = listed->rbegin(); object != listed->rend(); ++object) {
      auto news = read(object->key);
      any_new |= news != News::none;
      if (news != News::moves) continue;
      if (auto place = find_known(pack, extent, good)) return place;
    }
  }
  // What another thread read meanwhile was no news here.
  return find_known(pack, extent, good);
}

MovesFinder::News MovesFinder::read(const std::string& key) {
  std::lock_guard lock(mutex_);
  if (read_.contains(key)) return News::none;
  auto moved = moved_by(key);
  if (!moved.ok() && moved.error().kind() == ErrorKind::not_found) return News::other;
  // A store that does not answer is asked again when something is missed the next time.
  if (!moved.ok() && moved.error().kind() != ErrorKind::corrupt) return News::none;
  read_.insert(key);
  // One that is damaged moves nothing; another may do.
  if (!moved.ok() || *moved == nullptr) return News::other;
  moves_.add(*moved);
  return News::moves;
}

// Null: it is not of a repacking.
Result<std::shared_ptr<const Moved>> MovesFinder::moved_by(const std::string& key) {
  auto session = key.substr(2);
  auto first = LB_TRY(open_first_frame(core_.keys, key, core_.blobs));
  auto head = LB_TRY(decode_head(session, first));
  if (head.state != VerdictState::moved) return std::shared_ptr<const Moved>();
  auto frames = LB_TRY(read_object(core_.keys, key, core_.blobs));
  auto verdict = LB_TRY(decode_verdict(core_.keys, session, frames));
  return verdict.moved;
}

}  // namespace lb::repo
