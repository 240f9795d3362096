#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

// What lies in the place of each row.
class Lying final : public PresentContent {
 public:
  Lying(const std::vector<Row>& rows, Content content) {
    for (const auto& row : rows) lying_.push_back(content[row.key]);
  }
  Result<std::size_t> read_at(std::size_t row, std::uint64_t offset, MutableBytes out) override {
    if (fails) return Error(ErrorKind::denied, "not to be read");
    const auto& bytes = lying_[row];
    auto from = std::min<std::uint64_t>(offset, bytes.size());
    auto size = std::min<std::uint64_t>(out.size(), bytes.size() - from);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(from), size, out.begin());
    return static_cast<std::size_t>(size);
  }
  bool fails = false;

 private:
  std::vector<std::string> lying_;
};

class Present : public MemoryRepository {
 protected:
  void SetUp() override {
    content = {{"empty", ""}, {"long", noise(1, 5 << 20)}, {"short", "a few bytes"}};
    snapshot = repository->snapshot(back_up(content).id).take();
    rows = all_rows(*snapshot).take();
  }
  std::uint64_t left_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& row : rows) {
      for (const auto& extent : row.extents) bytes += extent.hole ? 0 : extent.length;
    }
    return bytes;
  }
  // What lies there with what is fetched put over it.
  Content completed(const Content& lying) {
    ContentSink sink(rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      sink.content[i] = lying.at(rows[i].key);
      sink.content[i].resize(rows[i].size);
    }
    EXPECT_TRUE(snapshot->fetch(rows, sink, 3, {}).ok());
    Content out;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(sink.done_rows[i], 1);
      out[rows[i].key] = sink.content[i];
    }
    return out;
  }

  Content content;
  std::unique_ptr<SnapshotReader> snapshot;
  std::vector<Row> rows;
};

TEST_F(Present, WhatIsThereIsLeftOut) {
  Lying lying(rows, content);
  ASSERT_TRUE(snapshot->leave_out_present(rows, lying, 2, {}).ok());
  EXPECT_EQ(left_bytes(), 0u);
  EXPECT_EQ(completed(content), content);
}

TEST_F(Present, WhatIsMissingShorterOrChangedStays) {
  auto all = left_bytes();
  Lying nothing(rows, {});
  ASSERT_TRUE(snapshot->leave_out_present(rows, nothing, 2, {}).ok());
  EXPECT_EQ(left_bytes(), all);
  auto chance = seeded_random(7);
  for (unsigned round = 0; round < 50; ++round) {
    rows = all_rows(*snapshot).take();
    auto spoiled = content;
    auto& bytes = spoiled["long"];
    for (int i = 0; i < 3; ++i) bytes[chance->below(bytes.size())] ^= 1;
    if (round % 3 == 0) bytes.resize(chance->below(bytes.size()));
    if (round % 5 == 0) spoiled["short"] += " and more";
    Lying lying(rows, spoiled);
    ASSERT_TRUE(snapshot->leave_out_present(rows, lying, 1 + round % 3, {}).ok());
    EXPECT_GT(left_bytes(), 0u);
    if (round % 3 != 0) {
      EXPECT_LE(left_bytes(), 3u * (256 << 10)) << "only what was changed";
    }
    EXPECT_EQ(completed(spoiled), content);
  }
}

// A part of a chunk cannot be told by the chunk's hash.
TEST_F(Present, PartsOfChunksStay) {
  auto parent = std::move(snapshot);
  auto row = *parent->find("long").take();
  auto writer = repository->begin("data", parent.get(), {}).take();
  auto stream = writer->open("long", Cut::pages).take();
  auto page = noise(9, 8192);
  ASSERT_TRUE(stream->reuse(row, 0, 8192).ok());
  ASSERT_TRUE(stream->write_apart(view_of(page)).ok());
  ASSERT_TRUE(stream->reuse(row, 16384, row.size - 16384).ok());
  ASSERT_TRUE(stream->finish({}).ok());
  SnapshotMeta meta;
  meta.store = "data";
  snapshot = repository->snapshot(writer->commit(meta).take().id).take();
  rows = all_rows(*snapshot).take();
  auto spoiled = content;
  content = {{"long", content["long"].replace(8192, 8192, page)}};
  spoiled["long"][4 << 20] ^= 1;
  Lying lying(rows, spoiled);
  ASSERT_TRUE(snapshot->leave_out_present(rows, lying, 2, {}).ok());
  EXPECT_GE(left_bytes(), 16384u);
  EXPECT_LE(left_bytes(), 2u * (256 << 10));
  EXPECT_EQ(completed(spoiled), content);
}

TEST_F(Present, AFailureOfThePlaceIsReturned) {
  Lying lying(rows, content);
  lying.fails = true;
  auto done = snapshot->leave_out_present(rows, lying, 2, {});
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().kind(), ErrorKind::denied);
  std::stop_source stopped;
  stopped.request_stop();
  lying.fails = false;
  EXPECT_FALSE(snapshot->leave_out_present(rows, lying, 2, stopped.get_token()).ok());
}

}  // namespace
}  // namespace lb::repo
