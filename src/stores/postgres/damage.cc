#include "stores/postgres/damage.h"

#include <algorithm>
#include <map>

#include "foundation/base/text.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/fingerprint.h"
#include "stores/postgres/recorded_fingerprint.h"

namespace lb::pg {

namespace {

using Kind = TableDifference::Kind;

constexpr std::size_t tables_at_once = 1000;

// In the order of the bytes of the names. Only the catalog is read: asking for the size of a table
// would wait for its lock.
constexpr const char* sql_live_tables =
    "SELECT n.nspname::text, c.relname::text, pg_catalog.pg_relation_filenode(c.oid), "
    "c.reltuples::bigint FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' "
    "AND n.nspname !~ '^pg_' AND (n.nspname::text COLLATE \"C\", c.relname::text COLLATE \"C\") "
    "> ($1, $2) ORDER BY n.nspname::text COLLATE \"C\", c.relname::text COLLATE \"C\" LIMIT ";

constexpr const char* sql_live_databases =
    "SELECT datname, pg_catalog.has_database_privilege(oid, 'CONNECT') FROM "
    "pg_catalog.pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname";

struct RecordedTable {
  std::string schema, name;
  std::optional<std::int64_t> rows, filenode;
  bool unlogged = false;
  bool operator<(const RecordedTable& other) const {
    return schema != other.schema ? schema < other.schema : name < other.name;
  }
};

struct Recorded {
  Json json;                                                 // the fingerprint without its tables
  std::map<std::string, std::vector<RecordedTable>> tables;  // by database, sorted
};

std::optional<std::int64_t> number_in(const Json& json) {
  return json.is_int() ? std::optional(json.integer()) : std::nullopt;
}

std::optional<std::int64_t> number_in(const std::optional<std::string>& text) {
  auto number = parse_int(text.value_or(""));
  return number.ok() ? std::optional(*number) : std::nullopt;
}

Result<Recorded> read_recorded(repo::SnapshotReader& snapshot) {
  Recorded out;
  auto keep = [&](const Json::Object& around, const Json& table) -> Status {
    std::string database;
    for (const auto& [key, value] : around) {
      if (key == "name") database = value.string();
    }
    out.tables[database].push_back({table["schema"].string(), table["name"].string(),
                                    number_in(table["rows"]), number_in(table["filenode"]),
                                    table["unlogged"].boolean()});
    return {};
  };
  auto document = LB_TRY(read_fingerprint(snapshot, keep).context("the point"));
  if (!document) {
    return Error(ErrorKind::not_found,
                 cat("nothing was recorded of the tables of point ", snapshot.info().id))
        .with_hint("compare with another point: lifeboat ls");
  }
  out.json = std::move(*document);
  for (auto& [name, tables] : out.tables) std::sort(tables.begin(), tables.end());
  return out;
}

std::int64_t millis(Micros time) { return std::max<std::int64_t>(1, time.count() / 1000); }

// A session that cannot write, and stands in nobody's way.
Result<std::unique_ptr<Connection>> look_into(const Secret& conninfo, const std::string& database,
                                              const CountLimits& limits) {
  ConnectOptions options;
  options.application_name = "lifeboat assess";
  options.database = database;
  options.statement_limit = limits.table;
  auto connection = LB_TRY(Connection::open(conninfo, options));
  // A role under row security would count only its own rows: no count is better than a wrong one.
  LB_TRY(
      connection->query(cat("SET default_transaction_read_only = on; SET row_security = off; "
                            "SET search_path = pg_catalog; SET lock_timeout = ",
                            millis(limits.lock))));
  return connection;
}

class ServerAssessment {
 public:
  ServerAssessment(const Secret& conninfo, const Clock& clock, const CountLimits& limits,
                   const TableDifferenceSink& sink, std::stop_token stop)
      : conninfo_(conninfo),
        clock_(clock),
        limits_(limits),
        sink_(sink),
        stop_(std::move(stop)),
        until_(clock.steady() + limits.whole) {}

  Result<ServerDamage> run(const Recorded& recorded) {
    auto main = LB_TRY(look_into(conninfo_, {}, limits_));
    auto system = main->query("SELECT system_identifier FROM pg_catalog.pg_control_system()");
    const auto& then = recorded.json["system_identifier"].string();
    out_.other_system = system.ok() && !then.empty() && system->rows.at(0)[0] != then;
    auto found = LB_TRY(main->query(sql_live_databases));
    std::map<std::string, bool> live;  // whether it may be connected to
    for (const auto& row : found.rows) live[row[0].value_or("")] = row[1] == "t";
    std::map<std::string, bool> known;
    for (const auto& database : recorded.json["databases"].items()) {
      const auto name = database["name"].string();
      known[name] = true;
      LB_TRY(judge_database(database, recorded, live));
    }
    for (const auto& [name, may] : live) {
      if (known.contains(name) || !may) continue;
      ++out_.databases_extra;
      TableDifference extra;
      extra.kind = Kind::database_extra;
      extra.database = name;
      LB_TRY(sink_(extra));
    }
    return out_;
  }

 private:
  Status judge_database(const Json& database, const Recorded& recorded,
                        const std::map<std::string, bool>& live) {
    static const std::vector<RecordedTable> none;
    const auto name = database["name"].string();
    auto at = recorded.tables.find(name);
    const auto& tables = at == recorded.tables.end() ? none : at->second;
    TableDifference whole;
    whole.database = name;
    auto there = live.find(name);
    if (there == live.end()) {
      whole.kind = Kind::database_missing;
      whole.recorded = 0;
      for (const auto& table : tables) *whole.recorded += table.rows.value_or(0);
      ++out_.databases_missing;
      out_.rows_missing += static_cast<std::uint64_t>(*whole.recorded);
      return sink_(whole);
    }
    auto opened = look_into(conninfo_, name, limits_);
    if (!opened.ok()) {
      whole.kind = Kind::unseen;
      whole.why = opened.error().text();
      ++out_.unseen;
      return sink_(whole);
    }
    connection_ = std::move(opened).take();
    LB_TRY(judge_tables(name, tables).context(cat("database ", printable(name))));
    return judge_catalog(database);
  }

  // Both sides in the order of their names, the live one in pages.
  Status judge_tables(const std::string& database, const std::vector<RecordedTable>& tables) {
    auto recorded = tables.begin();
    std::string schema, name;
    for (;;) {
      auto page = LB_TRY(connection_->query(cat(sql_live_tables, tables_at_once),
                                            std::vector<std::string>{schema, name}));
      for (const auto& row : page.rows) {
        RecordedTable live{row[0].value_or(""), row[1].value_or(""), number_in(row[3]),
                           number_in(row[2])};
        for (; recorded != tables.end() && *recorded < live; ++recorded)
          LB_TRY(tell_missing(database, *recorded));
        bool both = recorded != tables.end() && !(live < *recorded);
        LB_TRY(both ? judge_pair(database, *recorded++, live) : tell_extra(database, live));
        schema = live.schema;
        name = live.name;
      }
      if (page.rows.size() < tables_at_once) break;
    }
    for (; recorded != tables.end(); ++recorded) LB_TRY(tell_missing(database, *recorded));
    return {};
  }

  static TableDifference difference(Kind kind, const std::string& database,
                                    const RecordedTable& table) {
    TableDifference out;
    out.kind = kind;
    out.database = database;
    out.schema = table.schema;
    out.name = table.name;
    return out;
  }

  Status tell_missing(const std::string& database, const RecordedTable& table) {
    auto out = difference(Kind::missing, database, table);
    out.recorded = table.rows;
    ++out_.missing;
    out_.rows_missing += static_cast<std::uint64_t>(table.rows.value_or(0));
    return sink_(out);
  }

  Status tell_extra(const std::string& database, const RecordedTable& table) {
    auto out = difference(Kind::extra, database, table);
    // The server's estimate; -1: it has none.
    if (table.rows && *table.rows >= 0) out.rows = table.rows;
    ++out_.extra;
    return sink_(out);
  }

  Status judge_pair(const std::string& database, const RecordedTable& then,
                    const RecordedTable& now) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "the comparison was stopped");
    auto out = difference(Kind::unseen, database, then);
    out.recorded = then.rows;
    out.rewritten = then.filenode && now.filenode && *then.filenode != *now.filenode;
    if (then.unlogged) {
      // Recoveries empty it: its rows are no promise.
      ++out_.equal;
      return {};
    }
    if (!then.rows) {
      out.why = "its rows were not counted with the point";
      ++out_.unseen;
      return sink_(out);
    }
    LB_TRY(count(now, out));
    if (out.kind == Kind::missing) return tell_missing(database, then);
    if (out.kind == Kind::unseen || out.kind == Kind::estimated) {
      ++(out.kind == Kind::unseen ? out_.unseen : out_.estimated);
      return sink_(out);
    }
    if (*out.rows == *then.rows) {
      ++out_.equal;
      return {};
    }
    out.kind = *out.rows < *then.rows ? Kind::fewer : Kind::more;
    ++(out.kind == Kind::fewer ? out_.fewer : out_.more);
    if (out.kind == Kind::fewer)
      out_.rows_missing += static_cast<std::uint64_t>(*then.rows - *out.rows);
    return sink_(out);
  }

  // Sets `rows`, and in `kind` what became of it; more: it was counted.
  Status count(const RecordedTable& now, TableDifference& out) {
    auto left = until_ - clock_.steady();
    if (left <= Micros(0) || limits_.table <= Micros(0))
      return estimate(now, "the time for counting was used up", out);
    LB_TRY(
        connection_->query(cat("SET statement_timeout = ", millis(std::min(left, limits_.table)))));
    auto answer = connection_->query(
        cat("SELECT count(*) FROM ONLY ", quote_name(now.schema), ".", quote_name(now.name)));
    LB_TRY(connection_->query(cat("SET statement_timeout = ", millis(limits_.table))));
    if (answer.ok()) {
      out.rows = number_in(answer->rows.at(0).at(0));
      out.kind = out.rows ? Kind::more : Kind::unseen;
      return {};
    }
    const auto& error = answer.error();
    if (error.exit_code() == ExitCode::store_unreachable) return error;
    if (error.kind() == ErrorKind::timeout) return estimate(now, "counting it took too long", out);
    if (error.native() == "SQLSTATE 55P03") return estimate(now, "it is locked", out);
    bool dropped = error.native() == "SQLSTATE 42P01" || error.native() == "SQLSTATE 3F000";
    out.kind = dropped ? Kind::missing : Kind::unseen;
    out.why = error.text();
    return {};
  }

  static Status estimate(const RecordedTable& now, const char* why, TableDifference& out) {
    out.kind = Kind::estimated;
    out.why = why;
    if (now.rows && *now.rows >= 0) out.rows = now.rows;
    return {};
  }

  // What no count of rows shows: functions, policies, indexes that went or came.
  Status judge_catalog(const Json& database) {
    auto now = LB_TRY(connection_->query(catalog_query()));
    std::vector<std::string> told;
    for (std::size_t n = 0; n < now.columns.size(); ++n) {
      const auto& what = now.columns[n];
      auto then = number_in(database["catalog"][what]);
      auto count = number_in(now.rows.at(0)[n]);
      bool differs = then && count && *then != *count;
      if (what == "tables" || !differs) continue;  // tables were told one by one
      told.push_back(cat(*count, " ", replace_all(what, "_", " "), " instead of ", *then));
    }
    if (told.empty()) return {};
    TableDifference out;
    out.kind = Kind::catalog;
    out.database = database["name"].string();
    out.why = join(told, ", ");
    ++out_.catalog;
    return sink_(out);
  }

  const Secret& conninfo_;
  const Clock& clock_;
  const CountLimits& limits_;
  const TableDifferenceSink& sink_;
  const std::stop_token stop_;
  const Micros until_;
  std::unique_ptr<Connection> connection_;
  ServerDamage out_;
};

}  // namespace

std::string TableDifference::table() const {
  return name.empty() ? database : cat(database, " ", schema, ".", name);
}

Result<ServerDamage> assess_server(repo::SnapshotReader& snapshot, const Secret& conninfo,
                                   const Clock& clock, const CountLimits& limits,
                                   const TableDifferenceSink& sink, std::stop_token stop) {
  auto recorded = LB_TRY(read_recorded(snapshot));
  return ServerAssessment(conninfo, clock, limits, sink, std::move(stop)).run(recorded);
}

}  // namespace lb::pg
