#include "foundation/base/secret.h"

#include <cstring>

namespace lb {

void wipe(MutableBytes bytes) {
  if (bytes.empty()) return;
  std::memset(bytes.data(), 0, bytes.size());
  asm volatile("" : : "r"(bytes.data()) : "memory");
}

Secret::Secret(std::string_view bytes) : Secret(view_of(bytes)) {}
Secret::Secret(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::move(other.bytes_);
    other.bytes_.clear();
  }
  return *this;
}
Secret::~Secret() { wipe(); }
void Secret::wipe() { lb::wipe(bytes_); }

}  // namespace lb
