// Tables that are read through a mapping of the file.
#include <gtest/gtest.h>

#include "foundation/sys/test_folder.h"
#include "storage/index/test_tables.h"

namespace lb::index {
namespace {

class MappedTableTest : public testing::Test {
 protected:
  MappedTableTest() {
    auto out = TableWriter::create(*files, path, seal, {1}, chunks.size()).take();
    for (const auto& name : {"p/a/00000000", "p/a/00000001"}) {
      EXPECT_TRUE(out.add_pack({name, 77, {}}).ok());
    }
    for (const auto& [id, place] : chunks) EXPECT_TRUE(out.add({id, pack(place)}).ok());
    EXPECT_TRUE(out.finish().ok());
    table = Table::open(*files, path, seal, 0).take();
    file = files->open_write(path).take();
  }
  void expect_all() {
    for (const auto& [id, place] : chunks) {
      auto found = table->find(id);
      ASSERT_TRUE(found.ok() && found->has_value());
      EXPECT_EQ(**found, place);
    }
    EXPECT_FALSE(table->find(Id{})->has_value());
  }
  void expect_none() {
    for (const auto& [id, place] : chunks) {
      EXPECT_EQ(table->find(id).error().kind(), ErrorKind::corrupt);
    }
  }

  TestFolder folder;
  const std::string path = folder / "t";
  const std::unique_ptr<Files> files = real_files();
  const SharedSeal seal = test_seal();
  const std::map<Id, Place> chunks = some_chunks(1, 3000);
  std::shared_ptr<Table> table;
  std::unique_ptr<File> file;
};

TEST_F(MappedTableTest, FindsWhatIsInItAlsoOnceItsFileIsRemoved) {
  expect_all();
  table->discard();
  expect_all();
  EXPECT_EQ(table->pack(1)->name, "p/a/00000001");
}

TEST_F(MappedTableTest, NeverBelievesAPageThatWasDamagedSince) {
  expect_all();
  Buffer byte(1);
  for (auto at = page_bytes + 100; at < table->file_bytes(); at += page_bytes) {
    ASSERT_EQ(file->read_at(byte, at).take(), 1u);
    byte[0] ^= 4;
    ASSERT_TRUE(file->write_at(byte, at).ok());
  }
  expect_none();
}

TEST_F(MappedTableTest, SaysThatItWasCutOffSince) {
  ASSERT_TRUE(file->truncate(page_bytes).ok());
  expect_none();
}

}  // namespace
}  // namespace lb::index
