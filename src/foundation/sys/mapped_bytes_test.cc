#include "foundation/sys/mapped_bytes.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <vector>

#include "foundation/sys/files.h"
#include "foundation/sys/test_folder.h"

namespace lb {
namespace {

constexpr std::size_t size = 1 << 20;

class MappedBytesTest : public testing::Test {
 protected:
  MappedBytesTest() {
    std::ofstream(folder / "file") << std::string(size, 'x');
    file = files->open_write(folder / "file").take();
  }
  bool all_are(ByteView bytes, std::uint8_t value) {
    return std::all_of(bytes.begin(), bytes.end(), [&](auto byte) { return byte == value; });
  }

  TestFolder folder;
  const std::unique_ptr<Files> files = real_files();
  std::unique_ptr<File> file;
};

TEST_F(MappedBytesTest, ShowTheFileAlsoOnceItIsClosedAndRemoved) {
  auto mapped = file->map();
  ASSERT_NE(mapped, nullptr);
  file.reset();
  ASSERT_TRUE(files->remove(folder / "file").ok());
  EXPECT_EQ(mapped->view().size(), size);
  EXPECT_TRUE(all_are(mapped->view(), 'x'));
}

TEST_F(MappedBytesTest, AreZerosWhereTheFileWasCutOff) {
  auto mapped = file->map(), other = file->map();
  ASSERT_TRUE(mapped && other);
  ASSERT_TRUE(file->truncate(size / 2).ok());
  EXPECT_TRUE(all_are(mapped->view().first(size / 2), 'x'));
  EXPECT_TRUE(all_are(mapped->view().subspan(size / 2), 0));
  mapped.reset();
  EXPECT_TRUE(all_are(other->view().subspan(size / 2), 0));
}

TEST_F(MappedBytesTest, AreNoneOfAnEmptyFileAndOfTooMany) {
  std::vector<std::unique_ptr<MappedBytes>> many;
  while (auto mapped = file->map()) many.push_back(std::move(mapped));
  EXPECT_EQ(many.size(), 64u);
  many.pop_back();
  EXPECT_NE(file->map(), nullptr);
  ASSERT_TRUE(file->truncate(0).ok());
  EXPECT_EQ(file->map(), nullptr);
}

// By the signal, or by what a sanitizer does then.
bool is_an_end(int status) { return !WIFEXITED(status) || WEXITSTATUS(status) != 0; }

// Faults that are none of a mapping of ours end the process as they did.
TEST_F(MappedBytesTest, LeaveOtherFaultsAlone) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  auto mapped = file->map();
  ASSERT_NE(mapped, nullptr);
  EXPECT_EXIT(std::raise(SIGBUS), is_an_end, "");
  EXPECT_EXIT(
      {
        auto* stream = std::fopen((folder / "file").c_str(), "r");
        void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, ::fileno(stream), 0);
        (void)file->truncate(0).ok();
        (void)static_cast<volatile const char*>(at)[0];
        std::exit(0);
      },
      is_an_end, "");
}

}  // namespace
}  // namespace lb
