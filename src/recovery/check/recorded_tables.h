// What was counted of the tables of a point: sorted, in 32 bytes and the name each, because there
// may be a hundred thousand. Read from the point piece by piece; the whole record never stands in
// memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "storage/repo/repository.h"

namespace lb::check {

struct RecordedTable {
  std::string schema, name;
  std::uint32_t filenode = 0;        // 0: none
  std::optional<std::int64_t> rows;  // none: not counted
  bool unlogged = false;             // every recovery empties it
};

class RecordedTables {
 public:
  void add(const RecordedTable& table);
  void sort();  // before find() and at()
  std::size_t size() const { return entries_.size(); }
  RecordedTable at(std::size_t number) const;  // by schema and name
  std::optional<RecordedTable> find(const std::string& schema, const std::string& name) const;

 private:
  struct Entry {
    std::int64_t rows;
    std::uint64_t names;  // where its schema begins; its name follows
    std::uint32_t filenode, name_bytes;
    std::uint32_t schema_bytes : 30, has_rows : 1, unlogged : 1;
  };
  std::string_view schema_of(const Entry& entry) const;
  std::string_view name_of(const Entry& entry) const;
  bool is_before(const Entry& entry, std::string_view schema, std::string_view name) const;

  std::vector<Entry> entries_;
  std::string names_;
};

struct RecordedDatabase {
  std::string name;
  std::uint32_t oid = 0;
  std::string snapshot;  // of the transaction that counted
  RecordedTables tables;
};

// Nothing when the point has no record. invalid: it cannot be read.
Result<std::optional<std::vector<RecordedDatabase>>> read_recorded(repo::SnapshotReader& snapshot);

}  // namespace lb::check
