#include "foundation/crypto/shamir.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace lb {
namespace {

Secret noise(std::mt19937_64& chance, std::size_t size) {
  Buffer bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(chance());
  return Secret{ByteView(bytes)};
}

// By the definition: the carry-less product, divided by the polynomial of the field.
std::uint8_t product_by_division(unsigned a, unsigned b) {
  unsigned wide = 0;
  for (unsigned i = 0; i < 8; ++i) {
    if ((b >> i & 1) != 0) wide ^= a << i;
  }
  for (int i = 14; i >= 8; --i) {
    if ((wide >> i & 1) != 0) wide ^= 0x11Bu << (i - 8);
  }
  return static_cast<std::uint8_t>(wide);
}

TEST(Gf256, MultipliesAndInvertsLikeTheDefinition) {
  for (unsigned a = 0; a < 256; ++a) {
    auto inverse = gf256::inverse(static_cast<std::uint8_t>(a));
    EXPECT_EQ(gf256::multiply(static_cast<std::uint8_t>(a), inverse), a == 0 ? 0 : 1) << a;
    for (unsigned b = 0; b < 256; ++b) {
      ASSERT_EQ(gf256::multiply(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b)),
                product_by_division(a, b));
    }
  }
}

std::vector<KeyShare> pick(const std::vector<KeyShare>& all, unsigned mask) {
  std::vector<KeyShare> out;
  for (unsigned i = 0; i < all.size(); ++i) {
    if ((mask >> i & 1) != 0) out.push_back({all[i].number, all[i].value.clone()});
  }
  return out;
}

TEST(Shamir, EverySubsetOfEnoughSharesGivesTheSecretAndNoSmallerOneDoes) {
  std::mt19937_64 chance(1);
  for (unsigned count = 1; count <= 7; ++count) {
    for (unsigned need = 1; need <= count; ++need) {
      auto secret = noise(chance, 32);
      auto shares = split_secret(secret, need, count, noise(chance, (need - 1) * 32));
      ASSERT_EQ(shares.size(), count);
      for (unsigned mask = 1; mask < 1u << count; ++mask) {
        auto some = pick(shares, mask);
        auto joined = join_shares(some).take();
        EXPECT_EQ(equal_constant_time(joined.bytes(), secret.bytes()), some.size() >= need)
            << count << " " << need << " " << mask;
      }
    }
  }
}

TEST(Shamir, TheLargestSetWorks) {
  std::mt19937_64 chance(2);
  auto secret = noise(chance, 32);
  auto shares = split_secret(secret, 255, 255, noise(chance, 254 * 32));
  EXPECT_TRUE(equal_constant_time(join_shares(shares).take().bytes(), secret.bytes()));
}

// With one share missing, every value of the secret is as likely as every other: for each of two
// secrets, the shares seen are spread alike over all byte values (chi-squared, 255 degrees, far
// beyond p = 1e-6), and so is what joining too few gives.
TEST(Shamir, FewerSharesThanNeededSayNothing) {
  std::mt19937_64 chance(3);
  constexpr int rounds = 12800;
  for (std::uint8_t byte : Buffer{0x00, 0xFF}) {
    Secret secret{ByteView(Buffer(1, byte))};
    std::array<std::array<int, 256>, 3> seen{};
    for (int i = 0; i < rounds; ++i) {
      auto shares = split_secret(secret, 3, 5, noise(chance, 2));
      ++seen[0][shares[1].value.bytes()[0]];
      ++seen[1][shares[1].value.bytes()[0] ^ shares[4].value.bytes()[0]];
      ++seen[2][join_shares(pick(shares, 0b10010)).take().bytes()[0]];
    }
    for (const auto& counts : seen) {
      double chi = 0, expected = rounds / 256.0;
      for (int count : counts) chi += (count - expected) * (count - expected) / expected;
      EXPECT_LT(chi, 380) << int{byte};
    }
  }
}

TEST(Shamir, SharesThatCannotBelongTogetherAreRefused) {
  std::mt19937_64 chance(4);
  auto shares = split_secret(noise(chance, 32), 2, 3, noise(chance, 32));
  EXPECT_EQ(join_shares({}).error().kind(), ErrorKind::invalid);
  auto twice = pick(shares, 0b011);
  twice[1].number = 1;
  EXPECT_EQ(join_shares(twice).error().kind(), ErrorKind::invalid);
  auto zero = pick(shares, 0b011);
  zero[0].number = 0;
  EXPECT_EQ(join_shares(zero).error().kind(), ErrorKind::invalid);
  auto shorter = pick(shares, 0b011);
  shorter[0].value = noise(chance, 31);
  EXPECT_EQ(join_shares(shorter).error().kind(), ErrorKind::invalid);
}

}  // namespace
}  // namespace lb
