// The runbooks of a plan as pages, kept in the repository: who has it and a key can read what to do
// when nothing else is left. One record holds all pages; a new one is put when they change.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/base/time.h"
#include "storage/repo/repository.h"

namespace lb::state {

struct StoredPage {
  std::string runbook, html, markdown;
};

struct PageSet {
  std::string system, fingerprint;  // of the plan they were made from, hex
  Timestamp made;
  std::vector<StoredPage> pages;
};

// Durable when it returns.
Status put_pages(repo::Repository& repository, const PageSet& pages);
// The newest set that can be read; nullopt when there is none. corrupt when every set is damaged.
Result<std::optional<PageSet>> newest_pages(repo::Repository& repository);

}  // namespace lb::state
