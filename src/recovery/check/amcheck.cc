// amcheck: the structure of every btree index and every table, read by PostgreSQL's own verifier.
// The restored copy is a throwaway, so the extension is created in it when it is not there.
#include <algorithm>

#include "foundation/base/text.h"
#include "recovery/check/session.h"

namespace lb::check {

namespace {

constexpr int corruptions_shown = 10;

struct Relation {
  std::string oid, name;
  bool index = false;
  bool usable = true;  // an index that is being built, or whose build failed, is not
};

Result<std::string> extension_schema(pg::Connection& connection) {
  constexpr const char* find =
      "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
      " WHERE e.extname = 'amcheck'";
  auto found = LB_TRY(connection.query(find));
  if (found.rows.empty()) {
    LB_TRY(connection.query("BEGIN READ WRITE"));
    LB_TRY(connection.query("CREATE EXTENSION amcheck")
               .context("make the extension amcheck in the restored copy")
               .hint("amcheck is part of postgresql-contrib; the check needs a superuser"));
    LB_TRY(connection.query("COMMIT"));
    found = LB_TRY(connection.query(find));
  }
  if (found.rows.empty()) return Error(ErrorKind::internal, "amcheck is not there once made");
  return quoted_part(found.rows[0].at(0).value_or(""));
}

Result<std::vector<Relation>> relations(pg::Connection& connection, const std::string& where) {
  auto answer = LB_TRY(connection.query(
      cat("SELECT c.oid, n.nspname || '.' || c.relname, c.relkind,"
          " coalesce(i.indisready AND i.indisvalid, true)"
          " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
          " JOIN pg_am a ON a.oid = c.relam LEFT JOIN pg_index i ON i.indexrelid = c.oid"
          " WHERE c.relpersistence <> 't' AND ((c.relkind = 'i' AND a.amname = 'btree')"
          " OR (c.relkind IN ('r', 'm', 't') AND a.amname = 'heap'))",
          where, " ORDER BY c.relkind DESC, 2")));
  std::vector<Relation> out;
  for (const auto& row : answer.rows) {
    out.push_back(
        {row.at(0).value_or(""), row.at(1).value_or(""), row.at(2) == "i", row.at(3) == "t"});
  }
  return out;
}

// The tables named with their partitions, TOAST tables and indexes; everything without names.
Result<std::vector<Relation>> wanted(pg::Connection& connection, const plan::CheckAmcheck& what) {
  if (what.all || what.tables.empty()) return relations(connection, "");
  std::vector<std::string> oids;
  for (const auto& text : what.tables) {
    auto table = LB_TRY(find_table(connection, parse_table(text)));
    if (!table) {
      return Error(ErrorKind::not_found,
                   cat("table ", parse_table(text).text(), " is not in the restored copy"));
    }
    oids.push_back(std::to_string(table->oid));
  }
  auto list = join(oids, ", ");
  auto family =
      cat("SELECT unnest(ARRAY[", list, "]::oid[]) UNION SELECT t.relid FROM unnest(ARRAY[", list,
          "]::regclass[]) AS root, pg_partition_tree(root) AS t");
  auto with_toast = cat("SELECT oid FROM pg_class WHERE oid IN (", family,
                        ") UNION SELECT reltoastrelid FROM pg_class WHERE oid IN (", family, ")");
  return relations(connection,
                   cat(" AND (c.oid IN (", with_toast, ") OR i.indrelid IN (", with_toast, "))"));
}

// The server's sentence without the query that raised it, which is ours and tells nothing.
std::string without_query(const std::string& message) {
  constexpr std::string_view end = "…\": ";
  auto at = message.find(end);
  return at == std::string::npos ? message : message.substr(at + end.size());
}

class Verifier {
 public:
  Verifier(pg::Connection& connection, std::string schema, bool heap, Finding& out)
      : connection_(connection), schema_(std::move(schema)), heap_(heap), out_(out) {}

  Status verify(const Relation& relation) {
    if (!relation.usable) {
      out_.evidence.add(cat(relation.name, ": not checked, the index is not valid in the source"));
      return {};
    }
    if (!relation.index && !heap_) return {};
    auto found = relation.index ? verify_index(relation) : verify_table(relation);
    if (!found.ok() && !tells_damage(found.error())) {
      return std::move(found).context(relation.name);
    }
    ++out_.examined;
    (relation.index ? indexes_ : tables_) += 1;
    if (!found.ok()) corrupt(relation, without_query(found.error().message()));
    return {};
  }

  void finish() {
    out_.got = cat(indexes_, " indexes and ", tables_, " tables read, ", corrupt_, " damaged");
    if (corrupt_ > 0) out_.fail(cat(corrupt_, " relations are damaged, the first is ", first_));
  }

 private:
  void corrupt(const Relation& relation, const std::string& problem) {
    if (last_ != relation.oid) {
      ++corrupt_;
      last_ = relation.oid;
    }
    if (first_.empty()) first_ = relation.name;
    out_.evidence.problem(cat(relation.name, ": ", printable(problem)));
  }

  Status verify_index(const Relation& relation) {
    LB_TRY(connection_.query(cat("SELECT ", schema_, ".bt_index_check(index := ", relation.oid,
                                 "::regclass, heapallindexed := ", heap_, ")")));
    return {};
  }

  Status verify_table(const Relation& relation) {
    auto rows = LB_TRY(connection_.query(
        cat("SELECT blkno, offnum, attnum, msg FROM ", schema_, ".verify_heapam(relation := ",
            relation.oid, "::regclass, check_toast := true) LIMIT ", corruptions_shown)));
    for (const auto& row : rows.rows) {
      corrupt(relation, cat("block ", shown(row.at(0)), " item ", shown(row.at(1)),
                            row.at(2) ? cat(" column ", *row.at(2)) : "", ": ", shown(row.at(3))));
    }
    return {};
  }

  pg::Connection& connection_;
  std::string schema_, first_, last_;
  bool heap_;
  Finding& out_;
  std::uint64_t indexes_ = 0, tables_ = 0, corrupt_ = 0;
};

}  // namespace

Result<Finding> check_amcheck(const plan::CheckAmcheck& what, const Scope& scope) {
  auto connection = LB_TRY(connect(scope));
  auto schema = LB_TRY(extension_schema(*connection));
  auto chosen = LB_TRY(wanted(*connection, what));
  Finding out;
  out.expected = "no damaged relation";
  Verifier verifier(*connection, schema, what.heap, out);
  for (const auto& relation : chosen) {
    LB_TRY(not_stopped(scope.context));
    LB_TRY(verifier.verify(relation));
  }
  verifier.finish();
  return out;
}

}  // namespace lb::check
