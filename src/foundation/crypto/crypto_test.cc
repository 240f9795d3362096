#include <gtest/gtest.h>

#include <vector>

#include "foundation/crypto/hash.h"
#include "foundation/crypto/password.h"
#include "foundation/crypto/sealed_box.h"
#include "foundation/crypto/signature.h"

namespace lb {
namespace {

Buffer hex(std::string_view text) { return from_hex(text).take(); }

TEST(Hash, Sha256KnownAnswers) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(view_of("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  pieces.update(view_of("a"));
  pieces.update(view_of("bc"));
  EXPECT_EQ(pieces.finish(), sha256(view_of("abc")));
}

TEST(Hash, HmacKnownAnswersOfRfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256(view_of("Jefe"), view_of("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  Hmac keyed(view_of("Jefe"));
  EXPECT_EQ(keyed.of(view_of("what do ya want for nothing?")),
            keyed.of(view_of("what do ya want for nothing?")));
  EXPECT_EQ(to_hex(hmac_sha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hash, HkdfKnownAnswerOfRfc5869) {
  auto out = hkdf_sha256(hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
                         hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"));
  EXPECT_EQ(to_hex(out.bytes()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
}

TEST(Signature, KnownAnswerOfRfc8032AndNothingElse) {
  Secret seed{ByteView(hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))};
  auto key = signing_public_key_of(seed);
  EXPECT_EQ(to_hex(key), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  auto signature = sign(seed, {});
  EXPECT_EQ(
      to_hex(signature),
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
      "1cf9b46bd25bf5f0595bbe24655141438e7a100b");
  EXPECT_TRUE(is_signed_by(key, {}, signature));
  EXPECT_FALSE(is_signed_by(key, view_of("x"), signature));
  EXPECT_FALSE(is_signed_by(key, {}, ByteView(signature).first(63)));
  signature[7] ^= 1;
  EXPECT_FALSE(is_signed_by(key, {}, signature));
}

TEST(SealedBox, OnlyThePrivateKeyOpens) {
  auto pair = key_pair_from(Secret(ByteView(Buffer(32, 1))));
  auto other = key_pair_from(Secret(ByteView(Buffer(32, 2))));
  EXPECT_EQ(public_key_of(pair.private_key), pair.public_key);
  auto box = seal_box(pair.public_key, view_of("thirty-two bytes of key material"),
                      Secret(ByteView(Buffer(32, 3))));
  EXPECT_EQ(box.size(), 80u);
  auto opened = open_box(pair.private_key, pair.public_key, box);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->reveal(), "thirty-two bytes of key material");
  EXPECT_FALSE(open_box(other.private_key, other.public_key, box).ok());
  for (std::size_t bit = 0; bit < box.size() * 8; ++bit) {
    auto changed = box;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    EXPECT_FALSE(open_box(pair.private_key, pair.public_key, changed).ok()) << bit;
  }
  EXPECT_FALSE(open_box(pair.private_key, pair.public_key, ByteView(box).first(40)).ok());
}

TEST(Password, SaltPasswordAndCostAllMatter) {
  PasswordCost cheap{1, 8192};
  auto key = [&](std::string_view text, std::uint8_t salt, PasswordCost cost) {
    PasswordSalt bytes{salt};
    return to_hex(key_from_password(Secret(text), bytes, cost).take().bytes());
  };
  auto first = key("correct horse", 1, cheap);
  EXPECT_EQ(first.size(), 64u);
  EXPECT_EQ(first, key("correct horse", 1, cheap));
  EXPECT_NE(first, key("correct horsf", 1, cheap));
  EXPECT_NE(first, key("correct horse", 2, cheap));
  EXPECT_NE(first, key("correct horse", 1, {2, 8192}));
  EXPECT_EQ(key("", 1, cheap).size(), 64u);
  EXPECT_EQ(key_from_password(Secret(std::string_view("x")), {}, {0, 8192}).error().kind(),
            ErrorKind::invalid);
  EXPECT_EQ(key_from_password(Secret(std::string_view("x")), {}, {1, 8ull << 40}).error().kind(),
            ErrorKind::invalid);
}

}  // namespace
}  // namespace lb
