// The drafts of the outbox.
#include <algorithm>
#include <array>

#include "foundation/base/text.h"
#include "storage/state/sqlite_outbox.h"

namespace lb::state {

namespace {

constexpr std::array draft_states = {std::string_view("draft"), std::string_view("approved"),
                                     std::string_view("sent"), std::string_view("dropped")};
constexpr const char* columns =
    "SELECT id, key, state, made, body, approved_by, approved_hash, approved_at FROM drafts ";

Result<Draft> draft_of(const TextRow& row) {
  Draft out;
  out.id = row.at(0);
  out.key = row.at(1);
  auto state = std::find(draft_states.begin(), draft_states.end(), row.at(2));
  if (state == draft_states.end())
    return Error(ErrorKind::corrupt, cat("draft ", out.id, " is in no known state"));
  out.state = static_cast<Draft::State>(state - draft_states.begin());
  out.made = from_micros(LB_TRY(parse_int(row.at(3))));
  out.body = LB_TRY(parse_json(row.at(4)));
  out.approved_by = row.at(5);
  out.approved_hash = row.at(6);
  out.approved_at = from_micros(LB_TRY(parse_int(row.at(7))));
  return out;
}

}  // namespace

std::string_view name_of(Draft::State state) {
  return draft_states[static_cast<std::size_t>(state)];
}

Result<Draft> SqliteOutbox::find_draft(const std::string& column, const std::string& value) {
  auto rows = LB_TRY(database_->rows(cat(columns, "WHERE ", column, " = ?").c_str(), {value}));
  if (rows.size() == 1) return draft_of(rows.front());
  return Error(ErrorKind::not_found, cat("there is no draft ", printable(value)))
      .with_hint("lifeboat message ls lists them");
}

Result<Draft> SqliteOutbox::put_draft(Draft draft) {
  const std::lock_guard lock(mutex_);
  auto transaction = LB_TRY(Transaction::begin(*database_).context("store a draft"));
  auto known = find_draft("key", draft.key);
  if (known.ok() || known.error().kind() != ErrorKind::not_found) return known;
  const auto time = world_.clock.now();
  draft.id = ids_.next(time);
  draft.state = Draft::State::draft;
  if (draft.made == Timestamp{}) draft.made = time;
  LB_TRY(database_->run("INSERT INTO drafts VALUES (?, ?, 'draft', ?, ?, '', '', 0)",
                        {draft.id, draft.key, to_micros(draft.made), draft.body.dump()}));
  LB_TRY(transaction->commit().context("store a draft"));
  return draft;
}

Result<std::vector<Draft>> SqliteOutbox::drafts(std::size_t newest_max) {
  const std::lock_guard lock(mutex_);
  auto rows = LB_TRY(database_->rows(cat(columns, "ORDER BY id DESC LIMIT ?").c_str(),
                                     {static_cast<std::int64_t>(newest_max)}));
  std::vector<Draft> out;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    out.push_back(LB_TRY(draft_of(*row).context("read the drafts")));
  }
  return out;
}

Result<Draft> SqliteOutbox::draft(const std::string& id) {
  const std::lock_guard lock(mutex_);
  return find_draft("id", id);
}

// One statement that names the states it is allowed in: two programs cannot both do it.
Status SqliteOutbox::change_draft(const std::string& id, const char* sql, const Values& values,
                                  const std::string& refused) {
  const std::lock_guard lock(mutex_);
  auto found = LB_TRY(find_draft("id", id));
  auto changed = LB_TRY(database_->rows(sql, values));
  if (changed.size() == 1) return {};
  return Error(ErrorKind::conflict,
               cat("draft ", id, " ", refused, ": it is ", name_of(found.state)));
}

Status SqliteOutbox::rewrite_draft(const std::string& id, const Json& body) {
  return change_draft(id,
                      "UPDATE drafts SET body = ?, state = 'draft', approved_by = '', "
                      "approved_hash = '', approved_at = 0 WHERE id = ? AND state IN ('draft', "
                      "'approved') RETURNING id",
                      {body.dump(), id}, "cannot be changed");
}

Status SqliteOutbox::drop_draft(const std::string& id) {
  return change_draft(id,
                      "UPDATE drafts SET state = 'dropped' WHERE id = ? AND state IN ('draft', "
                      "'approved') RETURNING id",
                      {id}, "cannot be dropped");
}

Status SqliteOutbox::approve_draft(const std::string& id, const std::string& hash,
                                   const std::string& by, const Json& proof) {
  auto body = LB_TRY(draft(id)).body;
  const auto seen = body.dump();
  if (proof.is_object() || body.find("approval") != nullptr) body.set("approval", proof);
  // A body that was rewritten meanwhile is not the one that was looked at.
  return change_draft(id,
                      "UPDATE drafts SET state = 'approved', approved_by = ?, approved_hash = ?, "
                      "approved_at = ?, body = ? WHERE id = ? AND state = 'draft' AND body = ? "
                      "RETURNING id",
                      {by, hash, now(), body.dump(), id, seen}, "cannot be approved");
}

Result<std::vector<OutboxItem>> SqliteOutbox::send_draft(const std::string& id,
                                                         const std::string& hash,
                                                         std::vector<OutboxItem> items) {
  const std::lock_guard lock(mutex_);
  auto transaction = LB_TRY(Transaction::begin(*database_).context("send a draft"));
  auto found = LB_TRY(find_draft("id", id));
  if (found.state != Draft::State::approved || found.approved_hash != hash) {
    return Error(ErrorKind::conflict,
                 cat("draft ", id, " is not sent: it is ", name_of(found.state),
                     found.state == Draft::State::approved ? " with another text" : ""))
        .with_hint("nothing was sent; approve it first")
        .with_exit(ExitCode::refused);
  }
  LB_TRY(database_->run("UPDATE drafts SET state = 'sent' WHERE id = ?", {id}));
  auto fresh = LB_TRY(insert(std::move(items)).context("send a draft"));
  LB_TRY(transaction->commit().context("send a draft"));
  return fresh;
}

}  // namespace lb::state
