#include "foundation/crypto/blake3.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "foundation/base/assert.h"

namespace lb {

namespace {

using Value = std::array<std::uint8_t, blake3_value_bytes>;
using Block = std::array<std::uint8_t, blake3_block_bytes>;

std::size_t leaves_of(std::size_t message_bytes) {
  return std::max<std::size_t>(1, (message_bytes + blake3_leaf_bytes - 1) / blake3_leaf_bytes);
}

// Fills the lanes of a kernel.
class Lanes {
 public:
  Lanes(const Blake3Words& key, const Blake3Kernel& kernel) : key_(key), kernel_(kernel) {}
  void add(const Blake3Node& node) {
    if (count_ == 0) first_ = node;
    nodes_.set(count_++, node);
    if (count_ == kernel_.lanes) compress();
  }
  void flush() {
    if (count_ == 0) return;
    // Lanes that nobody needs do the first one's work once more.
    auto idle = first_;
    idle.value = nobody_.data();
    while (count_ < kernel_.lanes) nodes_.set(count_++, idle);
    compress();
  }

 private:
  void compress() {
    kernel_.compress(key_, nodes_);
    count_ = 0;
  }

  const Blake3Words& key_;
  const Blake3Kernel& kernel_;
  Blake3Nodes nodes_{};
  Blake3Node first_{};
  std::size_t count_ = 0;
  Value nobody_;
};

// The trees of several messages, from the leaves up. A level's values lie message by message, so
// that two which have one parent are the 64 bytes of its block.
class Trees {
 public:
  Trees(const Blake3Words& key, const Blake3Kernel& kernel, std::span<const ByteView> messages,
        std::span<Digest> digests)
      : lanes_(key, kernel), messages_(messages), digests_(digests), widths_(messages.size()) {
    std::size_t all = 0;
    for (std::size_t i = 0; i < messages.size(); ++i)
      all += widths_[i] = leaves_of(messages[i].size());
    below_ = std::make_unique_for_overwrite<Value[]>(all);
    above_ = std::make_unique_for_overwrite<Value[]>(all);
  }

  void hash() {
    add_leaves();
    while (std::any_of(widths_.begin(), widths_.end(), [](auto width) { return width > 1; }))
      climb();
  }

 private:
  // Whole leaves as they come; then those that end a message, the long ones first, so that lanes
  // side by side end about together.
  void add_leaves() {
    std::vector<Blake3Node> ends;
    ends.reserve(messages_.size());
    blocks_.resize(messages_.size());
    auto* value = below_.get();
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      const auto* bytes = messages_[i].data();
      for (std::size_t leaf = 0; leaf + 1 < widths_[i]; ++leaf, bytes += blake3_leaf_bytes) {
        lanes_.add({bytes, bytes + blake3_leaf_bytes - blake3_block_bytes,
                    blake3_leaf_bytes / blake3_block_bytes, blake3_block_bytes, leaf,
                    blake3_flag::leaf_start, blake3_flag::leaf_end, (value++)->data()});
      }
      ends.push_back(end_of(i, *value++));
    }
    std::sort(ends.begin(), ends.end(),
              [](const auto& a, const auto& b) { return a.blocks > b.blocks; });
    for (const auto& node : ends) lanes_.add(node);
    lanes_.flush();
  }

  Blake3Node end_of(std::size_t i, Value& value) {
    auto leaf = widths_[i] - 1;
    auto rest = messages_[i].subspan(leaf * blake3_leaf_bytes);
    auto blocks =
        std::max<std::size_t>(1, (rest.size() + blake3_block_bytes - 1) / blake3_block_bytes);
    auto last = rest.subspan((blocks - 1) * blake3_block_bytes);
    blocks_[i].fill(0);
    if (!last.empty()) std::memcpy(blocks_[i].data(), last.data(), last.size());
    bool whole = leaf == 0;
    return {rest.data(),
            blocks_[i].data(),
            static_cast<std::uint32_t>(blocks),
            static_cast<std::uint32_t>(last.size()),
            leaf,
            blake3_flag::leaf_start,
            blake3_flag::leaf_end | (whole ? blake3_flag::root : 0),
            whole ? digests_[i].data() : value.data()};
  }

  // One level. A value without a neighbour goes up as it is: so the left side of each parent holds
  // the largest power of two of leaves.
  void climb() {
    auto *from = below_.get(), *to = above_.get();
    for (std::size_t i = 0; i < widths_.size(); ++i) {
      auto width = widths_[i];
      auto flags = blake3_flag::parent | (width == 2 ? blake3_flag::root : 0);
      for (std::size_t pair = 0; pair < width / 2; ++pair) {
        auto* out = width == 2 ? digests_[i].data() : to[pair].data();
        lanes_.add({nullptr, from[2 * pair].data(), 1, blake3_block_bytes, 0, flags, 0, out});
      }
      if (width % 2 == 1 && width > 1) to[width / 2] = from[width - 1];
      from += width;
      widths_[i] = (width + 1) / 2;
      to += widths_[i];
    }
    lanes_.flush();
    below_.swap(above_);
  }

  Lanes lanes_;
  std::span<const ByteView> messages_;
  std::span<Digest> digests_;
  std::vector<std::size_t> widths_;  // of each message: values of the level below
  std::unique_ptr<Value[]> below_, above_;
  std::vector<Block> blocks_;  // the last of each message, filled up
};

}  // namespace

KeyedBlake3::KeyedBlake3(ByteView key, const Blake3Kernel& kernel) : kernel_(&kernel) {
  LB_ASSERT(key.size() == sizeof key_);
  std::memcpy(key_.data(), key.data(), sizeof key_);
}

KeyedBlake3::~KeyedBlake3() { wipe({reinterpret_cast<std::uint8_t*>(key_.data()), sizeof key_}); }

Digest KeyedBlake3::of(ByteView message) const {
  Digest out;
  of_many({&message, 1}, {&out, 1});
  return out;
}

void KeyedBlake3::of_many(std::span<const ByteView> messages, std::span<Digest> digests) const {
  LB_ASSERT(messages.size() == digests.size());
  Trees(key_, *kernel_, messages, digests).hash();
}

}  // namespace lb
