#include "storage/keys/slot.h"

#include <gtest/gtest.h>

#include <ctime>

#include "foundation/base/text.h"
#include "storage/keys/key_file.h"
#include "storage/keys/slot_opener.h"

namespace lb::keys {
namespace {

const PasswordCost cheap{1, 8192};

Slot some_slot(const char* kind_of, char id = 'a') {
  Slot slot;
  slot.id = std::string(32, id);
  slot.repository = std::string(32, '7');
  slot.kind = kind_of;
  slot.name = "office";
  slot.created = "2026-01-13T02:00:00Z";
  slot.cost = cheap;
  return slot;
}

Secret secret(std::string_view text) { return Secret{text}; }
Secret bytes32(std::uint8_t byte) { return Secret{ByteView(Buffer(32, byte))}; }

TEST(Slot, OpensWithItsBaseAndNothingElse) {
  auto slot = some_slot(kind::key_file);
  seal_slot(slot, bytes32(1), secret("payload"));
  auto read = read_slot(slot.id, write_slot(slot)).take();
  EXPECT_EQ(open_slot(read, bytes32(1)).take().reveal(), "payload");
  EXPECT_EQ(open_slot(read, bytes32(2)).error().kind(), ErrorKind::denied);
}

// Everything that stands in the clear is bound: a slot cannot be moved to another repository or
// place, called otherwise, or given more rights.
TEST(Slot, ChangedTextDoesNotOpen) {
  auto slot = some_slot(kind::key_file);
  seal_slot(slot, bytes32(1), secret("payload"));
  auto changed = [&](auto change) {
    auto other = slot;
    change(other);
    return open_slot(other, bytes32(1)).ok();
  };
  EXPECT_TRUE(changed([](Slot&) {}));
  EXPECT_FALSE(changed([](Slot& s) { s.id = std::string(32, 'b'); }));
  EXPECT_FALSE(changed([](Slot& s) { s.repository = std::string(32, '8'); }));
  EXPECT_FALSE(changed([](Slot& s) { s.name = "home"; }));
  EXPECT_FALSE(changed([](Slot& s) { s.grant = Grant::write; }));
  EXPECT_FALSE(changed([](Slot& s) { s.kind = kind::shares; }));
  EXPECT_FALSE(changed([](Slot& s) { s.created = "2026-01-14T02:00:00Z"; }));
}

TEST(Slot, EveryFlippedOrMissingByteIsDamageNotAWrongKey) {
  for (const char* kind_of : {kind::passphrase, kind::key_file}) {
    auto slot = some_slot(kind_of);
    seal_slot(slot, bytes32(1), secret("payload"));
    auto object = write_slot(slot);
    for (std::size_t i = 0; i < object.size(); ++i) {
      auto flipped = object;
      flipped[i] ^= 0x20;
      EXPECT_EQ(read_slot(slot.id, flipped).error().kind(), ErrorKind::corrupt) << i;
      auto cut = Buffer(object.begin(), object.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_EQ(read_slot(slot.id, cut).error().kind(), ErrorKind::corrupt) << i;
    }
  }
}

TEST(Slot, ACostThatWouldStallTheReaderIsRefused) {
  for (PasswordCost cost : {PasswordCost{17, 8192}, PasswordCost{1, 4ull << 30},
                            PasswordCost{0, 8192}, PasswordCost{1, 1}}) {
    auto slot = some_slot(kind::passphrase);
    slot.cost = cost;
    EXPECT_EQ(read_slot(slot.id, write_slot(slot)).error().kind(), ErrorKind::corrupt);
  }
}

TEST(Slot, KindsOfNewerVersionsAreReadAndOpenNothing) {
  auto slot = some_slot("cloud service");
  auto read = read_slot(slot.id, write_slot(slot)).take();
  EXPECT_FALSE(read.known());
  auto opener = opener_of(secret("passphrase")).take();
  EXPECT_FALSE(opener->base_of(read).take().has_value());
}

TEST(Slot, NamesArePlain) {
  for (const char* good : {"a", "db-71.example", "0_", "first"}) {
    EXPECT_TRUE(check_slot_name(good).ok()) << good;
  }
  for (const char* bad : {"", "-a", "A", "a b", "a/b", "\xC3\xA4", "a\n"}) {
    EXPECT_EQ(check_slot_name(bad).error().kind(), ErrorKind::invalid) << bad;
  }
  EXPECT_FALSE(check_slot_name(std::string(41, 'a')).ok());
}

TEST(Opener, OnePassphraseIsStretchedOnceForAllSlotsOfASalt) {
  auto passphrase = secret("correct horse battery staple");
  PassphraseOpener opener(passphrase);
  auto costly = some_slot(kind::passphrase);
  costly.cost = {3, 64ull << 20};
  auto cpu = [&](Slot slot) {
    auto before = std::clock();
    EXPECT_TRUE(opener.base_of(slot).take().has_value());
    return std::clock() - before;
  };
  auto once = cpu(costly);
  clock_t again = 0;
  for (int i = 0; i < 100; ++i) again += cpu(costly);
  EXPECT_LT(again, once / 2);
  auto salted = costly;
  salted.salt[0] = 1;
  EXPECT_FALSE(equal_constant_time(opener.base_of(costly).take()->bytes(),
                                   opener.base_of(salted).take()->bytes()));
}

TEST(KeyFile, ComesBackAndIsNeverTakenForAPassphrase) {
  auto text = write_key_file(bytes32(0xAB));
  EXPECT_TRUE(is_key_file(text));
  EXPECT_TRUE(equal_constant_time(read_key_file(text).take().bytes(), bytes32(0xAB).bytes()));
  auto opener = opener_of(text).take();
  EXPECT_TRUE(opener->base_of(some_slot(kind::key_file)).take().has_value());
  EXPECT_FALSE(opener->base_of(some_slot(kind::passphrase)).take().has_value());
  auto whole = std::string(text.reveal());
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
    auto odd = whole;
    odd[i] = odd[i] == '0' ? '1' : '0';
    auto read = read_key_file(secret(odd));
    ASSERT_FALSE(read.ok()) << i;
    EXPECT_EQ(read.error().exit_code(), ExitCode::wrong_key);
    EXPECT_EQ(read.error().text().find("abab"), std::string::npos);
    if (i > 14) {
      EXPECT_EQ(opener_of(secret(odd)).error().exit_code(), ExitCode::wrong_key);
    }
  }
  EXPECT_FALSE(read_key_file(secret(whole.substr(0, 50))).ok());
  EXPECT_FALSE(is_key_file(secret("correct horse")));
}

}  // namespace
}  // namespace lb::keys
