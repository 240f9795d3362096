#include <gtest/gtest.h>

#include <filesystem>

#include "foundation/sys/random.h"
#include "recovery/check/checks_fixture.h"
#include "recovery/check/encrypted_look.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/temp_dir.h"

namespace lb::check {
namespace {

using record::CheckState;

Buffer noise(std::size_t size, std::uint64_t seed = 1) { return seeded_random(seed)->bytes(size); }
std::string as_text(const Buffer& bytes) { return std::string(text_of(bytes)); }

std::string prose(std::size_t size) {
  std::string out;
  for (int line = 0; out.size() < size; ++line)
    out += cat("Line ", line, " of a letter that anybody can read.\n");
  return out.substr(0, size);
}

std::string base64(const Buffer& bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i + 2 < bytes.size(); i += 3) {
    auto three = static_cast<unsigned>(bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2]);
    for (int shift : {18, 12, 6, 0}) out += digits[(three >> shift) & 63];
  }
  return out;
}

TEST(EncryptedLook, NoiseIsToldFromTextAndFromKnownFormats) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    EXPECT_TRUE(looks_like_noise(noise(4096, seed))) << seed;
    for (auto size : std::vector<std::size_t>{64, 128, 200, 256, 300, 512, 1000, 4095})
      EXPECT_TRUE(bytes_look_encrypted(noise(size, seed))) << size << " of " << seed;
  }
  EXPECT_FALSE(looks_like_noise(view_of(prose(4096))));
  EXPECT_FALSE(looks_like_noise(noise(4095))) << "too little to say";
  EXPECT_FALSE(bytes_look_encrypted(view_of(prose(300))));
  EXPECT_FALSE(bytes_look_encrypted(Buffer(4096, 0)));
  auto zip = noise(4096);
  std::copy_n("PK\x03\x04", 4, zip.begin());
  EXPECT_EQ(known_format(zip), "zip");
  EXPECT_FALSE(bytes_look_encrypted(zip)) << "compressed anyway";
  EXPECT_EQ(known_format(noise(4096)), "");
}

TEST(EncryptedLook, APictureThatIsNoPictureAnyMore) {
  EXPECT_TRUE(lost_its_format("a/holiday.JPG", noise(200)));
  EXPECT_FALSE(lost_its_format("a/holiday.dat", noise(200))) << "nothing is known of that name";
  EXPECT_FALSE(lost_its_format("a/holiday.jpg", view_of(prose(200)))) << "no cipher leaves text";
  auto jpeg = noise(200);
  std::copy_n("\xff\xd8\xff", 3, jpeg.begin());
  EXPECT_FALSE(lost_its_format("a/holiday.jpg", jpeg));
}

TEST(EncryptedLook, ValuesOfADatabase) {
  int long_ones = 0, blocks = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    long_ones += text_looks_encrypted(base64(noise(48, seed))) ? 1 : 0;
    blocks += text_looks_encrypted(base64(noise(18, seed))) ? 1 : 0;
    EXPECT_TRUE(text_looks_encrypted(to_hex(noise(32, seed)))) << to_hex(noise(32, seed));
  }
  EXPECT_GE(long_ones, 195);
  EXPECT_GE(blocks, 150) << "of one block, most";
  for (const char* plain :
       {"", "Ada Lovelace", "550e8400-e29b-41d4-a716-446655440000", "ada.lovelace@example.com",
        "A sentence of more than twenty-four signs.", "00000000000000000000000000000000",
        "CustomerAccountReport2026Final", "pictures/holiday/2026/beach.jpg",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaA1", "12345678901234567890123456789012"})
    EXPECT_FALSE(text_looks_encrypted(plain)) << plain;
}

class EntropyOfFiles : public testing::Test {
 protected:
  EntropyOfFiles() {
    CheckedStore store;
    store.name = "media";
    store.folder = folder.path();
    bench.context.stores.push_back(std::move(store));
    for (int i = 0; i < 20; ++i) put(cat("docs/letter", i, ".txt"), prose(20'000));
  }
  void put(const std::string& name, const std::string& content) {
    test::write_text(folder / name, content);
  }
  record::CheckResult check(std::vector<std::string> of = {}, std::optional<double> rise = {}) {
    return bench.run_what(plan::CheckEntropy{of, of.empty(), rise});
  }

  test::TempDir folder;
  CheckBench bench;
};

TEST_F(EntropyOfFiles, PassesWhatCanBeRead) {
  auto picture = noise(9000);
  std::copy_n("\xff\xd8\xff", 3, picture.begin());
  for (int i = 0; i < 20; ++i) put(cat("pictures/p", i, ".jpg"), as_text(picture));
  put("tiny", "x");
  auto result = check();
  EXPECT_EQ(result.state, CheckState::pass) << all_text(result);
  EXPECT_EQ(result.examined, 40u) << "of a file of one byte nothing can be said";
  EXPECT_EQ(result.kind, "entropy");
  EXPECT_EQ(result.store, "media");
}

TEST_F(EntropyOfFiles, FailsAndNamesWhatLooksEncrypted) {
  for (int i = 0; i < 2; ++i) put(cat("docs/letter", i, ".txt"), as_text(noise(20'000)));
  EXPECT_EQ(check().state, CheckState::pass) << "a tenth may";
  put("docs/letter2.txt", as_text(noise(20'000)));
  auto result = check();
  EXPECT_EQ(result.state, CheckState::fail);
  EXPECT_EQ(result.got, "media: 3 of 20 files (15.0 %)");
  EXPECT_EQ(result.reason, "15.0 % of media looks encrypted, at most 10.0 % may");
  EXPECT_NE(all_text(result).find("media/docs/letter2.txt looks encrypted"), std::string::npos);
  EXPECT_EQ(check({}, 0.2).state, CheckState::pass);
  EXPECT_EQ(check({"docs"}).state, CheckState::fail);
  put("other/note.txt", prose(100));
  EXPECT_EQ(check({"other"}).state, CheckState::pass) << "a folder by itself";
  EXPECT_EQ(check({"media"}).state, CheckState::fail) << "the store by its name";
  EXPECT_EQ(check({"nowhere"}).state, CheckState::error);
}

TEST_F(EntropyOfFiles, ABeginningThatWasLeftReadableHidesNothing) {
  for (int i = 0; i < 5; ++i)
    put(cat("docs/letter", i, ".txt"), prose(8192) + as_text(noise(40'000)));
  EXPECT_EQ(check().state, CheckState::fail);
}

TEST_F(EntropyOfFiles, NothingExaminedIsNoPass) {
  std::filesystem::remove_all(folder / "docs");
  auto result = check();
  EXPECT_EQ(result.state, CheckState::fail);
  EXPECT_EQ(result.reason, "nothing of media could be examined");
}

class EntropyOfDatabase : public PostgresTest {};

TEST_F(EntropyOfDatabase, TellsEncryptedValuesFromOthers) {
  CopyBench bench;
  bench.sql("CREATE TABLE people (id int, name text, photo bytea)");
  bench.sql(
      "INSERT INTO people SELECT n, 'person number ' || n,"
      " convert_to(repeat('a readable thing ' || n, 5), 'UTF8') FROM generate_series(1, 500) n");
  auto check = [&] { return bench.run_what(plan::CheckEntropy{{}, true, {}}); };
  auto good = check();
  EXPECT_EQ(good.state, CheckState::pass) << all_text(good);
  EXPECT_EQ(good.examined, 1000u);
  EXPECT_EQ(good.store, "db");
  bench.sql(
      "UPDATE people SET name = encode(sha256(convert_to(name, 'UTF8'))"
      " || sha256(convert_to(id::text, 'UTF8')), 'base64') WHERE id <= 300");
  auto bad = check();
  EXPECT_EQ(bad.state, CheckState::fail) << all_text(bad);
  EXPECT_NE(all_text(bad).find("public.people.name: 300 of 500 values look encrypted"),
            std::string::npos)
      << all_text(bad);
  bench.sql("UPDATE people SET name = '', photo = NULL");
  EXPECT_EQ(check().state, CheckState::fail) << "nothing was examined";
}

TEST_F(EntropyOfDatabase, LargeTablesAreSampled) {
  CopyBench bench;
  bench.sql(
      "CREATE TABLE big AS SELECT 'a plain word ' || n AS w FROM generate_series(1, 60000) n");
  bench.sql("ANALYZE big");
  auto result = bench.run_what(plan::CheckEntropy{{"db"}, false, {}});
  EXPECT_EQ(result.state, CheckState::pass) << all_text(result);
  EXPECT_GT(result.examined, 100u);
  EXPECT_LE(result.examined, 3000u);
}

}  // namespace
}  // namespace lb::check
