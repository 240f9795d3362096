#include "stores/postgres/diagnose.h"

#include "foundation/base/text.h"
#include "stores/postgres/replication.h"
#include "stores/postgres/same_cluster.h"

namespace lb::pg {
namespace {

Diagnosis good(std::string what, std::string text) {
  return {true, std::move(what), std::move(text), {}};
}
Diagnosis bad(std::string what, std::string text, std::string hint) {
  return {false, std::move(what), std::move(text), std::move(hint)};
}
// A finding that a backup survives, but that somebody should read.
Diagnosis remark(std::string what, std::string text, std::string hint) {
  return {true, std::move(what), std::move(text), std::move(hint)};
}

std::string setting(const ServerFacts& facts, const std::string& name) {
  const auto found = facts.settings.find(name);
  return found == facts.settings.end() ? std::string() : found->second;
}

Diagnosis judge_version(const ServerFacts& facts) {
  const std::string text = cat("PostgreSQL ", version_text(facts.version));
  if (facts.version < version_min) {
    return bad("version", cat("not supported yet: ", text),
               "PostgreSQL 13 to 18 can be backed up by this version");
  }
  if (facts.version > version_max) {
    return bad("version", cat("not supported yet: ", text), "use a newer Lifeboat");
  }
  return good("version", text);
}

Diagnosis judge_checksums(const ServerFacts& facts) {
  if (facts.checksums) return good("checksums", "data checksums are on");
  return remark("checksums", "data checksums are off: damaged pages cannot be noticed",
                "pg_checksums --enable (the server must be stopped)");
}

Diagnosis judge_slot_limit(const ServerFacts& facts) {
  if (facts.number("max_slot_wal_keep_size") >= 0) {
    return good("slot limit",
                cat("max_slot_wal_keep_size = ", facts.number("max_slot_wal_keep_size"), " MB"));
  }
  return remark(
      "slot limit",
      "max_slot_wal_keep_size = -1: a receiver that stays away lets the log fill the disk",
      "set max_slot_wal_keep_size to what the disk can spare, for example 20GB");
}

Diagnosis judge_archive(const ServerFacts& facts) {
  const std::string mode = setting(facts, "archive_mode");
  if (mode == "off") return good("archive", "archive_mode = off: the log is streamed instead");
  return good("archive", cat("archive_mode = ", mode, ", beside our streaming"));
}

}  // namespace

std::vector<Diagnosis> judge_facts(const ServerFacts& facts, const SourceOptions& options) {
  std::vector<Diagnosis> list = {judge_version(facts)};
  if (facts.may_replicate) {
    list.push_back(good("replication privilege", cat("user ", facts.role, " may replicate")));
  } else {
    list.push_back(bad("replication privilege", cat("user ", facts.role, " may not replicate"),
                       cat("ALTER ROLE ", quote_name(facts.role), " REPLICATION")));
  }
  list.push_back(judge_checksums(facts));
  const std::string level = setting(facts, "wal_level");
  if (level == "minimal") {
    list.push_back(bad("wal_level", "wal_level = minimal: the log cannot bring a backup back",
                       "set wal_level = replica and restart the server"));
  } else {
    list.push_back(good("wal_level", cat("wal_level = ", level)));
  }
  const std::int64_t senders = facts.number("max_wal_senders");
  const std::int64_t needed = options.log_continuous ? 3 : 2;
  if (senders < needed) {
    list.push_back(bad("max_wal_senders", cat("max_wal_senders = ", senders, ", needed ", needed),
                       "raise max_wal_senders and restart the server"));
  } else {
    list.push_back(good("max_wal_senders", cat("max_wal_senders = ", senders)));
  }
  list.push_back(judge_slot_limit(facts));
  list.push_back(judge_archive(facts));
  if (setting(facts, "block_size") != "8192") {
    list.push_back(bad("block_size", "not supported yet: a block size other than 8 KiB", {}));
  }
  if (setting(facts, "full_page_writes") == "off") {
    list.push_back(remark("full_page_writes", "full_page_writes = off: a crash can tear pages",
                          "set full_page_writes = on"));
  }
  if (facts.in_recovery) list.push_back(good("role", "a standby: it can be backed up as well"));
  if (facts.data_bytes > 0)
    list.push_back(good("size", cat("about ", human_size(facts.data_bytes))));
  return list;
}

namespace {

Result<Diagnosis> free_slots(Connection& connection, const ServerFacts& facts,
                             const SourceOptions& options) {
  const QueryResult used = LB_TRY(connection.query(
      "SELECT count(*), count(*) FILTER (WHERE slot_name = " +
      quote_literal("lifeboat_" + options.store) + ") FROM pg_catalog.pg_replication_slots"));
  const auto taken = parse_int(used.rows.at(0)[0].value_or("0"));
  const bool ours = used.rows.at(0)[1] == "1";
  const std::int64_t free = facts.number("max_replication_slots") - (taken.ok() ? *taken : 0);
  const std::int64_t needed = options.log_continuous && !ours ? 2 : 1;
  const std::string text =
      cat(free, " of ", facts.number("max_replication_slots"), " slots are free");
  if (free >= needed) return good("replication slots", text);
  return bad("replication slots", cat(text, ", needed ", needed),
             "raise max_replication_slots and restart the server, or drop unused slots");
}

// Whether the next backups can read changed pages alone.
Result<Diagnosis> page_reading(Connection& connection, Files& files, const Secret& conninfo,
                               const SourceOptions& options) {
  constexpr const char* what = "changed pages";
  if (!options.data_folder.empty()) {
    const Status same = check_same_cluster(files, conninfo, options.data_folder);
    if (same.ok()) return good(what, cat("read in ", printable(options.data_folder)));
    return bad(what, same.error().message(), same.error().hint());
  }
  if (!options.log_continuous) {
    return remark(what, "all files are read at each backup",
                  "log: continuous in the plan lets backups read changed pages alone");
  }
  const bool fresh = connection.server_version() >= 150000;
  const char* begin =
      fresh ? "pg_backup_start(text, boolean)" : "pg_start_backup(text, boolean, boolean)";
  const QueryResult may = LB_TRY(connection.query(
      cat("SELECT bool_and(pg_catalog.has_function_privilege('pg_catalog.' || f, 'EXECUTE')) FROM "
          "(VALUES (",
          quote_literal(begin),
          "), ('pg_ls_dir(text, boolean, boolean)'), "
          "('pg_stat_file(text, boolean)'), "
          "('pg_read_binary_file(text, bigint, bigint, boolean)')) AS wanted(f)")));
  if (may.rows.at(0)[0] == "t") return good(what, "read through the server's file functions");
  return remark(
      what, "the role may not use the server's file functions: all files are sent at each backup",
      cat("as a superuser: GRANT pg_read_server_files TO the role, and EXECUTE on ",
          fresh ? "pg_backup_start, pg_backup_stop"
                : "pg_start_backup(text, boolean, boolean), pg_stop_backup(boolean, boolean)",
          ", pg_ls_dir(text, boolean, boolean), "
          "pg_stat_file(text, boolean) and pg_read_binary_file(text, bigint, bigint, boolean)"));
}

}  // namespace

Result<std::vector<Diagnosis>> diagnose_server(Files& files, const Secret& conninfo,
                                               const SourceOptions& options) {
  const std::unique_ptr<Connection> connection = LB_TRY(Connection::open(conninfo));
  const ServerFacts facts = LB_TRY(read_server_facts(*connection));
  std::vector<Diagnosis> list = {good("reachable", cat("connected as ", facts.role))};
  for (Diagnosis& finding : judge_facts(facts, options)) list.push_back(std::move(finding));
  const Diagnosis slots = LB_TRY(free_slots(*connection, facts, options));
  list.push_back(slots);
  const Diagnosis pages = LB_TRY(page_reading(*connection, files, conninfo, options));
  list.push_back(pages);
  if (!facts.may_replicate) return list;
  const auto link = ReplicationLink::open(conninfo, "lifeboat_doctor");
  if (link.ok()) {
    list.push_back(good("replication connection", "accepted"));
  } else {
    list.push_back(bad("replication connection", link.error().text(), link.error().hint()));
  }
  return list;
}

}  // namespace lb::pg
