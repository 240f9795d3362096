// Rules about commands: what they would destroy, and what they compare.
#include <algorithm>
#include <map>

#include "foundation/base/text.h"
#include "model/adopt/contradictions.h"

namespace lb::adopt {

namespace {

bool spare(std::string_view text) {
  return mentions(text, {"staging", "test", "sandbox", "scratch", "emulator", "restored", "tmp"});
}

std::vector<std::string> tokens(std::string_view command) {
  std::vector<std::string> out;
  for (const auto& word : split(command, ' ')) {
    if (!word.empty()) out.push_back(word);
  }
  return out;
}

bool drops(const Statement& one) {
  auto low = cat(" ", one.low);
  for (std::string_view what : {"drop database", " dropdb ", "drop schema"}) {
    auto at = low.find(what);
    if (at == std::string::npos) continue;
    return !spare(low.substr(at));
  }
  return false;
}

// What is replaced is dropped while its replacement is still to be accepted.
void drops_too_early(const std::vector<Statement>& all, std::vector<Contradiction>& out) {
  std::map<std::size_t, std::size_t> accepted;  // runbook -> line of the next acceptance
  for (auto one = all.rbegin(); one != all.rend(); ++one) {
    if (one->runbook == none) continue;
    auto later = accepted.find(one->runbook);
    if (later != accepted.end() && one->command && drops(*one)) {
      Contradiction found;
      found.lines = {one->line, later->second};
      found.text = cat("the old database is dropped before the restored one is accepted (line ",
                       later->second, ")");
      found.advice =
          "exchange them by renaming, accept, and keep the old one some days: restore: how: "
          "beside-then-swap";
      out.push_back(std::move(found));
    }
    if (one->acceptance) accepted[one->runbook] = one->line;
  }
}

// A command that makes a live place equal to a copy, by deleting what the copy has not.
bool mirrors_into_live(const Statement& one) {
  auto words = tokens(one.text);
  bool sync = mentions(one.low, {"sync", "rsync", "mirror"});
  bool deletes = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word == "--delete" || word == "--delete-after" || word == "--delete-during" ||
           word == "--remove";
  });
  deletes = deletes || (mentions(one.low, {"gsutil"}) && one.low.find(" -d ") != std::string::npos);
  deletes = deletes || mentions(one.low, {"rclone sync"});
  if (!sync || !deletes) return false;
  std::vector<std::string> places;
  for (const auto& word : words) {
    bool remote = word.find("://") != std::string::npos ||
                  (word.find(":/") != std::string::npos && word[0] != '-') ||
                  (mentions(one.low, {"rclone"}) && word.find(':') != std::string::npos);
    if (remote) places.push_back(lower(word));
  }
  if (places.empty()) return false;
  const auto& target = places.back();
  bool last = lower(words.back()) == target || places.size() > 1;
  return last && target.find("backup") == std::string::npos && !spare(target);
}

void deletes_in_live(const std::vector<Statement>& all, std::vector<Contradiction>& out) {
  for (const auto& one : all) {
    if (!one.command || !mirrors_into_live(one)) continue;
    Contradiction found;
    found.lines = {one.line};
    found.text = "a restore that deletes in the live place everything written since the backup";
    found.advice =
        "look at what would be deleted first: restore: mode: merge, or exact behind a gate";
    out.push_back(std::move(found));
  }
}

bool counts_archive(const Statement& one) {
  return mentions(one.low, {"tar t", "tar tzf", "tar tf", "tar tjf", "unzip l", "zipinfo"}) &&
         mentions(one.low, {"wc l"}) && one.low.find("grep") == std::string::npos;
}
bool counts_files(const Statement& one) {
  return mentions(one.low, {"find"}) && one.low.find("-type f") != std::string::npos &&
         mentions(one.low, {"wc l"});
}

// The list of an archive has folders in it, a search for files has not.
void compares_unlike(const std::vector<Statement>& all, std::vector<Contradiction>& out) {
  std::map<std::size_t, std::size_t> files, archives;  // block -> line of the first such count
  for (const auto& one : all) {
    if (one.command && counts_files(one)) files.emplace(one.block, one.line);
    if (one.command && counts_archive(one)) archives.emplace(one.block, one.line);
  }
  for (const auto& [block, line] : archives) {
    auto other = files.find(block);
    if (other == files.end()) continue;
    Contradiction found;
    found.lines = {other->second, line};
    found.text = "unlike is compared: the archive's list counts folders, find -type f does not";
    found.advice = "leave the folders out on both sides: tar -tf … | grep -v '/$' | wc -l";
    out.push_back(std::move(found));
  }
}

// pg_restore reads archives; a file of SQL is refused by it.
void archive_tool_on_sql(const std::vector<Statement>& all, std::vector<Contradiction>& out) {
  for (const auto& one : all) {
    if (!one.command || !mentions(one.low, {"pg restore"})) continue;
    auto words = tokens(one.low.substr(
        one.low.find("pg_restore") == std::string::npos ? 0 : one.low.find("pg_restore")));
    bool sql = std::any_of(words.begin(), words.end(),
                           [](const std::string& word) { return word.ends_with(".sql"); });
    if (!sql) continue;
    Contradiction found;
    found.lines = {one.line};
    found.text = "pg_restore is given a file of SQL, which it does not read";
    found.advice = "psql -f for SQL; pg_restore for dumps made with -Fc, -Fd or -Ft";
    out.push_back(std::move(found));
  }
}

}  // namespace

void contradict_commands(const Draft&, const std::vector<Statement>& all,
                         std::vector<Contradiction>& out) {
  drops_too_early(all, out);
  deletes_in_live(all, out);
  compares_unlike(all, out);
  archive_tool_on_sql(all, out);
}

}  // namespace lb::adopt
