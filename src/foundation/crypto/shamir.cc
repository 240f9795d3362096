#include "foundation/crypto/shamir.h"

#include "foundation/base/assert.h"

namespace lb {

namespace gf256 {

// All eight steps always run, and a mask stands for each condition: the time tells nothing.
std::uint8_t multiply(std::uint8_t a, std::uint8_t b) {
  unsigned left = a, right = b, product = 0;
  for (int bit = 0; bit < 8; ++bit) {
    product ^= (0u - (right & 1u)) & left;
    unsigned reduce = (0u - (left >> 7)) & 0x1Bu;
    left = ((left << 1) & 0xFFu) ^ reduce;
    right >>= 1;
  }
  return static_cast<std::uint8_t>(product);
}

// a^254: the product of a^2, a^4, …, a^128.
std::uint8_t inverse(std::uint8_t a) {
  std::uint8_t power = a, out = 1;
  for (int i = 0; i < 7; ++i) {
    power = multiply(power, power);
    out = multiply(out, power);
  }
  return out;
}

}  // namespace gf256

namespace {

// The polynomial with this byte of the secret as its constant, at x; by Horner's rule from the top.
// Its other coefficients are the bytes at the same place in each piece of the chance.
std::uint8_t evaluate(const Secret& secret, std::size_t at, const Secret& chance, std::uint8_t x) {
  std::uint8_t out = 0;
  for (std::size_t piece = chance.size() / secret.size(); piece-- > 0;) {
    out ^= chance.bytes()[piece * secret.size() + at];
    out = gf256::multiply(out, x);
  }
  return static_cast<std::uint8_t>(out ^ secret.bytes()[at]);
}

// What share `own` counts for in the value at 0: the product of x / (x - x_own) over the others.
// Numbers are public.
std::uint8_t weight(std::span<const KeyShare> shares, std::size_t own) {
  std::uint8_t out = 1;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (i == own) continue;
    auto difference = static_cast<std::uint8_t>(shares[i].number ^ shares[own].number);
    out = gf256::multiply(out, gf256::multiply(shares[i].number, gf256::inverse(difference)));
  }
  return out;
}

Status check(std::span<const KeyShare> shares) {
  if (shares.empty()) return Error(ErrorKind::invalid, "no shares");
  for (std::size_t i = 0; i < shares.size(); ++i) {
    bool fits = shares[i].number != 0 && shares[i].value.size() == shares[0].value.size();
    for (std::size_t j = 0; j < i; ++j) fits = fits && shares[j].number != shares[i].number;
    if (!fits) return Error(ErrorKind::invalid, "the shares do not belong together");
  }
  return {};
}

}  // namespace

std::vector<KeyShare> split_secret(const Secret& secret, unsigned need, unsigned count,
                                   const Secret& chance) {
  LB_ASSERT(need >= 1 && need <= count && count <= 255 && !secret.empty());
  LB_ASSERT(chance.size() == (need - 1) * secret.size());
  std::vector<KeyShare> shares;
  for (unsigned number = 1; number <= count; ++number) {
    KeyShare share{static_cast<std::uint8_t>(number), secret.clone()};
    auto bytes = share.value.bytes();
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      bytes[at] = evaluate(secret, at, chance, share.number);
    }
    shares.push_back(std::move(share));
  }
  return shares;
}

Result<Secret> join_shares(std::span<const KeyShare> shares) {
  LB_TRY(check(shares));
  Secret out{ByteView(Buffer(shares[0].value.size(), 0))};
  for (std::size_t i = 0; i < shares.size(); ++i) {
    auto own = weight(shares, i);
    auto from = shares[i].value.bytes();
    auto to = out.bytes();
    for (std::size_t at = 0; at < to.size(); ++at) to[at] ^= gf256::multiply(own, from[at]);
  }
  return out;
}

}  // namespace lb
