#include "storage/repo/chunk_runs.h"

#include <algorithm>

namespace lb::repo {

namespace {

index::CachePlace with_own_seal(index::CachePlace place) {
  auto key = place.random.bytes(sizeof(Digest));
  place.seal = std::make_shared<const index::Seal>(index::Seal{Hmac(key), place.seal->owner});
  wipe(key);
  return place;
}

}  // namespace

ChunkRuns::ChunkRuns(index::CachePlace place, std::size_t entries_max)
    : place_(with_own_seal(std::move(place))),
      entries_max_(entries_max),
      tables_(std::make_shared<const index::Tables>()) {}

Result<std::shared_ptr<const index::Table>> ChunkRuns::write(std::uint64_t expected,
                                                             const Fill& fill) {
  auto path = place_.fresh_path("new-");
  auto table = [&]() -> Result<std::shared_ptr<const index::Table>> {
    auto out = LB_TRY(
        index::TableWriter::create(place_.files, path, place_.seal, place_.salt(), expected));
    LB_TRY(fill(out));
    return std::shared_ptr<const index::Table>(
        LB_TRY(index::Table::open(place_.files, path, place_.seal)));
  }();
  // Open, it needs no name; nobody has to clean up after a crash.
  (void)place_.files.remove(path).ok();
  return table;
}

bool ChunkRuns::add(std::uint64_t expected, const std::function<Status(const Take&)>& give) {
  auto added = add_run(expected, give);
  if (added.ok()) return true;
  entries_max_ = std::numeric_limits<std::size_t>::max();
  std::lock_guard lock(mutex_);
  trouble_ = std::move(added).take_error();
  return false;
}

std::optional<Error> ChunkRuns::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_;
}

Status ChunkRuns::add_run(std::uint64_t expected, const std::function<Status(const Take&)>& give) {
  auto fill = [&](index::TableWriter& out) -> Status {
    auto given = give([&](const std::vector<index::Entry>& entries) -> Status {
      for (const auto& entry : entries) LB_TRY(out.add(entry));
      return {};
    });
    LB_TRY(std::move(given));
    return out.finish();
  };
  auto run = LB_TRY(write(expected, fill));
  index::Tables tables = *tables_;  // only this thread changes it
  tables.push_back(std::move(run));
  std::sort(tables.begin(), tables.end(),
            [](const auto& a, const auto& b) { return a->entries() > b->entries(); });
  std::vector<std::uint64_t> sizes;
  for (const auto& table : tables) sizes.push_back(table->entries());
  auto count = index::tables_to_merge(sizes);
  if (count > 1) {
    index::Tables inputs(tables.end() - static_cast<std::ptrdiff_t>(count), tables.end());
    std::uint64_t entries = 0;
    for (const auto& table : inputs) entries += table->entries();
    auto merge = [&](index::TableWriter& out) { return index::merge_runs(inputs, out, {}); };
    auto merged = LB_TRY(write(entries, merge));
    tables.resize(tables.size() - count);
    tables.push_back(std::move(merged));
  }
  auto shared = std::make_shared<const index::Tables>(std::move(tables));
  std::lock_guard lock(mutex_);
  tables_ = std::move(shared);
  return {};
}

std::optional<index::Place> ChunkRuns::find(const index::Id& id) const {
  std::shared_ptr<const index::Tables> tables;
  {
    std::lock_guard lock(mutex_);
    tables = tables_;
  }
  for (const auto& table : *tables) {
    auto found = table->find(id);
    if (found.ok() && *found) return **found;
  }
  return std::nullopt;
}

}  // namespace lb::repo
