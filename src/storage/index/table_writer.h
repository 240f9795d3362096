// TableWriter: writes a table front to back in one pass, in memory that does not grow. The file is
// not synced: what a crash leaves of it does not pass for a table.
#pragma once

#include <optional>

#include "foundation/sys/files.h"
#include "storage/index/page.h"
#include "storage/index/place.h"

namespace lb::index {

struct Pack {
  std::string name;  // at most pack_name_bytes_max; longer ones stay out of tables
  std::uint64_t bytes = 0;
  Digest sha256{};
};
inline constexpr std::size_t pack_name_bytes_max = 39;
inline constexpr std::size_t source_bytes_max = 47;

// The numbers in the first page.
struct TableShape {
  Salt salt{};
  std::uint64_t entries = 0, homes = 0, entry_pages = 0;  // homes: pages that ids are spread over
  std::uint64_t packs = 0, sources = 0;
};
inline constexpr std::size_t entries_per_page = (page_bytes - page_head_bytes) / sizeof(Entry);
// Pages are filled so far on average; what exceeds a page goes on in the next.
inline constexpr std::size_t entries_per_page_wanted = 25;
inline constexpr std::size_t pack_record_bytes = 80, source_record_bytes = 48;
inline constexpr std::size_t packs_per_page = (page_bytes - page_head_bytes) / pack_record_bytes;
inline constexpr std::size_t sources_per_page =
    (page_bytes - page_head_bytes) / source_record_bytes;
inline std::uint64_t pages_for(std::uint64_t records, std::uint64_t per_page) {
  return (records + per_page - 1) / per_page;
}
// The page, among the entry pages, where an id is at home.
inline std::uint64_t home_of(const Id& id, std::uint64_t homes) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(Wide{prefix(id)} * homes >> 64);
}

class TableWriter {
 public:
  // `entries_expected` spreads the entries; more or fewer may come.
  static Result<TableWriter> create(Files& files, const std::string& path, SharedSeal seal,
                                    const Salt& salt, std::uint64_t entries_expected);

  // In this order: packs, by rising name; sources, by rising name; entries, by rising id.
  Status add_pack(const Pack& pack);
  Status add_source(const std::string& name);
  Status add(const Entry& entry);
  Status finish();
  const TableShape& shape() const { return shape_; }

 private:
  TableWriter(std::unique_ptr<File> file, SharedSeal seal, const Salt& salt, std::uint64_t homes);
  // The place of the next record of this kind; pages of another kind end here.
  Result<MutableBytes> record(PageKind kind, std::size_t bytes, std::size_t per_page);
  Status close_page(bool continued);
  Status next_entry_page(bool continued);
  Status write_out();

  std::unique_ptr<File> file_;
  SharedSeal seal_;
  std::unique_ptr<const PageSeal> page_seal_;
  TableShape shape_;
  Page page_{};
  std::optional<PageKind> kind_;  // of the open page
  std::size_t records_ = 0;       // in it
  std::uint64_t number_ = 1;      // of it; the header is page 0
  Buffer out_;                    // closed pages, not written yet
  std::uint64_t written_ = 0;
  Id last_{};
};

}  // namespace lb::index
