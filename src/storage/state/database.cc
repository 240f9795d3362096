#include "storage/state/database.h"

#include <sqlite3.h>

#include <cerrno>

#include "foundation/base/text.h"

namespace lb::state {

constexpr int busy_wait_ms = 10'000;

static ErrorKind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorKind::corrupt;
    case SQLITE_FULL:
      return ErrorKind::exhausted;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return ErrorKind::denied;
    case SQLITE_CONSTRAINT:
      return ErrorKind::conflict;
    case SQLITE_MISUSE:
    case SQLITE_ERROR:
      return ErrorKind::internal;
    default:
      return ErrorKind::unavailable;  // busy, locked, input and output errors
  }
}

Error Database::failure(int code) const {
  const int primary = code & 0xff;
  // What SQLite calls an I/O error when it cannot make its shared file larger.
  const bool full =
      primary == SQLITE_IOERR && handle_ != nullptr && sqlite3_system_errno(handle_) == ENOSPC;
  const char* text = full                 ? "No space left on device"
                     : handle_ != nullptr ? sqlite3_errmsg(handle_)
                                          : sqlite3_errstr(code);
  Error error(full ? ErrorKind::exhausted : kind_of(code),
              cat("journal file ", printable(path_), ": ", text));
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
    error = std::move(error).with_exit(ExitCode::locked);
  }
  return std::move(error).with_native(cat("SQLite ", code));
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  std::unique_ptr<Database> out(new Database(path));
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  if (const int code = sqlite3_open_v2(path.c_str(), &out->handle_, flags, nullptr);
      code != SQLITE_OK) {
    return out->failure(code);
  }
  sqlite3_extended_result_codes(out->handle_, 1);
  sqlite3_busy_timeout(out->handle_, busy_wait_ms);
  // A commit is on disk when it returns, not only in order.
  LB_TRY(out->rows("PRAGMA journal_mode = WAL"));
  LB_TRY(out->run("PRAGMA synchronous = FULL"));
  return out;
}

// Uncommitted work is rolled back; a failed close leaves nothing that the next open does not mend.
Database::~Database() { sqlite3_close_v2(handle_); }

void Database::StatementEnd::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Result<Database::Statement> Database::prepare(const char* sql, const Values& values) {
  sqlite3_stmt* raw = nullptr;
  if (const int code = sqlite3_prepare_v2(handle_, sql, -1, &raw, nullptr); code != SQLITE_OK) {
    return failure(code);
  }
  Statement statement(raw);
  int index = 0;
  for (const auto& value : values) {
    ++index;
    const auto* text = std::get_if<std::string>(&value);
    // The caller's values outlive the statement, so that SQLite need not copy them.
    const int code = text != nullptr
                         ? sqlite3_bind_text(raw, index, text->data(),
                                             static_cast<int>(text->size()), SQLITE_STATIC)
                         : sqlite3_bind_int64(raw, index, std::get<std::int64_t>(value));
    if (code != SQLITE_OK) return failure(code);
  }
  return statement;
}

Result<std::vector<TextRow>> Database::rows(const char* sql, const Values& values) {
  auto statement = LB_TRY(prepare(sql, values));
  std::vector<TextRow> out;
  for (;;) {
    const int code = sqlite3_step(statement.get());
    if (code == SQLITE_DONE) return out;
    if (code != SQLITE_ROW) return failure(code);
    TextRow row;
    for (int i = 0; i < sqlite3_column_count(statement.get()); ++i) {
      const auto* text = static_cast<const char*>(sqlite3_column_blob(statement.get(), i));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), i));
      row.emplace_back(text != nullptr ? std::string(text, size) : std::string());
    }
    out.push_back(std::move(row));
  }
}

Status Database::run(const char* sql, const Values& values) { return rows(sql, values).status(); }

Status Database::check() {
  auto found = LB_TRY(rows("PRAGMA quick_check(1)"));
  if (found.size() == 1 && found[0].size() == 1 && found[0][0] == "ok") return {};
  const std::string what = found.empty() || found[0].empty() ? "no answer" : found[0][0];
  return Error(ErrorKind::corrupt, cat("journal file ", printable(path_), ": ", what));
}

Result<std::unique_ptr<Transaction>> Transaction::begin(Database& database) {
  LB_TRY(database.run("BEGIN IMMEDIATE"));
  return std::make_unique<Transaction>(database);
}

Transaction::~Transaction() {
  // A rollback that fails has been done by SQLite already, or is done when the file is next opened.
  if (open_) (void)database_.run("ROLLBACK").ok();
}

Status Transaction::commit() {
  LB_TRY(database_.run("COMMIT"));
  open_ = false;
  return {};
}

}  // namespace lb::state
