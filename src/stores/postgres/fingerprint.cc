#include "stores/postgres/fingerprint.h"

#include <algorithm>
#include <map>

#include "foundation/base/text.h"
#include "stores/postgres/carried_counts.h"
#include "stores/postgres/connection.h"
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

constexpr const char* sql_databases =
    "SELECT d.datname, d.oid, CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT') "
    "THEN pg_catalog.pg_database_size(d.oid) END FROM pg_catalog.pg_database d "
    "WHERE d.datallowconn AND NOT d.datistemplate ORDER BY d.datname";

Json number(const std::optional<std::string>& text) {
  if (!text) return Json();
  const auto parsed = parse_int(*text);
  return parsed.ok() ? Json(*parsed) : Json();
}

// Rows by oid and file of a table.
using CountedBefore = std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t>;

CountedBefore counted_before(const Json* before, const Json& database_oid) {
  CountedBefore out;
  if (before == nullptr) return out;
  for (const Json& database : (*before)["databases"].items()) {
    if (!(database["oid"] == database_oid) || database["snapshot"].string().empty()) continue;
    for (const Json& table : database["tables"].items()) {
      if (table["rows"].is_int() && table["filenode"].is_int())
        out[{table["oid"].integer(), table["filenode"].integer()}] = table["rows"].integer();
    }
  }
  return out;
}

struct CatalogCount {
  const char* name;
  const char* from;
};

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

// One database, counted inside one read-only transaction whose snapshot rules all counts.
class DatabaseCounter {
 public:
  DatabaseCounter(Connection& connection, std::string database, CountedBefore before,
                  std::stop_token stop)
      : connection_(connection),
        database_(std::move(database)),
        before_(std::move(before)),
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
    Json counts = LB_TRY(catalog());
    Json rows = LB_TRY(tables());
    json.set("extensions", std::move(installed)).set("catalog", std::move(counts));
    json.set("tables", std::move(rows));
    return connection_.query("COMMIT").status();
  }

  Lsn lsn = 0;
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

  Result<Json> catalog() {
    const QueryResult found = LB_TRY(connection_.query(catalog_query()));
    Json counts = Json::object();
    for (std::size_t n = 0; n < found.columns.size(); ++n) {
      counts.set(found.columns[n], number(found.rows.at(0)[n]));
    }
    return counts;
  }

  Result<Json> tables() {
    const QueryResult found = LB_TRY(connection_.query(sql_tables));
    LB_TRY(connection_.query("SAVEPOINT one_table"));
    Json list = Json::array();
    for (const auto& row : found.rows) {
      if (stop_.stop_requested()) {
        return Error(ErrorKind::cancelled, "stopped").with_exit(ExitCode::interrupted);
      }
      Json table = LB_TRY(count_table(row));
      list.push(std::move(table));
    }
    LB_TRY(connection_.query("ROLLBACK TO SAVEPOINT one_table"));
    return list;
  }

  Result<Json> count_table(const std::vector<std::optional<std::string>>& row) {
    const std::string schema = row[0].value_or(""), name = row[1].value_or("");
    Json table = Json::object();
    table.set("schema", schema).set("name", name);
    table.set("oid", number(row[2])).set("filenode", number(row[3]));
    // An unlogged table comes back empty from every recovery: its rows are no promise.
    if (row[5] == "u")
      return table.set("rows", Json()).set("bytes", number(row[4])).set("unlogged", true);
    const auto known = before_.find({table["oid"].integer(), table["filenode"].integer()});
    if (known != before_.end())
      return table.set("rows", known->second).set("bytes", number(row[4])).set(carried_mark, true);
    // Back to the savepoint before each: that gives the lock on the last table back, which would
    // else be held to the end, until the server's lock table is full; and mends a failure.
    const auto counted =
        connection_.query(cat("ROLLBACK TO SAVEPOINT one_table; SELECT count(*) FROM ONLY ",
                              quote_name(schema), ".", quote_name(name)));
    if (counted.ok())
      return table.set("rows", number(counted->rows.at(0)[0])).set("bytes", number(row[4]));
    const Error& failure = counted.error();
    if (failure.exit_code() == ExitCode::store_unreachable) return failure;
    warnings.push_back(cat("rows of ", printable(cat(database_, ".", schema, ".", name)),
                           " were not counted: ", failure.text()));
    return table.set("rows", Json()).set("bytes", number(row[4]));
  }

  Connection& connection_;
  std::string database_;
  const CountedBefore before_;
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

Result<Fingerprint> take_fingerprint(const Secret& conninfo, const std::string& system_identifier,
                                     Clock& clock, const Json* before, std::stop_token stop) {
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
    DatabaseCounter counter(**connection, name, counted_before(before, number(row[1])), stop);
    Json database = Json::object();
    database.set("name", name).set("oid", number(row[1])).set("bytes", number(row[2]));
    LB_TRY(counter.count_into(database).context(cat("fingerprint of ", printable(name))));
    print.lsn = std::max(print.lsn, counter.lsn);
    print.warnings.insert(print.warnings.end(), counter.warnings.begin(), counter.warnings.end());
    databases.push(std::move(database));
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
