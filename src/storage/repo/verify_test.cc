// What each depth of a verification sees and does not see, and that its memory has a limit.
#include <gtest/gtest.h>

#include "storage/repo/format.h"
#include "storage/repo/frame_form.h"
#include "storage/repo/pack_facts.h"
#include "storage/repo/pack_scan.h"
#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

class Verify : public MemoryRepository {
 protected:
  PackEnd end_of(const std::string& pack) {
    FrameReader reader(*repository->core());
    auto end = reader.end_of(pack, blobs.info(pack)->size);
    EXPECT_TRUE(end.ok()) << end.error().text();
    return std::move(end).take();
  }

  // As a writer with a broken memory would have sealed it: other content under the same id.
  void seal_wrongly(const std::string& pack, std::uint32_t number) {
    const auto& keys = repository->core()->keys;
    auto end = end_of(pack);
    auto bytes = blobs.get(pack).take();
    const auto& frame = end.frames.at(number);
    auto plain = open_frame(keys, *end.trailer.aead, pack, number,
                            ByteView(bytes).subspan(frame.offset, frame.sealed_bytes))
                     .take();
    plain[plain.size() / 2] ^= 1;
    auto form = to_frame_form(plain);
    ASSERT_EQ(form.size() + aead_tag_bytes, frame.sealed_bytes) << "noise does not shrink";
    seal_frame(keys, *end.trailer.aead, pack, number, {{}, form},
               MutableBytes(bytes).subspan(frame.offset, frame.sealed_bytes));
    blobs.tamper(pack, bytes);
  }

  std::string pack_of_noise(const std::string& session) {
    for (const auto& pack : keys(cat("p/", session))) {
      for (const auto& frame : end_of(pack).frames) {
        if (frame.plain_bytes > 60'000 && frame.sealed_bytes > frame.plain_bytes) return pack;
      }
    }
    ADD_FAILURE() << "no pack with noise";
    return {};
  }
};

TEST_F(Verify, OnlyDeepSeesWhatWasSealedWrongly) {
  auto info = back_up({{"a", noise(1, 70'000)}});
  ASSERT_TRUE(verify({.deep = true}).clean());
  auto pack = pack_of_noise(info.id);
  ASSERT_NO_FATAL_FAILURE(seal_wrongly(pack, 0));
  EXPECT_TRUE(verify().clean()) << "it is what a writer sealed";
  auto report = verify({.deep = true});
  EXPECT_TRUE(report.deep);
  ASSERT_FALSE(report.clean());
  EXPECT_EQ(report.findings[0].object, pack);
  EXPECT_EQ(report.snapshots_damaged, std::vector<std::string>{info.id});
  auto got = read_snapshot(*repository, info.id);
  ASSERT_FALSE(got.ok()) << "a restore compares the ids too";
  EXPECT_EQ(got.error().exit_code(), ExitCode::damaged);
}

// Another pack of the same name and size, sealed by a holder of the same keys.
TEST_F(Verify, APackThatIsNotTheOneWrittenIsNamed) {
  auto info = back_up({{"a", noise(1, 70'000)}});
  auto pack = keys(cat("p/", info.id)).front();
  auto bytes = blobs.get(pack).take();
  FrameReader reader(*repository->core());
  PackScan scan(*repository->core(), reader, {});
  auto end = reader.end_of(pack, bytes.size()).take();
  auto right = sha256(ByteView(bytes).subspan(end.trailer.footer_offset));
  auto wrong = right;
  wrong[0] ^= 1;
  for (auto depth : {ScanDepth::structure, ScanDepth::authenticated, ScanDepth::content}) {
    auto look = [&](const Digest* digest) {
      return scan.run(pack, bytes.size(), digest, depth, [](std::uint64_t) {}).take();
    };
    EXPECT_TRUE(look(&right).problems.empty());
    EXPECT_TRUE(look(nullptr).problems.empty());
    auto seen = look(&wrong);
    EXPECT_EQ(seen.problems, std::vector<std::string>{"it is not the pack that was written"});
    EXPECT_TRUE(seen.readable);
    EXPECT_TRUE(seen.bad.empty());
  }
}

// One pack after another must say what all of them at once say.
TEST_F(Verify, GroupsOfPacksSayTheSame) {
  std::vector<std::string> ids;
  Content content;
  for (std::uint64_t i = 0; i < 6; ++i) {
    content[cat("k", i)] = noise(100 + i, 90'000);
    auto parent = ids.empty() ? nullptr : repository->snapshot(ids.back()).take();
    ids.push_back(back_up(content, parent.get()).id);
  }
  auto all = verify(), by_one = verify({.memory_bytes = 1});
  EXPECT_TRUE(by_one.clean()) << describe(by_one);
  EXPECT_EQ(by_one.objects, all.objects);
  EXPECT_EQ(by_one.packs_read, all.packs_read);
  EXPECT_EQ(by_one.chunks, all.chunks);
  EXPECT_EQ(by_one.snapshots_ok, ids);

  auto lost = keys(cat("p/", ids[1])).front();
  ASSERT_TRUE(blobs.remove(lost).ok());
  auto bad = blobs.get(pack_of_noise(ids[3])).take();
  bad[3000] ^= 1;
  blobs.tamper(pack_of_noise(ids[3]), bad);
  all = verify();
  by_one = verify({.memory_bytes = 1});
  EXPECT_EQ(describe(by_one), describe(all));
  EXPECT_EQ(by_one.snapshots_ok, all.snapshots_ok);
  EXPECT_EQ(by_one.snapshots_damaged, all.snapshots_damaged);
  EXPECT_EQ(by_one.snapshots_ok, std::vector<std::string>{ids[0]});
}

TEST_F(Verify, EndsWhenStopped) {
  back_up({{"a", noise(1, 300'000)}});
  std::stop_source source;
  auto report = repository->verify({}, source.get_token(),
                                   [&](std::uint64_t, std::uint64_t) { source.request_stop(); });
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().kind(), ErrorKind::cancelled);
}

TEST_F(Verify, AFooterLargerThanTheFirstReadIsFound) {
  Content content;
  for (std::uint64_t i = 0; i < 3000; ++i) content[cat("k", i)] = noise(i, 24);
  auto info = back_up(content);
  std::size_t largest = 0;
  for (const auto& pack : keys("p/")) largest = std::max(largest, end_of(pack).tail.size());
  EXPECT_GT(largest, std::size_t{64 << 10});
  EXPECT_TRUE(verify({.deep = true}).clean());
  EXPECT_EQ(read(info.id), content);
}

TEST(PackFacts, HoldsExactlyWhatTheFooterSays) {
  std::vector<FooterFrame> frames(2);
  frames[0] = {8, 100, 90, {{Digest{1}, 0, 40}, {Digest{2}, 40, 50}}};
  frames[1] = {108, 200, 10, {{Digest{3}, 0, 10}}};
  PackFacts facts(frames);
  Extent extent;
  extent.length = 50;
  extent.id = short_id(Digest{2});
  extent.frame_offset = 8;
  extent.frame_size = 100;
  extent.offset = 40;
  EXPECT_TRUE(facts.holds(extent));
  auto without = [&](auto change) {
    auto other = extent;
    change(other);
    return facts.holds(other);
  };
  EXPECT_FALSE(without([](Extent& e) { e.length = 49; }));
  EXPECT_FALSE(without([](Extent& e) { e.id[7] ^= 1; }));
  EXPECT_FALSE(without([](Extent& e) { e.offset = 41; }));
  EXPECT_FALSE(without([](Extent& e) { e.frame_offset = 9; }));
  EXPECT_FALSE(without([](Extent& e) { e.frame_size = 101; }));
  EXPECT_FALSE(without([](Extent& e) { e.frame = 1; }));
  EXPECT_FALSE(without([](Extent& e) { e.frame = 2; }));
  EXPECT_FALSE(without([](Extent& e) { e.frame = 0xFFFFFFFF; }));
  EXPECT_TRUE(facts.holds(1, 0, 10, short_id(Digest{3})));
  EXPECT_FALSE(PackFacts().holds(0, 0, 10, short_id(Digest{3})));
}

}  // namespace
}  // namespace lb::repo
