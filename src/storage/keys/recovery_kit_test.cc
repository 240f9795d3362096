#include "storage/keys/recovery_kit.h"

#include <gtest/gtest.h>

#include <random>

#include "foundation/base/text.h"
#include "storage/keys/slot_opener.h"

namespace lb::keys {
namespace {

Secret fresh(unsigned seed, unsigned need) {
  std::mt19937_64 chance(seed);
  Buffer bytes(need * 32);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(chance());
  return Secret{ByteView(bytes)};
}

struct Kit {
  Slot slot;
  std::vector<KitShare> shares;
};

Kit some_kit(char id, unsigned need = 3, unsigned count = 5) {
  Kit kit;
  kit.slot.id = std::string(32, id);
  kit.slot.repository = std::string(32, '7');
  kit.slot.kind = kind::shares;
  kit.slot.name = "kit";
  kit.shares = make_kit(kit.slot, need, count, fresh(static_cast<unsigned>(id), need),
                        Secret{std::string_view("payload")});
  return kit;
}

// As from files: what a person would bring.
std::vector<KitShare> bring(const Kit& kit, std::vector<std::size_t> which) {
  std::vector<KitShare> out;
  for (auto i : which) {
    out.push_back(
        read_share(write_share(kit.shares[i], "memory"), cat("share-", i + 1, ".txt")).take());
  }
  return out;
}

Result<std::string> open_with(const Kit& kit, std::vector<KitShare> shares) {
  auto slot = LB_TRY(read_slot(kit.slot.id, write_slot(kit.slot)));
  ShareOpener opener(std::move(shares));
  auto base = LB_TRY(opener.base_of(slot));
  if (!base) return Error(ErrorKind::not_found, "not for this slot");
  auto payload = LB_TRY(open_slot(slot, *base));
  return std::string(payload.reveal());
}

TEST(RecoveryKit, AnySharesThatSufficeOpenTheSlot) {
  auto kit = some_kit('a');
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      for (std::size_t k = 0; k < j; ++k) {
        EXPECT_EQ(open_with(kit, bring(kit, {i, k, j})).value(), "payload");
      }
    }
  }
  EXPECT_EQ(open_with(kit, bring(kit, {0, 1, 2, 3, 4})).value(), "payload");
  auto all_needed = some_kit('b', 4, 4);
  EXPECT_EQ(open_with(all_needed, bring(all_needed, {3, 2, 1, 0})).value(), "payload");
  EXPECT_FALSE(open_with(all_needed, bring(all_needed, {3, 2, 1})).ok());
}

TEST(RecoveryKit, TooFewRepeatedAndMixedSharesAreNamed) {
  auto kit = some_kit('a'), other = some_kit('b');
  auto few = open_with(kit, bring(kit, {0, 4}));
  EXPECT_EQ(few.error().text(), "2 of the 3 shares that are needed were given");
  EXPECT_EQ(few.error().exit_code(), ExitCode::wrong_key);
  auto twice = open_with(kit, bring(kit, {0, 1, 1}));
  EXPECT_EQ(twice.error().text(), "share-2.txt and share-2.txt are the same share, number 2");
  auto mixed = bring(kit, {0, 1});
  mixed.push_back(std::move(bring(other, {2}).front()));
  mixed.back().source = "found-in-a-drawer.txt";
  EXPECT_NE(check_one_kit(mixed).error().text().find("found-in-a-drawer.txt is a share of another"),
            std::string::npos);
  EXPECT_EQ(open_with(kit, bring(other, {0, 1, 2})).error().kind(), ErrorKind::not_found);
}

// Well-formed in itself, as a forger would write it: the slot knows better.
TEST(RecoveryKit, AForgedShareIsNamed) {
  auto kit = some_kit('a');
  auto shares = bring(kit, {0, 1, 2});
  shares[1].share.value.bytes()[7] ^= 1;
  shares[1] = read_share(write_share(shares[1], "memory"), "two.txt").take();
  auto opened = open_with(kit, std::move(shares));
  EXPECT_EQ(opened.error().text(), "two.txt (share 2) is not what the kit was made with");
}

TEST(RecoveryKit, EveryMistypedCharacterOfAShareIsFound) {
  auto kit = some_kit('a');
  auto page = std::string(write_share(kit.shares[1], "memory").reveal());
  auto start = page.find("repository ", page.find("\n\n"));
  for (std::size_t i = start; i < page.size(); ++i) {
    if (page[i] == ' ' || page[i] == '\n') continue;
    auto typed = page;
    typed[i] = typed[i] == '3' ? '4' : '3';
    auto read = read_share(Secret{std::string_view(typed)}, "s.txt");
    ASSERT_FALSE(read.ok()) << typed.substr(start);
    EXPECT_EQ(read.error().exit_code(), ExitCode::wrong_key);
    EXPECT_TRUE(read.error().text().starts_with("share s.txt: line")) << read.error().text();
  }
}

TEST(RecoveryKit, SharesMayBeTypedWithoutTheExplanationInAnyCase) {
  auto kit = some_kit('a');
  auto page = std::string(write_share(kit.shares[4], "memory").reveal());
  auto typed = page.substr(page.find("repository ", page.find("\n\n")));
  for (auto& c : typed) c = static_cast<char>(std::toupper(c));
  typed = replace_all(typed, " OF ", " of ");
  typed = replace_all(typed, " NEED ", " need ");
  auto read = read_share(Secret{std::string_view(typed)}, "typed.txt");
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_TRUE(equal_constant_time(read->share.value.bytes(), kit.shares[4].share.value.bytes()));
}

TEST(RecoveryKit, ThePageSaysWhatItIsFor) {
  auto kit = some_kit('a');
  auto page = std::string(write_share(kit.shares[1], "memory").reveal());
  for (const char* part : {"share 2 of 5", "Any 3 of these 5", "lifeboat key recover",
                           "repository 7777 7777 7777 7777 7777 7777 7777 7777"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace lb::keys
