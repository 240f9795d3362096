// CountedTables: the tables of one database with their rows, as a fingerprint records them: 32
// bytes and the name each, because there may be a hundred thousand. KnownRows: what of an earlier
// fingerprint a later one goes by, in sixteen bytes each. Private to stores/postgres.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"

namespace lb::pg {

struct CountedTable {
  std::uint32_t oid = 0;
  std::optional<std::uint32_t> filenode;  // none: it was dropped meanwhile
  std::optional<std::int64_t> rows;       // none: not counted
  std::optional<std::int64_t> bytes;      // on disk
  bool unlogged = false;  // comes back empty from every recovery: its rows are no promise
  // Its rows are those of the fingerprint before, until settle() has added what changed since.
  bool carried = false;
};

// Takes a piece of a text that need not stand in memory as a whole.
using TakeText = std::function<Status(std::string_view)>;

class CountedTables {
 public:
  void add(std::string_view schema, std::string_view name, const CountedTable& table);
  std::uint64_t carried() const { return carried_; }
  // Each table in its order, until the first error; `rows` may be set.
  using Look = std::function<Status(std::string_view schema, std::string_view name, CountedTable&)>;
  Status for_each(const Look& look);
  // Adds to the rows of carried tables what the log says, by filenode. unsupported when it took
  // away more rows than there were; then the counts are of no use.
  Status settle(const std::map<std::uint32_t, std::int64_t>& added);
  // Gives the items of the array "tables" (snapshot_details.h), separated by commas. None may be
  // carried still.
  Status write_to(const TakeText& take) const;

 private:
  static constexpr std::size_t block_tables = 4096, block_bytes = 128 << 10;
  // A schema's name is kept once for all its tables that follow each other.
  struct Entry {
    std::uint32_t oid, filenode;
    std::int64_t rows, bytes;
    std::uint32_t name_bytes;
    std::uint32_t schema_bytes : 24, has_filenode : 1, has_rows : 1, has_bytes : 1, unlogged : 1,
        carried : 1, next_schema : 1;

    void take(const CountedTable& table);
    CountedTable table() const;
  };
  class Names;
  void keep_name(std::string_view name);

  // In blocks: a vector that grows holds everything twice, and then keeps room for as much again.
  std::vector<std::vector<Entry>> entries_;
  std::vector<std::string> names_;  // end to end; none goes from one block to the next
  std::string schema_;              // of the last table
  std::size_t tables_ = 0;
  std::uint64_t carried_ = 0;
};

class KnownRows {
 public:
  void add(std::uint32_t oid, std::uint32_t filenode, std::int64_t rows);
  void sort();  // before find()
  // Of the table `oid` while its file is still this one.
  std::optional<std::int64_t> find(std::uint32_t oid, std::uint32_t filenode) const;

 private:
  struct Known {
    std::uint32_t oid, filenode;
    std::int64_t rows;
  };
  std::vector<Known> known_;
};

}  // namespace lb::pg
