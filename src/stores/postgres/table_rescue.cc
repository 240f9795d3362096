#include "stores/postgres/table_rescue.h"

#include <algorithm>
#include <set>

#include "foundation/base/text.h"
#include "stores/postgres/copy_rows.h"

namespace lb::pg {

namespace {

// Values are written and read alike whatever the servers' settings are.
constexpr const char* plain_output =
    "SET datestyle = 'ISO, MDY'; SET intervalstyle = 'postgres'; SET extra_float_digits = 3;"
    " SET row_security = off; SET statement_timeout = 0; SET lock_timeout = 0;"
    " SET idle_in_transaction_session_timeout = 0; SET bytea_output = 'hex'";

Error refused(std::string text, std::string hint) {
  return Error(ErrorKind::denied, std::move(text))
      .with_hint(std::move(hint))
      .with_exit(ExitCode::refused);
}

Result<std::vector<std::string>> column(Connection& connection, const std::string& sql,
                                        const std::vector<std::string>& parameters) {
  auto result = LB_TRY(connection.query(sql, parameters));
  std::vector<std::string> out;
  for (const auto& row : result.rows) out.push_back(row[0].value_or(""));
  return out;
}

// The oid of the table as text, for the queries below; the reason when it cannot be moved.
Result<std::string> find_table(Connection& copy, const TableName& table) {
  auto found =
      LB_TRY(copy.query("SELECT c.oid, c.relkind, c.relpersistence,"
                        " EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass"
                        "   AND d.objid = c.oid AND d.deptype = 'e')"
                        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                        " WHERE n.nspname = $1 AND c.relname = $2",
                        {table.schema, table.name}));
  if (found.rows.empty()) {
    return Error(ErrorKind::not_found, cat("there is no table ", table.shown(), " at that point"))
        .with_hint("lifeboat find STORE lists what a point holds; --database names another one");
  }
  const auto& row = found.rows[0];
  auto unsupported = [&](std::string_view why) {
    return Error(ErrorKind::unsupported, cat(table.shown(), " ", why))
        .with_hint("restore the whole database instead: lifeboat restore STORE --to FOLDER");
  };
  if (row[1] == "p") return unsupported("is partitioned: name one of its partitions");
  if (row[1] != "r") return unsupported("is no table");
  if (row[2] != "p") return unsupported("is unlogged: no backup holds its rows");
  if (row[3] == "t") return unsupported("belongs to an extension");
  return row[0].value_or("");
}

// Statements that take something from the table, each with what it is called for people.
struct Stripping {
  const char* select;  // two columns
};
constexpr Stripping strippings[] = {
    {"SELECT 'foreign key ' || conname,"
     " format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)"
     " FROM pg_constraint WHERE conrelid = $1::oid AND contype = 'f' ORDER BY conname"},
    {"SELECT 'foreign key ' || conname || ' of ' || conrelid::regclass || ' to it', NULL"
     " FROM pg_constraint WHERE confrelid = $1::oid AND conrelid <> $1::oid AND contype = 'f'"
     " ORDER BY conname"},
    {"SELECT 'trigger ' || tgname, format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)"
     " FROM pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal ORDER BY tgname"},
    {"SELECT 'rule ' || rulename, format('DROP RULE %I ON %s', rulename, ev_class::regclass)"
     " FROM pg_rewrite WHERE ev_class = $1::oid ORDER BY rulename"},
    {"SELECT 'row security policy ' || polname,"
     " format('DROP POLICY %I ON %s', polname, polrelid::regclass)"
     " FROM pg_policy WHERE polrelid = $1::oid ORDER BY polname"},
    {"SELECT 'row security', format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY,"
     " NO FORCE ROW LEVEL SECURITY', oid::regclass) FROM pg_class"
     " WHERE oid = $1::oid AND (relrowsecurity OR relforcerowsecurity)"},
    {"SELECT 'statistics ' || stxname, format('DROP STATISTICS %I.%I', n.nspname, stxname)"
     " FROM pg_statistic_ext JOIN pg_namespace n ON n.oid = stxnamespace"
     " WHERE stxrelid = $1::oid ORDER BY stxname"},
    {"SELECT 'being a partition of ' || inhparent::regclass,"
     " format('ALTER TABLE %s DETACH PARTITION %s', inhparent::regclass, inhrelid::regclass)"
     " FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
     " WHERE inhrelid = $1::oid AND c.relispartition"},
    {"SELECT 'inheriting from ' || inhparent::regclass,"
     " format('ALTER TABLE %s NO INHERIT %s', inhrelid::regclass, inhparent::regclass)"
     " FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
     " WHERE inhrelid = $1::oid AND NOT c.relispartition"},
    {"SELECT 'grants', NULL FROM pg_class WHERE oid = $1::oid AND (relacl IS NOT NULL OR EXISTS"
     " (SELECT FROM pg_attribute WHERE attrelid = $1::oid AND attacl IS NOT NULL))"},
    {"SELECT 'being published by ' || pubname, NULL FROM pg_publication_rel"
     " JOIN pg_publication p ON p.oid = prpubid WHERE prrelid = $1::oid"},
    {"SELECT 'tablespace ' || spcname, NULL FROM pg_class JOIN pg_tablespace t"
     " ON t.oid = reltablespace WHERE pg_class.oid = $1::oid"},
};

Result<std::vector<std::string>> strip(Connection& copy, const std::string& oid) {
  std::vector<std::string> left_out;
  for (const auto& each : strippings) {
    auto found = LB_TRY(copy.query(each.select, {oid}));
    for (const auto& row : found.rows) {
      left_out.push_back(printable(row[0].value_or("")));
      if (row[1]) LB_TRY(copy.query(*row[1]));
    }
  }
  return left_out;
}

// Types that are not the server's own, and are not in the target under their name.
Status check_types(Connection& copy, Connection& target, const std::string& oid) {
  auto types = LB_TRY(column(
      copy,
      "SELECT DISTINCT format_type(CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN t.typelem"
      " ELSE t.oid END, NULL) FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
      " JOIN pg_namespace n ON n.oid = t.typnamespace WHERE a.attrelid = $1::oid AND a.attnum > 0"
      " AND NOT a.attisdropped AND n.nspname <> 'pg_catalog' ORDER BY 1",
      {oid}));
  std::vector<std::string> missing;
  for (const auto& type : types) {
    auto there = LB_TRY(column(target, "SELECT to_regtype($1) IS NOT NULL", {type}));
    if (there.empty() || there[0] != "t") missing.push_back(printable(type));
  }
  if (missing.empty()) return {};
  return Error(ErrorKind::unsupported,
               cat("the target has no ", missing.size() == 1 ? "type " : "types ",
                   join(missing, ", "), ", which the table needs"))
      .with_hint("make them there first (an extension may bring them), or restore elsewhere")
      .with_exit(ExitCode::target_unreachable);
}

// Gives free names: to what belongs to the table, and to what is in its way in the copy.
class Renaming {
 public:
  Renaming(Connection& copy, Connection& target, const TableWish& wish)
      : copy_(copy), target_(target), wish_(wish) {}

  Status run(const std::string& oid) {
    LB_TRY(make_room());
    LB_TRY(copy_.query(
        cat("ALTER TABLE ", wish_.table.quoted(), " SET SCHEMA ", quote_name(wish_.as.schema))));
    LB_TRY(rename("TABLE", wish_.table.name, wish_.as.name));
    auto indexes = LB_TRY(column(copy_,
                                 "SELECT c.relname FROM pg_index JOIN pg_class c"
                                 " ON c.oid = indexrelid WHERE indrelid = $1::oid ORDER BY 1",
                                 {oid}));
    for (const auto& name : indexes) LB_TRY(rename("INDEX", name, fresh_name(name)));
    auto sequences = LB_TRY(column(
        copy_,
        "SELECT s.relname FROM pg_depend d JOIN pg_class s ON s.oid = d.objid"
        " WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
        " AND d.refobjid = $1::oid AND d.deptype IN ('a', 'i') AND s.relkind = 'S' ORDER BY 1",
        {oid}));
    for (const auto& name : sequences) LB_TRY(rename("SEQUENCE", name, fresh_name(name)));
    return {};
  }

 private:
  Status rename(const char* kind, const std::string& from, Result<std::string> to) {
    auto name = LB_TRY(std::move(to));
    if (from == name) return {};
    auto done = copy_.query(cat("ALTER ", kind, " ", TableName{wish_.as.schema, from}.quoted(),
                                " RENAME TO ", quote_name(name)));
    return done.status();
  }

  // What the copy has under the new name goes aside.
  Status make_room() {
    LB_TRY(copy_.query(cat("CREATE SCHEMA IF NOT EXISTS ", quote_name(wish_.as.schema))));
    if (wish_.as == wish_.table) return {};
    for (const auto& each : {wish_.as, TableName{wish_.as.schema, wish_.table.name}}) {
      if (each == wish_.table) continue;
      auto kinds = LB_TRY(column(copy_,
                                 "SELECT c.relkind FROM pg_class c JOIN pg_namespace n"
                                 " ON n.oid = relnamespace WHERE nspname = $1 AND relname = $2",
                                 {each.schema, each.name}));
      if (kinds.empty()) continue;
      auto aside = LB_TRY(fresh_name(cat(each.name, "_aside")));
      // ALTER TABLE renames whatever kind of relation it is.
      LB_TRY(copy_.query(cat("ALTER TABLE ", each.quoted(), " RENAME TO ", quote_name(aside))));
    }
    return {};
  }

  Result<bool> is_free(const std::string& name) {
    for (auto* connection : {&copy_, &target_}) {
      auto found = LB_TRY(column(*connection,
                                 "SELECT 1 FROM pg_class c JOIN pg_namespace n"
                                 " ON n.oid = relnamespace WHERE nspname = $1 AND relname = $2",
                                 {wish_.as.schema, name}));
      if (!found.empty()) return false;
    }
    return true;
  }

  // orders_pkey of orders becomes orders_restored_pkey.
  Result<std::string> fresh_name(const std::string& old) {
    const auto& from = wish_.table.name;
    auto stem = old.starts_with(from) ? wish_.as.name : old;
    auto suffix = old.starts_with(from) ? old.substr(from.size()) : std::string("_restored");
    auto name = name_with_suffix(stem, suffix);
    for (int number = 2;; ++number) {
      auto free = LB_TRY(is_free(name));
      if (free) return name;
      name = name_with_suffix(stem, cat(suffix, "_", number));
    }
  }

  Connection& copy_;
  Connection& target_;
  const TableWish& wish_;
};

Status load_script(Connection& target, const std::string& script) {
  auto done = target.query(without_psql_commands(script));
  return done.status();
}

Status set_sequences(Connection& copy, Connection& target, const PreparedTable& prepared) {
  for (const auto& sequence : prepared.sequences) {
    auto state = LB_TRY(copy.query(cat("SELECT last_value, is_called FROM ", sequence)));
    const auto& row = state.rows.at(0);
    LB_TRY(target.query("SELECT pg_catalog.setval($1::pg_catalog.regclass, $2, $3)",
                        {sequence, row[0].value_or("1"), row[1].value_or("f")}));
  }
  return {};
}

// The comment of a table; empty when it has none, or there is no such table.
Result<std::string> comment_of(Connection& target, const TableName& table) {
  auto found = LB_TRY(
      column(target, "SELECT obj_description(to_regclass($1), 'pg_class')", {table.quoted()}));
  return found.empty() ? std::string() : found.front();
}

Status add_note(Connection& target, const TableWish& wish) {
  if (wish.note.empty()) return {};
  auto own = LB_TRY(comment_of(target, wish.as));
  auto text = own.empty() ? wish.note : cat(own, "\n", wish.note);
  auto statement =
      LB_TRY(column(target, "SELECT format('COMMENT ON TABLE %s IS %L', $1::text, $2::text)",
                    {wish.as.quoted(), text}));
  return target.query(statement.at(0)).status();
}

Result<std::uint64_t> count(Connection& connection, const TableName& table) {
  auto rows = LB_TRY(column(connection, cat("SELECT count(*) FROM ", table.quoted()), {}));
  return parse_uint(rows.at(0));
}

}  // namespace

std::string without_psql_commands(const std::string& script) {
  std::string out;
  for (const auto& line : split(script, '\n')) {
    if (line.starts_with("\\restrict") || line.starts_with("\\unrestrict")) continue;
    out += line;
    out += '\n';
  }
  return out;
}

Status check_table_target(Connection& target, const TableWish& wish) {
  auto facts = LB_TRY(target.query(
      "SELECT pg_is_in_recovery(), has_schema_privilege(n.oid, 'CREATE'),"
      " EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relname = $2)"
      " OR EXISTS (SELECT FROM pg_type t WHERE t.typnamespace = n.oid AND t.typname = $2)"
      " FROM pg_namespace n WHERE n.nspname = $1",
      {wish.as.schema, wish.as.name}));
  if (facts.rows.empty()) {
    return Error(ErrorKind::not_found, cat("the target has no schema ", printable(wish.as.schema)))
        .with_hint("make it there, or give another name with --as")
        .with_exit(ExitCode::target_unreachable);
  }
  const auto& row = facts.rows[0];
  if (row[0] == "t")
    return refused("the target is a standby: it takes no rows", "name its primary");
  if (row[2] == "t") {
    return refused(cat("the target has a ", wish.as.shown(), " already: nothing was written"),
                   "give a name that is free with --as");
  }
  if (row[1] == "t") return {};
  return Error(ErrorKind::denied,
               cat("the target's user may not create in schema ", printable(wish.as.schema)))
      .with_hint("GRANT CREATE ON SCHEMA …, or connect as another user")
      .with_exit(ExitCode::target_unreachable);
}

Result<bool> moved_before(Connection& target, const TableWish& wish) {
  if (wish.note.empty()) return false;
  auto comment = LB_TRY(comment_of(target, wish.as));
  return comment == wish.note || comment.ends_with(cat("\n", wish.note));
}

Result<PreparedTable> prepare_table(Connection& copy, Connection& target, const TableWish& wish) {
  LB_TRY(copy.query(plain_output));
  // Triggers on events of the copy do not fire.
  LB_TRY(copy.query("SET session_replication_role = replica; SET search_path = ''"));
  auto oid = LB_TRY(find_table(copy, wish.table));
  LB_TRY(check_types(copy, target, oid));
  PreparedTable out;
  out.left_out = LB_TRY(strip(copy, oid));
  LB_TRY(Renaming(copy, target, wish).run(oid));
  out.columns = LB_TRY(column(copy,
                              "SELECT pg_catalog.quote_ident(attname) FROM pg_attribute"
                              " WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped"
                              " AND attgenerated = '' ORDER BY attnum",
                              {oid}));
  out.sequences = LB_TRY(
      column(copy,
             "SELECT format('%I.%I', n.nspname, s.relname) FROM pg_depend d"
             " JOIN pg_class s ON s.oid = d.objid JOIN pg_namespace n ON n.oid = s.relnamespace"
             " WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
             " AND d.refobjid = $1::oid AND d.deptype IN ('a', 'i') AND s.relkind = 'S' ORDER BY 1",
             {oid}));
  return out;
}

Result<MovedTable> move_table(Connection& copy, Connection& target, const TableWish& wish,
                              const PreparedTable& prepared, const RunDump& dump,
                              const std::stop_token& stop,
                              const std::function<void(std::uint64_t)>& progress) {
  auto definition = [&](const char* section) {
    return dump({cat("--table=", wish.as.quoted()), cat("--section=", section), "--no-owner",
                 "--no-privileges", "--no-publications", "--no-security-labels",
                 "--no-tablespaces"});
  };
  auto before = LB_TRY(definition("pre-data").context("the table's definition"));
  auto after = LB_TRY(definition("post-data").context("the table's indexes"));
  LB_TRY(target.query("BEGIN"));
  LB_TRY(load_script(target, before).context("make the table in the target"));
  LB_TRY(target.query(plain_output));
  auto columns =
      prepared.columns.empty() ? std::string() : cat(" (", join(prepared.columns, ", "), ")");
  auto copied =
      LB_TRY(copy_rows(copy, cat("COPY ", wish.as.quoted(), columns, " TO STDOUT"), target,
                       cat("COPY ", wish.as.quoted(), columns, " FROM STDIN"), stop, progress));
  LB_TRY(set_sequences(copy, target, prepared));
  LB_TRY(load_script(target, after).context("make the table's indexes in the target"));
  auto wanted = LB_TRY(count(copy, wish.as));
  auto got = LB_TRY(count(target, wish.as));
  if (wanted != got || got != copied.rows) {
    return Error(ErrorKind::internal, cat("the copy has ", wanted, " rows, the target took ", got));
  }
  LB_TRY(add_note(target, wish));
  LB_TRY(target.query("COMMIT"));
  return MovedTable{copied.rows, copied.bytes};
}

}  // namespace lb::pg
