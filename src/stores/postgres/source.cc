#include "stores/postgres/source.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/backup_files.h"
#include "stores/postgres/carried_counts.h"
#include "stores/postgres/diagnose.h"
#include "stores/postgres/fingerprint.h"
#include "stores/postgres/folder_backup.h"
#include "stores/postgres/log_fetch.h"
#include "stores/postgres/online_backup.h"
#include "stores/postgres/page_base.h"
#include "stores/postgres/same_cluster.h"

namespace lb::pg {
namespace {

constexpr std::size_t bad_pages_max = 500;  // recorded by name in the details, which are small
constexpr std::size_t warnings_max = 1000;

// One backup from start to commit.
class BackupRun {
 public:
  BackupRun(const Secret& conninfo, const SourceOptions& options, const BackupContext& context)
      : conninfo_(conninfo), options_(options), context_(context) {}

  Result<BackupOutcome> run() {
    meta_.started = context_.world.clock.now();
    LB_TRY(look_at_server());
    if (is_local())
      LB_TRY(check_same_cluster(context_.world.files, conninfo_, options_.data_folder));
    base_ = judge_parent(context_, options_, facts_, details_);
    LB_TRY(prepare_log());
    auto writer = LB_TRY(context_.repository.begin(options_.store, context_.parent, context_.stop));
    bool copied = false;
    if (is_local() || base_.why_not.empty()) copied = LB_TRY(copy_folder(*writer));
    if (!copied) LB_TRY(copy_sent_files(*writer));
    const Lsn needed =
        before_page_header(std::max(details_.stop_lsn, print_.lsn), details_.segment_bytes);
    // What needs nothing of the log lies no longer in memory while the log is fetched.
    const bool counted = print_.carried() == 0;
    if (counted) LB_TRY(keep_fingerprint(*writer, needed));
    LB_TRY(complete_log(needed));
    if (!counted) LB_TRY(keep_fingerprint(*writer, needed));
    return commit(*writer);
  }

 private:
  Status look_at_server();
  Status prepare_log();
  bool is_local() const { return !options_.data_folder.empty(); }
  Status copy_sent_files(repo::SnapshotWriter& writer);
  Result<bool> copy_folder(repo::SnapshotWriter& writer);
  Result<FolderBackupResult> read_folder(repo::SnapshotWriter& writer, DataFolder& folder,
                                         PageJudge* judge);
  Status end_folder(repo::SnapshotWriter& writer, OnlineBackup& online);
  void note_bad_pages(const std::vector<std::string>& bad);
  void note_folder(const FolderBackupResult& copied);
  Status name_tablespaces();
  Status add_tablespaces(const QueryResult& found);
  Status check_timeline(std::uint32_t at_end) const;
  Status fingerprint();
  bool may_carry();
  Status settle_fingerprint(Lsn needed);
  Status keep_fingerprint(repo::SnapshotWriter& writer, Lsn needed);
  Status complete_log(Lsn needed);
  Result<BackupOutcome> commit(repo::SnapshotWriter& writer);
  Result<std::unique_ptr<PageJudge>> on_start(const BaseBackupStart& start);
  void warn(const std::string& line) { warnings_.push_back(line); }

  const Secret& conninfo_;
  const SourceOptions& options_;
  const BackupContext& context_;
  ServerFacts facts_;
  SnapshotDetails details_;
  repo::SnapshotMeta meta_;
  std::unique_ptr<ReplicationLink> link_;
  std::unique_ptr<LogFetch> fetch_;
  std::unique_ptr<DataFolder> folder_;  // of the server's files, when they come otherwise
  PageBase base_;
  CountedBefore counted_before_;
  Fingerprint print_;
  std::vector<std::string> warnings_, unread_;
};

Status BackupRun::look_at_server() {
  const std::unique_ptr<Connection> connection = LB_TRY(Connection::open(conninfo_));
  facts_ = LB_TRY(read_server_facts(*connection));
  const QueryResult asked = LB_TRY(connection->query("SELECT current_database()"));
  if (!asked.rows.empty()) details_.database = asked.rows[0][0].value_or("");
  for (const Diagnosis& finding : judge_facts(facts_, options_)) {
    if (finding.ok) continue;
    const bool later = finding.text.starts_with("not supported yet");
    const ErrorKind kind = later ? ErrorKind::unsupported : ErrorKind::denied;
    return Error(kind, finding.text).with_hint(finding.hint).with_exit(ExitCode::store_unreachable);
  }
  link_ = LB_TRY(ReplicationLink::open(conninfo_, "lifeboat_backup"));
  const SystemIdentity identity = LB_TRY(link_->identify());
  details_.system_identifier = identity.system_identifier;
  details_.server_version = facts_.version;
  details_.segment_bytes = facts_.segment_bytes;
  details_.checksums = facts_.checksums;
  details_.hints_logged = facts_.hints_logged;
  details_.log_id = cat(options_.store, "-", identity.system_identifier);
  if (!facts_.checksums) warn("the cluster has no data checksums: damaged pages cannot be noticed");
  if (context_.parent == nullptr) return {};
  const auto before = decode_details(context_.parent->info().meta.details);
  if (before.ok() && before->system_identifier != details_.system_identifier) {
    warn(cat("this is another database system (", details_.system_identifier,
             ") than at the last backup (", before->system_identifier, ")"));
  }
  return {};
}

// The slot is made before the backup begins, so that no part of its log can be removed meanwhile.
Status BackupRun::prepare_log() {
  auto link = LB_TRY(ReplicationLink::open(conninfo_, "lifeboat_backup_log"));
  const std::string slot = cat("lifeboat_backup_", to_hex(context_.world.random.bytes(6)));
  const Status made = link->create_slot(slot, true);
  if (!made.ok()) {
    warn(
        cat("no temporary replication slot could be made, so the server may remove log of this "
            "backup before it is fetched: ",
            made.error().text()));
  }
  fetch_ = std::make_unique<LogFetch>(std::move(link), made.ok() ? slot : std::string(),
                                      context_.repository, context_.world.clock, details_.log_id,
                                      details_.segment_bytes);
  return {};
}

Result<std::unique_ptr<PageJudge>> BackupRun::on_start(const BaseBackupStart& start) {
  details_.start_lsn = start.start;
  details_.timeline = start.timeline;
  details_.tablespaces = start.tablespaces;
  if (!options_.log_continuous) fetch_->start(start.timeline, start.start);
  if (!facts_.checksums) return std::unique_ptr<PageJudge>();
  folder_ = remote_data_folder(conninfo_);
  return std::make_unique<PageJudge>(*folder_, start.start, facts_.blocks_per_segment);
}

Status BackupRun::copy_sent_files(repo::SnapshotWriter& writer) {
  BackupFiles files(
      writer, context_.workers, context_.progress,
      [this](const BaseBackupStart& start) { return on_start(start); }, context_.stop);
  const BaseBackupEnd end =
      LB_TRY(run_base_backup(*link_, options_.fast_checkpoint, files, context_.stop));
  LB_TRY(files.finish());
  meta_.taken = context_.world.clock.now();
  details_.stop_lsn = end.stop;
  details_.data_bytes = details_.bytes_read = files.bytes();
  details_.way = "replication";
  details_.mode = "full";
  LB_TRY(check_timeline(end.timeline));
  LB_TRY(name_tablespaces());
  note_bad_pages(files.bad_pages());
  LB_TRY(writer.attach(attachment_backup_label, files.backup_label()));
  if (!files.tablespace_map().empty()) {
    LB_TRY(writer.attach(attachment_tablespace_map, files.tablespace_map()));
  }
  return fingerprint();
}

Status BackupRun::check_timeline(std::uint32_t at_end) const {
  if (at_end == details_.timeline) return {};
  return Error(ErrorKind::conflict, cat("the server changed from timeline ", details_.timeline,
                                        " to ", at_end, " during the backup"))
      .with_hint("take the backup again")
      .with_exit(ExitCode::store_unreachable);
}

void BackupRun::note_bad_pages(const std::vector<std::string>& bad) {
  for (const std::string& page : bad) {
    warn(cat("damaged page: ", page));
    if (details_.bad_pages.size() < bad_pages_max) details_.bad_pages.push_back(page);
  }
  unread_.insert(unread_.end(), bad.begin(), bad.end());
  if (bad.size() > bad_pages_max) {
    details_.bad_pages.push_back(cat("and ", bad.size() - bad_pages_max, " more"));
  }
}

// False: not this way, and why is noted. Nothing was written then.
Result<bool> BackupRun::copy_folder(repo::SnapshotWriter& writer) {
  auto begun = OnlineBackup::start(conninfo_, options_.fast_checkpoint);
  if (!begun.ok() && !is_local() && begun.error().kind() == ErrorKind::denied) {
    base_.why_not = cat("the role may not begin a backup by SQL: ", begun.error().message());
    return false;
  }
  const std::unique_ptr<OnlineBackup> online = LB_TRY(std::move(begun).context("begin the backup"));
  details_.start_lsn = online->start_lsn();
  const SystemIdentity identity = LB_TRY(link_->identify());
  details_.timeline = identity.timeline;
  if (!options_.log_continuous) fetch_->start(details_.timeline, details_.start_lsn);
  if (base_.why_not.empty()) LB_TRY(read_changes(context_, details_, details_.start_lsn, base_));
  folder_ = is_local() ? local_data_folder(context_.world.files, options_.data_folder)
                       : remote_data_folder(conninfo_);
  if (!is_local() && base_.changed) {
    const auto readable = read_data_file(*folder_, "PG_VERSION", 64);
    if (!readable.ok()) {
      base_.changed.reset();
      base_.why_not = cat("the role may not read the server's files: ", readable.error().message());
    }
  }
  if (!is_local() && !base_.changed) return false;
  LB_TRY(name_tablespaces());
  std::optional<PageJudge> judge;
  if (facts_.checksums) judge.emplace(*folder_, details_.start_lsn, facts_.blocks_per_segment);
  const FolderBackupResult copied =
      LB_TRY(read_folder(writer, *folder_, judge ? &*judge : nullptr));
  LB_TRY(end_folder(writer, *online));
  if (judge) note_bad_pages(judge->bad_pages());
  note_folder(copied);
  return true;
}

// What is in the databases is counted meanwhile.
Result<FolderBackupResult> BackupRun::read_folder(repo::SnapshotWriter& writer, DataFolder& folder,
                                                  PageJudge* judge) {
  FolderBackupOptions wishes;
  wishes.server_version = facts_.version;
  wishes.blocks_per_segment = facts_.blocks_per_segment;
  wishes.backup_start = details_.start_lsn;
  wishes.workers = context_.workers;
  wishes.estimated_bytes = facts_.data_bytes;
  wishes.progress = context_.progress;
  wishes.judge = judge;
  if (base_.changed) {
    wishes.parent = context_.parent;
    wishes.changed = &*base_.changed;
    wishes.compare = base_.compare;
  }
  TaskGroup counting(context_.stop);
  counting.run([&](const std::stop_token&) { return fingerprint(); });
  FolderBackup files(writer, folder, wishes, counting.token());
  auto copied = files.run();
  if (!copied.ok()) counting.stop();
  const Status counted = counting.wait();
  if (!counted.ok() && counted.error().kind() != ErrorKind::cancelled) return counted.error();
  if (!copied.ok()) return copied;
  LB_TRY(Status(counted));
  return copied;
}

Status BackupRun::end_folder(repo::SnapshotWriter& writer, OnlineBackup& online) {
  const OnlineBackup::End end = LB_TRY(online.stop().context("end the backup"));
  meta_.taken = context_.world.clock.now();
  details_.stop_lsn = end.stop;
  LB_TRY(check_timeline(end.timeline));
  LB_TRY(writer.attach(attachment_backup_label, view_of(end.label)));
  if (end.tablespace_map.empty()) return {};
  return writer.attach(attachment_tablespace_map, view_of(end.tablespace_map));
}

void BackupRun::note_folder(const FolderBackupResult& copied) {
  details_.data_bytes = copied.bytes;
  details_.bytes_read = copied.bytes_read;
  details_.way = is_local() ? "local" : "remote";
  details_.mode = !base_.changed ? "full" : base_.compare ? "compared" : "pages";
  if (details_.mode == "pages") details_.since_full_read = base_.before + 1;
  for (const std::string& name : copied.left_out) warn(cat("not saved: ", name));
  for (const std::string& file : copied.unreadable) {
    warn(cat("not saved: ", file));
    unread_.push_back(file);
  }
  for (const std::string& what : copied.lost) warn(cat(what, "; it was read anew"));
  for (const std::string& page : copied.disagreements) {
    warn(cat("ALARM: ", page, " changed though the log did not say so; it was read anew"));
    unread_.push_back(cat(page, ": changed though the log did not say so"));
  }
}

Status BackupRun::name_tablespaces() {
  const std::unique_ptr<Connection> connection = LB_TRY(Connection::open(conninfo_));
  const QueryResult found =
      LB_TRY(connection->query("SELECT oid::text, spcname, pg_catalog.pg_tablespace_location(oid) "
                               "FROM pg_catalog.pg_tablespace"));
  if (details_.tablespaces.empty()) return add_tablespaces(found);
  for (Tablespace& tablespace : details_.tablespaces) {
    for (const auto& row : found.rows) {
      if (row[0] == std::to_string(tablespace.oid)) tablespace.name = row[1].value_or("");
    }
  }
  return {};
}

Status BackupRun::add_tablespaces(const QueryResult& found) {
  for (const auto& row : found.rows) {
    if (row[2].value_or("").empty()) continue;  // the two inside the data directory
    const std::uint64_t oid = LB_TRY(parse_uint(row[0].value_or("")));
    details_.tablespaces.push_back({static_cast<std::uint32_t>(oid), row[1].value_or(""), *row[2]});
  }
  return {};
}

// Tables are counted, or carried on from the last backup where the log tells what changed since.
Status BackupRun::fingerprint() {
  const CountedBefore* before = may_carry() ? &counted_before_ : nullptr;
  print_ = LB_TRY(take_fingerprint(conninfo_, details_.system_identifier, context_.world.clock,
                                   before, context_.stop));
  counted_before_.rows.clear();
  return {};
}

bool BackupRun::may_carry() {
  if (!base_.changed || base_.compare) return false;
  const auto before = decode_details(context_.parent->info().meta.details);
  if (!before.ok() || before->timeline != details_.timeline) return false;
  auto counted = read_counted(*context_.parent);
  if (!counted.ok() || !*counted) return false;
  counted_before_ = std::move(**counted);
  return true;
}

Status BackupRun::keep_fingerprint(repo::SnapshotWriter& writer, Lsn needed) {
  details_.tables_carried = print_.carried();
  if (details_.tables_carried > 0) {
    const Status settled = settle_fingerprint(needed);
    if (!settled.ok() && settled.error().kind() == ErrorKind::cancelled) return settled;
    if (!settled.ok()) {
      // That the log cannot tell exactly is common; anything else somebody should read.
      if (settled.error().kind() != ErrorKind::unsupported)
        warn(cat("rows were counted anew: ", settled.error().text()));
      details_.tables_carried = 0;
      print_ = LB_TRY(take_fingerprint(conninfo_, details_.system_identifier, context_.world.clock,
                                       nullptr, context_.stop));
      LB_TRY(complete_log(before_page_header(print_.lsn, details_.segment_bytes)));
    }
  }
  for (const std::string& warning : print_.warnings) warn(warning);
  const auto attachment = LB_TRY(writer.open_attachment(attachment_fingerprint));
  LB_TRY(print_.write_to([&](std::string_view text) { return attachment->write(view_of(text)); }));
  print_ = {};
  return attachment->finish();
}

Status BackupRun::settle_fingerprint(Lsn needed) {
  const SnapshotDetails before = LB_TRY(decode_details(context_.parent->info().meta.details));
  const std::unique_ptr<WalScanner> scanner =
      LB_TRY(scan_rows(context_.repository, before, details_.timeline, needed));
  const auto between = [&](const std::string& seen, const std::string& as_of) {
    return scanner->row_deltas(seen, needed, as_of);
  };
  return settle_counts(print_, counted_before_.json, between);
}

Status BackupRun::complete_log(Lsn needed) {
  bool stream_runs = false;
  if (options_.log_continuous) {
    const std::unique_ptr<Connection> connection = LB_TRY(Connection::open(conninfo_));
    const QueryResult active =
        LB_TRY(connection->query("SELECT count(*) FROM pg_catalog.pg_replication_slots "
                                 "WHERE active AND NOT temporary AND slot_name LIKE 'lifeboat%'"));
    stream_runs = active.rows.at(0)[0] != "0";
  }
  LB_TRY(fetch_->finish(details_.timeline, details_.start_lsn, needed, stream_runs, context_.stop)
             .context("log of the backup"));
  for (const std::string& warning : fetch_->warnings()) warn(warning);
  return {};
}

Result<BackupOutcome> BackupRun::commit(repo::SnapshotWriter& writer) {
  meta_.store = options_.store;
  meta_.kind = "postgres";
  meta_.host = context_.host;
  if (details_.mode == "full") details_.why_full = base_.why_not;
  meta_.details = encode(details_).dump();
  if (context_.parent != nullptr) meta_.parent = context_.parent->info().id;
  if (warnings_.size() > warnings_max) {
    const std::size_t more = warnings_.size() - warnings_max;
    warnings_.resize(warnings_max);
    warnings_.push_back(cat("and ", more, " more"));
  }
  meta_.warnings = warnings_;
  BackupOutcome outcome;
  outcome.snapshot = LB_TRY(writer.commit(meta_));
  outcome.unread = unread_;
  return outcome;
}

class PostgresSource final : public Source {
 public:
  PostgresSource(Secret conninfo, SourceOptions options)
      : conninfo_(std::move(conninfo)), options_(std::move(options)) {}

  Result<std::vector<Diagnosis>> diagnose(World& world, std::stop_token) override {
    return diagnose_server(world.files, conninfo_, options_).context(cat("store ", options_.store));
  }
  Result<BackupOutcome> backup(const BackupContext& context) override {
    return BackupRun(conninfo_, options_, context).run().context(cat("back up ", options_.store));
  }

 private:
  Secret conninfo_;
  SourceOptions options_;
};

}  // namespace

std::unique_ptr<Source> make_source(Secret conninfo, SourceOptions options) {
  return std::make_unique<PostgresSource>(std::move(conninfo), std::move(options));
}

}  // namespace lb::pg
