// Repositories that an earlier program wrote, whole and broken: read by every later one. A failure
// here means that existing backups cannot be read; mend the program, never the golden files.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "foundation/base/text.h"
#include "storage/blob/memory_blob_store.h"
#include "storage/keys/key_file.h"
#include "storage/repo/core.h"
#include "storage/repo/key_slots.h"
#include "storage/repo/test_repository.h"
#include "tests/golden/golden.h"

namespace lb::golden {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  EXPECT_TRUE(in.good()) << path;
  return out.str();
}

class Golden : public testing::TestWithParam<const char*> {
 protected:
  const fs::path folder = fs::path(LIFEBOAT_GOLDEN) / GetParam();

  void lay(const fs::path& over) {
    for (const auto& entry : fs::recursive_directory_iterator(over)) {
      if (!entry.is_regular_file()) continue;
      auto key = entry.path().lexically_relative(over).string();
      auto bytes = slurp(entry.path());
      if (key == "removed") {
        for (const auto& gone : split(trim(bytes), '\n')) {
          EXPECT_TRUE(blobs.info(gone).ok()) << gone;
          EXPECT_TRUE(blobs.remove(gone).ok());
        }
        continue;
      }
      ASSERT_TRUE(blobs.remove(key).ok());
      ASSERT_TRUE(blobs.put(key, view_of(bytes)).ok()) << key;
    }
  }
  void load(const std::string& broken = {}) {
    lay(folder / "whole");
    if (!broken.empty()) lay(folder / "broken" / broken);
  }
  std::unique_ptr<repo::Repository> open(std::string_view key) {
    auto opened = repo::open_repository(blobs, clock, *random, Secret(key), {});
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    return opened.ok() ? std::move(opened).take() : nullptr;
  }
  std::string key_file() {
    return std::string(keys::write_key_file(Secret(ByteView(Buffer(32, key_file_byte)))).reveal());
  }
  void expect_logs_and_records(repo::Repository& repository) {
    EXPECT_EQ(text_of(repository.get_log({"db", 1, 2}).take()), log_segment());
    EXPECT_EQ(text_of(repository.get_log({"db", 1, 3}).take()), log_tails());
    EXPECT_EQ(text_of(repository.get_log_summary({"db", 1, 2}).take()), "summary");
    EXPECT_EQ(text_of(repository.get_log_summary({"db", 1, 3}).take()), "two");
    EXPECT_EQ(text_of(*repository.get_history("db", 2).take()), history);
    EXPECT_EQ(text_of(repository.get_record("drill", "06FQ0KZ4").take()), record);
  }
  // Reads what can be read. Never other bytes than were written: a row is right, or refused.
  std::size_t refused_rows(repo::Repository& repository, const std::string& id,
                           const Content& expected) {
    auto snapshot = repository.snapshot(id);
    if (!snapshot.ok()) return expected.size();
    std::size_t refused = 0, right = 0;
    for (const auto& [key, bytes] : expected) {
      auto row = (*snapshot)->find(key);
      auto read = row.ok() && *row ? (*snapshot)->read(**row, 0, (*row)->size)
                                   : Result<Buffer>(Error(ErrorKind::corrupt, "no row"));
      if (read.ok()) {
        EXPECT_EQ(text_of(*read), bytes) << printable(key);
        ++right;
      } else {
        ++refused;
      }
    }
    EXPECT_EQ(refused + right, expected.size());
    return refused;
  }
  repo::VerifyReport verify(repo::Repository& repository) {
    auto report = repository.verify({}, {}, {});
    EXPECT_TRUE(report.ok()) << report.error().text();
    return report.ok() ? *report : repo::VerifyReport{};
  }
  static bool names(const repo::VerifyReport& report, const std::string& beginning) {
    bool named = false;
    for (const auto& finding : report.findings)
      named = named || finding.object.starts_with(beginning);
    return named;
  }
  std::vector<std::string> ids() {
    std::vector<std::string> out;
    for (const auto& object : blobs.list("e/", {}).take()) out.push_back(object.key.substr(2));
    return out;
  }

  MemoryBlobStore blobs;
  SimClock clock{parse_time("2027-01-01T00:00:00Z").take()};
  std::unique_ptr<Random> random = seeded_random(9);
};

TEST_P(Golden, TheWholeOneIsReadWholly) {
  load();
  auto repository = open(passphrase);
  ASSERT_NE(repository, nullptr);
  auto snapshots = repository->snapshots().take();
  ASSERT_EQ(snapshots.size(), 2u);
  EXPECT_EQ(repo::read_snapshot(*repository, snapshots[0].id).take(), first_content());
  EXPECT_EQ(repo::read_snapshot(*repository, snapshots[1].id).take(), second_content());
  EXPECT_EQ(snapshots[1].meta.parent, snapshots[0].id);
  EXPECT_EQ(snapshots[0].meta.host, "golden");
  EXPECT_EQ(format_time(snapshots[0].meta.taken), "2026-01-13T02:01:00Z");
  EXPECT_EQ(snapshots[0].meta.warnings, std::vector<std::string>{"a warning"});
  auto reader = repository->snapshot(snapshots[0].id).take();
  EXPECT_EQ(text_of(*reader->attachment("note").take()), "attached");
  EXPECT_EQ(reader->find("noise").take()->attributes, (Buffer{2, 3}));
  expect_logs_and_records(*repository);
  auto report = verify(*repository);
  EXPECT_TRUE(report.clean()) << repo::describe(report);
}

TEST_P(Golden, EveryKindOfKeyOpensIt) {
  load();
  EXPECT_TRUE(open(passphrase)->may_read());
  EXPECT_TRUE(open(key_file())->may_read());
  EXPECT_FALSE(open(write_passphrase)->may_read());
  std::vector<keys::KitShare> shares;
  for (const char* name : {"3.txt", "1.txt"}) {
    auto page = slurp(folder / "shares" / name);
    shares.push_back(keys::read_share(Secret{std::string_view(page)}, name).take());
  }
  keys::ShareOpener opener(std::move(shares));
  EXPECT_TRUE(repo::open_keyring(blobs, opener)->may_read());
  EXPECT_EQ(repo::open_repository(blobs, clock, *random, Secret(std::string_view("wrong")), {})
                .error()
                .exit_code(),
            ExitCode::wrong_key);
}

TEST_P(Golden, ItTakesNewKeys) {
  load();
  auto repository = open(passphrase);
  repo::KeySlots slots(blobs, clock, *random, repository->core()->keys);
  for (auto grant : {keys::Grant::read_and_write, keys::Grant::write}) {
    auto name = grant == keys::Grant::write ? "late-writer" : "late";
    ASSERT_TRUE(slots.add(name, grant, Secret(std::string_view(name)), {1, 8192}).ok());
    auto opened = open(name);
    ASSERT_NE(opened, nullptr);
    EXPECT_EQ(opened->may_read(), grant != keys::Grant::write);
    EXPECT_EQ(opened->core()->keys.version, repository->core()->keys.version);
  }
}

TEST_P(Golden, ItTakesNewSnapshots) {
  load();
  auto repository = open(passphrase);
  auto parent = repository->snapshot(ids()[1]).take();
  auto content = second_content();
  content["newest"] = "of a later program";
  auto info = repo::write_snapshot(*repository, "data", content, clock.now(), parent.get());
  ASSERT_TRUE(info.ok()) << info.error().text();
  EXPECT_EQ(repo::read_snapshot(*repository, info->id).take(), content);
  auto report = verify(*repository);
  EXPECT_TRUE(report.clean()) << repo::describe(report);
}

TEST_P(Golden, AFlippedByteInAPackIsNamedAndNeverRestored) {
  load("flipped-pack");
  auto repository = open(passphrase);
  EXPECT_GT(refused_rows(*repository, ids()[0], first_content()), 0u);
  refused_rows(*repository, ids()[1], second_content());
  expect_logs_and_records(*repository);
  auto report = verify(*repository);
  EXPECT_TRUE(names(report, "p/" + ids()[0])) << repo::describe(report);
}

TEST_P(Golden, AMissingPackIsNamedAndItsRowsAreRefused) {
  load("missing-pack");
  auto repository = open(passphrase);
  EXPECT_EQ(repository->snapshots().take().size(), 2u);
  EXPECT_GT(refused_rows(*repository, ids()[0], first_content()), 0u);
  refused_rows(*repository, ids()[1], second_content());
  expect_logs_and_records(*repository);
  auto report = verify(*repository);
  EXPECT_TRUE(names(report, "p/" + ids()[0])) << repo::describe(report);
}

TEST_P(Golden, AMissingIndexCostsNothing) {
  load("missing-index");
  auto repository = open(passphrase);
  EXPECT_EQ(refused_rows(*repository, ids()[0], first_content()), 0u);
  EXPECT_EQ(refused_rows(*repository, ids()[1], second_content()), 0u);
  EXPECT_TRUE(verify(*repository).snapshots_damaged.empty());
}

TEST_P(Golden, ACutVerdictIsNamedAndTheOtherSnapshotStays) {
  load("cut-verdict");
  auto repository = open(passphrase);
  EXPECT_EQ(refused_rows(*repository, ids()[0], first_content()), 0u);
  EXPECT_EQ(refused_rows(*repository, ids()[1], second_content()), second_content().size());
  auto report = verify(*repository);
  EXPECT_TRUE(names(report, "e/" + ids()[1])) << repo::describe(report);
}

TEST_P(Golden, ADamagedSlotIsNamedAndTheOthersOpen) {
  load("damaged-slot");
  EXPECT_EQ(repo::open_repository(blobs, clock, *random, Secret(std::string_view(passphrase)), {})
                .error()
                .exit_code(),
            ExitCode::damaged);
  auto repository = open(key_file());
  ASSERT_NE(repository, nullptr);
  EXPECT_EQ(refused_rows(*repository, ids()[1], second_content()), 0u);
  auto report = verify(*repository);
  EXPECT_TRUE(names(report, "k/")) << repo::describe(report);
}

TEST_P(Golden, OneWhosePacksWereRewrittenIsReadWholly) {
  lay(folder / "moved" / "whole");
  auto repository = open(passphrase);
  auto snapshots = repository->snapshots().take();
  ASSERT_EQ(snapshots.size(), 1u);
  ASSERT_EQ(ids().size(), 2u) << "the point and the verdict of the repacking";
  EXPECT_EQ(repo::read_snapshot(*repository, snapshots[0].id).take(), thinned_content());
  for (const auto& pack : blobs.list("p/", {}).take()) {
    EXPECT_GE(pack.key.substr(2, 26), snapshots[0].id) << "the packs of the old point are gone";
  }
  auto report = verify(*repository);
  EXPECT_TRUE(report.clean()) << repo::describe(report);
  auto parent = repository->snapshot(snapshots[0].id).take();
  auto info =
      repo::write_snapshot(*repository, "data", thinned_content(), clock.now(), parent.get());
  ASSERT_TRUE(info.ok()) << info.error().text();
  EXPECT_EQ(info->new_bytes, 0u);
  EXPECT_EQ(repo::read_snapshot(*repository, info->id).take(), thinned_content());
}

TEST_P(Golden, WhatIsWrongWithAMoveIsNamedAndNothingElseIsRestored) {
  for (const auto& name : broken_moved()) {
    for (const auto& object : blobs.list("", {}).take()) {
      ASSERT_TRUE(blobs.remove(object.key).ok());
    }
    lay(folder / "moved" / "whole");
    auto point = ids().front();
    lay(folder / "moved" / "broken" / name);
    auto repository = open(passphrase);
    EXPECT_GT(refused_rows(*repository, point, thinned_content()), 0u) << name;
    auto report = verify(*repository);
    EXPECT_EQ(report.snapshots_damaged.back(), point) << name << "\n" << repo::describe(report);
  }
}

// Every folder of broken ones has its test above.
TEST_P(Golden, NoneIsForgotten) {
  std::set<std::string> there;
  for (const auto& entry : fs::directory_iterator(folder / "broken"))
    there.insert(entry.path().filename().string());
  EXPECT_EQ(there, std::set<std::string>(broken().begin(), broken().end()));
  there.clear();
  for (const auto& entry : fs::directory_iterator(folder / "moved" / "broken"))
    there.insert(entry.path().filename().string());
  EXPECT_EQ(there, std::set<std::string>(broken_moved().begin(), broken_moved().end()));
}

INSTANTIATE_TEST_SUITE_P(Versions, Golden, testing::Values("v1", "v2"),
                         [](const auto& version) { return std::string(version.param); });

}  // namespace
}  // namespace lb::golden
