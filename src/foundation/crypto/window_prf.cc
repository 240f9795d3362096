#include "foundation/crypto/window_prf.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "foundation/base/assert.h"
#include "foundation/crypto/aes_blocks.h"
#include "foundation/crypto/hash.h"

namespace lb {

namespace {

using Window = std::array<std::uint8_t, prf_window_bytes>;

std::uint64_t first_word(const std::uint8_t* bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = 8; i-- > 0;) out = (out << 8) | bytes[i];
  return out;
}

AesKey derived_key(const Hmac& from, std::uint8_t number) {
  std::uint8_t label[] = {'c', 'u', 't', number};
  auto digest = from.of(label);
  AesKey out;
  std::copy_n(digest.begin(), out.size(), out.begin());
  wipe(digest);
  return out;
}

}  // namespace

struct WindowPrf::State {
  State(AesKey inner_key, AesKey outer_key)
      : inner(inner_key),
        outer(outer_key),
        rounds{expand_aes_key(inner_key), expand_aes_key(outer_key), {}} {
    wipe(inner_key);
    wipe(outer_key);
  }
  ~State() { wipe({reinterpret_cast<std::uint8_t*>(&rounds), sizeof rounds}); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::uint64_t portable(const std::uint8_t* window) const;

  const AesBlocks inner, outer;
  WindowRounds rounds;
  bool by_instructions = false;
};

std::uint64_t WindowPrf::State::portable(const std::uint8_t* window) const {
  Window masked;
  for (std::size_t i = 0; i < masked.size(); ++i) masked[i] = window[i] ^ rounds.masks[i];
  Window blocks;
  inner.encrypt(masked, blocks);
  AesKey sum{};
  for (std::size_t i = 0; i < blocks.size(); ++i) sum[i % sum.size()] ^= blocks[i];
  AesKey out;
  outer.encrypt(sum, out);
  return first_word(out.data());
}

WindowPrf::WindowPrf(const Secret& key, Way way) {
  Hmac from(key.bytes());
  state_ = std::make_unique<State>(derived_key(from, 0), derived_key(from, 1));
  auto& masks = state_->rounds.masks;
  for (std::uint8_t block = 0; block < 4; ++block) {
    auto mask = derived_key(from, static_cast<std::uint8_t>(2 + block));
    std::copy(mask.begin(), mask.end(), masks.begin() + 16 * block);
  }
  state_->by_instructions = way == Way::best && aes_rounds_supported();
}
WindowPrf::~WindowPrf() = default;
WindowPrf::WindowPrf(WindowPrf&&) noexcept = default;

std::uint64_t WindowPrf::of(const std::uint8_t* window) const {
  return state_->by_instructions ? encrypt_window(state_->rounds, window)
                                 : state_->portable(window);
}

}  // namespace lb
