// WindowPrf: a secret function of 64 bytes: 64 bits that nobody can tell from chance without the
// key. Decides where content is cut, so it must be quick and the same on every processor. Each of
// the four blocks is masked and encrypted with AES-128, the sum once more under a second key: the
// inner pass makes two windows collide as seldom as chance, the outer hides what it gives (Carter
// and Wegman; PMAC is built so). Thread-safe.
#pragma once

#include <cstdint>
#include <memory>

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

namespace lb {

inline constexpr std::size_t prf_window_bytes = 64;

class WindowPrf {
 public:
  enum class Way { best, portable };  // both give the same values; portable is for tests
  explicit WindowPrf(const Secret& key, Way way = Way::best);
  ~WindowPrf();
  WindowPrf(WindowPrf&&) noexcept;
  // Of the prf_window_bytes bytes from `window` on.
  std::uint64_t of(const std::uint8_t* window) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lb
