// Keys and single files as a user meets them: several keys, a host that may only write, the loss of
// every key, and looking into points.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>

#include "foundation/base/text.h"
#include "foundation/sys/clock.h"
#include "storage/blob/directory_blob_store.h"
#include "storage/repo/repository.h"
#include "tests/harness/lifeboat_run.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

class KeysCli : public testing::Test {
 protected:
  KeysCli() : boat(LIFEBOAT_BINARY) {
    write_text(boat / "data/etc/app.conf", "mode = quiet\n");
    write_text(boat / "data/media/song.ogg", std::string(300'000, 's'));
    use_key("env:LIFEBOAT_KEY");
    boat.environment()["OTHER"] = "quite another passphrase";
  }
  // The plan with this reference as its key.
  void use_key(const std::string& reference) {
    boat.write_plan("stores:\n  data: {files: ./data}\n");
    auto plan = read_text(boat / "lifeboat.yaml");
    const std::string usual = "env:LIFEBOAT_KEY";
    plan.replace(plan.find(usual), usual.size(), reference);
    write_text(boat / "lifeboat.yaml", plan);
  }
  std::vector<std::string> share_files() {
    auto files = files_below(boat / "kit");
    for (const auto& path : files) {
      struct stat facts {};
      EXPECT_EQ(::stat(path.c_str(), &facts), 0);
      EXPECT_EQ(facts.st_mode & 07777, 0600u) << path;
    }
    return files;
  }
  std::vector<std::string> recover_with(std::vector<std::string> shares) {
    std::vector<std::string> words = {"key", "recover"};
    words.insert(words.end(), shares.begin(), shares.end());
    words.insert(words.end(), {"--passphrase", "env:OTHER"});
    return words;
  }
  // What the repository itself remembers of an act, as its journal tells.
  std::string remembered(const std::string& act, const std::string& passphrase) {
    auto files = real_files();
    auto clock = real_clock();
    auto random = real_random();
    auto blobs =
        open_directory_blobs(*files, *clock, *random, boat.repository(), MissingFolder::refuse);
    EXPECT_TRUE(blobs.ok());
    auto opened = repo::open_repository(**blobs, *clock, *random, Secret(passphrase));
    EXPECT_TRUE(opened.ok());
    std::string out;
    for (const auto& id : (*opened)->records("journal").take()) {
      auto batch = (*opened)->get_record("journal", id).take();
      for (const auto& line : split(text_of(batch), '\n')) {
        if (line.find("\"" + act + "\"") != std::string::npos) out += std::string(line) + "\n";
      }
    }
    return out;
  }
  Lifeboat boat;
};

TEST_F(KeysCli, AWrongKeySaysSoInUnderASecond) {
  boat.must({"init"});
  for (int i = 0; i < 6; ++i) {
    boat.environment()["MORE"] = "passphrase number " + std::to_string(i);
    boat.must({"key", "add", "more" + std::to_string(i), "--passphrase", "env:MORE"});
  }
  use_key("env:WRONG");
  boat.environment()["WRONG"] = "not the passphrase";
  auto before = std::chrono::steady_clock::now();
  auto ran = boat.run({"ls"});
  auto took = std::chrono::steady_clock::now() - before;
  EXPECT_EQ(ran.exit_code, 12) << ran.err;
  EXPECT_LT(took, std::chrono::seconds(5)) << "on a busy machine; one argon2id of 64 MiB";
}

TEST_F(KeysCli, KeysAreAddedRotatedAndRemoved) {
  boat.must({"init"});
  boat.must({"key", "add", "office", "--passphrase", "env:OTHER"});
  EXPECT_EQ(boat.run({"key", "add", "office", "--passphrase", "env:OTHER"}).exit_code, 5);
  auto keys = boat.must({"key", "ls", "--json"}).summary()["keys"].items();
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0]["name"].string(), "first");
  EXPECT_TRUE(keys[0]["in_use"].boolean());
  EXPECT_NE(boat.must({"key", "ls"}).out.find("office  passphrase"), std::string::npos);

  use_key("env:OTHER");
  EXPECT_EQ(boat.run({"key", "remove", "first"}).exit_code, 5) << "not confirmed";
  boat.must({"key", "remove", "first", "--confirm", "first"});
  auto last = boat.run({"key", "remove", "office", "--confirm", "office"});
  EXPECT_EQ(last.exit_code, 5) << last.err;
  boat.environment()["THIRD"] = "the third passphrase";
  boat.must({"key", "rotate", "office", "--passphrase", "env:THIRD"});
  EXPECT_EQ(boat.run({"ls"}).exit_code, 12);
  use_key("env:THIRD");
  boat.must({"ls"});
  EXPECT_EQ(boat.run({"key", "remove", "ofice", "--confirm", "ofice"}).exit_code, 2);
}

TEST_F(KeysCli, SecretsAreNeverTakenFromTheCommandLineNorPrinted) {
  boat.must({"init"});
  auto typed = boat.run({"key", "add", "office", "--passphrase", "a secret in the history"});
  EXPECT_EQ(typed.exit_code, 2);
  EXPECT_NE(typed.err.find("could be read by others"), std::string::npos) << typed.err;
  EXPECT_EQ(boat.run({"key", "add", "office"}).exit_code, 2);
  boat.environment()["SHORT"] = "short";
  EXPECT_EQ(boat.run({"key", "add", "office", "--passphrase", "env:SHORT"}).exit_code, 2);
  auto added = boat.must({"key", "add", "file", "--file", boat / "file.key", "--json"});
  auto key = read_text(boat / "file.key").substr(15, 64);
  EXPECT_EQ((added.out + added.err).find(key), std::string::npos);
  for (const auto& path : files_below(boat.folder())) {
    if (path == boat / "file.key") continue;
    EXPECT_EQ(read_text(path).find(key), std::string::npos) << path;
  }
}

TEST_F(KeysCli, AKeyFileOpensUntilItIsDamaged) {
  boat.must({"init"});
  boat.must({"key", "add", "machine", "--file", boat / "machine.key"});
  use_key("file:machine.key");
  boat.must({"backup"});
  boat.must({"verify"});
  auto text = read_text(boat / "machine.key");
  text[20] = text[20] == '0' ? '1' : '0';
  write_text(boat / "machine.key", text);
  auto ran = boat.run({"ls"});
  EXPECT_EQ(ran.exit_code, 12);
  EXPECT_NE(ran.err.find("the key file is damaged"), std::string::npos) << ran.err;
}

TEST_F(KeysCli, AHostThatMayOnlyWriteBacksUpAndReadsNothing) {
  boat.must({"init"});
  boat.must({"key", "add", "host", "--write-only", "--file", boat / "host.key"});
  use_key("file:host.key");
  boat.must({"backup"});
  auto again = boat.must({"backup", "--json"});
  EXPECT_NE(again.err.find("may only write"), std::string::npos) << again.err;
  auto lines = again.lines();
  ASSERT_GE(lines.size(), 2u);
  EXPECT_EQ(lines[0]["new_bytes"].integer(), 0) << "it deduplicates all the same";
  boat.must({"key", "ls"});
  EXPECT_NE(boat.run({"doctor"}).out.find("may only write"), std::string::npos);
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"ls"},
                                             {"info"},
                                             {"status"},
                                             {"verify"},
                                             {"restore", "data", "--to", boat / "back"},
                                             {"cat", "data:etc/app.conf"},
                                             {"find", "data", "*"},
                                             {"key", "add", "more", "--passphrase", "env:OTHER"},
                                             {"key", "remove", "first", "--confirm", "first"}}) {
    auto ran = boat.run(words);
    EXPECT_EQ(ran.exit_code, 12) << words[0] << ran.err;
    EXPECT_NE(ran.err.find("may write to the repository but not read it"), std::string::npos)
        << ran.err;
    EXPECT_NE(ran.err.find("key ls"), std::string::npos) << ran.err;
  }
  EXPECT_FALSE(fs::exists(boat / "back"));
  use_key("env:LIFEBOAT_KEY");
  boat.must({"verify"});
  EXPECT_EQ(boat.must({"ls", "--json"}).summary()["points"].items().size(), 2u);
  boat.must({"restore", "data", "--to", boat / "back"});
  EXPECT_EQ(tree_of(boat / "back"), tree_of(boat / "data"));
}

TEST_F(KeysCli, AKitBringsTheRepositoryBackWhenEveryKeyIsLost) {
  boat.must({"init"});
  boat.must({"backup"});
  boat.must({"key", "kit", "--shares", "5", "--need", "3", "--out", boat / "kit"});
  auto shares = share_files();
  ASSERT_EQ(shares.size(), 5u);
  EXPECT_EQ(boat.run({"key", "kit", "two", "--out", boat / "kit"}).exit_code, 0);
  EXPECT_EQ(boat.run({"key", "kit", "--out", boat / "kit"}).exit_code, 5);
  use_key("env:LOST");
  boat.environment()["LOST"] = "nobody remembers this";
  EXPECT_EQ(boat.run({"ls"}).exit_code, 12);

  auto few = boat.run(recover_with({shares[0], shares[3]}));
  EXPECT_EQ(few.exit_code, 12);
  EXPECT_NE(few.err.find("2 of the 3 shares"), std::string::npos) << few.err;
  auto mistyped = read_text(shares[1]);
  auto at = mistyped.find("key3 ") + 6;
  mistyped[at] = mistyped[at] == '5' ? '6' : '5';
  write_text(boat / "typed.txt", mistyped);
  auto typo = boat.run(recover_with({shares[0], boat / "typed.txt", shares[3]}));
  EXPECT_EQ(typo.exit_code, 12);
  EXPECT_NE(typo.err.find("typed.txt: line 'key3'"), std::string::npos) << typo.err;
  auto mixed = boat.run(recover_with({shares[0], boat / "kit/two-share-2-of-5.txt", shares[3]}));
  EXPECT_EQ(mixed.exit_code, 12);
  EXPECT_NE(mixed.err.find("two-share-2-of-5.txt is a share of another kit"), std::string::npos);

  boat.must(recover_with({shares[4], shares[0], shares[2]}));
  auto told = remembered("key recover", boat.environment()["OTHER"]);
  EXPECT_NE(told.find("\"intent\""), std::string::npos) << "before it happened\n" << told;
  EXPECT_NE(told.find("\"outcome\""), std::string::npos) << told;
  EXPECT_NE(told.find("\"shares\":[5,1,3]"), std::string::npos) << "and with which shares\n"
                                                                << told;
  auto again = boat.run(recover_with({shares[4], shares[0], shares[2]}));
  EXPECT_NE(again.exit_code, 0) << "there is a key of this name";
  use_key("env:OTHER");
  boat.must({"restore", "data", "--to", boat / "back"});
  EXPECT_EQ(tree_of(boat / "back"), tree_of(boat / "data"));
  told = remembered("key recover", boat.environment()["OTHER"]);
  EXPECT_NE(told.find("\"ok\":false"), std::string::npos) << "what failed is told too\n" << told;
  boat.must({"key", "remove", "kit", "--confirm", "kit"});
  auto gone = boat.run(recover_with({shares[4], shares[0], shares[2]}));
  EXPECT_EQ(gone.exit_code, 12) << gone.err;
}

TEST_F(KeysCli, CatFindAndDiffLookIntoPoints) {
  std::string odd = "odd\n\xFFname";
  write_text(boat / ("data/" + odd), "odd");
  write_text(boat / "data/links/one", "linked");
  fs::create_hard_link(boat / "data/links/one", boat / "data/links/two");
  fs::create_symlink("app.conf", boat / "data/etc/link");
  boat.must({"init"});
  boat.must({"backup"});
  auto first = boat.must({"ls", "--json"}).summary()["points"].items()[0]["id"].string();
  write_text(boat / "data/etc/app.conf", "mode = loud!\n");
  fs::remove(boat / "data/media/song.ogg");
  write_text(boat / "data/media/new.ogg", "new");
  fs::permissions(boat / ("data/" + odd), fs::perms::owner_read);
  boat.must({"backup"});

  EXPECT_EQ(boat.must({"cat", "data:etc/app.conf"}).out, "mode = loud!\n");
  EXPECT_EQ(boat.must({"cat", first + ":./etc/app.conf"}).out, "mode = quiet\n");
  EXPECT_EQ(boat.must({"cat", "data:links/two"}).out, "linked");
  EXPECT_EQ(boat.must({"cat", first + ":media/song.ogg"}).out, std::string(300'000, 's'));
  EXPECT_EQ(boat.must({"cat", "data:" + odd}).out, "odd");
  EXPECT_EQ(boat.must({"cat", "data:media/new.ogg", "--json"}).summary()["sha256"].string(),
            "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437");
  EXPECT_EQ(boat.run({"cat", "data:media"}).exit_code, 2);
  EXPECT_EQ(boat.run({"cat", "data:etc/link"}).exit_code, 2);
  EXPECT_EQ(boat.run({"cat", "data:media/song.ogg"}).exit_code, 1);
  EXPECT_EQ(boat.run({"cat", "nothing:x"}).exit_code, 14);
  EXPECT_EQ(boat.run({"cat", "data:x", "--at", "2001-01-01T00:00:00Z"}).exit_code, 14);

  auto found = boat.must({"find", "data", "*.ogg", "-0"});
  EXPECT_EQ(found.out, std::string("media/new.ogg\0", 14));
  EXPECT_EQ(boat.must({"find", "data", "odd*", "-0"}).out, odd + '\0');
  auto escaped = boat.must({"find", "data", "odd*"}).out;
  EXPECT_NE(escaped.find("odd\\x0a\\xffname"), std::string::npos) << escaped;
  EXPECT_EQ(boat.must({"find", "data", "media/*", "--all", "--json"}).summary()["found"].integer(),
            2);
  EXPECT_EQ(boat.must({"find", "data", "nowhere/*", "--json"}).summary()["found"].integer(), 0);

  auto diff = boat.must({"diff", "data"}).out;
  EXPECT_EQ(diff, "M etc/app.conf\n+ media/new.ogg\n- media/song.ogg\na odd\\x0a\\xffname\n");
  auto same = boat.must({"diff", first, first, "--json"}).summary();
  EXPECT_EQ(same["content"].integer() + same["added"].integer(), 0);
}

}  // namespace
}  // namespace lb::test
