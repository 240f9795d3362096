// One table out of a restored copy into a server that runs, under a new name, in one transaction.
// The copy is a throwaway: the table is renamed and stripped there, so that the server's own
// pg_dump writes the definition that is wanted. Nothing that exists in the target is changed.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "foundation/sys/process.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/table_name.h"

namespace lb::pg {

struct TableWish {
  TableName table, as;
  std::string note = {};  // a line that the comment of the new one ends with; empty: none
};

// Before anything is restored: the target can take the table, and nothing there has its name.
// refused (exit 5) when something has.
Status check_table_target(Connection& target, const TableWish& wish);

// Whether a table of that name is there that ends its comment with the note of the wish: what was
// moved before, by whoever was killed before he could say so. False without a note.
Result<bool> moved_before(Connection& target, const TableWish& wish);

// The table in the copy, ready to be moved. `copy` belongs to a superuser.
struct PreparedTable {
  std::vector<std::string> left_out;   // for people: "foreign key orders_user_fkey"
  std::vector<std::string> columns;    // that COPY moves
  std::vector<std::string> sequences;  // owned by it, quoted, with schema
};
Result<PreparedTable> prepare_table(Connection& copy, Connection& target, const TableWish& wish);

struct MovedTable {
  std::uint64_t rows = 0, bytes = 0;
};
// `dump` runs pg_dump on the copy with these arguments and gives what it writes.
using RunDump = std::function<Result<std::string>(const std::vector<std::string>& arguments)>;
Result<MovedTable> move_table(Connection& copy, Connection& target, const TableWish& wish,
                              const PreparedTable& prepared, const RunDump& dump,
                              const std::stop_token& stop,
                              const std::function<void(std::uint64_t)>& progress);

// What pg_dump writes for psql alone is taken out. Pure.
std::string without_psql_commands(const std::string& script);

}  // namespace lb::pg
