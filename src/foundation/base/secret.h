// Secret: bytes that do not print, do not copy, and wipe themselves. Move-only. Not for hash or
// map.
#pragma once

#include <string>
#include <string_view>

#include "foundation/base/bytes.h"

namespace lb {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes);
  explicit Secret(ByteView bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  ByteView bytes() const { return bytes_; }
  MutableBytes bytes() { return bytes_; }
  std::string_view reveal() const {
    return text_of(bytes_);
  }  // named so that reviews can search for it
  bool empty() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size(); }
  Secret clone() const { return Secret(ByteView(bytes_)); }

 private:
  void wipe();
  Buffer bytes_;
};

// Overwrites memory in a way the compiler keeps.
void wipe(MutableBytes bytes);

}  // namespace lb
