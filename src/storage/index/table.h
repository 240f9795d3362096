// Table: a sorted file of chunks and their places, of any size. It is opened by reading one page; a
// look-up copies the page where the id is at home, and rarely the next. Pages are checked each time
// they are read. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "storage/index/table_writer.h"

namespace lb::index {

Page encode_shape(const Seal& seal, const TableShape& shape);
// corrupt: no header of a table of this owner.
Result<TableShape> decode_shape(const Seal& seal, const Page& page);

// From this size on a table is mapped, where a look-up takes half the time of one that reads.
// Smaller ones are quick all the same, and so no more than what is at work is resident.
inline constexpr std::uint64_t mapped_bytes_min = 256 << 20;

class Table {
 public:
  // corrupt when it is damaged, cut short, or somebody else's. The rest is checked as it is read.
  static Result<std::shared_ptr<Table>> open(Files& files, const std::string& path,
                                             const SharedSeal& seal,
                                             std::uint64_t mapped_from = mapped_bytes_min);

  Result<std::optional<Place>> find(const Id& id) const;
  std::uint64_t entries() const { return shape_.entries; }
  std::uint64_t packs() const { return shape_.packs; }
  std::uint64_t file_bytes() const { return page_bytes * pages(); }
  Result<Pack> pack(std::uint32_t number) const;
  Status each_source(const std::function<Status(std::string)>& take) const;
  const std::string& path() const { return path_; }
  // Removes the file; what is open goes on as far as it can be read.
  void discard() const;

 private:
  friend class TableReader;
  Table(Files& files, std::unique_ptr<File> file, std::string path, const Seal& seal,
        const TableShape& shape);
  std::uint64_t first_source_page() const { return 1 + pages_for(shape_.packs, packs_per_page); }
  std::uint64_t first_entry_page() const {
    return first_source_page() + pages_for(shape_.sources, sources_per_page);
  }
  std::uint64_t pages() const { return first_entry_page() + shape_.entry_pages; }
  Status read_page(std::uint64_t number, PageKind kind, Page& page) const;
  Status check_page(std::uint64_t number, PageKind kind, const Page& page) const;

  Files& files_;
  const std::unique_ptr<File> file_;
  const std::string path_;
  const PageSeal seal_;
  const TableShape shape_;
  std::unique_ptr<const MappedBytes> mapped_;  // of a large one, where it can be
};

// Reads a table from front to back, some pages at a time. One thread.
class TableReader {
 public:
  explicit TableReader(std::shared_ptr<const Table> table);
  // False at the end.
  Result<bool> next(Pack& out);
  Result<bool> next(Entry& out);

 private:
  // The next record of this kind; null at the end.
  Result<const std::uint8_t*> record(PageKind kind, std::size_t bytes, std::uint64_t end);
  Status fill(std::uint64_t end);

  const std::shared_ptr<const Table> table_;  // shared with those who look up meanwhile
  std::vector<Page> pages_;
  std::size_t page_ = 0, record_ = 0;  // next, in pages_
  std::uint64_t next_page_ = 0;        // after pages_
};

}  // namespace lb::index
