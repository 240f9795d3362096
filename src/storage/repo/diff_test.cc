#include "storage/repo/diff.h"

#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

// Counts the bytes that are read.
class CountingStore final : public BlobStore {
 public:
  explicit CountingStore(BlobStore& inner) : inner_(inner) {}
  Status put(const std::string& key, ByteView bytes) override { return inner_.put(key, bytes); }
  Status flush() override { return inner_.flush(); }
  Result<Buffer> get(const std::string& key) override { return counted(inner_.get(key)); }
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override {
    return counted(inner_.get_range(key, offset, size));
  }
  Result<BlobInfo> info(const std::string& key) override { return inner_.info(key); }
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override {
    return inner_.list(prefix, after);
  }
  Status remove(const std::string& key) override { return inner_.remove(key); }
  std::string describe() const override { return inner_.describe(); }

  std::uint64_t bytes_read = 0;

 private:
  Result<Buffer> counted(Result<Buffer> bytes) {
    if (bytes.ok()) bytes_read += bytes->size();
    return bytes;
  }
  BlobStore& inner_;
};

class Diff : public MemoryRepository {
 protected:
  // "-gone", "+new", "*changed", in the order they came.
  std::string diff(const SnapshotInfo& before, const SnapshotInfo& after) {
    auto a = repository->snapshot(before.id).take();
    auto b = repository->snapshot(after.id).take();
    std::vector<std::string> out;
    auto sink = [&](const Row* x, const Row* y) -> Status {
      EXPECT_TRUE(x == nullptr || y == nullptr || x->key == y->key);
      out.push_back(cat(x == nullptr   ? "+"
                        : y == nullptr ? "-"
                                       : "*",
                        (x != nullptr ? x : y)->key));
      return {};
    };
    auto status = diff_snapshots(*a, *b, sink, {});
    EXPECT_TRUE(status.ok()) << status.error().text();
    return join(out, " ");
  }
};

TEST_F(Diff, NamesWhatCameWentAndChanged) {
  auto first = back_up({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"e", "5"}});
  auto second = back_up({{"a", "1"}, {"b", "two"}, {"d", "4"}, {"e", "5"}, {"f", ""}});
  EXPECT_EQ(diff(first, second), "*b -c +d +f");
  EXPECT_EQ(diff(second, first), "*b +c -d -f");
  EXPECT_EQ(diff(first, first), "");
}

TEST_F(Diff, AnEmptySnapshotDiffersByAllRows) {
  auto none = back_up({});
  auto some = back_up({{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(diff(none, some), "+a +b");
  EXPECT_EQ(diff(some, none), "-a -b");
  EXPECT_EQ(diff(none, none), "");
}

// Random tables against the plain comparison of two maps.
TEST_F(Diff, EqualsTheComparisonOfAllRows) {
  auto chance = seeded_random(5);
  Content content;
  for (int i = 0; i < 3000; ++i) content[cat("row ", i)] = cat("some content of ", i);
  auto last = content;
  auto last_info = back_up(content);
  for (int round = 0; round < 6; ++round) {
    for (int change = 0; change < (1 << (2 * round)); ++change) {
      auto bytes = chance->bytes(3);
      auto name = cat("row ", bytes[0] * 16 + bytes[1] % 16);
      if (bytes[2] % 3 == 0) {
        content.erase(name);
      } else {
        content[name] = std::string(static_cast<std::size_t>(30 + round), 'x');  // another size
      }
    }
    auto parent = repository->snapshot(last_info.id).take();
    auto info = back_up(content, parent.get());
    std::vector<std::string> expected;
    Content both = last;
    both.insert(content.begin(), content.end());
    for (const auto& [name, bytes] : both) {
      bool was = last.contains(name), is = content.contains(name);
      if (was && is && last[name] == content[name]) continue;
      expected.push_back(cat(!was ? "+" : !is ? "-" : "*", name));
    }
    EXPECT_TRUE(diff(last_info, info) == join(expected, " ")) << "round " << round;
    last = content;
    last_info = info;
  }
}

TEST_F(Diff, ReadsNoBlockThatBothShare) {
  Content content;
  for (int i = 0; i < 20'000; ++i) content[cat("file ", i)] = "x";
  auto first = back_up(content);
  auto parent = repository->snapshot(first.id).take();
  content["file 11000"] = "yy";
  auto second = back_up(content, parent.get());
  auto count = [&](const SnapshotInfo& x, const SnapshotInfo& y) {
    CountingStore counted(blobs);
    auto opened = open(counted);
    auto a = opened->snapshot(x.id).take();
    auto b = opened->snapshot(y.id).take();
    counted.bytes_read = 0;
    EXPECT_TRUE(diff_snapshots(*a, *b, [](const Row*, const Row*) { return Status(); }, {}).ok());
    return counted.bytes_read;
  };
  EXPECT_EQ(count(first, first), 0u);
  EXPECT_LT(count(first, second), 600'000u);
}

TEST_F(Diff, ARefusalOfTheSinkEndsIt) {
  auto first = back_up({{"a", "1"}});
  auto second = back_up({{"b", "1"}});
  auto a = repository->snapshot(first.id).take();
  auto b = repository->snapshot(second.id).take();
  auto refuse = [](const Row*, const Row*) { return Status(Error(ErrorKind::exhausted, "full")); };
  EXPECT_EQ(diff_snapshots(*a, *b, refuse, {}).error().kind(), ErrorKind::exhausted);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(diff_snapshots(*a, *b, refuse, stop.get_token()).error().kind(), ErrorKind::cancelled);
  auto other = open(blobs);
  auto c = other->snapshot(second.id).take();
  EXPECT_EQ(diff_snapshots(*a, *c, refuse, {}).error().kind(), ErrorKind::invalid);
}

}  // namespace
}  // namespace lb::repo
