#include "foundation/base/text.h"
#include "storage/state/journal_file.h"
#include "storage/state/sqlite_journal.h"

namespace lb::state {

using record::JournalEntry;

SqliteJournal::SqliteJournal(World& world, std::unique_ptr<Database> database)
    : world_(world),
      database_(std::move(database)),
      ids_(world.random),
      here_(whereabouts(world.files)) {}

JournalEntry damage_note(const OpenedFile& opened) {
  JournalEntry entry;
  entry.act = "journal";
  entry.ok = false;
  entry.text = cat("The local journal was damaged and has been set aside as ", opened.set_aside,
                   "; entries that were not mirrored yet, and messages that were not delivered "
                   "yet, are in that file only (",
                   opened.damage, ")");
  entry.details.set("set_aside", opened.set_aside);
  return entry;
}

Result<std::unique_ptr<Journal>> Journal::open(World& world, const std::string& path) {
  auto opened = LB_TRY(open_journal_file(world, path).context("open the journal"));
  auto journal = std::make_unique<SqliteJournal>(world, std::move(opened.database));
  if (!opened.set_aside.empty()) LB_TRY(journal->add(damage_note(opened)));
  return std::unique_ptr<Journal>(std::move(journal));
}

std::string SqliteJournal::fresh_id() { return ids_.next(world_.clock.now()); }

Status SqliteJournal::add(JournalEntry entry) {
  if (entry.at == Timestamp{}) entry.at = world_.clock.now();
  if (entry.id.empty()) entry.id = ids_.next(entry.at);
  if (entry.host.empty()) entry.host = here_.host;
  if (entry.actor.empty()) entry.actor = here_.actor;
  Json body = record::encode(entry);
  body.set("process", here_.process);
  const std::lock_guard lock(mutex_);
  return insert(entry, body.dump(), false).context(cat("journal \"", entry.act, "\""));
}

Status SqliteJournal::insert(const JournalEntry& entry, const std::string& body, bool known_is_ok) {
  const char* sql = known_is_ok
                        ? "INSERT OR IGNORE INTO entries (id, run, at, phase, ok, act, host, body) "
                          "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                        : "INSERT INTO entries (id, run, at, phase, ok, act, host, body) "
                          "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
  return database_->run(
      sql, {entry.id, entry.run, to_micros(entry.at), std::string(record::name_of(entry.phase)),
            std::int64_t{entry.ok ? 1 : 0}, entry.act, entry.host, body});
}

Result<std::vector<JournalEntry>> SqliteJournal::select(const char* sql, const Values& values) {
  const std::lock_guard lock(mutex_);
  auto rows = LB_TRY(database_->rows(sql, values).context("read the journal"));
  std::vector<JournalEntry> out;
  for (const auto& row : rows) {
    auto json = LB_TRY(parse_json(row.at(0)).context("read the journal"));
    out.push_back(LB_TRY(record::decode_entry(json).context("read the journal")));
  }
  return out;
}

Result<std::vector<JournalEntry>> SqliteJournal::entries(std::size_t newest_max) {
  return select(
      "SELECT body FROM (SELECT body, at, id FROM entries ORDER BY at DESC, id DESC LIMIT ?) "
      "ORDER BY at, id",
      {static_cast<std::int64_t>(newest_max)});
}

Result<std::vector<JournalEntry>> SqliteJournal::entries_of_run(const std::string& run) {
  return select("SELECT body FROM entries WHERE run = ? ORDER BY at, id", {run});
}

Result<std::vector<JournalEntry>> SqliteJournal::outcomes(const std::string& act,
                                                          std::size_t newest_max) {
  return select(
      "SELECT body FROM (SELECT body, at, id FROM entries WHERE act = ? AND phase = 'outcome' "
      "ORDER BY at DESC, id DESC LIMIT ?) ORDER BY at, id",
      {act, static_cast<std::int64_t>(newest_max)});
}

Result<std::vector<JournalEntry>> SqliteJournal::begun(const std::string& act_prefix,
                                                       std::size_t newest_max) {
  return select(
      "SELECT body FROM (SELECT body, at, id FROM entries WHERE phase = 'intent' AND "
      "substr(act, 1, ?) = ? ORDER BY at DESC, id DESC LIMIT ?) ORDER BY at, id",
      {static_cast<std::int64_t>(act_prefix.size()), act_prefix,
       static_cast<std::int64_t>(newest_max)});
}

// An interrupted act is settled once the same act has been done by a later run.
Result<std::vector<JournalEntry>> SqliteJournal::interrupted() {
  std::vector<TextRow> rows;
  {
    const std::lock_guard lock(mutex_);
    rows = LB_TRY(database_->rows(
        "SELECT body FROM entries AS begun WHERE phase = 'intent' AND host = ? "
        "AND NOT EXISTS (SELECT 1 FROM entries AS ended "
        "                WHERE ended.run = begun.run AND ended.phase = 'outcome') "
        "AND NOT EXISTS (SELECT 1 FROM entries AS later "
        "                WHERE later.act = begun.act AND later.host = begun.host "
        "                AND later.phase = 'outcome' AND later.ok = 1 AND later.at > begun.at) "
        "ORDER BY at, id",
        {here_.host}));
  }
  std::vector<JournalEntry> out;
  for (const auto& row : rows) {
    auto json = LB_TRY(parse_json(row.at(0)).context("read the journal"));
    if (!process_gone(world_.files, json["process"].string(), here_.process)) continue;
    out.push_back(LB_TRY(record::decode_entry(json).context("read the journal")));
  }
  return out;
}

}  // namespace lb::state
