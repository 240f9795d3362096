// count: rows of tables, against what was recorded with the snapshot plus what the log added, or
// against a number of the plan.
#include "foundation/base/text.h"
#include "recovery/check/comparison.h"
#include "recovery/check/recorded.h"
#include "recovery/check/session.h"

namespace lb::check {

namespace {

// One file of rows: a plain table, or a leaf of a partitioned one.
struct Part {
  std::uint32_t filenode = 0;
  TableName name;
};

struct Expectation {
  std::int64_t recorded = 0, added = 0;
};

class Counter {
 public:
  Counter(pg::Connection& connection, const CheckedStore& store, const plan::CheckCount& what)
      : connection_(connection), store_(store), what_(what) {}

  Status count(const std::string& text, Finding& out);
  // Every table that was counted and is still the same file.
  Status count_all(Finding& out);
  Result<Expectation> expected_of(const Table& table);

 private:
  Result<std::vector<Part>> parts_of(const Table& table);
  Result<const RecordedDatabase*> recorded_database();
  Result<bool> is_comparable(const RecordedTable& recorded, Finding& out);
  Status add_part(const RecordedDatabase& database, const Part& part, Expectation& sum) const;
  Status compare_recorded(const Table& table, std::int64_t got, Finding& out);
  Status compare_number(const Table& table, std::int64_t got, Finding& out) const;

  pg::Connection& connection_;
  const CheckedStore& store_;
  const plan::CheckCount& what_;
  const RecordedDatabase* database_ = nullptr;
};

Result<std::vector<Part>> Counter::parts_of(const Table& table) {
  std::vector<Part> out;
  if (table.kind != 'p') {
    out.push_back({table.filenode, table.name});
    return out;
  }
  auto leaves = LB_TRY(connection_.query(
      cat("SELECT n.nspname, c.relname, coalesce(pg_relation_filenode(c.oid), 0)"
          " FROM pg_partition_tree(",
          table.oid,
          "::regclass) t JOIN pg_class c ON c.oid = t.relid"
          " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.isleaf ORDER BY 1, 2")));
  for (const auto& row : leaves.rows) {
    auto filenode = LB_TRY(number_of(row.at(2)));
    out.push_back(
        {static_cast<std::uint32_t>(filenode), {row.at(0).value_or(""), row.at(1).value_or("")}});
  }
  return out;
}

Result<const RecordedDatabase*> Counter::recorded_database() {
  if (database_ != nullptr) return database_;
  auto current = LB_TRY(connection_.query("SELECT current_database()"));
  auto name = current.rows.at(0).at(0).value_or("");
  if (store_.recorded) {
    for (const auto& database : *store_.recorded) {
      if (database.name == name) database_ = &database;
    }
  }
  if (database_ == nullptr) {
    return Error(ErrorKind::not_found,
                 cat("no count of database ", name, " was recorded with the snapshot"));
  }
  return database_;
}

Status Counter::add_part(const RecordedDatabase& database, const Part& part,
                         Expectation& sum) const {
  const auto table = database.tables.find(part.name.schema, part.name.name);
  if (table && table->unlogged) {
    return Error(ErrorKind::unsupported, cat(part.name.text(),
                                             " is unlogged: every recovery empties it, so its rows "
                                             "cannot be compared"));
  }
  if (!table || !table->rows) {
    return Error(ErrorKind::not_found,
                 cat(part.name.text(), " was not counted when the snapshot was taken"));
  }
  if (table->filenode != part.filenode) {
    return Error(ErrorKind::unsupported,
                 cat(part.name.text(), ": the table was rewritten after it was counted (file ",
                     table->filenode, " then, ", part.filenode, " now)"))
        .with_hint("take a new snapshot after TRUNCATE, VACUUM FULL, CLUSTER or a rewriting ALTER");
  }
  sum.recorded += *table->rows;
  auto delta = store_.row_deltas->find({database.oid, table->filenode});
  if (delta != store_.row_deltas->end()) sum.added += delta->second;
  return {};
}

Result<Expectation> Counter::expected_of(const Table& table) {
  if (store_.expected_rows) {
    auto found = store_.expected_rows->find(table.name.text());
    if (found != store_.expected_rows->end()) return Expectation{found->second, 0};
    return Error(ErrorKind::unavailable,
                 cat("the rows of ", table.name.text(), " at that point were not established"));
  }
  if (!store_.row_deltas) {
    return Error(
        ErrorKind::unavailable,
        cat("the rows the log added are not known: ",
            store_.row_deltas_missing.empty() ? "no reason was given" : store_.row_deltas_missing));
  }
  const auto* database = LB_TRY(recorded_database());
  auto parts = LB_TRY(parts_of(table));
  Expectation sum;
  for (const auto& part : parts) LB_TRY(add_part(*database, part, sum));
  return sum;
}

Status Counter::compare_recorded(const Table& table, std::int64_t got, Finding& out) {
  auto expected = expected_of(table);
  if (!expected.ok()) {
    out.evidence.problem(
        cat(table.name.text(), ": got ", got, ", expected unknown: ", expected.error().text()));
    out.error(expected.error().text());
    return {};
  }
  auto sum = expected->recorded + expected->added;
  out.expected += cat(out.expected == "recorded" ? ": " : ", ", table.name.name, " ", sum);
  auto line = cat(table.name.text(), ": expected ", sum, " (", expected->recorded, " recorded, ",
                  expected->added >= 0 ? "+" : "", expected->added, " by the log), got ", got);
  if (got == sum) {
    out.evidence.add(line);
    return {};
  }
  out.evidence.problem(line);
  out.fail(cat(table.name.text(), " has ", got, " rows instead of ", sum));
  return {};
}

Result<bool> Counter::is_comparable(const RecordedTable& recorded, Finding& out) {
  TableName name{recorded.schema, recorded.name};
  auto left_out = [&](const char* why) {
    out.evidence.add(cat(name.text(), ": not compared, ", why));
    return false;
  };
  if (recorded.unlogged) return left_out("unlogged tables are emptied by a recovery");
  if (!recorded.rows) return left_out("it was not counted with the point");
  auto table = LB_TRY(find_table(connection_, name));
  if (!table) return left_out("it was dropped or renamed after it was counted");
  if (table->filenode != recorded.filenode)
    return left_out("it was rewritten after it was counted");
  return true;
}

Status Counter::count_all(Finding& out) {
  const auto* database = LB_TRY(recorded_database());
  const auto& tables = database->tables;
  std::size_t equal = 0;
  for (std::size_t number = 0; number < tables.size(); ++number) {
    const auto recorded = tables.at(number);
    auto comparable = LB_TRY(is_comparable(recorded, out));
    if (!comparable) continue;
    // The sums of a hundred tables are evidence; as expectation they would only hide the point.
    Finding one;
    LB_TRY(count(cat(recorded.schema, ".", recorded.name), one));
    ++out.examined;
    bool passed = one.state == record::CheckState::pass;
    equal += passed ? 1 : 0;
    for (auto& line : one.evidence.lines()) {
      if (passed) {
        out.evidence.add(std::move(line));
      } else {
        out.evidence.problem(std::move(line));
      }
    }
    if (one.state == record::CheckState::fail) out.fail(one.reason);
    if (one.state == record::CheckState::error) out.error(one.reason);
  }
  out.got = cat(equal, " of ", tables.size(), " tables");
  if (out.examined == 0 && tables.size() > 0)
    out.error("no table that was counted with the point is still the same: nothing to compare");
  return {};
}

Status Counter::compare_number(const Table& table, std::int64_t got, Finding& out) const {
  auto meets = LB_TRY(holds(what_.expect, std::to_string(got)));
  auto line = cat(table.name.text(), ": expected ", text_of(what_.expect), ", got ", got);
  if (meets) {
    out.evidence.add(line);
    return {};
  }
  out.evidence.problem(line);
  out.fail(cat(table.name.text(), " has ", got, " rows, expected ", text_of(what_.expect)));
  return {};
}

Status Counter::count(const std::string& text, Finding& out) {
  auto name = parse_table(text);
  auto table = LB_TRY(find_table(connection_, name));
  ++out.examined;
  if (!table) {
    out.evidence.problem(cat(name.text(), ": no such table"));
    out.fail(cat(name.text(), " is not in the restored copy"));
    return {};
  }
  // The lock is given back: held on all tables to the end it could fill the server's lock table.
  auto answer =
      LB_TRY(connection_.query(cat("SAVEPOINT one_table; SELECT count(*) FROM ", table->from())));
  LB_TRY(connection_.query("ROLLBACK TO SAVEPOINT one_table; RELEASE SAVEPOINT one_table"));
  auto got = LB_TRY(number_of(answer.rows.at(0).at(0)));
  if (!out.got.empty()) out.got += ", ";
  out.got += cat(text, " ", got);
  if (what_.expect.op == plan::Comparison::Op::recorded) return compare_recorded(*table, got, out);
  return compare_number(*table, got, out);
}

}  // namespace

Result<std::map<std::string, std::int64_t>> expected_rows(const CheckedStore& copy,
                                                          const std::vector<std::string>& tables) {
  std::map<std::string, std::int64_t> out;
  if (tables.empty()) return out;
  pg::ConnectOptions options;
  options.require_run_marker = copy.run_marker;
  auto connection =
      LB_TRY(pg::Connection::open(Secret(std::string_view(copy.connection)), options));
  const plan::CheckCount none;
  Counter counter(*connection, copy, none);
  for (const auto& name : tables) {
    auto table = LB_TRY(find_table(*connection, parse_table(name)));
    if (!table) continue;
    auto expected = counter.expected_of(*table);
    if (expected.ok()) out[table->name.text()] = expected->recorded + expected->added;
  }
  return out;
}

Result<Finding> check_count(const plan::CheckCount& what, const Scope& scope) {
  const auto* store = LB_TRY(store_of(scope.context, scope.check.store, plan::StoreKind::postgres));
  auto connection = LB_TRY(connect(scope, *store));
  LB_TRY(begin_snapshot(*connection));
  Finding out;
  out.expected = text_of(what.expect);
  Counter counter(*connection, *store, what);
  if (what.all) LB_TRY(counter.count_all(out));
  for (const auto& table : what.tables) {
    LB_TRY(not_stopped(scope.context));
    LB_TRY(counter.count(table, out));
  }
  return out;
}

}  // namespace lb::check
