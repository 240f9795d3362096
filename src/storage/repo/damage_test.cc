// Damage of every kind to every kind of object: seen, named, survived, never restored as good.
#include <gtest/gtest.h>

#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

class Damage : public MemoryRepository {
 protected:
  Damage() {
    old_content = {{std::string("base\0"
                                "1",
                                6),
                    noise(1, 200'000)},
                   {"b", noise(2, 1000)}};
    new_content = old_content;
    new_content["c"] = noise(3, 150'000);
    old_id = back_up(old_content).id;
    auto parent = repository->snapshot(old_id).take();
    new_id = back_up(new_content, parent.get()).id;
    for (std::uint64_t number = 4; number < 8; ++number) {
      EXPECT_TRUE(repository->put_log({"db", 1, number}, view_of(noise(number, 3000)), {}).ok());
    }
    EXPECT_TRUE(repository->put_log_tail({"db", 1, 8}, 0, view_of("tail one "), {}).ok());
    EXPECT_TRUE(repository->put_log_tail({"db", 1, 8}, 9, view_of("tail two"), {}).ok());
    EXPECT_TRUE(repository->put_history("db", 2, view_of("1\t0/1\n")).ok());
    EXPECT_TRUE(repository->put_record("drill", "r1", view_of("record one")).ok());
    EXPECT_TRUE(repository->put_record("drill", "r2", view_of("record two")).ok());
    EXPECT_TRUE(verify().clean()) << describe(verify());
  }

  bool named(const VerifyReport& report, const std::string& object) {
    for (const auto& finding : report.findings) {
      if (finding.object == object) return true;
    }
    return false;
  }

  // Every use of the repository gives either what was put, or an error; `repo` may be beyond
  // opening.
  void use_everything(const std::string& where) {
    auto opened = open_repository(blobs, clock, *random, key, small_budget);
    if (!opened.ok()) {
      EXPECT_EQ(opened.error().exit_code(), ExitCode::damaged) << where << opened.error().text();
      return;
    }
    auto& repo = **opened;
    for (const auto& [id, content] : {std::pair(old_id, old_content), {new_id, new_content}}) {
      auto got = read_snapshot(repo, id);
      if (got.ok()) {
        EXPECT_EQ(*got, content) << where;
      }
      if (!got.ok()) {
        auto code = got.error().exit_code();
        EXPECT_TRUE(code == ExitCode::damaged || code == ExitCode::point_unreachable)
            << where << got.error().text();
      }
    }
    for (std::uint64_t number = 4; number < 8; ++number) {
      auto got = repo.get_log({"db", 1, number});
      if (got.ok()) {
        EXPECT_EQ(text_of(*got), noise(number, 3000)) << where;
      }
    }
    auto tail = repo.get_log({"db", 1, 8});
    if (tail.ok()) {
      EXPECT_TRUE(std::string_view("tail one tail two").starts_with(text_of(*tail)));
    }
    auto record = repo.get_record("drill", "r1");
    if (record.ok()) {
      EXPECT_EQ(text_of(*record), "record one") << where;
    }
    EXPECT_TRUE(repo.snapshots().ok()) << where;
  }

  void expect_seen(const std::string& object, const std::string& where) {
    use_everything(where);
    auto opened = open_repository(blobs, clock, *random, key, small_budget);
    if (!opened.ok()) return;  // that is being seen
    auto report = (*opened)->verify({}, {}, {});
    ASSERT_TRUE(report.ok()) << where << report.error().text();
    EXPECT_FALSE(report->clean()) << where;
    EXPECT_TRUE(named(*report, object)) << where << describe(*report);
  }

  Content old_content, new_content;
  std::string old_id, new_id;
};

TEST_F(Damage, AFlippedBitAnywhereIsSeen) {
  for (const auto& object : keys()) {
    auto good = blobs.get(object).take();
    // All classes of bytes: the head and the end byte by byte, the middle in steps.
    std::size_t step = good.size() > 4000 ? good.size() / 40 : 13;
    for (std::size_t at = 0; at < good.size();
         at += at < 40 || at + 40 > good.size() ? 5 : std::min(step, good.size() - at - 39)) {
      auto bad = good;
      bad[at] ^= static_cast<std::uint8_t>(1 << (at % 8));
      blobs.tamper(object, bad);
      expect_seen(object, cat(object, " byte ", at, ": "));
      if (HasFailure()) return;
    }
    blobs.tamper(object, good);
  }
  EXPECT_TRUE(verify().clean());
}

TEST_F(Damage, ACutObjectIsSeen) {
  for (const auto& object : keys()) {
    auto good = blobs.get(object).take();
    for (auto size : {std::size_t{0}, std::size_t{1}, std::size_t{50}, good.size() / 2,
                      good.size() - 128, good.size() - 1}) {
      if (size >= good.size()) continue;
      blobs.tamper(object, Buffer(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
      expect_seen(object, cat(object, " cut to ", size, ": "));
      if (HasFailure()) return;
    }
    auto longer = good;
    longer.push_back(0);
    blobs.tamper(object, longer);
    expect_seen(object, cat(object, " with a byte more: "));
    blobs.tamper(object, good);
  }
}

TEST_F(Damage, ObjectsThatStandInForOneAnotherAreSeen) {
  for (const char* kind : {"p/", "e/", "r/", "w/", "x/", "i/"}) {
    auto names = keys(kind);
    ASSERT_GE(names.size(), 2u) << kind;
    auto first = blobs.get(names[0]).take(), second = blobs.get(names[1]).take();
    blobs.tamper(names[0], second);
    blobs.tamper(names[1], first);
    expect_seen(names[0], cat("swapped ", names[0], ": "));
    expect_seen(names[1], cat("swapped ", names[1], ": "));
    blobs.tamper(names[0], first);
    blobs.tamper(names[1], second);
  }
}

TEST_F(Damage, AnObjectOfAnotherRepositoryIsSeen) {
  MemoryBlobStore other_blobs;
  ASSERT_TRUE(init_repository(other_blobs, clock, *random, key, cheap_keys).ok());
  auto other = open(other_blobs);
  ASSERT_TRUE(other->put_record("drill", "r1", view_of("forged")).ok());
  blobs.tamper("r/drill/r1", other_blobs.get("r/drill/r1").take());
  expect_seen("r/drill/r1", "of another repository: ");
}

TEST_F(Damage, AMissingObjectIsNamed) {
  for (const auto& object : keys()) {
    auto good = blobs.get(object).take();
    ASSERT_TRUE(blobs.remove(object).ok());
    if (object != "repo") use_everything(cat("without ", object, ": "));
    bool newest_verdict = object == cat("e/", new_id);
    bool newest_log = object == "w/db/00000001/0000000000000007";
    bool derived = object.starts_with("x/") || object.starts_with("i/");
    bool nothing_follows = newest_verdict || newest_log || object.starts_with("r/") ||
                           object.find(".t") != std::string::npos ||
                           object.find(".history") != std::string::npos;
    auto opened = open_repository(blobs, clock, *random, key, small_budget);
    if (object == "repo") {
      EXPECT_EQ(opened.error().exit_code(), ExitCode::no_repository);
    } else if (object.starts_with("k/")) {
      EXPECT_EQ(opened.error().exit_code(), ExitCode::damaged);
    } else {
      auto report = (*opened)->verify({}, {}, {}).take();
      EXPECT_EQ(report.clean(), derived || nothing_follows) << object << "\n" << describe(report);
    }
    ASSERT_TRUE(blobs.put(object, good).ok());
  }
  EXPECT_TRUE(verify().clean());
}

TEST_F(Damage, TheFindingNamesSnapshotsAndPaths) {
  auto pack = keys(cat("p/", old_id)).front();
  ASSERT_TRUE(blobs.remove(pack).ok());
  auto report = verify();
  EXPECT_EQ(report.snapshots_damaged.size(), 2u) << "both stand on the first one's pack";
  auto text = describe(report);
  EXPECT_NE(text.find(cat(pack, ": is missing")), std::string::npos) << text;
  EXPECT_NE(text.find("data 2026-01-13T02:00:02Z"), std::string::npos) << text;
  EXPECT_EQ(text.find(old_id.substr(0, 10) + "…"), std::string::npos);
}

TEST_F(Damage, AMissingSegmentOfALogIsNamed) {
  ASSERT_TRUE(blobs.remove("w/db/00000001/0000000000000005").ok());
  auto report = verify();
  ASSERT_EQ(report.findings.size(), 1u) << describe(report);
  EXPECT_EQ(report.findings[0].object, "w/db/00000001/0000000000000005");
  EXPECT_EQ(report.findings[0].problem, "is missing");
  // A hole that was there from the beginning is not damage.
  ASSERT_TRUE(repository->put_log({"other", 1, 1}, view_of("1"), {}).ok());
  ASSERT_TRUE(repository->put_log({"other", 1, 3}, view_of("3"), {}).ok());
  EXPECT_EQ(verify().findings.size(), 1u);
}

TEST_F(Damage, ADamagedRecordOfOneSnapshotHidesNoOther) {
  auto object = cat("e/", old_id);
  auto bad = blobs.get(object).take();
  bad[100] ^= 1;
  blobs.tamper(object, bad);
  repository = open(blobs);
  auto listed = repository->snapshots();
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->size(), 2u);
  EXPECT_EQ((*listed)[0].meta.kind, "damaged");
  EXPECT_TRUE((*listed)[0].meta.store.empty());
  EXPECT_EQ((*listed)[1].id, new_id);
  EXPECT_EQ(read(new_id), new_content);
  auto parent = repository->snapshot(new_id).take();
  EXPECT_EQ(read(back_up(new_content, parent.get()).id), new_content) << "backups go on";
}

TEST_F(Damage, WhatWasLostIsStoredAgainByTheNextBackup) {
  auto pack = keys(cat("p/", old_id)).front();
  ASSERT_TRUE(blobs.remove(pack).ok());
  auto parent = repository->snapshot(new_id).take();
  auto writer = repository->begin("data", parent.get(), {}).take();
  Row lost;
  lost.key = "x";
  lost.size = 10;
  lost.extents.resize(1);
  lost.extents[0].length = 10;
  lost.extents[0].pack = 0;  // the lost one sorts first: it is the oldest
  auto reused = writer->reuse(lost, {});
  ASSERT_FALSE(reused.ok());
  EXPECT_EQ(reused.error().kind(), ErrorKind::not_found);
  auto healed = back_up(new_content);
  EXPECT_GT(healed.new_bytes, 190'000u);
  EXPECT_EQ(read(healed.id), new_content);
  auto report = verify();
  EXPECT_EQ(report.snapshots_ok, std::vector<std::string>{healed.id}) << describe(report);
}

TEST_F(Damage, WithoutAnyIndexEverythingStillWorks) {
  for (const auto& object : keys("x/")) ASSERT_TRUE(blobs.remove(object).ok());
  EXPECT_TRUE(verify().clean());
  EXPECT_EQ(read(new_id), new_content);
  auto parent = repository->snapshot(new_id).take();
  auto again = back_up(new_content, parent.get());
  EXPECT_EQ(again.new_bytes, 0u) << "the parent says where its content is";
  EXPECT_EQ(read(again.id), new_content);
}

TEST_F(Damage, ADamagedIndexIsToldInTheSnapshot) {
  auto index = keys("x/").front();
  auto bad = blobs.get(index).take();
  bad[bad.size() / 2] ^= 4;
  blobs.tamper(index, bad);
  auto info = back_up(new_content);
  ASSERT_EQ(info.meta.warnings.size(), 1u);
  EXPECT_NE(info.meta.warnings[0].find(index), std::string::npos);
  EXPECT_EQ(read(info.id), new_content);
}

TEST_F(Damage, ASampleReadsAPartAndStructureAloneReadsNothing) {
  for (std::uint64_t i = 0; i < 8; ++i) back_up({{"x", noise(100 + i, 300'000)}});
  auto structure = verify({.fraction = 0});
  EXPECT_EQ(structure.packs_read, 0u);
  EXPECT_GT(structure.packs, 8u);
  EXPECT_TRUE(structure.clean());
  auto part = verify({.fraction = 0.3, .seed = 5});
  EXPECT_GT(part.packs_read, 0u);
  EXPECT_LT(part.packs_read, part.packs);
  EXPECT_EQ(verify({.fraction = 0.3, .seed = 5}).bytes_read, part.bytes_read);
  EXPECT_EQ(verify({.fraction = 0.000001}).packs_read, 1u) << "a sample is never empty";
}

}  // namespace
}  // namespace lb::repo
