// Random trees with random changes between backups: what comes back is what was there, in every
// attribute. Seeds are fixed, so that a failure can be run again.
#include <unistd.h>

#include <functional>
#include <map>

#include "foundation/base/text.h"
#include "stores/files/compare.h"
#include "stores/files/test_world.h"

namespace lb::files {
namespace {

// All of a tree that a restore promises, as text a difference can be read from.
using Description = std::map<std::string, std::string>;

class FilesProperty : public FilesStoreTest, public testing::WithParamInterface<int> {
 protected:
  std::uint64_t below(std::uint64_t bound) { return random().below(bound); }
  Random& random() {
    if (!dice_) dice_ = seeded_random(static_cast<std::uint64_t>(GetParam()) + 1000);
    return *dice_;
  }

  std::string any_name() {
    static const std::vector<std::string> odd = {"new\nline",
                                                 "tab\t",
                                                 " ",
                                                 "-rf",
                                                 "..a",
                                                 "...",
                                                 "\xff\xfe\x80",
                                                 "\"quotes\"",
                                                 "$(x)",
                                                 "é",
                                                 "*",
                                                 "[a]",
                                                 "\\",
                                                 "~",
                                                 "\x01",
                                                 "a b",
                                                 std::string(255, 'n'),
                                                 ".hidden",
                                                 "%2e",
                                                 "CON"};
    if (below(3) == 0) return odd[below(odd.size())];
    return cat("n", below(40));
  }
  Buffer any_bytes() {
    Buffer out = random().bytes(below(6) == 0 ? below(300'000) : below(2000));
    return out;
  }

  Lines paths(FileKind kind) {
    Lines out = kind == FileKind::directory ? Lines{""} : Lines{};
    collect("", kind, out);
    return out;
  }
  void collect(const std::string& path, FileKind kind, Lines& out) {
    for (const auto& entry : files_.list(path_join(at(path), ".")).take()) {
      auto child = path_join(path, entry.name);
      if (entry.kind == kind) out.push_back(child);
      if (entry.kind == FileKind::directory) collect(child, kind, out);
    }
  }
  // A path that is not there yet, in a random folder.
  std::string fresh_path() {
    auto folders = paths(FileKind::directory);
    for (;;) {
      auto path = path_join(folders[below(folders.size())], any_name());
      if (!exists(at(path))) return path;
    }
  }
  std::string any(FileKind kind) {
    auto all = paths(kind);
    return all.empty() ? std::string() : all[below(all.size())];
  }

  void make_file() {
    auto file = files_.create(at(fresh_path()), 0600).take();
    if (below(5) == 0) {
      ASSERT_TRUE(file->truncate(below(1 << 22)).ok());
    }
    ASSERT_TRUE(file->write_at(any_bytes(), below(4) == 0 ? below(1 << 20) : 0).ok());
  }
  void edit_file() {
    auto path = any(FileKind::regular);
    if (path.empty()) return;
    auto file = files_.open_write(at(path)).take();
    if (below(3) == 0) {
      ASSERT_TRUE(file->truncate(below(5000)).ok());
    } else {
      ASSERT_TRUE(file->write_at(any_bytes(), below(10'000)).ok());
    }
  }
  void change_attributes() {
    auto kinds = {FileKind::regular, FileKind::directory, FileKind::fifo};
    auto path = any(*(kinds.begin() + below(3)));
    auto full = path_join(at(path), path.empty() ? "." : "");
    ASSERT_TRUE(files_.set_mode(full, 0700 | static_cast<std::uint32_t>(below(07777))).ok());
    auto name = cat("user.x", below(3));
    if (info(full).kind != FileKind::fifo) {
      ASSERT_TRUE(files_.set_xattr(full, name, random().bytes(below(100))).ok());
    }
    if (::geteuid() == 0) {
      auto id = static_cast<std::uint32_t>(below(3000));
      auto mode = info(full).mode;
      ASSERT_TRUE(files_.set_owner(full, id, id + 1).ok());
      ASSERT_TRUE(files_.set_mode(full, mode).ok());
    }
    auto when = static_cast<std::int64_t>(below(1'700'000'000)) * 1'000'000'000;
    ASSERT_TRUE(
        files_.set_mtime(full, when + static_cast<std::int64_t>(below(1'000'000'000))).ok());
  }
  void remove_something() {
    auto path = below(4) == 0 ? any(FileKind::directory) : any(FileKind::regular);
    if (path.empty()) return;
    ASSERT_TRUE(remove_tree(files_, at(path)).ok());
  }

  void mutate() {
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
        return make_file();
      case 3:
        ASSERT_TRUE(files_.make_directory(at(fresh_path()), 0755).ok());
        return;
      case 4:
        ASSERT_TRUE(files_.make_symlink(any_name(), at(fresh_path())).ok());
        return;
      case 5: {
        auto first = any(FileKind::regular);
        if (first.empty()) return;
        ASSERT_TRUE(files_.link(at(first), at(fresh_path())).ok());
        return;
      }
      case 6:
        ASSERT_TRUE(files_.make_special(at(fresh_path()), FileKind::fifo, 0640, 0).ok());
        return;
      case 7:
        return edit_file();
      case 8:
        return change_attributes();
      default:
        return remove_something();
    }
  }

  Description describe(const std::string& root) {
    Description out;
    std::map<std::uint64_t, std::string> first_names;
    describe_into(root, "", out, first_names);
    return out;
  }
  void describe_into(const std::string& root, const std::string& path, Description& out,
                     std::map<std::uint64_t, std::string>& first_names) {
    auto full = path_join(root, path.empty() ? "." : path);
    auto now = info(full);
    auto text = cat("kind ", static_cast<int>(now.kind), " mode ", now.mode, " uid ", now.uid,
                    " gid ", now.gid, " mtime ", now.mtime_ns);
    if (now.kind == FileKind::regular) {
      text += cat(" links ", now.links, " first ",
                  first_names.emplace(now.inode, path).first->second, " content ", digest(full));
    }
    if (now.kind == FileKind::symlink) text += " to " + files_.read_link(full).take();
    for (const auto& name : files_.list_xattrs(full).take()) {
      text += cat(" ", name, "=", to_hex(files_.get_xattr(full, name).take()));
    }
    out[path] = text;
    if (now.kind != FileKind::directory) return;
    for (const auto& entry : files_.list(full).take()) {
      describe_into(root, path_join(path, entry.name), out, first_names);
    }
  }
  std::string digest(const std::string& full) {
    auto bytes = read_file(files_, full, 1 << 26).take();
    return cat(bytes.size(), ":", std::hash<std::string_view>()(text_of(bytes)));
  }
  void expect_equal(const std::string& target) {
    auto expected = describe(source_), got = describe(target);
    for (const auto& [path, text] : expected) {
      EXPECT_EQ(got.count(path) ? got[path] : "missing", text) << printable(path);
    }
    for (const auto& [path, text] : got) {
      EXPECT_TRUE(expected.contains(path)) << printable(path) << " is extra";
    }
  }

 private:
  std::unique_ptr<Random> dice_;
};

TEST_P(FilesProperty, WhatComesBackIsWhatWasThere) {
  for (int n = 0; n < 60; ++n) mutate();
  auto exact = to_target();
  exact.mode = RestoreMode::exact;
  for (int round = 0; round < 4; ++round) {
    SCOPED_TRACE(cat("round ", round));
    auto outcome = backup();
    EXPECT_TRUE(outcome.unread.empty());
    auto fresh = to_target();
    fresh.folder = folder_ / cat("fresh", round);
    auto restored = restore_all(fresh);
    EXPECT_TRUE(restored.warnings.empty()) << join(restored.warnings, "; ");
    expect_equal(fresh.folder);
    auto compared = compare_tree(world_, *parent_, fresh.folder, {}, true, {}).take();
    EXPECT_EQ(
        compared.missing + compared.extra + compared.mode_mismatches + compared.content_mismatches,
        0u)
        << join(compared.examples, "\n");
    // Over what the round before left there: removals, new kinds under old names, moved links.
    auto list = plan_deletions(world_, *parent_, exact).take();
    restore_all(exact, list);
    expect_equal(target_);
    if (HasFailure()) return;
    for (int n = 0; n < 25; ++n) mutate();
    clock_.advance(Seconds(3600));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FilesProperty, testing::Range(0, 8));

}  // namespace
}  // namespace lb::files
