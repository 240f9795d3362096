// Secret sharing after Shamir over GF(2^8): any `need` shares give the secret, fewer say nothing of
// it. Bytes in, bytes out; no tables and no branches on secret bytes. Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "foundation/base/secret.h"

namespace lb {

struct KeyShare {
  std::uint8_t number = 0;  // from 1: where the polynomials were evaluated
  Secret value;             // as long as the secret
};

// `chance`: (need - 1) × secret.size() fresh random bytes, used for nothing else.
// 1 <= need <= count <= 255.
std::vector<KeyShare> split_secret(const Secret& secret, unsigned need, unsigned count,
                                   const Secret& chance);
// The secret, when these are `need` or more true shares of it; another value of that length when
// they are fewer or not all of one secret: whoever joins checks the outcome. invalid: numbers
// repeat or are 0, sizes differ, or there are none.
Result<Secret> join_shares(std::span<const KeyShare> shares);

namespace gf256 {
// Of the field with x^8 + x^4 + x^3 + x + 1.
std::uint8_t multiply(std::uint8_t a, std::uint8_t b);
std::uint8_t inverse(std::uint8_t a);  // of 0: 0
}  // namespace gf256

}  // namespace lb
