// What a second reading of a page decides, on a folder that gives other bytes each time.
#include "stores/postgres/page_judge.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lb::pg {
namespace {

constexpr Lsn start = 0x5000;

// A page as the server writes it.
Buffer page_of(std::uint32_t block, Lsn lsn, std::uint8_t fill) {
  Buffer page(page_bytes, fill);
  for (std::size_t i = 0; i < 8; ++i)
    page[i] = static_cast<std::uint8_t>((i < 4 ? lsn >> 32 : lsn) >> (8 * (i % 4)));
  const std::uint16_t sum = page_checksum(page, block);
  page[8] = static_cast<std::uint8_t>(sum);
  page[9] = static_cast<std::uint8_t>(sum >> 8);
  return page;
}

Buffer torn(Buffer page) {
  std::fill(page.begin() + 4096, page.end(), std::uint8_t{0});
  return page;
}

// One file; `now` is what the next reading meets.
class ChangingFolder final : public DataFolder {
 public:
  Result<std::vector<DataEntry>> list(const std::string&) override {
    return std::vector<DataEntry>();
  }
  Result<std::unique_ptr<DataFile>> open(const std::string& path) override {
    ++opened;
    if (failure) return Error(*failure, path);
    return std::unique_ptr<DataFile>(std::make_unique<OneFile>(now));
  }

  Buffer now;  // the whole file
  std::optional<ErrorKind> failure;
  int opened = 0;

 private:
  class OneFile final : public DataFile {
   public:
    explicit OneFile(Buffer bytes) : bytes_(std::move(bytes)) {}
    Status read(std::span<const DataRange> ranges, const Take& take) override {
      for (const DataRange& range : ranges) {
        const auto from = std::min<std::size_t>(range.offset, bytes_.size());
        const auto length = std::min<std::size_t>(range.length, bytes_.size() - from);
        LB_TRY(take(range, MutableBytes(bytes_).subspan(from, length)));
      }
      return {};
    }

   private:
    Buffer bytes_;
  };
};

class PageJudgeTest : public testing::Test {
 protected:
  // Judges `first` as block 3 of the second gigabyte, where blocks count by 131,072.
  void judge(const Buffer& first) {
    read = Buffer(2 * page_bytes, 0);
    std::copy(first.begin(), first.end(), read.begin() + page_bytes);
    ASSERT_TRUE(judge_.check(path, relation_file(path), 2 * page_bytes, read).ok());
  }
  Buffer judged() const { return {read.begin() + page_bytes, read.end()}; }
  // Pages 0 to 2 of the file are zeros.
  void file_has(const Buffer& page) {
    folder.now = Buffer(3 * page_bytes, 0);
    folder.now.insert(folder.now.end(), page.begin(), page.end());
  }

  static constexpr std::uint32_t block = 131072 + 3;
  const std::string path = "base/5/16384.1";
  ChangingFolder folder;
  Buffer read;

 private:
  PageJudge judge_{folder, start, 131072};

 protected:
  std::vector<std::string> bad() const { return judge_.bad_pages(); }
};

TEST_F(PageJudgeTest, AGoodPageIsNotReadAgain) {
  judge(page_of(block, start - 1, 7));
  EXPECT_EQ(folder.opened, 0);
  EXPECT_TRUE(bad().empty());
}

TEST_F(PageJudgeTest, AFailingPageThatIsGoodTheSecondTimeIsTakenAsItIsThen) {
  const auto whole = page_of(block, start - 1, 7);
  file_has(whole);
  judge(torn(whole));
  EXPECT_EQ(folder.opened, 1);
  EXPECT_TRUE(bad().empty());
  EXPECT_EQ(judged(), whole);
}

// Replay writes it anew from the log: either reading does.
TEST_F(PageJudgeTest, OneThatChangedSinceTheBackupBeganIsNeverDamaged) {
  judge(torn(page_of(block, start, 7)));
  EXPECT_EQ(folder.opened, 0) << "its position alone says so";
  file_has(page_of(block, start + 9, 7));
  judge(torn(page_of(block, start - 1, 8)));
  EXPECT_EQ(folder.opened, 1);
  file_has(torn(page_of(block, start + 9, 7)));
  judge(torn(page_of(block, start - 1, 8)));
  EXPECT_TRUE(bad().empty());
}

TEST_F(PageJudgeTest, AFileThatWentOrWasCutIsNotDamaged) {
  folder.failure = ErrorKind::not_found;
  judge(torn(page_of(block, start - 1, 7)));
  folder.failure.reset();
  folder.now = Buffer(3 * page_bytes, 0);
  judge(torn(page_of(block, start - 1, 7)));
  EXPECT_EQ(folder.opened, 2);
  EXPECT_TRUE(bad().empty());
}

TEST_F(PageJudgeTest, OneThatFailsTwiceIsNamedAndKeptAsItIs) {
  const auto spoiled = torn(page_of(block, start - 1, 7));
  file_has(spoiled);
  judge(spoiled);
  EXPECT_EQ(bad(), std::vector<std::string>{"base/5/16384.1 block 131075"});
  EXPECT_EQ(judged(), spoiled);
}

TEST_F(PageJudgeTest, WhatMayNotBeReadAgainIsSaidToBeSoAndNotTriedForEachPage) {
  folder.failure = ErrorKind::denied;
  for (int n = 0; n < 3; ++n) judge(torn(page_of(block, start - 1, 7)));
  EXPECT_EQ(folder.opened, 1);
  ASSERT_EQ(bad().size(), 3u);
  EXPECT_EQ(bad()[0], "base/5/16384.1 block 131075 (could not be read a second time)");
}

}  // namespace
}  // namespace lb::pg
