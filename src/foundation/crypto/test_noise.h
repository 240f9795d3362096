// Bytes for tests of this folder.
#pragma once

#include <random>

#include "foundation/base/bytes.h"

namespace lb {

inline Buffer noise(std::mt19937_64& random, std::size_t size) {
  Buffer out(size);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(random());
  return out;
}

}  // namespace lb
