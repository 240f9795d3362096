// Merging of tables: one pass over the inputs, memory for a few pages of each and four bytes a
// pack.
#pragma once

#include <set>
#include <stop_token>

#include "storage/index/table.h"

namespace lb::index {

using Tables = std::vector<std::shared_ptr<const Table>>;
using PackFilter = std::function<bool(const Pack&)>;

// Writes one table of all entries whose packs `keep` wants, with the packs that are kept. A chunk
// that several know is taken from the first of them in the list.
Status merge_tables(const Tables& tables, const PackFilter& keep,
                    const std::set<std::string>& sources, TableWriter& out,
                    const std::stop_token& stop);
// Of tables without packs of their own, whose numbers mean the same in all.
Status merge_runs(const Tables& tables, TableWriter& out, const std::stop_token& stop);

}  // namespace lb::index
