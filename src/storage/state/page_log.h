// The runbooks of a plan as pages, kept in the repository: what to do when nothing else is left.
// One sealed record holds all pages; a new one is put when they change. Those that may be read by
// everybody lie as plain objects beside it too: open_pages.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/base/time.h"
#include "storage/repo/repository.h"

namespace lb::state {

struct StoredPage {
  std::string runbook, html, markdown;
  bool open = false;  // lies as plain objects too
};

struct PageSet {
  std::string system, fingerprint;  // of the plan they were made from, hex
  Timestamp made;                   // in whole seconds: who makes them anew for it gets the bytes
  std::vector<StoredPage> pages;
  std::string index_html, index_markdown;  // which pages there are; empty: nothing lies open
  std::string says = {};  // hex: the same for pages that say the same, whenever they were made
  std::string id = {};    // of the record; given by set_id() when it is put

  bool open() const { return !index_html.empty(); }
};

inline constexpr const char* page_record_kind = "runbook-pages";
// "20261128-021407-0123456789abcdef": when they were made, and what they say. Sorts by time.
std::string set_id(Timestamp made, const std::string& says);
// nullopt: not of this form. Sets of earlier versions have other ids.
std::optional<Timestamp> made_of(const std::string& id);
bool says_same(const std::string& id, const std::string& says);

// Durable when it returns. Fills the id. The open pages are put by put_open_pages.
Status put_pages(repo::Repository& repository, PageSet& pages);
Result<PageSet> pages_of(repo::Repository& repository, const std::string& id);
// The newest set that can be read; nullopt when there is none. corrupt when every set is damaged.
Result<std::optional<PageSet>> newest_pages(repo::Repository& repository);

}  // namespace lb::state
