// Keys from passphrases: argon2id version 1.3. Slow and memory-hungry on purpose. Thread-safe.
#pragma once

#include <array>
#include <cstdint>

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

namespace lb {

struct PasswordCost {
  std::uint32_t passes = 3;
  std::uint64_t memory_bytes = 64ull << 20;
};
using PasswordSalt = std::array<std::uint8_t, 16>;

// 32 bytes. invalid: the cost is out of range (1..64 passes, 8 KiB..4 GiB); exhausted: not enough
// memory.
Result<Secret> key_from_password(const Secret& password, const PasswordSalt& salt,
                                 const PasswordCost& cost);

}  // namespace lb
