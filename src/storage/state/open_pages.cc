#include "storage/state/open_pages.h"

#include <algorithm>
#include <map>
#include <optional>

#include "foundation/base/text.h"
#include "storage/blob/locks.h"
#include "storage/repo/core.h"
#include "storage/repo/put_once.h"

namespace lb::state {

namespace {

constexpr Micros on_its_way = std::chrono::hours(1);

using Sizes = std::map<std::string, std::uint64_t>;  // by key

// Null for a repository without a store behind it.
BlobStore* store_of(repo::Repository& repository) {
  const auto* core = repository.core();
  return core == nullptr ? nullptr : &core->blobs;
}

Result<Sizes> list_open(repo::Repository& repository) {
  Sizes out;
  auto* store = store_of(repository);
  if (store == nullptr) return out;
  for (auto& object : LB_TRY(store->list(open_pages_prefix)))
    out.emplace(std::move(object.key), object.size);
  return out;
}

// "runbooks/SET/loss.md": SET. Empty when the key is no page.
std::string set_of(const std::string& key) {
  const auto from = std::string_view(open_pages_prefix).size();
  const auto end = key.find('/', from);
  return end == std::string::npos ? std::string() : key.substr(from, end - from);
}

// Looks at the sets one after another, newest first.
class Checker {
 public:
  Checker(repo::Repository& repository, PageLook look, Timestamp now)
      : repository_(repository), look_(look), now_(now) {}

  Result<PageCheck> run() {
    there_ = LB_TRY(list_open(repository_).context("list the open pages of runbooks"));
    auto ids = LB_TRY(repository_.records(page_record_kind).context("look for pages of runbooks"));
    std::set<std::string> known(ids.begin(), ids.end()), sets;
    for (const auto& [key, size] : there_) sets.insert(set_of(key));
    auto newest = LB_TRY(newest_readable(ids));
    if (newest && newest->open()) sets.insert(newest->id);
    for (auto set = sets.rbegin(); set != sets.rend(); ++set) {
      ++out_.sets;
      const bool is_newest = newest && *set == newest->id;
      if (is_newest) {
        LB_TRY(check(*newest, true));
      } else if (!known.contains(*set) || !made_of(*set)) {
        disown(*set);
      } else if (look_ != PageLook::listing) {
        LB_TRY(check_older(*set));
      }
    }
    if (look_ == PageLook::mending && store_of(repository_) != nullptr)
      LB_TRY(store_of(repository_)->flush());
    return std::move(out_);
  }

 private:
  // Damaged records are what verify tells of by itself.
  Result<std::optional<PageSet>> newest_readable(const std::vector<std::string>& ids) {
    if (ids.empty()) return std::optional<PageSet>();
    auto newest = newest_pages(repository_);
    if (!newest.ok() && newest.error().kind() == ErrorKind::corrupt)
      return std::optional<PageSet>();
    return newest;
  }

  void trouble(const std::string& object, const std::string& problem, bool mended = false) {
    out_.troubles.push_back({object, problem, mended});
  }

  // No holder of a key says that this is a page of a runbook.
  void disown(const std::string& set) {
    for (const auto& [key, size] : there_) {
      if (set_of(key) != set) continue;
      ++out_.objects;
      trouble(key,
              "no sealed record speaks of it: somebody without a key may have put it there. Do not "
              "follow it; delete it by hand");
    }
  }

  Status check_older(const std::string& set) {
    auto pages = pages_of(repository_, set);
    if (pages.ok()) return check(*pages, false);
    if (pages.error().kind() != ErrorKind::corrupt) return std::move(pages).take_error();
    disown(set);
    return {};
  }

  Status check(const PageSet& pages, bool newest) {
    std::set<std::string> expected;
    for (const auto& object : open_objects(pages)) {
      expected.insert(object.key);
      auto found = there_.find(object.key);
      if (found == there_.end()) {
        // Of older ones prune may have removed a part.
        if (newest && now_ - pages.made > on_its_way) LB_TRY(lost(object));
        continue;
      }
      ++out_.objects;
      LB_TRY(compare(object, found->second));
    }
    for (const auto& [key, size] : there_) {
      if (set_of(key) != pages.id || expected.contains(key)) continue;
      ++out_.objects;
      trouble(key,
              "the sealed record of these pages does not name it: do not follow it; delete it by "
              "hand");
    }
    return {};
  }

  Status lost(const OpenObject& object) {
    if (look_ != PageLook::mending) {
      trouble(object.key, "is lost");
      return {};
    }
    auto put = repo::put_once(*store_of(repository_), object.key, view_of(*object.text));
    trouble(object.key, put.ok() ? "was lost" : cat("is lost: ", put.error().text()), put.ok());
    return {};
  }

  // One of another size is not even read: it may be of any size.
  Status compare(const OpenObject& object, std::uint64_t size) {
    auto* store = store_of(repository_);
    bool same = size == object.text->size();
    if (same && look_ != PageLook::listing) {
      auto bytes = store->get(object.key);
      if (!bytes.ok() && bytes.error().kind() != ErrorKind::not_found)
        return std::move(bytes).take_error().context("read an open page of a runbook");
      same = bytes.ok() && text_of(*bytes) == *object.text;
    }
    if (same) return {};
    const std::string changed = "is not what was put there: somebody changed it. Do not follow it";
    if (look_ != PageLook::mending) {
      trouble(object.key, changed);
      return {};
    }
    auto removed = store->remove(object.key);
    auto put = removed.ok() ? repo::put_once(*store, object.key, view_of(*object.text))
                            : Status(std::move(removed).take_error());
    trouble(object.key,
            put.ok() ? "was changed: as it was put there again"
                     : cat(changed, "; not put back: ", put.error().text()),
            put.ok());
    return {};
  }

  repo::Repository& repository_;
  const PageLook look_;
  const Timestamp now_;
  Sizes there_;
  PageCheck out_;
};

// Pages of runbooks that the newest set does not let lie open.
bool holds_sealed(const PageSet& older, const PageSet& newest) {
  return std::any_of(older.pages.begin(), older.pages.end(), [&](const auto& page) {
    return page.open && std::any_of(newest.pages.begin(), newest.pages.end(), [&](const auto& own) {
             return own.runbook == page.runbook && !own.open;
           });
  });
}

// The sets to keep: only as many records are read as it takes.
Result<std::set<std::string>> sets_to_keep(repo::Repository& repository,
                                           const std::vector<std::string>& ids) {
  std::set<std::string> out;
  std::optional<PageSet> newest;
  for (auto id = ids.rbegin(); id != ids.rend() && out.size() < open_sets_kept; ++id) {
    auto pages = pages_of(repository, *id);
    // What a damaged record speaks of is not judged, so it stays.
    if (!pages.ok() && pages.error().kind() == ErrorKind::corrupt) {
      out.insert(*id);
      continue;
    }
    if (!pages.ok()) return std::move(pages).take_error();
    if (!newest) newest = *pages;
    if (!newest->open()) break;
    if (pages->open() && !holds_sealed(*pages, *newest)) out.insert(*id);
  }
  return out;
}

}  // namespace

bool PageCheck::mended() const {
  return std::all_of(troubles.begin(), troubles.end(), [](const auto& one) { return one.mended; });
}

std::vector<OpenObject> open_objects(const PageSet& pages) {
  std::vector<OpenObject> out;
  if (!pages.open()) return out;
  const auto folder = cat(open_pages_prefix, pages.id, "/");
  for (const auto& page : pages.pages) {
    if (!page.open) continue;
    out.push_back({cat(folder, page.runbook, ".html"), &page.html});
    out.push_back({cat(folder, page.runbook, ".md"), &page.markdown});
  }
  // Names of runbooks have no capitals, so that none of them is this one.
  out.push_back({cat(folder, "INDEX.md"), &pages.index_markdown});
  out.push_back({cat(folder, "INDEX.html"), &pages.index_html});
  return out;
}

Status put_open_pages(repo::Repository& repository, const PageSet& pages) {
  auto* store = store_of(repository);
  if (store == nullptr) return {};
  auto objects = open_objects(pages);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (i + 1 == objects.size()) LB_TRY(store->flush());
    LB_TRY(repo::put_once(*store, objects[i].key, view_of(*objects[i].text))
               .context("store the open pages of the runbooks"));
  }
  return store->flush();
}

Result<Presence> presence_of(repo::Repository& repository, const PageSet& pages) {
  auto there = LB_TRY(list_open(repository));
  auto out = Presence::whole;
  for (const auto& object : open_objects(pages)) {
    auto found = there.find(object.key);
    if (found != there.end() && found->second != object.text->size()) return Presence::changed;
    if (found == there.end()) out = Presence::lacking;
  }
  return out;
}

Result<PageCheck> check_open_pages(repo::Repository& repository, PageLook look, Timestamp now) {
  return Checker(repository, look, now).run();
}

Result<PagePrune> prune_open_pages(repo::Repository& repository) {
  PagePrune out;
  auto* store = store_of(repository);
  auto there = LB_TRY(list_open(repository));
  if (store == nullptr || there.empty()) return out;
  auto ids = LB_TRY(repository.records(page_record_kind));
  auto keep = LB_TRY(sets_to_keep(repository, ids));
  const std::set<std::string> known(ids.begin(), ids.end());
  // The index of a set comes first: capitals sort before the names of runbooks.
  for (const auto& [key, size] : there) {
    auto set = set_of(key);
    if (keep.contains(set)) {
      out.kept.insert(key);
      continue;
    }
    if (!known.contains(set)) continue;
    auto locked = LB_TRY(remove_or_leave(*store, key).context("remove old open pages of runbooks"));
    ++(locked.has_value() ? out.locked : out.removed);
  }
  return out;
}

}  // namespace lb::state
