#include "stores/postgres/log_spool.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "foundation/sys/sim_files.h"

namespace lb::pg {
namespace {

constexpr std::uint64_t segment = 1 << 20;
constexpr const char* folder = "/spool/db-1";

Buffer log_bytes(Lsn from, std::size_t count) {
  Buffer out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>((from + i) * 31 >> 3);
  return out;
}

class LogSpoolTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(files_.make_directory("/spool", 0700).ok()); }

  void open() {
    said_.clear();
    spool_.reset();
    auto opened = LogSpool::open(files_, folder, segment,
                                 [this](const std::string& line) { said_ += line + "\n"; });
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    spool_ = std::move(opened).take();
  }
  Status append(std::size_t count) { return spool_->append(log_bytes(spool_->received(), count)); }
  // All that can be taken out of a timeline; each byte is the right one, none is missing.
  Lsn take_all(std::uint32_t timeline, Lsn from) {
    for (;;) {
      const auto part = spool_->next();
      EXPECT_TRUE(part.ok()) << part.error().text();
      if (!part.ok() || !*part) return from;
      EXPECT_EQ((*part)->place, (LogPlace{timeline, from}));
      EXPECT_EQ((*part)->bytes, log_bytes(from, (*part)->bytes.size()));
      from += (*part)->bytes.size();
    }
  }

  SimFiles files_;
  std::unique_ptr<LogSpool> spool_;
  std::string said_;
};

TEST_F(LogSpoolTest, GivesInOrderWhatIsDurableAndForgetsIt) {
  open();
  ASSERT_TRUE(spool_->begin(1, segment).ok());
  ASSERT_TRUE(append(1000).ok());
  EXPECT_EQ(spool_->durable(), segment);
  EXPECT_EQ(take_all(1, segment), segment) << "nothing of it is durable";
  ASSERT_TRUE(spool_->sync().ok());
  EXPECT_EQ(spool_->durable(), segment + 1000);
  EXPECT_EQ(take_all(1, segment), segment + 1000);
  ASSERT_TRUE(append(3 * segment).ok());
  ASSERT_TRUE(spool_->sync().ok());
  EXPECT_EQ(take_all(1, segment + 1000), 4 * segment + 1000);
  ASSERT_TRUE(spool_->forget({1, 3 * segment + 10}).ok());
  spool_->again();
  EXPECT_EQ(take_all(1, 3 * segment), 4 * segment + 1000) << "of the third a part is needed still";
  ASSERT_TRUE(spool_->forget({1, 4 * segment + 1000}).ok());
  EXPECT_FALSE(spool_->empty()) << "more of that segment may come";
  ASSERT_TRUE(append(10).ok());
  ASSERT_TRUE(spool_->close().ok());
  ASSERT_TRUE(spool_->forget({1, 4 * segment + 1000}).ok());
  EXPECT_TRUE(spool_->empty());
  EXPECT_EQ(spool_->bytes(), 0u);
}

TEST_F(LogSpoolTest, TheSameSegmentBegunAnewIsGivenFromItsBegin) {
  open();
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(spool_->begin(1, 0).ok());
    ASSERT_TRUE(append(5000).ok());
    ASSERT_TRUE(spool_->sync().ok());
    EXPECT_EQ(take_all(1, 0), 5000u);
    ASSERT_TRUE(spool_->close().ok());
    ASSERT_TRUE(spool_->forget({1, 5000}).ok());
    EXPECT_TRUE(spool_->empty());
  }
}

TEST_F(LogSpoolTest, AnOlderTimelineComesFirstAndGoesFirst) {
  open();
  ASSERT_TRUE(spool_->begin(1, 0).ok());
  ASSERT_TRUE(append(segment + 200).ok());
  ASSERT_TRUE(spool_->sync().ok());
  ASSERT_TRUE(spool_->begin(2, segment).ok());
  ASSERT_TRUE(append(300).ok());
  ASSERT_TRUE(spool_->sync().ok());
  EXPECT_EQ(LogSpool::segment_bytes_in(files_, folder).take(), segment);
  open();
  const auto first = spool_->next().take();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->place, (LogPlace{1, 0}));
  ASSERT_TRUE(spool_->forget({2, segment}).ok());
  spool_->again();
  EXPECT_EQ(take_all(2, segment), segment + 300);
}

TEST_F(LogSpoolTest, OneProgramHasIt) {
  open();
  const auto other = LogSpool::open(files_, folder, segment, [](const std::string&) {});
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().native(), LogSpool::in_use);
  EXPECT_EQ(LogSpool::left_in(files_, folder).value(), 0u) << "somebody has it";
  ASSERT_TRUE(spool_->begin(1, 0).ok());
  ASSERT_TRUE(append(100).ok());
  ASSERT_TRUE(spool_->sync().ok());
  spool_.reset();
  EXPECT_GT(LogSpool::left_in(files_, folder).value(), 100u);
  EXPECT_EQ(LogSpool::left_in(files_, "/spool/db-2").value(), 0u);
}

// The place was told to the server; a power cut at any moment, the disk having taken some of the
// rest perhaps, must leave at least that.
TEST_F(LogSpoolTest, WhatIsDurableOutlivesPowerCutsAndNothingElseIsTakenForLog) {
  const auto chance = seeded_random(7);
  for (int round = 0; round < 200; ++round) {
    open();
    Lsn told = 0;
    ASSERT_TRUE(spool_->begin(1, 0).ok());
    const auto steps = chance->below(30);
    for (std::uint64_t step = 0; step < steps; ++step) {
      ASSERT_TRUE(append(1 + chance->below(200'000)).ok());
      const bool sync = chance->below(3) == 0;
      ASSERT_TRUE(!sync || spool_->sync().ok());
      told = spool_->durable();
    }
    files_.crash(chance.get());
    open();
    const Lsn got = take_all(1, 0);
    EXPECT_GE(got, told) << round;
    ASSERT_TRUE(spool_->forget({1, got}).ok());
    ASSERT_TRUE(spool_->empty());
  }
}

TEST_F(LogSpoolTest, AFaultAtAnyCallIsSaidAndLosesNothingThatWasTold) {
  for (std::uint64_t call = 0;; ++call) {
    open();
    files_.fail_call(call);
    Lsn told = 0;
    Status outcome = spool_->begin(1, 0);
    for (int step = 0; outcome.ok() && step < 8; ++step) {
      outcome = append(300'000);
      if (outcome.ok() && step % 2 == 1) outcome = spool_->sync();
      told = spool_->durable();
    }
    const bool fired = files_.fault_fired();
    files_.fail_call(~std::uint64_t{0});
    EXPECT_EQ(outcome.ok(), !fired) << call;
    // As the stream goes on after an error: what is durable is taken, then all begins anew.
    (void)spool_->close().ok();
    spool_->again();
    EXPECT_EQ(take_all(1, 0), told) << call;
    open();
    EXPECT_GE(take_all(1, 0), told) << call;
    ASSERT_TRUE(spool_->forget({2, 0}).ok());
    if (!fired) break;
  }
}

TEST_F(LogSpoolTest, WhatIsDamagedIsSaidAndTheRestIsLeftOut) {
  open();
  ASSERT_TRUE(spool_->begin(1, 0).ok());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(append(1000).ok());
    ASSERT_TRUE(spool_->sync().ok());
  }
  spool_.reset();
  const auto path = path_join(folder, "00000001-0000000000000000.spool");
  const auto whole = read_file(files_, path, segment).take();
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    auto flipped = whole;
    flipped[at] ^= 0x10;
    ASSERT_TRUE(files_.open_write(path).take()->write_at(flipped, 0).ok());
    open();
    EXPECT_NE(said_.find("is whole up to byte"), std::string::npos) << at;
    EXPECT_EQ(take_all(1, 0), at / 1020 * 1000) << at;
    if (files_.info(path).ok()) continue;
    ASSERT_TRUE(files_.create(path, 0600).ok());  // the first frame was hit: the file is gone
  }
}

TEST_F(LogSpoolTest, AFullDiskIsAnErrorAndThereIsRoomAgainOnceItWasTaken) {
  files_.set_space(2 * segment);
  open();
  ASSERT_TRUE(spool_->begin(1, 0).ok());
  Status outcome;
  while (outcome.ok()) {
    outcome = append(100'000);
    if (outcome.ok()) outcome = spool_->sync();
  }
  EXPECT_EQ(outcome.error().kind(), ErrorKind::exhausted);
  const Lsn told = spool_->durable();
  ASSERT_TRUE(spool_->close().ok());
  EXPECT_EQ(take_all(1, 0), told);
  ASSERT_TRUE(spool_->forget({1, told}).ok());
  ASSERT_TRUE(spool_->begin(1, told / segment * segment).ok());
  ASSERT_TRUE(append(100'000).ok());
  EXPECT_TRUE(spool_->sync().ok());
}

}  // namespace
}  // namespace lb::pg
