#include "storage/index/cache.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::index {

namespace {

constexpr std::string_view table_prefix = "table-", new_prefix = "new-";
constexpr std::size_t merged_at_once = 64;
constexpr std::uint64_t growth = 3;

}  // namespace

Salt CachePlace::salt() const {
  Salt out;
  random.fill(out);
  return out;
}

std::string CachePlace::fresh_path(std::string_view kind) const {
  return path_join(folder, cat(kind, to_hex(random.bytes(8))));
}

void NewTable::add_source(std::string name) {
  if (name.size() <= source_bytes_max) sources_.insert(std::move(name));
}

std::uint32_t NewTable::add_pack(const Pack& pack) {
  auto next = static_cast<std::uint32_t>(packs_.size());
  auto [found, added] = numbers_.try_emplace(pack.name, next);
  if (added) packs_.push_back(pack);
  return found->second;
}

Status NewTable::write(const CachePlace& place, const std::string& path) && {
  auto out =
      LB_TRY(TableWriter::create(place.files, path, place.seal, place.salt(), entries_.size()));
  std::vector<std::uint32_t> by_name(packs_.size());
  std::uint32_t next = 0;
  for (const auto& [name, number] : numbers_) {
    by_name[number] = next++;
    LB_TRY(out.add_pack(packs_[number]));
  }
  for (const auto& source : sources_) LB_TRY(out.add_source(source));
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.id < b.id; });
  const Entry* last = nullptr;
  for (auto& entry : entries_) {
    auto at = unpack(entry.place);
    at.pack = by_name[at.pack];
    entry.place = pack(at);
    if (last == nullptr || last->id != entry.id) LB_TRY(out.add(entry));
    last = &entry;
  }
  return out.finish();
}

Result<Cache> Cache::open(CachePlace place, Timestamp stale) {
  auto& files = place.files;
  LB_TRY(make_directories(files, place.folder, 0700));
  Cache out(std::move(place));
  for (const auto& entry : LB_TRY(files.list(out.place_.folder))) {
    auto path = path_join(out.place_.folder, entry.name);
    if (entry.name.starts_with(new_prefix)) {
      auto info = files.info(path);
      if (info.ok() && info->mtime_ns / 1000 < to_micros(stale)) (void)files.remove(path).ok();
    } else if (entry.name.starts_with(table_prefix)) {
      auto opened = out.open_table(path);
      if (opened.ok() || opened.error().kind() == ErrorKind::not_found) continue;
      if (opened.error().kind() != ErrorKind::corrupt) return std::move(opened).take_error();
      LB_TRY(files.remove(path));
    }
  }
  out.drop_doubles();
  return out;
}

Status Cache::open_table(const std::string& path) {
  auto table = LB_TRY(Table::open(place_.files, path, place_.seal));
  std::set<std::string> sources;
  LB_TRY(table->each_source([&](std::string name) {
    sources.insert(std::move(name));
    return Status();
  }));
  sources_.insert(sources.begin(), sources.end());
  table_sources_[path] = std::move(sources);
  auto after = std::find_if(tables_.begin(), tables_.end(),
                            [&](const auto& other) { return other->entries() < table->entries(); });
  tables_.insert(after, std::move(table));
  return {};
}

// A merge that was interrupted before it removed what it replaced, or two processes that read the
// same news, leave tables whose sources a larger one holds as well.
void Cache::drop_doubles() {
  for (std::size_t i = tables_.size(); i-- > 0;) {
    const auto& own = table_sources_[tables_[i]->path()];
    bool doubled =
        !own.empty() &&
        std::any_of(tables_.begin(), tables_.begin() + static_cast<std::ptrdiff_t>(i),
                    [&](const auto& other) {
                      const auto& all = table_sources_[other->path()];
                      return std::includes(all.begin(), all.end(), own.begin(), own.end());
                    });
    if (!doubled) continue;
    (void)place_.files.remove(tables_[i]->path()).ok();  // it is found again otherwise
    table_sources_.erase(tables_[i]->path());
    tables_.erase(tables_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

Status Cache::add(NewTable table) {
  if (table.empty()) return {};
  auto path = place_.fresh_path(new_prefix);
  LB_TRY(std::move(table).write(place_, path));
  auto name = place_.fresh_path(table_prefix);
  LB_TRY(place_.files.rename(path, name));
  return open_table(name);
}

std::size_t tables_to_merge(const std::vector<std::uint64_t>& sizes) {
  std::size_t out = 0;
  std::uint64_t sum = 0;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    if (i + 1 < sizes.size() && sizes[i] <= growth * sum) out = sizes.size() - i;
    sum += sizes[i];
  }
  return out;
}

Status Cache::merge(const PackFilter& keep, const std::set<std::string>& listed,
                    const std::stop_token& stop) {
  for (;;) {
    std::vector<std::uint64_t> sizes;
    for (const auto& table : tables_) sizes.push_back(table->entries());
    auto count = tables_to_merge(sizes);
    if (count < 2) return {};
    LB_TRY(merge_last(std::min(count, merged_at_once), keep, listed, stop));
  }
}

Status Cache::merge_last(std::size_t count, const PackFilter& keep,
                         const std::set<std::string>& listed, const std::stop_token& stop) {
  auto first = tables_.end() - static_cast<std::ptrdiff_t>(count);
  Tables inputs(first, tables_.end());
  std::set<std::string> sources;
  std::uint64_t entries = 0;
  for (const auto& table : inputs) {
    entries += table->entries();
    for (const auto& source : table_sources_[table->path()]) {
      // What another table still rests on is not forgotten.
      if (count < tables_.size() || listed.contains(source)) sources.insert(source);
    }
  }
  auto path = place_.fresh_path(new_prefix);
  auto out = LB_TRY(TableWriter::create(place_.files, path, place_.seal, place_.salt(), entries));
  auto merged = merge_tables(inputs, keep, sources, out, stop);
  if (!merged.ok()) {
    (void)place_.files.remove(path).ok();
    return merged;
  }
  auto name = place_.fresh_path(table_prefix);
  LB_TRY(place_.files.rename(path, name));
  tables_.erase(first, tables_.end());
  for (const auto& table : inputs) {
    table_sources_.erase(table->path());
    (void)place_.files.remove(table->path()).ok();  // dropped as a double the next time
  }
  return open_table(name);
}

Status Cache::clear() {
  Status out;
  for (const auto& table : tables_) {
    auto removed = place_.files.remove(table->path());
    // Another process may have merged it away.
    if (!removed.ok() && removed.error().kind() != ErrorKind::not_found) out = removed;
  }
  tables_.clear();
  table_sources_.clear();
  sources_.clear();
  return out;
}

}  // namespace lb::index
