// How the journal and the repository come to hold the same entries. A batch is one record of JSON
// lines. Import comes first: what a killed mirror put without marking it is recognised by its ids
// and not put twice. Two mirrors at once may put an entry twice; its id makes that harmless.
#include "foundation/base/text.h"
#include "storage/state/sqlite_journal.h"

namespace lb::state {

using record::JournalEntry;

constexpr const char* record_kind = "journal";
constexpr std::int64_t batch_entries_max = 2000;
constexpr std::size_t batch_bytes_max = 4 << 20;

Status SqliteJournal::mirror(repo::Repository& repository) {
  if (repository.may_read()) LB_TRY(import(repository).context("mirror the journal"));
  for (;;) {
    auto batch = LB_TRY(next_batch(repository.id()).context("mirror the journal"));
    if (batch.ids.empty()) return {};
    const std::string id = repository.fresh_id();
    LB_TRY(
        repository.put_record(record_kind, id, view_of(batch.lines)).context("mirror the journal"));
    LB_TRY(mark(repository.id(), id, batch).context("mirror the journal"));
  }
}

Result<std::set<std::string>> SqliteJournal::known_batches(const std::string& repository) {
  const std::lock_guard lock(mutex_);
  auto rows = LB_TRY(database_->rows("SELECT id FROM batches WHERE repository = ?", {repository}));
  std::set<std::string> out;
  for (auto& row : rows) out.insert(std::move(row.at(0)));
  return out;
}

Status SqliteJournal::import(repo::Repository& repository) {
  const auto known = LB_TRY(known_batches(repository.id()));
  const auto ids = LB_TRY(repository.records(record_kind));
  for (const auto& id : ids) {
    if (!known.contains(id)) LB_TRY(import_batch(repository, id));
  }
  return {};
}

Status SqliteJournal::import_batch(repo::Repository& repository, const std::string& id) {
  auto bytes = repository.get_record(record_kind, id);
  auto status = bytes.ok() ? take_lines(repository.id(), id, *bytes) : bytes.status();
  if (status.ok() || status.error().kind() != ErrorKind::corrupt) return status;
  return pass_over(repository, id, status.error());
}

// The whole batch or nothing of it.
Status SqliteJournal::take_lines(const std::string& repository, const std::string& batch,
                                 const Buffer& bytes) {
  const std::lock_guard lock(mutex_);
  auto transaction = LB_TRY(Transaction::begin(*database_));
  for (const auto& line : split(text_of(bytes), '\n')) {
    if (line.empty()) continue;
    auto json = parse_json(line);
    if (!json.ok()) return Error(ErrorKind::corrupt, json.error().text());
    auto entry = LB_TRY(record::decode_entry(*json));
    LB_TRY(insert(entry, line, true));
    LB_TRY(database_->run("INSERT OR IGNORE INTO copies (repository, entry) VALUES (?, ?)",
                          {repository, entry.id}));
  }
  LB_TRY(database_->run("INSERT OR IGNORE INTO batches (repository, id) VALUES (?, ?)",
                        {repository, batch}));
  return transaction->commit();
}

// One damaged record must not keep every later act from being mirrored. It is named once, loudly,
// in the journal itself; verify names it each time.
Status SqliteJournal::pass_over(repo::Repository& repository, const std::string& id,
                                const Error& error) {
  JournalEntry note;
  note.act = "journal";
  note.ok = false;
  note.text = cat("Journal record ", id, " of the repository (", repository.describe(),
                  ") is damaged and was passed over: ", error.text());
  note.details.set("record", id);
  LB_TRY(add(std::move(note)));
  const std::lock_guard lock(mutex_);
  return database_->run("INSERT OR IGNORE INTO batches (repository, id) VALUES (?, ?)",
                        {repository.id(), id});
}

Result<SqliteJournal::Batch> SqliteJournal::next_batch(const std::string& repository) {
  const std::lock_guard lock(mutex_);
  auto rows = LB_TRY(database_->rows(
      "SELECT id, body FROM entries WHERE NOT EXISTS (SELECT 1 FROM copies "
      "WHERE copies.repository = ? AND copies.entry = entries.id) ORDER BY seq LIMIT ?",
      {repository, batch_entries_max}));
  Batch out;
  for (auto& row : rows) {
    if (!out.ids.empty() && out.lines.size() + row.at(1).size() > batch_bytes_max) break;
    out.ids.push_back(std::move(row.at(0)));
    out.lines += row.at(1);
    out.lines += '\n';
  }
  return out;
}

Status SqliteJournal::mark(const std::string& repository, const std::string& batch,
                           const Batch& entries) {
  const std::lock_guard lock(mutex_);
  auto transaction = LB_TRY(Transaction::begin(*database_));
  for (const auto& id : entries.ids) {
    LB_TRY(database_->run("INSERT OR IGNORE INTO copies (repository, entry) VALUES (?, ?)",
                          {repository, id}));
  }
  LB_TRY(database_->run("INSERT OR IGNORE INTO batches (repository, id) VALUES (?, ?)",
                        {repository, batch}));
  return transaction->commit();
}

}  // namespace lb::state
