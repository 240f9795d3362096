#include "stores/postgres/fingerprint.h"

#include <algorithm>

#include "foundation/base/assert.h"
#include "foundation/base/text.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/recorded_fingerprint.h"
#include "stores/postgres/server_facts.h"

namespace lb::pg {
namespace {

// One statement, so that the position is read right after the snapshot is taken.
constexpr const char* sql_moment =
    "SELECT pg_catalog.pg_current_snapshot()::text, CASE WHEN pg_catalog.pg_is_in_recovery() "
    "THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_insert_lsn() "
    "END::text";

// Ordinary tables, partitions among them: a partitioned parent has no rows of its own, and rows of
// foreign tables are not in this cluster.
constexpr const char* sql_tables =
    "SELECT n.nspname, c.relname, c.oid, pg_catalog.pg_relation_filenode(c.oid), "
    "pg_catalog.pg_table_size(c.oid), c.relpersistence "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' "
    "AND n.nspname !~ '^pg_' ORDER BY 1, 2";

constexpr const char* sql_user_schema =
    "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname <> 'information_schema' "
    "AND nspname !~ '^pg_')";

constexpr const char* sql_settings =
    "SELECT name, setting FROM pg_catalog.pg_settings WHERE source NOT IN ('default', 'override', "
    "'client', 'session') AND name !~ '(conninfo|passphrase|password|command)' ORDER BY name";

// Who owns something in this database or is granted something: a server that is to take it over
// must have them. The owner of the cluster is not among them.
constexpr const char* sql_roles =
    "SELECT DISTINCT r.rolname FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_roles r "
    "ON r.oid = s.refobjid WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass "
    "AND s.dbid = (SELECT oid FROM pg_catalog.pg_database "
    "WHERE datname = pg_catalog.current_database()) ORDER BY 1";

constexpr const char* sql_databases =
    "SELECT d.datname, d.oid, CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT') "
    "THEN pg_catalog.pg_database_size(d.oid) END FROM pg_catalog.pg_database d "
    "WHERE d.datallowconn AND NOT d.datistemplate ORDER BY d.datname";

Json number(const std::optional<std::string>& text) {
  if (!text) return Json();
  const auto parsed = parse_int(*text);
  return parsed.ok() ? Json(*parsed) : Json();
}

constexpr std::size_t tables_at_once = 1000;

std::optional<std::int64_t> whole_number(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  const auto parsed = parse_int(*text);
  if (!parsed.ok()) return std::nullopt;
  return *parsed;
}

struct CatalogCount {
  const char* name;
  const char* from;
};

}  // namespace

std::string catalog_query() {
  const std::vector<CatalogCount> counts = {
      {"tables", "pg_class WHERE relkind IN ('r', 'p') AND relpersistence <> 't' AND relnamespace"},
      {"views", "pg_class WHERE relkind IN ('v', 'm') AND relnamespace"},
      {"functions", "pg_proc WHERE pronamespace"},
      {"triggers",
       "pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid "
       "WHERE NOT t.tgisinternal AND c.relnamespace"},
      {"sequences", "pg_class WHERE relkind = 'S' AND relpersistence <> 't' AND relnamespace"},
      {"indexes",
       "pg_class WHERE relkind IN ('i', 'I') AND relpersistence <> 't' AND relnamespace"},
      {"constraints", "pg_constraint WHERE connamespace"},
      {"foreign_keys", "pg_constraint WHERE contype = 'f' AND connamespace"},
      {"policies",
       "pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid "
       "WHERE c.relnamespace"}};
  std::string sql = "SELECT ";
  for (const CatalogCount& count : counts) {
    if (sql.size() > 7) sql += ", ";
    sql += cat("(SELECT count(*) FROM pg_catalog.", count.from, " IN ", sql_user_schema, ") AS ",
               count.name);
  }
  return sql;
}

namespace {

// One database, counted inside one read-only transaction whose snapshot rules all counts.
class DatabaseCounter {
 public:
  // `before` may be null.
  DatabaseCounter(Connection& connection, std::string database, const KnownRows* before,
                  std::stop_token stop)
      : connection_(connection),
        database_(std::move(database)),
        before_(before),
        stop_(std::move(stop)) {}

  // Adds what is counted to `json`, which says what database it is.
  Status count_into(Json& json) {
    LB_TRY(connection_.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    const QueryResult moment = LB_TRY(connection_.query(sql_moment));
    // A role under row security would count only its own rows: better no count than a wrong one.
    LB_TRY(
        connection_.query("SET LOCAL row_security = off; SET LOCAL lock_timeout = '30s'; "
                          "SET LOCAL statement_timeout = 0"));
    json.set("snapshot", moment.rows.at(0)[0].value_or(""));
    json.set("lsn", moment.rows.at(0)[1].value_or(""));
    lsn = LB_TRY(parse_lsn(json["lsn"].string()));
    Json installed = LB_TRY(extensions());
    Json named = LB_TRY(roles());
    Json counts = LB_TRY(catalog());
    LB_TRY(list_tables());
    LB_TRY(count_tables());
    json.set("extensions", std::move(installed)).set("catalog", std::move(counts));
    json.set("roles", std::move(named));
    return connection_.query("COMMIT").status();
  }

  Lsn lsn = 0;
  CountedTables tables;
  std::vector<std::string> warnings;

 private:
  Result<Json> extensions() {
    const QueryResult found = LB_TRY(connection_.query(
        "SELECT extname, extversion FROM pg_catalog.pg_extension ORDER BY extname"));
    Json list = Json::array();
    for (const auto& row : found.rows) {
      list.push(
          Json::object().set("name", row[0].value_or("")).set("version", row[1].value_or("")));
    }
    return list;
  }

  Result<Json> roles() {
    const QueryResult found = LB_TRY(connection_.query(sql_roles));
    Json list = Json::array();
    for (const auto& row : found.rows) list.push(row[0].value_or(""));
    return list;
  }

  Result<Json> catalog() {
    const QueryResult found = LB_TRY(connection_.query(catalog_query()));
    Json counts = Json::object();
    for (std::size_t n = 0; n < found.columns.size(); ++n) {
      counts.set(found.columns[n], number(found.rows.at(0)[n]));
    }
    return counts;
  }

  Status not_stopped() const {
    if (!stop_.stop_requested()) return {};
    return Error(ErrorKind::cancelled, "stopped").with_exit(ExitCode::interrupted);
  }

  Status list_tables() {
    LB_TRY(connection_.query(cat("DECLARE tables NO SCROLL CURSOR FOR ", sql_tables)));
    for (;;) {
      LB_TRY(not_stopped());
      const QueryResult found =
          LB_TRY(connection_.query(cat("FETCH FORWARD ", tables_at_once, " FROM tables")));
      for (const auto& row : found.rows) add_table(row);
      if (found.rows.size() < tables_at_once) break;
    }
    return connection_.query("CLOSE tables").status();
  }

  void add_table(const std::vector<std::optional<std::string>>& row) {
    CountedTable table;
    table.oid = static_cast<std::uint32_t>(whole_number(row[2]).value_or(0));
    if (const auto file = whole_number(row[3])) table.filenode = static_cast<std::uint32_t>(*file);
    table.bytes = whole_number(row[4]);
    // An unlogged table comes back empty from every recovery: its rows are no promise.
    table.unlogged = row[5] == "u";
    if (before_ != nullptr && table.filenode && !table.unlogged)
      table.rows = before_->find(table.oid, *table.filenode);
    table.carried = table.rows.has_value();
    tables.add(row[0].value_or(""), row[1].value_or(""), table);
  }

  Status count_tables() {
    LB_TRY(connection_.query("SAVEPOINT one_table"));
    const auto count = [this](std::string_view schema, std::string_view name,
                              CountedTable& table) -> Status {
      if (table.carried || table.unlogged) return {};
      LB_TRY(not_stopped());
      return count_table(schema, name, table);
    };
    LB_TRY(tables.for_each(count));
    return connection_.query("ROLLBACK TO SAVEPOINT one_table").status();
  }

  Status count_table(std::string_view schema, std::string_view name, CountedTable& table) {
    // Back to the savepoint before each: that gives the lock on the last table back, which would
    // else be held to the end, until the server's lock table is full; and mends a failure.
    const auto counted =
        connection_.query(cat("ROLLBACK TO SAVEPOINT one_table; SELECT count(*) FROM ONLY ",
                              quote_name(std::string(schema)), ".", quote_name(std::string(name))));
    if (counted.ok()) {
      table.rows = whole_number(counted->rows.at(0)[0]);
      return {};
    }
    const Error& failure = counted.error();
    if (failure.exit_code() == ExitCode::store_unreachable) return failure;
    warnings.push_back(cat("rows of ", printable(cat(database_, ".", schema, ".", name)),
                           " were not counted: ", failure.text()));
    return {};
  }

  Connection& connection_;
  std::string database_;
  const KnownRows* before_;
  std::stop_token stop_;
};

Result<Json> settings_of(Connection& connection) {
  const QueryResult found = LB_TRY(connection.query(sql_settings));
  Json settings = Json::object();
  for (const auto& row : found.rows) settings.set(row[0].value_or(""), row[1].value_or(""));
  return settings;
}

// The next commit of this empty transaction makes the server flush what lies before it. On a
// standby the log was flushed before it was replayed.
Status make_durable_soon(Connection& connection) {
  const QueryResult recovery = LB_TRY(connection.query("SELECT pg_catalog.pg_is_in_recovery()"));
  if (recovery.rows.at(0)[0] == "t") return {};
  LB_TRY(connection.query("SET default_transaction_read_only = off"));
  return connection.query("SELECT pg_catalog.pg_current_xact_id()").status();
}

}  // namespace

std::uint64_t Fingerprint::carried() const {
  std::uint64_t count = 0;
  for (const CountedTables& each : tables) count += each.carried();
  return count;
}

Status Fingerprint::write_to(const TakeText& take) const {
  const auto open_ended = [](std::string object) {
    object.pop_back();
    return object;
  };
  Json head = Json::object();
  for (const auto& [key, value] : json.members()) {
    if (key != "databases") head.set(key, value);
  }
  LB_TRY(take(open_ended(head.dump()) + ",\"databases\":["));
  const Json::Array& databases = json["databases"].items();
  LB_ASSERT(databases.size() == tables.size());
  for (std::size_t n = 0; n < databases.size(); ++n) {
    const char* comma = n > 0 ? "," : "";
    LB_TRY(take(cat(comma, open_ended(databases[n].dump()), ",\"tables\":[")));
    LB_TRY(tables[n].write_to(take));
    LB_TRY(take("]}"));
  }
  return take("]}");
}

Result<std::optional<CountedBefore>> read_counted(repo::SnapshotReader& snapshot) {
  CountedBefore out;
  const auto keep = [&](const Json::Object& around, const Json& table) -> Status {
    std::uint32_t database = 0;
    bool seen = false;  // its counting transaction is known: what came later can be told
    for (const auto& [key, value] : around) {
      if (key == "oid") database = static_cast<std::uint32_t>(value.integer());
      if (key == "snapshot") seen = !value.string().empty();
    }
    if (!seen || !table["rows"].is_int() || !table["filenode"].is_int()) return {};
    out.rows[database].add(static_cast<std::uint32_t>(table["oid"].integer()),
                           static_cast<std::uint32_t>(table["filenode"].integer()),
                           table["rows"].integer());
    return {};
  };
  auto json = LB_TRY(read_fingerprint(snapshot, keep));
  if (!json) return std::optional<CountedBefore>();
  out.json = std::move(*json);
  for (auto& [database, rows] : out.rows) rows.sort();
  return std::optional<CountedBefore>(std::move(out));
}

Result<Fingerprint> take_fingerprint(const Secret& conninfo, const std::string& system_identifier,
                                     Clock& clock, const CountedBefore* before,
                                     std::stop_token stop) {
  const std::unique_ptr<Connection> main = LB_TRY(Connection::open(conninfo));
  Fingerprint print;
  print.json = Json::object();
  print.json.set("at", format_time(clock.now()));
  Json databases = Json::array();
  const QueryResult found = LB_TRY(main->query(sql_databases));
  for (const auto& row : found.rows) {
    const std::string name = row[0].value_or("");
    ConnectOptions options;
    options.database = name;
    const auto connection = Connection::open(conninfo, options);
    if (!connection.ok()) {
      print.warnings.push_back(
          cat("database ", printable(name), " was not counted: ", connection.error().text()));
      continue;
    }
    const KnownRows* known = nullptr;
    if (before != nullptr) {
      const auto of =
          before->rows.find(static_cast<std::uint32_t>(whole_number(row[1]).value_or(0)));
      if (of != before->rows.end()) known = &of->second;
    }
    DatabaseCounter counter(**connection, name, known, stop);
    Json database = Json::object();
    database.set("name", name).set("oid", number(row[1])).set("bytes", number(row[2]));
    LB_TRY(counter.count_into(database).context(cat("fingerprint of ", printable(name))));
    print.lsn = std::max(print.lsn, counter.lsn);
    print.warnings.insert(print.warnings.end(), counter.warnings.begin(), counter.warnings.end());
    databases.push(std::move(database));
    print.tables.push_back(std::move(counter.tables));
  }
  const std::string version = version_text(main->server_version());
  print.json.set("lsn", format_lsn(print.lsn)).set("server_version", version);
  print.json.set("system_identifier", system_identifier);
  Json settings = LB_TRY(settings_of(*main));
  print.json.set("settings", std::move(settings)).set("databases", std::move(databases));
  LB_TRY(make_durable_soon(*main));
  return print;
}

}  // namespace lb::pg
