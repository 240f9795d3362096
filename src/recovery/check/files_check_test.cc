// files and references on trees that were really backed up and restored, then damaged.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "foundation/sys/test_folder.h"
#include "recovery/check/checks_fixture.h"
#include "storage/blob/memory_blob_store.h"
#include "storage/repo/repository.h"
#include "stores/files/store.h"

namespace lb::check {
namespace {

using record::CheckState;
using Op = plan::Comparison::Op;

void put_file(const std::string& path, const std::string& content) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

// Backs a small tree up and restores it as the store "media" of the bench.
class RestoredTree {
 public:
  explicit RestoredTree(CheckBench& bench) : bench_(bench) {
    put_file(source_ / "voiceovers/a.mp3", "sound a");
    put_file(source_ / "voiceovers/b.mp3", "sound b");
    put_file(source_ / "videos/deep/c.mp4", std::string(100000, 'c'));
    put_file(source_ / "artifacts/d.json", "{}");
    put_file(source_ / "readme", "text");
    std::filesystem::create_directories(source_ / "empty");
    back_up();
    restore();
    CheckedStore store;
    store.name = "media";
    store.folder = folder_.path() + "/tree";
    store.snapshot = snapshot_.get();
    bench_.context.stores.push_back(std::move(store));
  }

  std::string operator/(const std::string& name) const { return folder_.path() + "/tree/" + name; }

 private:
  void back_up() {
    files::SourceOptions options;
    options.store = "media";
    options.root = source_.path();
    Secret key(std::string_view("a key of this test"));
    auto& world = bench_.world;
    if (!repo::init_repository(blobs_, world.clock, world.random, key).ok()) {
      throw std::runtime_error("no repository");
    }
    repository_ = repo::open_repository(blobs_, world.clock, world.random, key).take();
    BackupContext context{world, *repository_, nullptr, {}, {}, 2, "host"};
    auto outcome = files::make_source(options)->backup(context);
    if (!outcome.ok()) throw std::runtime_error(outcome.error().text());
    snapshot_ = repository_->snapshot(outcome->snapshot.id).take();
  }
  void restore() {
    files::RestoreOptions options;
    options.folder = folder_.path() + "/tree";
    auto outcome = files::restore(bench_.world, *snapshot_, options, {}, {});
    if (!outcome.ok()) throw std::runtime_error(outcome.error().text());
  }

  CheckBench& bench_;
  TestFolder source_, folder_;
  MemoryBlobStore blobs_;
  std::unique_ptr<repo::Repository> repository_;
  std::unique_ptr<repo::SnapshotReader> snapshot_;
};

struct Facets {
  bool count = false, zero_bytes = false, modes = false, hashes = false;
};

plan::CheckFiles expecting_files(const Facets& facets, std::vector<std::string> in = {}) {
  plan::CheckFiles out;
  out.in = std::move(in);
  if (facets.count) out.count = as_recorded();
  if (facets.zero_bytes) out.zero_bytes = equal_to("0");
  if (facets.modes) out.modes = as_recorded();
  if (facets.hashes) out.hashes = as_recorded();
  return out;
}

const Facets all_facets{true, true, true, true};

TEST(FilesCheck, PassesOnWhatWasRestored) {
  CheckBench bench;
  RestoredTree tree(bench);
  auto result = bench.run_what(expecting_files(all_facets));
  EXPECT_EQ(result.state, CheckState::pass) << all_text(result);
  EXPECT_EQ(result.examined, 5u);
  EXPECT_EQ(result.store, "media");
  auto some = bench.run_what(expecting_files(all_facets, {"voiceovers", "videos"}));
  EXPECT_EQ(some.state, CheckState::pass) << all_text(some);
  EXPECT_EQ(some.examined, 3u);
}

struct DamageCase {
  std::string name;
  std::function<void(const RestoredTree&)> damage;
  Facets seen_by, not_seen_by;
  std::string says;
};

TEST(FilesCheck, FailsOnEveryKindOfDamage) {
  namespace fs = std::filesystem;
  const DamageCase cases[] = {
      {"a missing file",
       [](const auto& tree) { fs::remove(tree / "voiceovers/b.mp3"); },
       {.count = true},
       {.zero_bytes = true},
       "b.mp3"},
      {"a missing file hidden by a new one",
       [](const auto& tree) { fs::rename(tree / "voiceovers/b.mp3", tree / "voiceovers/new.mp3"); },
       {.count = true},
       {.zero_bytes = true},
       "missing"},
      {"a missing folder",
       [](const auto& tree) { fs::remove_all(tree / "videos"); },
       {.modes = true},
       {.zero_bytes = true},
       "videos"},
      {"a new file",
       [](const auto& tree) { put_file(tree / "artifacts/x", "x"); },
       {.count = true},
       {.hashes = true},
       ""},
      {"an emptied file",
       [](const auto& tree) { put_file(tree / "artifacts/d.json", ""); },
       {.zero_bytes = true},
       {.count = true},
       "1 files of zero bytes, expected 0"},
      {"another mode",
       [](const auto& tree) { fs::permissions(tree / "readme", fs::perms::owner_all); },
       {.modes = true},
       {.count = true, .zero_bytes = true, .hashes = true},
       "readme"},
      {"one byte changed",
       [](const auto& tree) {
         auto time = fs::last_write_time(tree / "videos/deep/c.mp4");
         put_file(tree / "videos/deep/c.mp4", std::string(99999, 'c') + "x");
         fs::last_write_time(tree / "videos/deep/c.mp4", time);
       },
       {.hashes = true},
       {.count = true, .zero_bytes = true, .modes = true},
       "c.mp4"},
  };
  for (const auto& c : cases) {
    CheckBench bench;
    RestoredTree tree(bench);
    c.damage(tree);
    auto seen = bench.run_what(expecting_files(c.seen_by));
    EXPECT_EQ(seen.state, CheckState::fail) << c.name << "\n" << all_text(seen);
    EXPECT_NE(all_text(seen).find(c.says), std::string::npos) << c.name << "\n" << all_text(seen);
    auto other = bench.run_what(expecting_files(c.not_seen_by));
    EXPECT_EQ(other.state, CheckState::pass) << c.name << "\n" << all_text(other);
    EXPECT_EQ(bench.run_what(expecting_files(all_facets)).state, CheckState::fail) << c.name;
  }
}

TEST(FilesCheck, LooksOnlyIntoTheFoldersNamed) {
  CheckBench bench;
  RestoredTree tree(bench);
  std::filesystem::remove(tree / "voiceovers/a.mp3");
  EXPECT_EQ(bench.run_what(expecting_files(all_facets, {"videos"})).state, CheckState::pass);
  EXPECT_EQ(bench.run_what(expecting_files(all_facets, {"videos", "voiceovers"})).state,
            CheckState::fail);
}

TEST(FilesCheck, ComparesCountsWithNumbersOfThePlan) {
  CheckBench bench;
  RestoredTree tree(bench);
  plan::CheckFiles what;
  what.in = {"voiceovers", "videos"};
  what.count = expecting(Op::greater_equal, "2");
  auto result = bench.run_what(what);
  EXPECT_EQ(result.state, CheckState::fail) << all_text(result);
  EXPECT_EQ(result.reason, "videos: 1 files, expected >= 2");
  what.count = expecting(Op::greater_equal, "1");
  EXPECT_EQ(bench.run_what(what).state, CheckState::pass);
}

TEST(FilesCheck, NeverPassesOnNothing) {
  CheckBench bench;
  RestoredTree tree(bench);
  auto nowhere = bench.run_what(expecting_files(all_facets, {"no such folder"}));
  EXPECT_EQ(nowhere.state, CheckState::error) << all_text(nowhere);
  auto empty = bench.run_what(expecting_files({.count = true}, {"empty"}));
  EXPECT_EQ(empty.state, CheckState::fail) << all_text(empty);
  EXPECT_EQ(empty.reason, "nothing was examined");
  EXPECT_EQ(bench.run_what(plan::CheckFiles{}).state, CheckState::error);
  auto modes = expecting_files({.modes = true});
  modes.modes = equal_to("0644");
  EXPECT_EQ(bench.run_what(modes).state, CheckState::error);
  std::filesystem::remove_all(tree / "");
  EXPECT_NE(bench.run_what(expecting_files(all_facets)).state, CheckState::pass);
  bench.context.stores.at(0).snapshot = nullptr;
  EXPECT_EQ(bench.run_what(expecting_files(all_facets)).state, CheckState::error);
}

class References : public PostgresTest {};

plan::CheckReferences keys_in_media(const std::string& sql) {
  plan::CheckReferences out;
  out.from_store = "db";
  out.sql = sql;
  out.to = "media";
  out.missing = equal_to("0");
  return out;
}

TEST_F(References, KeysMustLeadToFiles) {
  CopyBench bench;
  RestoredTree tree(bench);
  bench.sql(
      "CREATE TABLE artifacts (key text); INSERT INTO artifacts VALUES ('voiceovers/a.mp3'),"
      " ('videos/deep/c.mp4'), (NULL)");
  const std::string sql = "SELECT key FROM artifacts ORDER BY key;";
  auto right = bench.run_what(keys_in_media(sql));
  EXPECT_EQ(right.state, CheckState::pass) << all_text(right);
  EXPECT_EQ(right.examined, 2u);
  EXPECT_EQ(right.store, "media");

  std::filesystem::remove(tree / "voiceovers/a.mp3");
  auto lost = bench.run_what(keys_in_media(sql));
  EXPECT_EQ(lost.state, CheckState::fail);
  EXPECT_EQ(lost.reason, "1 of 2 keys missing in media");
  EXPECT_NE(all_text(lost).find("missing: voiceovers/a.mp3"), std::string::npos);
  auto tolerant = keys_in_media(sql);
  tolerant.missing = expecting(Op::less_equal, "1");
  EXPECT_EQ(bench.run_what(tolerant).state, CheckState::pass);
}

TEST_F(References, APrefixIsTakenOff) {
  CopyBench bench;
  RestoredTree tree(bench);
  auto what = keys_in_media("VALUES ('storage/voiceovers/a.mp3'), ('readme')");
  EXPECT_EQ(bench.run_what(what).state, CheckState::fail);
  what.strip_prefix = "storage/";
  auto result = bench.run_what(what);
  EXPECT_EQ(result.state, CheckState::pass) << all_text(result);
}

TEST_F(References, FoldersAndWaysOutAreNoFiles) {
  CopyBench bench;
  RestoredTree tree(bench);
  put_file(tree / "../outside", "x");
  auto result = bench.run_what(keys_in_media(
      "VALUES ('voiceovers'), (''), ('../outside'), ('/etc/passwd'), ('voiceovers/../readme')"));
  EXPECT_EQ(result.state, CheckState::fail);
  EXPECT_EQ(result.reason, "5 of 5 keys missing in media") << all_text(result);
}

TEST_F(References, ManyKeysAreReadInBatchesAndTheFirstMissingShown) {
  CopyBench bench;
  RestoredTree tree(bench);
  auto result =
      bench.run_what(keys_in_media("SELECT CASE WHEN i % 200 = 0 THEN 'lost/' || i ELSE 'readme' "
                                   "END FROM generate_series(1, 12000) i"));
  EXPECT_EQ(result.state, CheckState::fail);
  EXPECT_EQ(result.examined, 12000u);
  EXPECT_EQ(result.got, "60 of 12000 keys missing in media");
  ASSERT_EQ(result.evidence.size(), 21u);
  EXPECT_EQ(result.evidence[0], "missing: lost/200");
  EXPECT_EQ(result.evidence[20], "and 40 more");
}

TEST_F(References, NoKeysFailAndWhatCannotBeAskedIsAnError) {
  CopyBench bench;
  RestoredTree tree(bench);
  auto none = bench.run_what(keys_in_media("SELECT 'x' WHERE false"));
  EXPECT_EQ(none.state, CheckState::fail);
  auto nulls = bench.run_what(keys_in_media("SELECT NULL::text"));
  EXPECT_EQ(nulls.state, CheckState::fail) << all_text(nulls);
  EXPECT_EQ(bench.run_what(keys_in_media("SELECT key FROM gone")).state, CheckState::error);
  auto elsewhere = keys_in_media("SELECT 'readme'");
  elsewhere.to = "other";
  EXPECT_EQ(bench.run_what(elsewhere).state, CheckState::error);
  std::filesystem::remove_all(tree / "");
  EXPECT_EQ(bench.run_what(keys_in_media("SELECT 'readme'")).state, CheckState::error);
}

}  // namespace
}  // namespace lb::check
