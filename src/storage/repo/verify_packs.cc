// Verifier: the packs, group by group.
#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/flow/task_group.h"
#include "storage/repo/verifier.h"

namespace lb::repo {

Status Verifier::list_packs() {
  for (const auto& object : LB_TRY(core_.blobs.list("p/"))) {
    ++report_.objects;
    auto [found, unknown] = packs_.try_emplace(object.key);
    if (unknown) found->second.bytes = object.size;  // of an interrupted or running session
  }
  for (auto& [name, state] : packs_) {
    state.number = order_.size();
    order_.emplace_back(&name, &state);
  }
  report_.packs = order_.size();
  choose_sample();
  return {};
}

// By bytes, in the order of the draw: the wanted part and at least one pack.
void Verifier::choose_sample() {
  std::vector<std::pair<double, PackState*>> order;
  std::uint64_t all = 0;
  for (auto& [name, state] : packs_) {
    order.emplace_back(sample_draw(options_.seed, name), &state);
    all += state.bytes;
  }
  std::sort(order.begin(), order.end());
  auto wanted = options_.fraction <= 0 ? 0.0 : static_cast<double>(all) * options_.fraction;
  for (auto& [number, state] : order) {
    state->read = options_.fraction >= 1 || static_cast<double>(total_bytes_) < wanted;
    if (state->read) total_bytes_ += state->bytes;
  }
}

// The next packs, until what their footers say fills the budget.
Status Verifier::check_group() {
  for (auto i = group_begin_; i < group_end_; ++i) order_[i].second->facts = {};
  group_begin_ = group_end_;
  facts_bytes_ = 0;
  good_blocks_.clear();
  FrameReader frames(core_);
  auto workers = std::max(1u, core_.options.workers);
  auto work = [&](std::size_t) -> Status {
    PackScan scan(core_, frames, stop_);
    while (facts_bytes_ < options_.memory_bytes) {
      LB_TRY(check_stop());
      auto next = next_.fetch_add(1);
      if (next >= order_.size()) break;
      LB_TRY(check_pack(scan, *order_[next].first, *order_[next].second));
    }
    return {};
  };
  LB_TRY(for_each_parallel(workers, workers, stop_, work));
  group_end_ = std::min(next_.load(), order_.size());
  return {};
}

Status Verifier::check_pack(PackScan& scan, const std::string& name, PackState& state) {
  auto info = core_.blobs.info(name);
  if (!info.ok()) {
    // One that no snapshot needs may be collected while we look.
    if (info.error().kind() == ErrorKind::not_found && !state.known_digest) return {};
    add(name, info.error().kind() == ErrorKind::not_found ? "is missing" : info.error().text());
    return {};
  }
  if (info->size != state.bytes) {
    add(name, cat("has ", info->size, " bytes instead of ", state.bytes));
    return {};
  }
  auto depth = !state.read     ? ScanDepth::structure
               : options_.deep ? ScanDepth::content
                               : ScanDepth::authenticated;
  const auto* digest = state.known_digest ? &state.sha256 : nullptr;
  auto result = LB_TRY(scan.run(name, state.bytes, digest, depth, [&](std::uint64_t bytes) {
    std::lock_guard lock(mutex_);
    done_bytes_ = std::min(done_bytes_ + bytes, total_bytes_);
    if (progress_) progress_(done_bytes_, total_bytes_);
  }));
  for (const auto& problem : result.problems) add(name, problem);
  state.readable = result.readable;
  state.bad_frames = std::move(result.bad);
  state.facts = PackFacts(result.frames);
  facts_bytes_ += state.facts.bytes();
  if (!state.read || !result.readable) return {};
  std::lock_guard lock(mutex_);
  ++report_.packs_read;
  report_.bytes_read += result.bytes_read;
  report_.frames += result.frames.size();
  report_.chunks += result.chunks;
  return {};
}

}  // namespace lb::repo
