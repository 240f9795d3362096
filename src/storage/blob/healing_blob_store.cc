#include "storage/blob/healing_blob_store.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb {

HealingBlobStore::HealingBlobStore(BlobStore& inner, std::vector<CopySource> copies,
                                   std::function<void(const std::string&)> on_trouble)
    : inner_(inner), on_trouble_(std::move(on_trouble)) {
  auto state = state_.lock();
  for (auto& source : copies) state->places.push_back({std::move(source), false, nullptr});
}

BlobStore* HealingBlobStore::opened(State& state, std::size_t number) {
  auto& place = state.places[number];
  if (place.tried) return place.store.get();
  place.tried = true;
  auto store = place.source.open();
  if (store.ok()) {
    place.store = std::move(store).take();
  } else if (on_trouble_) {
    on_trouble_(cat("the copy ", place.source.name, " cannot be asked: ", store.error().text()));
  }
  return place.store.get();
}

// Numbers go over the copies that can be opened.
BlobStore* HealingBlobStore::copy(std::size_t number) {
  auto state = state_.lock();
  for (std::size_t i = 0; i < state->places.size(); ++i) {
    auto* store = opened(*state, i);
    if (store != nullptr && number-- == 0) return store;
  }
  return nullptr;
}

void HealingBlobStore::healed(const std::string& key, std::size_t number) {
  auto state = state_.lock();
  for (const auto& place : state->places) {
    if (place.store == nullptr || number-- != 0) continue;
    state->healed.try_emplace(key, place.source.name);
    return;
  }
}

std::map<std::string, std::string> HealingBlobStore::all_healed() {
  return state_.with([](auto& state) { return state.healed; });
}

Result<std::vector<BlobInfo>> HealingBlobStore::list(const std::string& prefix,
                                                     const std::string& after) {
  auto own = inner_.list(prefix, after);
  if (!own.ok() || !prefix.starts_with("w/")) return own;
  std::map<std::string, std::uint64_t> all;
  for (const auto& object : *own) all.emplace(object.key, object.size);
  for (std::size_t i = 0; auto* store = copy(i); ++i) {
    auto there = store->list(prefix, after);
    if (!there.ok()) continue;  // what it had will be told as a hole of the log
    for (const auto& object : *there) all.emplace(object.key, object.size);
  }
  std::vector<BlobInfo> out;
  for (const auto& [key, size] : all) out.push_back({key, size});
  return out;
}

}  // namespace lb
