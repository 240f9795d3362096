// PageBase: what a page-exact backup builds on: the snapshot before it, and all that the log says
// has changed since. Private to stores/postgres.
#pragma once

#include <optional>
#include <string>

#include "stores/postgres/changed_pages.h"
#include "stores/postgres/server_facts.h"
#include "stores/postgres/source.h"

namespace lb::pg {

struct PageBase {
  std::optional<ChangedPages> changed;
  std::string why_not;       // set when there is none: why all files must be read
  bool compare = false;      // this backup reads the other pages as well, to compare
  std::uint32_t before = 0;  // backups in a row before it that did not read everything
};

// What can be told before the backup begins: `changed` stays empty.
PageBase judge_parent(const BackupContext& context, const SourceOptions& options,
                      const ServerFacts& facts, const SnapshotDetails& now);

// The changes from the parent's start to `start`, once the log up to there is in the repository.
// Waits for it while it grows. What goes wrong becomes `why_not`; an error is one that ends the
// backup (stopped).
Status read_changes(const BackupContext& context, const SnapshotDetails& now, Lsn start,
                    PageBase& base);

// A position right behind a page header means: everything before that page. The header itself is
// not sent before something follows it.
Lsn before_page_header(Lsn lsn, std::uint64_t segment_bytes);

}  // namespace lb::pg
