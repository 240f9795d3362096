#include "app/cli/point_words.h"

#include <string_view>

#include "foundation/base/text.h"

namespace lb::cli {

constexpr std::string_view snapshot_prefix = "point ";
constexpr std::string_view lsn_prefix = "lsn ";

Result<restore::Wish> wish_of(const std::string& words) {
  restore::Wish wish;
  if (words.starts_with(lsn_prefix)) {
    wish.wanted.kind = pg::Wanted::Kind::lsn;
    wish.wanted.lsn = LB_TRY(pg::parse_lsn(words.substr(lsn_prefix.size())));
    return wish;
  }
  if (!words.starts_with(snapshot_prefix)) return restore::parse_wish(words);
  wish.wanted.kind = pg::Wanted::Kind::snapshot;
  wish.snapshot = words.substr(snapshot_prefix.size());
  return wish;
}

std::string moment_of(const restore::Choice& choice) {
  if (choice.target && choice.target->last_commit)
    return format_time(choice.target->last_commit->time);
  return words_of_point(choice.snapshot.id);
}

std::string words_of_point(const std::string& snapshot) { return cat(snapshot_prefix, snapshot); }

bool names_exactly(const std::string& words) {
  return words.starts_with(snapshot_prefix) || words.starts_with(lsn_prefix);
}

}  // namespace lb::cli
