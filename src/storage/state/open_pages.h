// Open pages: runbooks as plain objects of the repository, in "runbooks/SET/NAME.html" and ".md",
// so that whoever can read its place, or a copy, has them without this program and without a key.
// They are not sealed: whoever can write there can change them, add some and take some away. The
// sealed record of the set (page_log.h) holds the same bytes, so that all of this is told and
// mended. Never overwritten. Used by backup, verify, status and prune.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "storage/state/page_log.h"

namespace lb::state {

inline constexpr const char* open_pages_prefix = "runbooks/";
// Sets that prune leaves.
inline constexpr std::size_t open_sets_kept = 5;

struct OpenObject {
  std::string key;
  const std::string* text = nullptr;  // of the set it was made from
};
// In the order in which they are put: the index last, so that it names nothing that is not there.
std::vector<OpenObject> open_objects(const PageSet& pages);
// Puts those that are not there; durable when it returns. conflict: one is there with other bytes.
Status put_open_pages(repo::Repository& repository, const PageSet& pages);

// What a listing says of a set, which tells no change that keeps the size.
enum class Presence { whole, lacking, changed };
Result<Presence> presence_of(repo::Repository& repository, const PageSet& pages);

struct PageTrouble {
  std::string object, problem;
  bool mended = false;
};
struct PageCheck {
  std::size_t sets = 0, objects = 0;  // that were looked at
  std::vector<PageTrouble> troubles;
  bool clean() const { return troubles.empty(); }
  bool mended() const;  // all of them, or nothing was wrong
};
// listing: names and sizes, and one record; reading: every byte; mending: puts back from the record
// what is lost or changed. Of what no record speaks of nothing is touched. A set that is younger
// than an hour may still be on its way: that it lacks pages is no trouble then.
enum class PageLook { listing, reading, mending };
Result<PageCheck> check_open_pages(repo::Repository& repository, PageLook look, Timestamp now);

struct PagePrune {
  std::size_t removed = 0;  // objects
  std::size_t locked = 0;   // that nobody can delete yet
  std::set<std::string> kept;
};
// Removes the open pages of all sets but the newest few, and of all that hold what the newest set
// holds sealed only. Objects that no record speaks of stay: verify tells of them.
Result<PagePrune> prune_open_pages(repo::Repository& repository);

}  // namespace lb::state
