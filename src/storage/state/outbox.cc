#include "storage/state/outbox.h"

#include <algorithm>
#include <array>

#include "foundation/base/text.h"
#include "storage/state/journal_file.h"
#include "storage/state/sqlite_outbox.h"

namespace lb::state {

namespace {

constexpr std::array item_states = {std::string_view("waiting"), std::string_view("delivered"),
                                    std::string_view("undelivered")};
constexpr std::size_t leased_looked_at_max = 200;
constexpr std::int64_t rows_kept = 100'000;  // the journal keeps what was told for longer

// An older lifeboat that opens the file passes over these tables.
constexpr const char* tables[] = {
    "CREATE TABLE IF NOT EXISTS outbox (id TEXT PRIMARY KEY, key TEXT NOT NULL, person TEXT NOT "
    "NULL, state TEXT NOT NULL, made INTEGER NOT NULL, next INTEGER NOT NULL, expires INTEGER NOT "
    "NULL, touched INTEGER NOT NULL, lease TEXT NOT NULL, lease_by TEXT NOT NULL, lease_from "
    "INTEGER NOT NULL, lease_until INTEGER NOT NULL, letter TEXT NOT NULL, progress TEXT NOT NULL, "
    "note TEXT NOT NULL, UNIQUE (key, person)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS outbox_waiting ON outbox (state, next)",
    "CREATE TABLE IF NOT EXISTS drafts (id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, state TEXT "
    "NOT NULL, made INTEGER NOT NULL, body TEXT NOT NULL, approved_by TEXT NOT NULL, approved_hash "
    "TEXT NOT NULL, approved_at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS outbox_identity (only_one INTEGER PRIMARY KEY, id TEXT NOT NULL)",
};

constexpr const char* columns =
    "SELECT id, key, person, state, made, next, expires, touched, letter, progress, note FROM "
    "outbox ";

Result<OutboxItem> item_of(const TextRow& row, Timestamp now) {
  OutboxItem out;
  out.id = row.at(0);
  out.key = row.at(1);
  out.to = row.at(2);
  auto state = std::find(item_states.begin(), item_states.end(), row.at(3));
  if (state == item_states.end())
    return Error(ErrorKind::corrupt, cat("message ", out.id, " is in no known state"));
  out.state = static_cast<OutboxItem::State>(state - item_states.begin());
  out.made = from_micros(LB_TRY(parse_int(row.at(4))));
  out.next = from_micros(LB_TRY(parse_int(row.at(5))));
  out.expires = from_micros(LB_TRY(parse_int(row.at(6))));
  const auto touched = LB_TRY(parse_int(row.at(7)));
  out.clock_went_back = touched > to_micros(now);
  out.letter = LB_TRY(parse_json(row.at(8)));
  out.progress = LB_TRY(parse_json(row.at(9)));
  out.note = row.at(10);
  return out;
}

}  // namespace

std::string_view name_of(OutboxItem::State state) {
  return item_states[static_cast<std::size_t>(state)];
}

Result<std::unique_ptr<Outbox>> Outbox::open(World& world, Journal& journal,
                                             const std::string& path) {
  auto opened = LB_TRY(open_journal_file(world, path).context("open the outbox"));
  if (!opened.set_aside.empty()) LB_TRY(journal.add(damage_note(opened)));
  auto outbox = std::make_unique<SqliteOutbox>(world, std::move(opened.database));
  LB_TRY(outbox->lay_out().context("open the outbox"));
  return std::unique_ptr<Outbox>(std::move(outbox));
}

SqliteOutbox::SqliteOutbox(World& world, std::unique_ptr<Database> database)
    : world_(world),
      database_(std::move(database)),
      ids_(world.random),
      here_(whereabouts(world.files)) {}

Status SqliteOutbox::lay_out() {
  auto found = LB_TRY(database_->rows(
      "SELECT count(*) FROM sqlite_master WHERE name IN ('outbox', 'outbox_waiting', 'drafts', "
      "'outbox_identity')"));
  if (found.at(0).at(0) == "4") return {};
  auto transaction = LB_TRY(Transaction::begin(*database_));
  for (const char* sql : tables) LB_TRY(database_->run(sql));
  LB_TRY(database_->run("INSERT OR IGNORE INTO outbox_identity VALUES (1, ?)",
                        {ids_.next(world_.clock.now())}));
  return transaction->commit();
}

Result<std::string> SqliteOutbox::identity() {
  const std::lock_guard lock(mutex_);
  auto rows =
      LB_TRY(database_->rows("SELECT id FROM outbox_identity").context("ask which outbox this is"));
  if (rows.size() == 1) return rows[0].at(0);
  return Error(ErrorKind::corrupt, "the outbox does not know which one it is");
}

Result<bool> SqliteOutbox::known(const OutboxItem& item) {
  auto rows = LB_TRY(
      database_->rows("SELECT 1 FROM outbox WHERE key = ? AND person = ?", {item.key, item.to}));
  return !rows.empty();
}

Result<std::vector<OutboxItem>> SqliteOutbox::insert(std::vector<OutboxItem> items) {
  std::vector<OutboxItem> fresh;
  for (auto& item : items) {
    const bool there = LB_TRY(known(item));
    if (there) continue;
    const auto time = world_.clock.now();
    item.id = ids_.next(time);
    if (item.made == Timestamp{}) item.made = time;
    LB_TRY(
        database_->run("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', '', 0, 0, ?, ?, "
                       "?)",
                       {item.id, item.key, item.to, std::string(name_of(item.state)),
                        to_micros(item.made), to_micros(item.next), to_micros(item.expires),
                        to_micros(time), item.letter.dump(), item.progress.dump(), item.note}));
    fresh.push_back(std::move(item));
  }
  return fresh;
}

Result<std::vector<OutboxItem>> SqliteOutbox::put(std::vector<OutboxItem> items) {
  const std::lock_guard lock(mutex_);
  auto transaction = LB_TRY(Transaction::begin(*database_).context("store a message"));
  auto fresh = LB_TRY(insert(std::move(items)).context("store a message"));
  LB_TRY(
      database_->run("DELETE FROM outbox WHERE state <> 'waiting' AND id < (SELECT id FROM outbox "
                     "ORDER BY id DESC "
                     "LIMIT 1 OFFSET ?)",
                     {rows_kept}));
  LB_TRY(transaction->commit().context("store a message"));
  return fresh;
}

// A lease holds while its time runs and its process lives. One that begins in the future was taken
// before the clock went back and says nothing.
Result<std::string> SqliteOutbox::free_row(Timestamp time) {
  const auto micros = to_micros(time);
  auto rows = LB_TRY(database_->rows(
      "SELECT id, lease_by, lease_from <= ? AND lease_until > ? FROM outbox WHERE state = "
      "'waiting' AND (next <= ? OR touched > ?) ORDER BY lease_until > ?, next, id LIMIT ?",
      {micros, micros, micros, micros, micros, std::int64_t{leased_looked_at_max}}));
  for (const auto& row : rows) {
    const bool leased = row.at(2) == "1";
    if (!leased || process_gone(world_.files, row.at(1), here_.process)) return row.at(0);
  }
  return std::string();
}

Result<OutboxItem> SqliteOutbox::row(const std::string& id, Timestamp time) {
  auto rows = LB_TRY(database_->rows(cat(columns, "WHERE id = ?").c_str(), {id}));
  if (rows.size() != 1) return Error(ErrorKind::not_found, cat("there is no message ", id));
  return item_of(rows.front(), time);
}

Result<std::optional<OutboxItem>> SqliteOutbox::claim(Micros lease) {
  const std::lock_guard lock(mutex_);
  const auto time = world_.clock.now();
  auto transaction = LB_TRY(Transaction::begin(*database_).context("take a message"));
  const auto id = LB_TRY(free_row(time).context("take a message"));
  if (id.empty()) return std::optional<OutboxItem>();
  auto item = LB_TRY(row(id, time).context("take a message"));
  item.lease = ids_.next(time);
  LB_TRY(database_->run(
      "UPDATE outbox SET lease = ?, lease_by = ?, lease_from = ?, lease_until = ? WHERE id = ?",
      {item.lease, here_.process, to_micros(time), to_micros(time + lease), id}));
  LB_TRY(transaction->commit().context("take a message"));
  return std::optional<OutboxItem>(std::move(item));
}

Status SqliteOutbox::settle(const OutboxItem& item, std::vector<OutboxItem> more) {
  const std::lock_guard lock(mutex_);
  auto transaction = LB_TRY(Transaction::begin(*database_).context("settle a message"));
  auto rows = LB_TRY(database_->rows("SELECT state, lease FROM outbox WHERE id = ?", {item.id}));
  const bool waits = rows.size() == 1 && rows[0].at(0) == "waiting";
  const bool ours = waits && rows[0].at(1) == item.lease;
  // That it arrived is true whoever works on the row now.
  if (!ours && !(waits && item.state == OutboxItem::State::delivered)) {
    return Error(ErrorKind::conflict,
                 cat("message ", item.id, " was taken over by another process"));
  }
  LB_TRY(database_->run(
      "UPDATE outbox SET state = ?, next = ?, expires = ?, touched = ?, lease = '', lease_by = '', "
      "lease_from = 0, lease_until = 0, letter = ?, progress = ?, note = ? WHERE id = ?",
      {std::string(name_of(item.state)), to_micros(item.next), to_micros(item.expires), now(),
       item.letter.dump(), item.progress.dump(), item.note, item.id}));
  LB_TRY(insert(std::move(more)).context("settle a message"));
  return transaction->commit().context("settle a message");
}

Result<std::optional<Timestamp>> SqliteOutbox::next_due() {
  const std::lock_guard lock(mutex_);
  const auto micros = now();
  auto rows = LB_TRY(database_->rows(
      "SELECT min(CASE WHEN lease_from <= ? AND lease_until > ? THEN lease_until WHEN touched > ? "
      "THEN ? ELSE next END), count(*) FROM outbox WHERE state = 'waiting'",
      {micros, micros, micros, micros}));
  if (rows.at(0).at(1) == "0") return std::optional<Timestamp>();
  const auto due = LB_TRY(parse_int(rows.at(0).at(0)));
  return std::optional<Timestamp>(from_micros(due));
}

Result<std::vector<OutboxItem>> SqliteOutbox::items(std::size_t newest_max) {
  const std::lock_guard lock(mutex_);
  auto rows = LB_TRY(database_->rows(cat(columns, "ORDER BY id DESC LIMIT ?").c_str(),
                                     {static_cast<std::int64_t>(newest_max)}));
  std::vector<OutboxItem> out;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    out.push_back(LB_TRY(item_of(*row, world_.clock.now()).context("read the outbox")));
  }
  return out;
}

Result<std::size_t> SqliteOutbox::waiting() {
  const std::lock_guard lock(mutex_);
  auto rows = LB_TRY(database_->rows("SELECT count(*) FROM outbox WHERE state = 'waiting'"));
  const auto count = LB_TRY(parse_uint(rows.at(0).at(0)));
  return static_cast<std::size_t>(count);
}

}  // namespace lb::state
