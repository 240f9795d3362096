// Database: one SQLite file, every failure a Result. Not thread-safe; several processes may have
// the file open at once (WAL, busy timeout). What run() changed is on disk when it returns. Private
// to this folder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "foundation/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace lb::state {

using Value = std::variant<std::int64_t, std::string>;
using Values = std::vector<Value>;
using TextRow = std::vector<std::string>;

class Database {
 public:
  // The file must exist (an empty one is a new database): who makes it chooses its mode.
  // corrupt: this is no database, or a damaged one.
  static Result<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Status run(const char* sql, const Values& values = {});
  Result<std::vector<TextRow>> rows(const char* sql, const Values& values = {});  // columns as text
  Status check();  // reads the whole file; corrupt with the first finding

 private:
  struct StatementEnd {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, StatementEnd>;

  explicit Database(std::string path) : path_(std::move(path)) {}
  Result<Statement> prepare(const char* sql, const Values& values);
  Error failure(int code) const;

  std::string path_;
  sqlite3* handle_ = nullptr;
};

// All or nothing: rolled back unless committed. Takes the write lock at once, so that two writers
// wait for one another instead of failing half way.
class Transaction {
 public:
  static Result<std::unique_ptr<Transaction>> begin(Database& database);
  explicit Transaction(Database& database) : database_(database) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Status commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace lb::state
