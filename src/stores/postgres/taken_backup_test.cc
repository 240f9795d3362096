#include "stores/postgres/taken_backup.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/source.h"
#include "tests/harness/tool_process.h"

namespace lb::pg {

namespace {

namespace fs = std::filesystem;

Buffer bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Buffer(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

std::string setting(test::PostgresServer& server, const std::string& sql) {
  return server.value(sql);
}

}  // namespace

TakenBackup::TakenBackup(test::PostgresOptions options) {
  options.segment_mib = 1;
  options.settings.emplace_back("wal_keep_size", "2GB");
  options.settings.emplace_back("track_commit_timestamp", "on");
  server_ = test::PostgresServer::start(options);
  details.server_version = std::stoi(setting(*server_, "SHOW server_version_num"));
  details.system_identifier =
      setting(*server_, "SELECT system_identifier FROM pg_control_system()");
  details.segment_bytes = 1 << 20;
  details.timeline = 1;
  details.log_id = cat("db-", details.system_identifier);
}

void TakenBackup::back_up() {
  auto copy = server_->folder() + "/copy";
  std::vector<std::string> command{"pg_basebackup", "-D", copy,   "-X",
                                   "none",          "-c", "fast", "--no-sync"};
  for (const auto& space : details.tablespaces) {
    command.insert(command.end(), {"-T", cat(space.location, "=", space.location, ".copy")});
  }
  server_->run_tool(command);
  auto manifest = parse_json(text_of(bytes_of(copy + "/backup_manifest"))).take();
  const auto& range = manifest["WAL-Ranges"].items().at(0);
  details.start_lsn = parse_lsn(range["Start-LSN"].string()).take();
  details.stop_lsn = parse_lsn(range["End-LSN"].string()).take();
  put_rows(copy);
  fs::remove_all(copy);
}

void TakenBackup::put_rows(const std::string& from) {
  constexpr auto follow = fs::directory_options::follow_directory_symlink;
  auto writer = repository.begin("db", nullptr, {}).take();
  for (const auto& entry : fs::recursive_directory_iterator(from, follow)) {
    auto key = entry.path().lexically_relative(from).string();
    FileAttributes attributes;
    if (key == "backup_label") {
      writer->attach(attachment_backup_label, bytes_of(entry.path())).take();
    } else if (entry.is_directory()) {
      attributes.kind = FileAttributes::Kind::directory;
      writer->add(key, encode(attributes)).take();
    } else {
      auto stream = writer->open(key, repo::Cut::pages).take();
      stream->write(bytes_of(entry.path())).take();
      stream->finish(encode(attributes)).take();
    }
  }
  repo::SnapshotMeta meta;
  meta.store = "db";
  meta.kind = "postgres";
  meta.details = encode(details).dump();
  snapshot_id_ = writer->commit(meta).take().id;
}

void TakenBackup::archive() {
  server_->sql("SELECT txid_current()");  // so that everything before is flushed with its commit
  auto end = parse_lsn(server_->value("SELECT pg_current_wal_flush_lsn()")).take();
  auto first = details.start_lsn / details.segment_bytes;
  for (auto number = first; number * details.segment_bytes < end; ++number) {
    auto name = segment_name(details.timeline, number, details.segment_bytes);
    auto bytes = bytes_of(server_->data() + "/pg_wal/" + name);
    auto left = end - number * details.segment_bytes;
    if (bytes.size() > left) bytes.resize(left);
    repository.store_segment(details.log_id, details.timeline, number, bytes,
                             details.segment_bytes);
  }
}

Result<RecoveryTarget> TakenBackup::resolve_to(const Wanted& wanted) {
  auto index = LB_TRY(read_log_index(repository, details.log_id, details.segment_bytes));
  return resolve(index, details, wanted, real.clock->now(), repository);
}

std::unique_ptr<repo::SnapshotReader> TakenBackup::reader() {
  return repository.snapshot(snapshot_id_).take();
}

LayoutOptions TakenBackup::layout_options(const std::string& where) const {
  auto user = test::server_user();
  LayoutOptions options;
  options.folder = where;
  options.owner = {user->uid, user->gid};
  options.change_owner = real.files->info(temporary.path())->uid != user->uid;
  return options;
}

Result<RestoreOutcome> TakenBackup::lay_out_in(const std::string& where) {
  auto snapshot = reader();
  return lay_out(real.world, *snapshot, layout_options(where), {});
}

RecoveryOptions TakenBackup::recovery_options(const std::string& where) {
  RecoveryOptions options;
  options.folder = where;
  options.socket_folder = where + ".run/s";
  options.spool_folder = where + ".run/spool";
  options.log_path = where + ".run/log";
  options.run_marker = run_marker;
  options.binaries = test::PostgresServer::binaries();
  for (const auto& path : {where + ".run", options.socket_folder, options.spool_folder}) {
    make_directories(*real.files, path, 0700).take();
    test::give_to_server_user(path);
  }
  return options;
}

RecoveryServer::Starter TakenBackup::starter() {
  return [this](const Command& command) {
    auto own = command;
    auto user = test::server_user();
    bool same = real.files->info(temporary.path())->uid == user->uid;
    if (!same) own.user = UserId{user->uid, user->gid};
    return real.processes->start(own);
  };
}

Result<std::unique_ptr<RecoveryServer>> TakenBackup::restore(const RecoveryTarget& target,
                                                             bool throwaway) {
  fs::permissions(temporary.path(), fs::perms::others_exec, fs::perm_options::add);
  folder = temporary / cat("r", ++restores_);
  LB_TRY(lay_out_in(folder));
  auto options = recovery_options(folder);
  options.throwaway = throwaway;
  return RecoveryServer::start(real.world, repository, details, target, options, starter(), {});
}

Result<std::unique_ptr<RecoveryServer>> TakenBackup::restore_to(const Wanted& wanted) {
  auto target = LB_TRY(resolve_to(wanted));
  return restore(target);
}

std::string value_of(RecoveryServer& server, const std::string& sql) {
  auto connection = Connection::open(Secret(server.conninfo())).take();
  auto result = connection->query(sql).take();
  if (result.rows.empty() || result.rows[0].empty()) return {};
  return result.rows[0][0].value_or("");
}

}  // namespace lb::pg
