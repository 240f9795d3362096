#include "storage/state/journal_file.h"

#include "foundation/base/text.h"

namespace lb::state {

constexpr int attempts_max = 100, denied_max = 4, patience = 20;
constexpr Micros pause = std::chrono::milliseconds(50);
constexpr int schema_version = 1;

// entries.body is the entry as JSON with the writer's process beside it. copies says which entries
// a repository holds, batches which of its records are known here.
constexpr const char* layout[] = {
    "CREATE TABLE IF NOT EXISTS entries (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL "
    "UNIQUE, "
    "run TEXT NOT NULL, at INTEGER NOT NULL, phase TEXT NOT NULL, ok INTEGER NOT NULL, act TEXT "
    "NOT NULL, "
    "host TEXT NOT NULL, body TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS entries_by_run ON entries (run)",
    "CREATE INDEX IF NOT EXISTS entries_by_time ON entries (at, id)",
    "CREATE TABLE IF NOT EXISTS copies (repository TEXT NOT NULL, entry TEXT NOT NULL, "
    "PRIMARY KEY (repository, entry)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS batches (repository TEXT NOT NULL, id TEXT NOT NULL, "
    "PRIMARY KEY (repository, id)) WITHOUT ROWID",
    "PRAGMA user_version = 1",
};

static Status make_file(Files& files, const std::string& path) {
  const std::string folder = path_parent(path);
  LB_TRY(make_directories(files, folder, 0700));
  auto made = files.create(path, 0600);
  if (!made.ok()) {
    if (made.error().kind() != ErrorKind::conflict) return std::move(made).take_error();
    auto facts = LB_TRY(files.info(path));
    if (facts.kind != FileKind::regular) {
      return Error(ErrorKind::invalid,
                   cat("journal file ", printable(path), " is not a plain file"));
    }
    return facts.mode == 0600 ? Status() : files.set_mode(path, 0600);
  }
  auto file = std::move(made).take();
  LB_TRY(file->close());
  return files.sync_directory(folder);
}

static Status lay_out(Database& database, const std::string& path) {
  const auto found = LB_TRY(database.rows("PRAGMA user_version"));
  const auto version = LB_TRY(parse_int(found.at(0).at(0)));
  if (version > schema_version) {
    return Error(ErrorKind::unsupported,
                 cat("journal file ", printable(path), " was written by a newer lifeboat"))
        .with_hint("use that version, or name another state folder with LIFEBOAT_STATE");
  }
  if (version == schema_version) return {};
  auto transaction = LB_TRY(Transaction::begin(database));
  for (const char* sql : layout) LB_TRY(database.run(sql));
  return transaction->commit();
}

static Result<std::unique_ptr<Database>> open_sound(const std::string& path) {
  auto database = LB_TRY(Database::open(path));
  LB_TRY(database->check());
  LB_TRY(lay_out(*database, path));
  return database;
}

static Status move_if_there(Files& files, const std::string& from, const std::string& to) {
  auto moved = files.rename(from, to);
  return moved.ok() || moved.error().kind() == ErrorKind::not_found ? Status() : moved;
}

// Several processes may find the damage at once. The name tells which file is meant, and the link
// is made once: who makes it does the rest, the others find a fresh file when they try again. The
// write-ahead log goes before the fresh file comes: replayed into it, it would do harm.
// `take_over`: whoever made the link has not come further for long, so its work is finished here.
static Result<std::string> set_aside(Files& files, const std::string& path, bool take_over) {
  auto facts = LB_TRY(files.info(path));
  const std::string aside =
      cat(path, ".damaged-", facts.inode, "-", facts.mtime_ns / 1'000'000'000);
  auto linked = files.link(path, aside);
  const bool there = !linked.ok() && linked.error().kind() == ErrorKind::conflict;
  if (!linked.ok() && !(there && take_over)) return std::move(linked).take_error();
  LB_TRY(move_if_there(files, path + "-wal", aside + "-wal"));
  LB_TRY(move_if_there(files, path + "-shm", aside + "-shm"));
  LB_TRY(files.remove(path));
  LB_TRY(files.sync_directory(path_parent(path)));
  return aside;
}

// Several processes that lay out, or set aside, one file at once hinder one another for a moment.
static bool may_pass(const Error& error, int attempt) {
  switch (error.kind()) {
    case ErrorKind::unavailable:
    case ErrorKind::corrupt:
      return attempt < attempts_max;
    case ErrorKind::denied:  // also: the file was taken away between its making and its opening
      return attempt < denied_max;
    default:
      return false;
  }
}

Result<OpenedFile> open_journal_file(World& world, const std::string& path) {
  OpenedFile out;
  for (int attempt = 1;; ++attempt) {
    LB_TRY(make_file(world.files, path));
    auto opened = open_sound(path);
    if (opened.ok()) {
      out.database = std::move(opened).take();
      return out;
    }
    if (!may_pass(opened.error(), attempt)) return std::move(opened).take_error();
    if (opened.error().kind() == ErrorKind::corrupt) {
      auto aside = set_aside(world.files, path, attempt > patience);
      if (aside.ok()) {
        out.set_aside = *aside;
        out.damage = opened.error().text();
        continue;
      }
      const auto why = aside.error().kind();
      if (why != ErrorKind::conflict && why != ErrorKind::not_found) {
        return std::move(aside).take_error();
      }
    }
    world.clock.sleep(pause, {});
  }
}

}  // namespace lb::state
