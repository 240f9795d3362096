// Odd bytes through every decoder of keys: valid texts changed, cut and joined at random, and plain
// noise. What the fuzzer in tests/fuzz does for hours, this does for a second in every build.
#include <gtest/gtest.h>

#include <random>

#include "storage/keys/decode_any.h"
#include "storage/keys/key_file.h"
#include "storage/keys/recovery_kit.h"
#include "storage/keys/text_object.h"

namespace lb::keys {
namespace {

Secret fresh(std::mt19937_64& chance, std::size_t size) {
  Buffer bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(chance());
  return Secret{ByteView(bytes)};
}

// Texts by decoder, as decode_any numbers them.
std::vector<std::pair<unsigned, std::string>> seeds(std::mt19937_64& chance) {
  std::vector<std::pair<unsigned, std::string>> out;
  for (const char* kind_of : {kind::passphrase, kind::key_file, kind::shares}) {
    Slot slot;
    slot.id = slot.repository = std::string(32, '0');
    slot.kind = kind_of;
    slot.name = "first";
    slot.created = "2026-01-13T02:00:00Z";
    auto payload = fresh(chance, 192);
    if (slot.kind == kind::shares) {
      for (const auto& share : make_kit(slot, 2, 3, fresh(chance, 64), payload))
        out.emplace_back(3, std::string(write_share(share, "nowhere").reveal()));
    } else {
      seal_slot(slot, fresh(chance, 32), payload);
    }
    auto object = std::string(text_of(write_slot(slot)));
    out.emplace_back(0, object);
    out.emplace_back(1, object.substr(0, object.size() - 66));
  }
  out.emplace_back(2, std::string(write_key_file(fresh(chance, 32)).reveal()));
  return out;
}

std::string mutate(std::string text, std::mt19937_64& chance) {
  for (auto i = 1 + chance() % 4; i > 0 && !text.empty(); --i) {
    auto at = chance() % text.size();
    switch (chance() % 6) {
      case 0:
        text[at] = static_cast<char>(text[at] ^ (1 << chance() % 8));
        break;
      case 1:
        text.resize(at);
        break;
      case 2:
        text.insert(at, text.substr(at, chance() % 40));
        break;
      case 3:
        text[at] = "09af\" ,:{}[]-#\n"[chance() % 15];
        break;
      case 4:
        text.insert(at, "99999999999999999999");
        break;
      default:
        text.erase(at, 1 + chance() % 5);
        break;
    }
  }
  return text;
}

TEST(Decoders, OddBytesNeverCrash) {
  std::mt19937_64 chance(7);
  auto all = seeds(chance);
  for (const auto& [decoder, text] : all) {
    decode_any(decoder, view_of(text));
    for (int i = 0; i < 1500; ++i) decode_any(decoder, view_of(mutate(text, chance)));
  }
  for (int i = 0; i < 500; ++i) {
    auto noise = fresh(chance, chance() % 200);
    for (unsigned decoder = 0; decoder < decoder_count; ++decoder)
      decode_any(decoder, noise.bytes());
  }
}

// The seeds themselves are read: a decoder that refused everything would pass the test above.
TEST(Decoders, TheSeedsAreValid) {
  std::mt19937_64 chance(7);
  for (const auto& [decoder, text] : seeds(chance)) {
    if (decoder == 0) {
      EXPECT_TRUE(read_slot(std::string(32, '0'), view_of(text)).ok());
      EXPECT_FALSE(read_slot(std::string(32, '1'), view_of(text)).ok()) << "another's place";
    } else if (decoder == 1) {
      EXPECT_TRUE(read_slot(std::string(32, '0'), write_text_object(text)).ok()) << text;
    } else if (decoder == 2) {
      EXPECT_TRUE(read_key_file(Secret{std::string_view(text)}).ok());
    } else {
      EXPECT_TRUE(read_share(Secret{std::string_view(text)}, "s").ok());
    }
  }
}

}  // namespace
}  // namespace lb::keys
