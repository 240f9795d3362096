#include "storage/repo/key_slots.h"

#include <algorithm>
#include <ctime>

#include "storage/blob/fault_blob_store.h"
#include "storage/keys/key_file.h"
#include "storage/repo/core.h"
#include "storage/repo/format.h"
#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

using keys::Grant;
const PasswordCost cheap{1, 8192};

class KeySlotsTest : public MemoryRepository {
 protected:
  KeySlots slots(BlobStore& store) { return {store, clock, *random, repository->core()->keys}; }
  KeySlots slots() { return slots(blobs); }
  static Secret text(std::string_view value) { return Secret(value); }
  Result<Keyring> try_key(std::string_view value) { return open_keyring(blobs, text(value)); }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const auto& line : slots().list().take()) out.push_back(line.slot.name);
    return out;
  }
};

TEST_F(KeySlotsTest, PassphrasesAndKeyFilesOpenUntilTheyAreRemoved) {
  auto file = keys::write_key_file(Secret(ByteView(Buffer(32, 9))));
  ASSERT_TRUE(slots().add("second", Grant::read_and_write, text("another passphrase"), cheap).ok());
  ASSERT_TRUE(slots().add("machine", Grant::read_and_write, file, cheap).ok());
  EXPECT_EQ(names(), (std::vector<std::string>{"first", "machine", "second"}));
  EXPECT_TRUE(try_key("another passphrase")->may_read());
  EXPECT_TRUE(open_keyring(blobs, file)->may_read());
  ASSERT_TRUE(slots().remove("second").ok());
  EXPECT_EQ(try_key("another passphrase").error().exit_code(), ExitCode::wrong_key);
  EXPECT_TRUE(open_keyring(blobs, file).ok());
  EXPECT_TRUE(verify().clean());
}

TEST_F(KeySlotsTest, OnlyTheSlotThatWasOpenedIsInUse) {
  ASSERT_TRUE(slots().add("second", Grant::write, text("another passphrase"), cheap).ok());
  auto lines = slots().list().take();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[0].in_use);
  EXPECT_FALSE(lines[1].in_use);
  EXPECT_EQ(lines[1].slot.grant, Grant::write);
}

TEST_F(KeySlotsTest, NamesAreTakenOnceAndUnknownOnesAreSuggested) {
  EXPECT_EQ(slots().add("first", Grant::write, text("pass"), cheap).error().kind(),
            ErrorKind::conflict);
  EXPECT_EQ(slots().add("No Name", Grant::write, text("pass"), cheap).error().kind(),
            ErrorKind::invalid);
  EXPECT_EQ(slots().add("empty", Grant::write, text(""), cheap).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(slots().remove("fist").error().hint(), "did you mean first?");
}

TEST_F(KeySlotsTest, TheLastSlotThatReadsIsNeverRemoved) {
  ASSERT_TRUE(slots().add("writer", Grant::write, text("write only"), cheap).ok());
  ASSERT_TRUE(slots().add_kit("kit", 2, 3).ok());
  auto removed = slots().remove("first");
  EXPECT_EQ(removed.error().exit_code(), ExitCode::refused) << "a kit alone is not enough";
  EXPECT_TRUE(slots().remove("writer").ok());
  EXPECT_TRUE(slots().remove("kit").ok());
  EXPECT_FALSE(slots().remove("first").ok());
  EXPECT_TRUE(try_key("correct horse battery staple").ok());
}

// The payload of a write slot ends before the private key would: its size shows it, and so does
// every byte of it once opened.
TEST_F(KeySlotsTest, AWriteSlotDoesNotHoldThePrivateKey) {
  ASSERT_TRUE(slots().add("writer", Grant::write, text("write only"), cheap).ok());
  const auto& owner = repository->core()->keys;
  keys::PassphraseOpener opener(text("write only"));
  std::size_t looked_at = 0;
  for (const auto& line : slots().list().take()) {
    if (line.slot.grant != Grant::write) continue;
    auto payload = keys::open_slot(line.slot, *opener.base_of(line.slot).take()).take();
    EXPECT_EQ(payload.reveal().find(owner.private_key.reveal()), std::string::npos);
    EXPECT_NE(payload.reveal().find(owner.write_key.reveal()), std::string::npos);
    EXPECT_EQ(payload.size(), 32u + 4 * 32u + 1u);
    ++looked_at;
  }
  EXPECT_EQ(looked_at, 1u);
  EXPECT_FALSE(try_key("write only")->may_read());
}

TEST_F(KeySlotsTest, AWriteKeyNeitherGrantsNorRemoves) {
  ASSERT_TRUE(slots().add("writer", Grant::write, text("write only"), cheap).ok());
  auto ring = try_key("write only").take();
  KeySlots writers(blobs, clock, *random, ring);
  for (auto grant : {Grant::write, Grant::read_and_write}) {
    EXPECT_EQ(writers.add("more", grant, text("pass"), cheap).error().exit_code(),
              ExitCode::wrong_key);
  }
  EXPECT_FALSE(writers.remove("writer").ok());
  EXPECT_FALSE(writers.rotate("writer", text("pass"), cheap).ok());
  EXPECT_FALSE(writers.add_kit("kit", 1, 1).ok());
  EXPECT_EQ(names(), (std::vector<std::string>{"first", "writer"}));
}

TEST_F(KeySlotsTest, RotatingKeepsNameAndGrant) {
  ASSERT_TRUE(slots().add("writer", Grant::write, text("write only"), cheap).ok());
  ASSERT_TRUE(slots().rotate("writer", text("fresh"), cheap).ok());
  ASSERT_TRUE(slots().rotate("first", text("fresh too"), cheap).ok());
  EXPECT_EQ(names(), (std::vector<std::string>{"first", "writer"}));
  EXPECT_FALSE(try_key("write only").ok());
  EXPECT_FALSE(try_key("correct horse battery staple").ok());
  EXPECT_FALSE(try_key("fresh")->may_read());
  EXPECT_TRUE(try_key("fresh too")->may_read());
}

TEST_F(KeySlotsTest, AKitOpensWithEnoughShares) {
  auto shares = slots().add_kit("kit", 3, 5).take();
  shares.erase(shares.begin() + 1, shares.begin() + 3);
  keys::ShareOpener opener(std::move(shares));
  EXPECT_TRUE(open_keyring(blobs, opener)->may_read());
  EXPECT_EQ(slots().rotate("kit", text("pass"), cheap).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(slots().add_kit("other", 4, 3).error().kind(), ErrorKind::invalid);
}

TEST_F(KeySlotsTest, ADamagedSlotIsListedRemovedByItsIdAndKeepsOthersOpen) {
  ASSERT_TRUE(slots().add("second", Grant::read_and_write, text("another"), cheap).ok());
  for (const auto& line : slots().list().take()) {
    if (line.slot.name != "first") continue;
    auto bytes = blobs.get(slot_key(line.slot.id)).take();
    bytes[10] ^= 1;
    blobs.tamper(slot_key(line.slot.id), bytes);
  }
  EXPECT_TRUE(try_key("another").ok());
  EXPECT_EQ(try_key("wrong").error().exit_code(), ExitCode::damaged);
  auto lines = slots().list().take();
  ASSERT_EQ(lines.size(), 2u);
  ASSERT_FALSE(lines[0].problem.empty());
  EXPECT_FALSE(slots().remove("second").ok()) << "a damaged slot does not count";
  EXPECT_TRUE(slots().remove(lines[0].slot.id).ok());
  EXPECT_EQ(names(), (std::vector<std::string>{"second"}));
}

// A slot that some other host removed while this one was at it must not leave nothing behind.
TEST_F(KeySlotsTest, TwoHostsThatRemoveTheLastTwoSlotsLeaveOne) {
  ASSERT_TRUE(slots().add("second", Grant::read_and_write, text("another"), cheap).ok());
  auto second_id = slots().list().take()[1].slot.id;
  FaultPlan plan{.nth = ~0ull, .only = BlobCall::remove};
  plan.before = [&](const std::string&) { ASSERT_TRUE(blobs.remove(slot_key(second_id)).ok()); };
  FaultBlobStore raced(blobs, plan);
  EXPECT_EQ(slots(raced).remove("first").error().exit_code(), ExitCode::refused);
  EXPECT_EQ(names(), (std::vector<std::string>{"first"}));
  EXPECT_TRUE(try_key("correct horse battery staple").ok());
}

// At every call of the store a rotation may end, by a failure or by a crash that forgets what was
// not made durable: one of the two keys opens, and doing it again succeeds.
TEST_F(KeySlotsTest, ARotationThatEndsAnywhereLeavesTheRepositoryOpenable) {
  for (auto fault :
       {BlobFault::fail, BlobFault::full, BlobFault::timed_out, BlobFault::timed_out_applied}) {
    for (std::uint64_t nth = 0;; ++nth) {
      ASSERT_LT(nth, 100u);
      MemoryBlobStore store;
      ASSERT_TRUE(init_repository(store, clock, *random, key, cheap_keys).ok());
      auto ring = open_keyring(store, key).take();
      FaultBlobStore faulty(store, {.nth = nth, .fault = fault, .lasting = true});
      auto rotated = KeySlots(faulty, clock, *random, ring).rotate("first", text("fresh"), cheap);
      EXPECT_TRUE(rotated.ok() || rotated.error().kind() != ErrorKind::internal);
      store.crash();
      bool fresh = open_keyring(store, text("fresh")).ok(), old = open_keyring(store, key).ok();
      EXPECT_TRUE(fresh || old) << static_cast<int>(fault) << " " << nth;
      EXPECT_TRUE(!rotated.ok() || (fresh && !old));
      KeySlots again(store, clock, *random, ring);
      ASSERT_TRUE(again.rotate("first", text("fresher"), cheap).ok());
      EXPECT_TRUE(open_keyring(store, text("fresher"))->may_read());
      EXPECT_EQ(again.list().take().size(), 1u);
      if (!faulty.fired()) break;
    }
  }
}

TEST_F(KeySlotsTest, AWrongPassphraseCostsOneStretchingHoweverManySlots) {
  MemoryBlobStore store;
  ASSERT_TRUE(init_repository(store, clock, *random, key, {3, 16ull << 20}).ok());
  auto cpu_of_wrong_key = [&] {
    auto before = std::clock();
    EXPECT_EQ(open_keyring(store, text("wrong")).error().exit_code(), ExitCode::wrong_key);
    return static_cast<double>(std::clock() - before);
  };
  auto one = cpu_of_wrong_key();
  auto ring = open_keyring(store, key).take();
  KeySlots many(store, clock, *random, ring);
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(
        many.add(cat("slot-", i), Grant::write, text(cat("passphrase ", i)), {3, 16ull << 20})
            .ok());
  }
  EXPECT_LT(cpu_of_wrong_key(), 3 * one);
}

}  // namespace
}  // namespace lb::repo
