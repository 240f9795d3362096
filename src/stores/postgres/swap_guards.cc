// What is looked at before a database is exchanged: all that would make it fail or lose something.
#include "foundation/base/text.h"
#include "stores/postgres/database_swap.h"

namespace lb::pg {

namespace {

Error refused(std::string text, std::string hint) {
  return Error(ErrorKind::denied, std::move(text))
      .with_hint(std::move(hint))
      .with_exit(ExitCode::refused);
}

Status check_place(Connection& connection, const SwapWish& wish) {
  auto facts = LB_TRY(connection.query("SELECT current_database(), pg_is_in_recovery()"));
  const auto& row = facts.rows.at(0);
  auto live = printable(wish.live);
  if (wish.live == "postgres" || wish.live.starts_with("template"))
    return refused(cat(live, " belongs to the server itself: it is not exchanged"),
                   "restore the whole cluster instead");
  if (row[0] == wish.live)
    return Error(ErrorKind::internal, cat("the swap is to be done from within ", live));
  if (row[1] == "t")
    return refused("the server is a standby: no database of it can be exchanged",
                   "name its primary");
  return {};
}

// A superuser may do all of it; of others what is asked is what no error of the server would say
// before the new database is filled.
Status check_rights(Connection& connection, const SwapWish& wish) {
  auto facts = LB_TRY(
      connection.query("SELECT rolsuper, rolcreatedb, pg_has_role(datdba, 'MEMBER'),"
                       " pg_has_role('pg_signal_backend', 'MEMBER')"
                       " FROM pg_roles, pg_database WHERE rolname = current_user AND datname = $1",
                       {wish.live}));
  if (facts.rows.empty()) return {};
  const auto& row = facts.rows[0];
  if (row[0] == "t") return {};
  auto lacks = [](const char* what, const char* hint) {
    return Error(ErrorKind::denied, cat("the user of the connection ", what))
        .with_hint(cat(hint, ", or connect as a superuser"))
        .with_exit(ExitCode::target_unreachable);
  };
  if (row[1] != "t") return lacks("may not make databases", "ALTER ROLE … CREATEDB");
  if (row[2] != "t")
    return lacks("does not own the database", "GRANT it the role that owns the database");
  if (row[3] == "t") return {};
  return lacks("may not end the sessions of others", "GRANT pg_signal_backend TO it");
}

// Things that hang on the database itself: they would be lost, or would make renaming fail.
struct Obstacle {
  const char* sql;  // names of them in the database $1
  const char* what;
  const char* hint;
};
constexpr Obstacle obstacles[] = {
    {"SELECT slot_name::text FROM pg_replication_slots WHERE database = $1",
     "logical replication slots, which the restored one would not have: ",
     "stop their consumers and drop them (pg_drop_replication_slot), then take new copies"},
    {"SELECT gid FROM pg_prepared_xacts WHERE database = $1",
     "prepared transactions: ", "COMMIT PREPARED or ROLLBACK PREPARED each"},
    {"SELECT subname::text FROM pg_subscription JOIN pg_database d ON d.oid = subdbid"
     " WHERE datname = $1 AND subenabled",
     "active subscriptions, which would go on writing into the old one: ",
     "ALTER SUBSCRIPTION … DISABLE, and decide from where it is to go on"},
    {"SELECT provider FROM pg_shseclabel JOIN pg_database d ON d.oid = objoid"
     " WHERE classoid = 'pg_database'::regclass AND datname = $1",
     "security labels, which are not carried over: ", "SECURITY LABEL … IS NULL, and set it anew"},
};

Status check_obstacles(Connection& connection, const SwapWish& wish) {
  for (const auto& obstacle : obstacles) {
    auto found = LB_TRY(connection.query(obstacle.sql, {wish.live}));
    std::vector<std::string> names;
    for (const auto& row : found.rows) names.push_back(printable(row[0].value_or("")));
    if (!names.empty())
      return refused(cat(printable(wish.live), " has ", obstacle.what, join(names, ", ")),
                     obstacle.hint);
  }
  return {};
}

Status read_extent(Connection& connection, const SwapWish& wish, SwapPreview& preview) {
  auto found =
      LB_TRY(connection.query("SELECT pg_database_size(oid), (SELECT count(*) FROM "
                              "pg_stat_activity a WHERE a.datid = d.oid),"
                              " coalesce(nullif(pg_tablespace_location(dattablespace), ''),"
                              " (SELECT setting FROM pg_settings WHERE name = 'data_directory'))"
                              " FROM pg_database d WHERE datname = $1",
                              {wish.live}));
  const auto& row = found.rows.at(0);
  preview.live_bytes = LB_TRY(parse_uint(row[0].value_or("")));
  preview.sessions = LB_TRY(parse_uint(row[1].value_or("")));
  preview.folder = row[2];
  auto disabled = LB_TRY(
      connection.query("SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid"
                       " WHERE datname = $1 AND NOT subenabled",
                       {wish.live}));
  for (const auto& each : disabled.rows)
    preview.notes.push_back(cat("disabled subscription ", printable(each[0].value_or("")),
                                " stays with the old database"));
  return {};
}

}  // namespace

Result<SwapPreview> check_swap(Connection& connection, const SwapWish& wish) {
  LB_TRY(check_swap_wish(wish));
  LB_TRY(check_place(connection, wish));
  SwapPreview preview;
  auto dress = read_dress(connection, wish.live);
  if (!dress.ok() && dress.error().kind() == ErrorKind::not_found)
    return refused(dress.error().message(), "a database that is gone is restored under its name");
  preview.live = LB_TRY(std::move(dress));
  if (preview.live.is_template)
    return refused(cat(printable(wish.live), " is a template: it is not exchanged"),
                   "ALTER DATABASE … IS_TEMPLATE false");
  LB_TRY(check_rights(connection, wish));
  LB_TRY(check_obstacles(connection, wish));
  LB_TRY(read_extent(connection, wish, preview));
  return preview;
}

}  // namespace lb::pg
