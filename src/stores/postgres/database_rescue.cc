#include "stores/postgres/database_rescue.h"

#include <libpq-fe.h>

#include <map>

#include "foundation/base/text.h"
#include "stores/postgres/recovery_log.h"

namespace lb::pg {

namespace {

constexpr Micros poll_pause = std::chrono::milliseconds(20);
constexpr Micros last_words = Seconds(1);
constexpr const char* unfinished_suffix = "_unfinished";
constexpr std::size_t name_bytes_max = 63;

Result<std::vector<std::vector<std::string>>> rows_of(Connection& connection,
                                                      const std::string& sql) {
  auto result = LB_TRY(connection.query(sql));
  std::vector<std::vector<std::string>> out;
  for (const auto& row : result.rows) {
    auto& cells = out.emplace_back();
    for (const auto& cell : row) cells.push_back(cell.value_or(""));
  }
  return out;
}

Result<bool> has_database(Connection& target, const std::string& name) {
  auto found = LB_TRY(target.query("SELECT 1 FROM pg_database WHERE datname = $1", {name}));
  return !found.rows.empty();
}

Result<std::unique_ptr<Connection>> open_database(const Secret& conninfo, const std::string& name) {
  ConnectOptions options;
  options.application_name = "lifeboat restore";
  options.database = name;
  return Connection::open(conninfo, options);
}

// CREATE DATABASE as the copy has it. Locales the target does not know are its own refusal.
Result<std::string> create_statement(Connection& copy, const std::string& name,
                                     const std::string& tablespace) {
  auto facts = LB_TRY(copy.query(
      "SELECT pg_encoding_to_char(encoding), datcollate, datctype, to_jsonb(d)->>'datlocprovider',"
      " coalesce(to_jsonb(d)->>'daticulocale', to_jsonb(d)->>'datlocale'),"
      " to_jsonb(d)->>'daticurules'"
      " FROM pg_database d WHERE datname = current_database()"));
  const auto& row = facts.rows.at(0);
  auto text = [&](std::size_t i) { return quote_literal(row[i].value_or("")); };
  auto sql = cat("CREATE DATABASE ", quote_name(name), " TEMPLATE template0 ENCODING ", text(0),
                 " LC_COLLATE ", text(1), " LC_CTYPE ", text(2));
  if (row[3] == "i") sql += cat(" LOCALE_PROVIDER icu ICU_LOCALE ", text(4));
  if (row[5]) sql += cat(" ICU_RULES ", text(5));
  if (row[3] == "b") sql += cat(" LOCALE_PROVIDER builtin BUILTIN_LOCALE ", text(4));
  if (!tablespace.empty()) sql += cat(" TABLESPACE ", quote_name(tablespace));
  return sql;
}

// Roles that own something in the copy's database or are granted something.
Result<std::vector<std::string>> missing_roles(Connection& copy, Connection& target) {
  auto roles = LB_TRY(
      rows_of(copy,
              "SELECT DISTINCT rolname FROM pg_shdepend JOIN pg_authid a ON a.oid = refobjid"
              " WHERE refclassid = 'pg_authid'::regclass AND dbid = (SELECT oid FROM pg_database"
              " WHERE datname = current_database()) ORDER BY 1"));
  std::vector<std::string> missing;
  for (const auto& role : roles) {
    auto there = LB_TRY(target.query("SELECT 1 FROM pg_roles WHERE rolname = $1", {role[0]}));
    if (there.rows.empty()) missing.push_back(printable(role[0]));
  }
  return missing;
}

// A database without its owners and grants cannot take the place of one that has them.
Error lacks_roles(const std::vector<std::string>& missing) {
  return Error(ErrorKind::denied,
               cat("the server no longer has the role ", join(missing, ", "),
                   ", which owns or may use something in the database of that point"))
      .with_hint("CREATE ROLE … NOLOGIN for each, then try again")
      .with_exit(ExitCode::refused);
}

using Counts = std::map<std::string, std::uint64_t>;  // by quoted name

Result<Counts> count_rows(Connection& connection) {
  auto tables = LB_TRY(rows_of(
      connection,
      "SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n"
      " ON n.oid = relnamespace WHERE relkind IN ('r', 'm') AND relpersistence = 'p'"
      " AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname NOT LIKE 'pg\\_toast%'"
      " ORDER BY 1"));
  Counts counts;
  for (const auto& table : tables) {
    auto rows = LB_TRY(rows_of(connection, cat("SELECT count(*) FROM ONLY ", table[0])));
    counts[table[0]] = LB_TRY(parse_uint(rows.at(0).at(0)));
  }
  return counts;
}

Status compare(const Counts& wanted, const Counts& got) {
  for (const auto& [table, rows] : wanted) {
    auto found = got.find(table);
    auto there = found == got.end() ? 0 : found->second;
    if (found != got.end() && there == rows) continue;
    return Error(ErrorKind::internal, cat(printable(table), " has ", rows, " rows in the copy and ",
                                          there, " in the target"));
  }
  return {};
}

// The two programs with a pipe of a name between them.
class Stream {
 public:
  Stream(World& world, const DatabaseMove& move, const DatabaseWish& wish)
      : world_(world), move_(move), wish_(wish) {}
  ~Stream() { (void)world_.files.remove(pipe()).ok(); }

  Status run(const std::string& database, bool owners, const std::stop_token& stop) {
    LB_TRY(world_.files.make_special(pipe(), FileKind::fifo, 0600, 0));
    LB_TRY(world_.files.set_owner(pipe(), move_.copy_user.uid, move_.copy_user.gid));
    // A reader that meets no writer waits: it is started first, and ended when the writer fails.
    auto load = LB_TRY(start_load(database));
    auto dump = LB_TRY(move_.start(dump_command(owners)));
    std::optional<Finished> loaded, dumped;
    while (!loaded || !dumped) {
      if (!loaded) loaded = LB_TRY(load->poll());
      if (!dumped) dumped = LB_TRY(dump->poll());
      // A reader that ends takes the writer with it, and has more to say.
      if (!loaded && dumped && !dumped->ok()) {
        (void)world_.clock.sleep(last_words, stop);
        loaded = LB_TRY(load->poll());
      }
      if (loaded && !loaded->ok()) return failed("psql of the target", log("load"));
      if (dumped && !dumped->ok()) return failed("pg_dump of the copy", log("dump"));
      if (!world_.clock.sleep(poll_pause, stop)) return Error(ErrorKind::cancelled, "stopped");
    }
    return {};
  }

 private:
  std::string pipe() const { return path_join(move_.run_folder, "database.pipe"); }
  std::string log(const char* name) const { return path_join(move_.run_folder, cat(name, ".log")); }

  Command dump_command(bool owners) const {
    Command command;
    command.argv = {path_join(move_.programs, "pg_dump"),
                    cat("--dbname=", move_.copy),
                    "--no-tablespaces",
                    "--no-subscriptions",
                    "--no-security-labels",
                    cat("--file=", pipe())};
    if (!wish_.replacement) command.argv.push_back("--no-publications");
    if (!owners) command.argv.insert(command.argv.end(), {"--no-owner", "--no-privileges"});
    command.environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C"}};
    command.log_path = log("dump");
    return command;
  }

  Result<std::unique_ptr<Child>> start_load(const std::string& database) const {
    Command command;
    command.argv = {path_join(move_.programs, "psql"),
                    "--no-psqlrc",
                    "--quiet",
                    "--set=ON_ERROR_STOP=1",
                    "--single-transaction",
                    "--output=/dev/null",
                    cat("--file=", pipe())};
    command.environment = LB_TRY(connection_environment(move_.into));
    command.environment.insert(command.environment.end(), {{"PATH", "/usr/bin:/bin"},
                                                           {"LC_ALL", "C"},
                                                           {"PGDATABASE", database},
                                                           {"PGAPPNAME", "lifeboat restore"}});
    command.log_path = log("load");
    return world_.processes.start(command);
  }

  Status failed(const char* what, const std::string& path) const {
    auto tail = log_tail(world_.files, path);
    return Error(ErrorKind::internal, cat(what, " failed: ", tail));
  }

  World& world_;
  const DatabaseMove& move_;
  const DatabaseWish& wish_;
};

class Mover {
 public:
  Mover(World& world, const DatabaseMove& move, const DatabaseWish& wish)
      : world_(world), move_(move), wish_(wish) {}

  Result<MovedDatabase> run(const std::stop_token& stop) {
    copy_ = LB_TRY(Connection::open(Secret(move_.copy)));
    target_ = LB_TRY(open_database(move_.into, {}));
    LB_TRY(copy_->query("SET search_path = ''"));
    auto create = LB_TRY(create_statement(*copy_, temporary_, wish_.tablespace));
    auto missing = LB_TRY(missing_roles(*copy_, *target_));
    if (wish_.replacement && !missing.empty()) return lacks_roles(missing);
    LB_TRY(target_->query(create).context("make the new database"));
    made_ = true;
    LB_TRY(Stream(world_, move_, wish_).run(temporary_, missing.empty(), stop));
    MovedDatabase out;
    LB_TRY(count(out));
    if (!missing.empty()) {
      out.left_out.push_back(
          cat("owners and grants: the target has no role ", join(missing, ", ")));
    }
    LB_TRY(note_left_out(out));
    LB_TRY(target_->query(
        cat("ALTER DATABASE ", quote_name(temporary_), " RENAME TO ", quote_name(wish_.as))));
    made_ = false;
    return out;
  }

  // After a failure: the database that is not whole goes.
  void withdraw() {
    if (made_)
      (void)target_->query(cat("DROP DATABASE IF EXISTS ", quote_name(temporary_), " WITH (FORCE)"))
          .ok();
  }

 private:
  Status count(MovedDatabase& out) {
    auto fresh = LB_TRY(open_database(move_.into, temporary_));
    LB_TRY(fresh->query("SET search_path = ''"));
    auto wanted = LB_TRY(count_rows(*copy_));
    auto got = LB_TRY(count_rows(*fresh));
    LB_TRY(compare(wanted, got));
    for (const auto& [table, rows] : wanted) {
      ++out.tables;
      out.rows += rows;
    }
    return {};
  }

  // What is of the database itself, a replacement has from the one that it replaces.
  Status note_left_out(MovedDatabase& out) {
    std::string sql =
        "SELECT 'subscription ' || subname FROM pg_subscription"
        " JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()"
        " UNION ALL SELECT 'rows of the unlogged table ' || c.oid::regclass FROM pg_class c"
        " WHERE relkind = 'r' AND relpersistence = 'u'";
    if (!wish_.replacement) {
      sql +=
          " UNION ALL SELECT 'publication ' || pubname FROM pg_publication"
          " UNION ALL SELECT 'settings of the database' FROM pg_db_role_setting"
          " JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()"
          " UNION ALL SELECT 'grants on the database' FROM pg_database"
          " WHERE datname = current_database() AND datacl IS NOT NULL";
    }
    auto notes = LB_TRY(rows_of(*copy_, sql));
    for (const auto& note : notes) out.left_out.push_back(printable(note[0]));
    return {};
  }

  World& world_;
  const DatabaseMove& move_;
  const DatabaseWish& wish_;
  const std::string temporary_ = cat(wish_.as, unfinished_suffix);
  std::unique_ptr<Connection> copy_, target_;
  bool made_ = false;
};

}  // namespace

Status check_database_target(Connection& target, const DatabaseWish& wish) {
  auto refused = [](std::string text, std::string hint) {
    return Error(ErrorKind::denied, std::move(text))
        .with_hint(std::move(hint))
        .with_exit(ExitCode::refused);
  };
  if (wish.as.empty() || wish.as.size() + std::string(unfinished_suffix).size() > name_bytes_max) {
    return Error(ErrorKind::invalid, cat("'", printable(wish.as), "' is no name, or too long"));
  }
  for (const auto& name : {wish.as, wish.as + unfinished_suffix}) {
    auto there = LB_TRY(has_database(target, name));
    if (there) {
      return refused(
          cat("the target has a database ", printable(name), " already: nothing was written"),
          "give a name that is free with --as, or drop what an interrupted restore left");
    }
  }
  auto facts =
      LB_TRY(target.query("SELECT pg_is_in_recovery(), rolsuper OR rolcreatedb FROM pg_roles"
                          " WHERE rolname = current_user"));
  const auto& row = facts.rows.at(0);
  if (row[0] == "t")
    return refused("the target is a standby: it takes no rows", "name its primary");
  if (row[1] == "t") return {};
  return Error(ErrorKind::denied, "the target's user may not make databases")
      .with_hint("ALTER ROLE … CREATEDB, or connect as another user")
      .with_exit(ExitCode::target_unreachable);
}

Result<MovedDatabase> move_database(World& world, const DatabaseMove& move,
                                    const DatabaseWish& wish, std::stop_token stop) {
  Mover mover(world, move, wish);
  auto moved = mover.run(stop);
  if (!moved.ok()) mover.withdraw();
  return moved;
}

namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

Result<Options> parse_conninfo(const Secret& conninfo) {
  std::string text(conninfo.reveal());
  Options options(PQconninfoParse(text.c_str(), nullptr));
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  if (options) return options;
  return Error(ErrorKind::invalid, "the connection string cannot be parsed");
}

bool is_given(const PQconninfoOption& option) {
  return option.val != nullptr && *option.val != '\0' &&
         std::string_view(option.keyword) != "dbname";
}

}  // namespace

Result<Environment> connection_environment(const Secret& conninfo) {
  auto options = LB_TRY(parse_conninfo(conninfo));
  Environment out;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    if (is_given(*option) && option->envvar != nullptr)
      out.emplace_back(option->envvar, option->val);
  }
  return out;
}

Result<Secret> conninfo_to(const Secret& conninfo, const std::string& database) {
  auto options = LB_TRY(parse_conninfo(conninfo));
  auto text = cat("dbname=", quote_conninfo(database));
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    if (is_given(*option)) text += cat(" ", option->keyword, "=", quote_conninfo(option->val));
  }
  Secret out{std::string_view(text)};
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  return out;
}

}  // namespace lb::pg
