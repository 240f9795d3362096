#include "storage/index/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "foundation/base/text.h"
#include "foundation/sys/sim_files.h"
#include "storage/index/test_tables.h"

namespace lb::index {
namespace {

TEST(Place, PacksAndUnpacksItsLargestNumbers) {
  Place largest{packs_max - 1, 0xFFFF, (1u << 27) - 1, 1u << 20, (1u << 19) - 1, 1u << 18};
  for (const auto& place : {largest, Place{0, 0, 0, 1, 0, 1}, Place{7, 3, 8, 100, 20, 30}}) {
    ASSERT_TRUE(packable(place));
    EXPECT_EQ(unpack(pack(place)), place);
    EXPECT_EQ(pack(place).chunk >> 61, 0u);
    EXPECT_EQ(pack(place).frame >> 63, 0u);
  }
}

TEST(Place, RefusesWhatDoesNotFit) {
  Place good{1, 1, 1, 1, 1, 1};
  using Change = void (*)(Place&);
  for (Change change : std::initializer_list<Change>{
           [](Place& place) { place.pack = packs_max; },
           [](Place& place) { place.frame = 1 << 16; },
           [](Place& place) { place.frame_offset = 1 << 27; },
           [](Place& place) { place.frame_size = (1 << 20) + 1; },
           [](Place& place) { place.frame_size = 0; }, [](Place& place) { place.offset = 1 << 19; },
           [](Place& place) { place.length = (1 << 18) + 1; },
           [](Place& place) { place.length = 0; }}) {
    auto place = good;
    change(place);
    EXPECT_FALSE(packable(place));
  }
}

class TableTest : public testing::Test {
 protected:
  std::shared_ptr<Table> write(const std::map<Id, Place>& chunks, std::uint64_t expected) {
    auto out = TableWriter::create(files, "/t", seal, {1}, expected).take();
    for (const auto& name : {"p/a/00000000", "p/a/00000001"}) {
      EXPECT_TRUE(out.add_pack({name, 77, {}}).ok());
    }
    EXPECT_TRUE(out.add_source("x/a.00000000").ok());
    for (const auto& [id, place] : chunks) EXPECT_TRUE(out.add({id, pack(place)}).ok());
    EXPECT_TRUE(out.finish().ok());
    return Table::open(files, "/t", seal).take();
  }
  void expect_all(const Table& table, const std::map<Id, Place>& chunks) {
    for (const auto& [id, place] : chunks) {
      auto found = table.find(id);
      ASSERT_TRUE(found.ok() && found->has_value());
      EXPECT_EQ(**found, place);
      auto other = id;
      other[15] ^= 1;
      EXPECT_EQ(table.find(other)->has_value(), chunks.contains(other));
    }
  }

  SimFiles files;
  SharedSeal seal = test_seal();
};

TEST_F(TableTest, FindsWhatIsInItAndNothingElse) {
  for (std::size_t count : {0u, 1u, 2u, 24u, 30u, 31u, 32u, 2000u}) {
    auto chunks = some_chunks(count, count);
    for (std::uint64_t expected : {std::uint64_t{0}, std::uint64_t{count}, std::uint64_t{3000}}) {
      auto table = write(chunks, expected);
      EXPECT_EQ(table->entries(), count);
      EXPECT_EQ(table->packs(), 2u);
      expect_all(*table, chunks);
      EXPECT_FALSE(table->find(Id{})->has_value());
      Id last;
      last.fill(0xFF);
      EXPECT_FALSE(table->find(last)->has_value());
      ASSERT_TRUE(files.remove("/t").ok());
    }
  }
}

// Ids of one home, far more than a page holds, with others around them.
TEST_F(TableTest, FindsIdsThatCrowdOnePage) {
  auto chunks = some_chunks(3, 2000);
  auto crowd = some_chunks(4, 1000);
  for (const auto& [random_id, place] : crowd) {
    auto id = random_id;
    id[0] = 0x80;
    id[1] = 0;
    chunks[id] = place;
  }
  Id last;
  last.fill(0xFF);
  chunks[last] = Place{1, 1, 1, 1, 1, 1};
  auto table = write(chunks, chunks.size());
  expect_all(*table, chunks);
}

TEST_F(TableTest, ReadsPacksSourcesAndEntriesFromFrontToBack) {
  auto chunks = some_chunks(5, 3000);
  auto table = write(chunks, 3000);
  TableReader reader(table);
  Pack next_pack;
  std::vector<std::string> names;
  while (reader.next(next_pack).take()) names.push_back(next_pack.name);
  EXPECT_EQ(names, (std::vector<std::string>{"p/a/00000000", "p/a/00000001"}));
  EXPECT_EQ(table->pack(1)->name, "p/a/00000001");
  EXPECT_EQ(table->pack(1)->bytes, 77u);
  Entry entry;
  std::map<Id, Place> read;
  while (reader.next(entry).take()) read[entry.id] = unpack(entry.place);
  EXPECT_EQ(read, chunks);
  TableReader entries_alone(table);
  EXPECT_TRUE(entries_alone.next(entry).take());
  EXPECT_EQ(entry.id, chunks.begin()->first);
  std::vector<std::string> sources;
  ASSERT_TRUE(table
                  ->each_source([&](std::string name) {
                    sources.push_back(std::move(name));
                    return Status();
                  })
                  .ok());
  EXPECT_EQ(sources, (std::vector<std::string>{"x/a.00000000"}));
}

TEST_F(TableTest, BelongsToOneOwnerAndOneKey) {
  write(some_chunks(1, 10), 10);
  auto other_owner = std::make_shared<const Seal>(Seal{Hmac(Buffer(32, 1)), "another"});
  auto other_key = std::make_shared<const Seal>(Seal{Hmac(Buffer(32, 2)), seal->owner});
  EXPECT_EQ(Table::open(files, "/t", other_owner).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(Table::open(files, "/t", other_key).error().kind(), ErrorKind::corrupt);
}

// Every byte of the file, one after another: what is found is right, or the damage is noticed.
TEST_F(TableTest, NeverBelievesADamagedByte) {
  auto chunks = some_chunks(1, 300);
  auto size = write(chunks, 300)->file_bytes();
  auto whole = read_file(files, "/t", size).take();
  std::size_t noticed = 0, tries = 0;
  for (std::size_t at = 0; at < whole.size(); at += 1 + at % 251) {
    auto bytes = whole;
    bytes[at] ^= 0x10;
    ASSERT_TRUE(write_durably(files, "/t", bytes).ok());
    ++tries;
    auto table = Table::open(files, "/t", seal);
    if (!table.ok()) {
      EXPECT_EQ(table.error().kind(), ErrorKind::corrupt);
      ++noticed;
      continue;
    }
    bool bad = !(*table)->pack(0).ok();
    bad = !(*table)->each_source([](const std::string&) { return Status(); }).ok() || bad;
    for (const auto& [id, place] : chunks) {
      auto found = (*table)->find(id);
      bad = !found.ok() || bad;
      ASSERT_TRUE(!found.ok() || **found == place);
    }
    noticed += bad ? 1 : 0;
  }
  EXPECT_EQ(noticed, tries);
}

// A disk may give a page back in another state than at the first look-up.
TEST_F(TableTest, NeverBelievesAPageThatWasDamagedSince) {
  auto chunks = some_chunks(1, 1000);
  auto table = write(chunks, 1000);
  expect_all(*table, chunks);
  auto file = files.open_write("/t").take();
  Buffer byte(1);
  for (auto at = 3 * page_bytes + 100; at < table->file_bytes(); at += page_bytes) {
    ASSERT_EQ(file->read_at(byte, at).take(), 1u);
    byte[0] ^= 4;
    ASSERT_TRUE(file->write_at(byte, at).ok());
  }
  for (const auto& [id, place] : chunks) {
    auto found = table->find(id);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().kind(), ErrorKind::corrupt);
  }
}

TEST_F(TableTest, NeverBelievesPagesThatWereMovedOrCutOff) {
  auto chunks = some_chunks(1, 1000);
  auto size = write(chunks, 1000)->file_bytes();
  auto whole = read_file(files, "/t", size).take();
  auto last = whole.end() - page_bytes;
  auto swapped = whole;
  std::swap_ranges(swapped.end() - page_bytes, swapped.end(), swapped.end() - 2 * page_bytes);
  ASSERT_TRUE(write_durably(files, "/t", swapped).ok());
  auto table = Table::open(files, "/t", seal).take();
  EXPECT_EQ(table->find(chunks.rbegin()->first).error().kind(), ErrorKind::corrupt);
  for (auto end : {last, whole.end() - 1, whole.begin() + 100, whole.begin()}) {
    ASSERT_TRUE(write_durably(files, "/t", Buffer(whole.begin(), end)).ok());
    EXPECT_EQ(Table::open(files, "/t", seal).error().kind(), ErrorKind::corrupt);
  }
}

// A page of another table of the same owner, at its own number.
TEST_F(TableTest, NeverBelievesAPageOfAnotherTable) {
  auto chunks = some_chunks(1, 300);
  auto size = write(chunks, 300)->file_bytes();
  auto old = read_file(files, "/t", size).take();
  ASSERT_TRUE(files.remove("/t").ok());
  auto out = TableWriter::create(files, "/t", seal, {2}, 300).take();
  ASSERT_TRUE(out.add_pack({"p/a/00000000", 77, {}}).ok());
  ASSERT_TRUE(out.add_source("x/a.00000000").ok());
  for (const auto& [id, place] : chunks) ASSERT_TRUE(out.add({id, pack(place)}).ok());
  ASSERT_TRUE(out.finish().ok());
  auto fresh = read_file(files, "/t", size).take();
  ASSERT_EQ(fresh.size(), old.size());
  std::copy(old.end() - page_bytes, old.end(), fresh.end() - page_bytes);
  ASSERT_TRUE(write_durably(files, "/t", fresh).ok());
  auto table = Table::open(files, "/t", seal).take();
  EXPECT_FALSE(table->find(chunks.rbegin()->first).ok());
}

TEST_F(TableTest, AFailureOfAnyCallIsReported) {
  auto chunks = some_chunks(1, 40'000);
  for (std::uint64_t nth = 0;; ++nth) {
    files.fail_call(nth);
    auto status = [&]() -> Status {
      auto out = LB_TRY(TableWriter::create(files, "/f", seal, {1}, 40'000));
      for (const auto& [id, place] : chunks) LB_TRY(out.add({id, pack(place)}));
      LB_TRY(out.finish());
      return Table::open(files, "/f", seal).status();
    }();
    bool fired = files.fault_fired();
    files.fail_call(std::uint64_t{1} << 40);
    if (!fired) {
      EXPECT_TRUE(status.ok()) << status.error().text();
      break;
    }
    EXPECT_FALSE(status.ok()) << nth;
    auto table = Table::open(files, "/f", seal);
    EXPECT_TRUE(!table.ok() || (*table)->find(chunks.begin()->first)->has_value()) << nth;
    (void)files.remove("/f").ok();
  }
}

}  // namespace
}  // namespace lb::index
