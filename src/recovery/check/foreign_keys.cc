// foreign_keys: every constraint is proven again, row by row. ALTER TABLE … VALIDATE CONSTRAINT
// does nothing for a constraint that is marked valid already, so each gets an anti-join of its own,
// over the tables themselves and not over indexes that may be damaged too.
#include "foundation/base/text.h"
#include "recovery/check/session.h"

namespace lb::check {

namespace {

constexpr int keys_shown = 5;

struct ColumnPair {
  std::string from, to;   // quoted
  std::string operation;  // "OPERATOR(pg_catalog.=)", referenced column on the left
  std::string collation;  // " COLLATE x" for the referencing side; empty when both agree
};

struct Constraint {
  std::string oid, name;
  bool match_full = false, valid = true;
  Table from, to;
  std::vector<ColumnPair> columns;
  std::string text() const { return cat(from.name.text(), " ", name); }
};

constexpr const char* constraints_sql =
    "SELECT con.oid, con.conname, con.confmatchtype, con.convalidated,"
    " fc.oid, fn.nspname, fc.relname, fc.relkind, pn.nspname, pc.relname, pc.relkind,"
    " fa.attname, pa.attname, opn.nspname, op.oprname, cn.nspname, co.collname"
    " FROM pg_constraint con"
    " CROSS JOIN LATERAL unnest(con.conkey, con.confkey, con.conpfeqop)"
    " WITH ORDINALITY AS k(fk, pk, op, n)"
    " JOIN pg_class fc ON fc.oid = con.conrelid JOIN pg_namespace fn ON fn.oid = fc.relnamespace"
    " JOIN pg_class pc ON pc.oid = con.confrelid JOIN pg_namespace pn ON pn.oid = pc.relnamespace"
    " JOIN pg_attribute fa ON fa.attrelid = fc.oid AND fa.attnum = k.fk"
    " JOIN pg_attribute pa ON pa.attrelid = pc.oid AND pa.attnum = k.pk"
    " JOIN pg_operator op ON op.oid = k.op JOIN pg_namespace opn ON opn.oid = op.oprnamespace"
    " LEFT JOIN pg_collation co ON co.oid = pa.attcollation AND pa.attcollation <> fa.attcollation"
    " LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace"
    // Constraints of partitions repeat what their parent says; the parent's covers all of them.
    " WHERE con.contype = 'f' AND con.conparentid = 0"
    " ORDER BY fn.nspname, fc.relname, con.conname, con.oid, k.n";

Table table_of(const std::vector<std::optional<std::string>>& row, std::size_t at) {
  Table out;
  out.name = {row.at(at).value_or(""), row.at(at + 1).value_or("")};
  out.kind = row.at(at + 2).value_or("r").at(0);
  return out;
}

Constraint constraint_of(const std::vector<std::optional<std::string>>& row) {
  Constraint out;
  out.oid = row.at(0).value_or("");
  out.name = row.at(1).value_or("");
  out.match_full = row.at(2) == "f";
  out.valid = row.at(3) == "t";
  out.from = table_of(row, 5);
  out.to = table_of(row, 8);
  return out;
}

Result<std::vector<Constraint>> list_constraints(pg::Connection& connection) {
  auto answer = LB_TRY(connection.query(constraints_sql));
  std::vector<Constraint> out;
  for (const auto& row : answer.rows) {
    if (out.empty() || out.back().oid != row.at(0)) {
      out.push_back(constraint_of(row));
      out.back().from.oid = static_cast<std::uint32_t>(LB_TRY(number_of(row.at(4))));
    }
    ColumnPair pair;
    pair.from = quoted_part(row.at(11).value_or(""));
    pair.to = quoted_part(row.at(12).value_or(""));
    pair.operation =
        cat("OPERATOR(", quoted_part(row.at(13).value_or("")), ".", row.at(14).value_or("="), ")");
    if (row.at(15) && row.at(16)) {
      pair.collation = cat(" COLLATE ", quoted_part(*row.at(15)), ".", quoted_part(*row.at(16)));
    }
    out.back().columns.push_back(std::move(pair));
  }
  return out;
}

std::vector<std::string> each_column(const Constraint& constraint, const std::string& suffix) {
  std::vector<std::string> out;
  for (const auto& pair : constraint.columns) out.push_back(cat("f.", pair.from, suffix));
  return out;
}

// Rows of the referencing table (alias f) whose key leads nowhere. A key with a null refers to
// nothing and is right in MATCH SIMPLE.
std::string orphan(const Constraint& constraint) {
  std::vector<std::string> equal;
  for (const auto& pair : constraint.columns) {
    equal.push_back(cat("p.", pair.to, " ", pair.operation, " f.", pair.from, pair.collation));
  }
  return cat(join(each_column(constraint, " IS NOT NULL"), " AND "),
             " AND NOT EXISTS (SELECT 1 FROM ", constraint.to.from(), " AS p WHERE ",
             join(equal, " AND "), ")");
}

// MATCH FULL: a key that is null in part is a violation by itself.
std::string half_null(const Constraint& constraint) {
  return cat("(", join(each_column(constraint, " IS NOT NULL"), " OR "), ") AND (",
             join(each_column(constraint, " IS NULL"), " OR "), ")");
}

class Prover {
 public:
  Prover(pg::Connection& connection, Finding& out) : connection_(connection), out_(out) {}

  Status prove(const Constraint& constraint) {
    auto counted = LB_TRY(connection_.query(cat("SELECT count(*) FROM ", constraint.from.from())));
    auto rows = LB_TRY(number_of(counted.rows.at(0).at(0)));
    out_.examined += static_cast<std::uint64_t>(rows);
    auto broken = LB_TRY(violations(constraint, orphan(constraint), "no such row in "));
    if (constraint.match_full && constraint.columns.size() > 1) {
      broken +=
          LB_TRY(violations(constraint, half_null(constraint), "null in part, referring to "));
    }
    report(constraint, rows, broken);
    return {};
  }

 private:
  Result<std::int64_t> violations(const Constraint& constraint, const std::string& where,
                                  const std::string& what) {
    auto from = cat(" FROM ", constraint.from.from(), " AS f WHERE ", where);
    auto found = LB_TRY(connection_.query(cat(
        "SELECT ", join(each_column(constraint, "::text"), ", "), from, " LIMIT ", keys_shown)));
    for (const auto& row : found.rows) {
      std::vector<std::string> values;
      for (const auto& value : row) values.push_back(shown(value));
      out_.evidence.problem(
          cat(constraint.text(), ": (", join(values, ", "), ") ", what, constraint.to.name.text()));
    }
    if (found.rows.size() < keys_shown) return static_cast<std::int64_t>(found.rows.size());
    auto counted = LB_TRY(connection_.query(cat("SELECT count(*)", from)));
    return number_of(counted.rows.at(0).at(0));
  }

  void report(const Constraint& constraint, std::int64_t rows, std::int64_t broken) {
    if (!constraint.valid) {
      // The source never promised this one (NOT VALID), so it cannot be held against the copy.
      out_.evidence.add(cat(constraint.text(), ": NOT VALID in the source, ", broken, " of ", rows,
                            " rows break it"));
      return;
    }
    if (broken == 0) {
      if (rows > 0) out_.evidence.add(cat(constraint.text(), ": ", rows, " rows hold"));
      return;
    }
    if (!out_.got.empty()) out_.got += ", ";
    out_.got += cat(constraint.text(), " ", broken, " of ", rows);
    out_.fail(cat(constraint.text(), ": ", broken, " of ", rows, " rows refer to nothing in ",
                  constraint.to.name.text()));
  }

  pg::Connection& connection_;
  Finding& out_;
};

// The constraints of the named tables; all without names. A name that is no table is an error.
Result<std::vector<Constraint>> wanted(pg::Connection& connection,
                                       const plan::CheckForeignKeys& what) {
  auto all = LB_TRY(list_constraints(connection));
  if (what.all || what.tables.empty()) return all;
  std::vector<Constraint> out;
  for (const auto& text : what.tables) {
    auto table = LB_TRY(find_table(connection, parse_table(text)));
    if (!table) {
      return Error(ErrorKind::not_found,
                   cat("table ", parse_table(text).text(), " is not in the restored copy"));
    }
    for (const auto& constraint : all) {
      if (constraint.from.oid == table->oid) out.push_back(constraint);
    }
  }
  return out;
}

}  // namespace

Result<Finding> check_foreign_keys(const plan::CheckForeignKeys& what, const Scope& scope) {
  auto connection = LB_TRY(connect(scope));
  LB_TRY(
      connection->query("SELECT set_config('enable_indexscan', 'off', false),"
                        " set_config('enable_indexonlyscan', 'off', false),"
                        " set_config('enable_bitmapscan', 'off', false),"
                        " set_config('work_mem', '64MB', false)"));
  LB_TRY(begin_snapshot(*connection));
  auto constraints = LB_TRY(wanted(*connection, what));
  Finding out;
  out.expected = "every reference leads to a row";
  Prover prover(*connection, out);
  for (const auto& constraint : constraints) {
    LB_TRY(not_stopped(scope.context));
    LB_TRY(prover.prove(constraint).context(constraint.text()));
  }
  auto looked_at = cat(constraints.size(), " constraints, ", out.examined, " rows");
  out.got = out.got.empty() ? looked_at : cat(looked_at, "; broken: ", out.got);
  if (constraints.empty()) out.fail("there is no foreign key to check: nothing was examined");
  return out;
}

}  // namespace lb::check
