#include "recovery/archive/desk.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "recovery/archive/line_rule.h"
#include "stores/postgres/log_writer.h"
#include "stores/postgres/snapshot_details.h"

namespace lb::archive {

namespace {

using Kind = pg::ArchivedName::Kind;

constexpr std::uint64_t control_bytes_max = 1 << 20;

// The client and we must mean the same file: paths may differ between mount namespaces.
Status same_as_seen(Files& files, const std::string& path, const FileSeen& seen) {
  const auto facts = LB_TRY(files.info(path));
  if (FileSeen{facts.device, facts.inode} == seen) return {};
  return Error(ErrorKind::denied,
               cat("the agent finds another ", printable(path), " than the one who asked it"))
      .with_hint("it was started in another container or mount namespace: stop it there");
}

}  // namespace

std::string log_id_of(const std::string& store, std::uint64_t system_identifier) {
  return cat(store, "-", system_identifier);
}

Result<std::uint64_t> system_of(Files& files, const std::string& data_folder) {
  const auto control =
      LB_TRY(read_file(files, path_join(data_folder, "global/pg_control"), control_bytes_max)
                 .context(cat(printable(data_folder), " is no data directory")));
  return pg::control_system_identifier(control);
}

Result<std::uint64_t> known_system(repo::Repository& repository, const std::string& store) {
  std::uint64_t known = 0;
  if (repository.may_read()) {
    const auto snapshots = LB_TRY(repository.snapshots());
    for (const auto& snapshot : snapshots) {
      if (snapshot.meta.store != store || snapshot.meta.kind != "postgres") continue;
      const auto details = pg::decode_details(snapshot.meta.details);
      const auto system = details.ok() ? parse_uint(details->system_identifier)
                                       : Result<std::uint64_t>(details.error());
      if (system.ok()) known = *system;
    }
    if (known != 0) return known;
  }
  const auto prefix = cat(store, "-");
  const auto ids = LB_TRY(repository.log_ids());
  for (const auto& id : ids) {
    if (!id.starts_with(prefix)) continue;
    const auto system = parse_uint(std::string_view(id).substr(prefix.size()));
    if (system.ok()) known = *system;
  }
  return known;
}

Result<std::uint32_t> admitted_timeline(repo::Repository& repository, const std::string& store) {
  const auto system = LB_TRY(known_system(repository, store));
  const auto admissions = LB_TRY(read_admissions(repository, log_id_of(store, system)));
  std::uint32_t newest = 0;
  for (const auto& admission : admissions) newest = std::max(newest, admission.timeline);
  return newest;
}

Answer Desk::serve(const Order& order) {
  auto answer = [&]() -> Result<Answer> {
    switch (order.act) {
      case Order::Act::push:
        return push(order);
      case Order::Act::fetch:
        return fetch(order);
      case Order::Act::look:
        return look();
    }
    return Error(ErrorKind::internal, "unknown order");
  }();
  return answer.ok() ? std::move(answer).take() : answer_of(answer.error());
}

Result<Answer> Desk::push(const Order& order) {
  const auto name = pg::parse_archived_name(order.name);
  if (!name) {
    return Error(ErrorKind::invalid, cat("'", printable(order.name), "' is no log file"))
        .with_hint("archive_command = 'lifeboat wal push --store NAME %p'");
  }
  // A point carries its own label, so that the server's note of it is not kept.
  if (name->kind == Kind::label) return Answer{};
  LB_TRY(same_as_seen(world_.files, order.data_folder, order.folder));
  LB_TRY(same_as_seen(world_.files, order.path, order.file));
  auto* server = LB_TRY(server_of(order));
  {
    std::unique_lock lock(mutex_);
    LB_TRY(meet(*server, name->timeline));
    if (name->kind == Kind::history) {
      LB_TRY(push_history(*server, *name, order.path));
      return Answer{};
    }
    LB_TRY(know_timeline(*server, *name));
  }
  if (name->kind == Kind::segment) return push_segment(*server, *name, order);
  LB_TRY(push_partial(*server, *name, order.path));
  return Answer{};
}

Result<Desk::Server*> Desk::server_of(const Order& order) {
  std::unique_lock lock(mutex_);
  auto& server = servers_[order.data_folder];
  const auto system = LB_TRY(system_of(world_.files, order.data_folder));
  const auto token = LB_TRY(instance_token(world_.files, order.data_folder, options_.host));
  // Another cluster may have taken the place of the one that was served before.
  const bool known = server && server->system_identifier == system && server->token == token;
  if (!known) server = LB_TRY(make_server(order));
  return server.get();
}

Result<std::unique_ptr<Desk::Server>> Desk::make_server(const Order& order) {
  auto server = std::make_unique<Server>();
  server->data_folder = order.data_folder;
  server->system_identifier = LB_TRY(system_of(world_.files, order.data_folder));
  server->token = LB_TRY(instance_token(world_.files, order.data_folder, options_.host));
  const auto known = LB_TRY(known_system(repository_, options_.store));
  if (known != 0 && known != server->system_identifier) {
    return Error(ErrorKind::denied,
                 cat("this is another database system (", server->system_identifier,
                     ") than the one backed up as ", options_.store, " (", known, ")"))
        .with_hint("take a backup of the new system first; its log is kept apart")
        .with_exit(ExitCode::refused);
  }
  server->log_id = log_id_of(options_.store, server->system_identifier);
  const auto infos = LB_TRY(repository_.logs(server->log_id));
  for (const auto& info : infos) {
    if (info.complete) server->stored.emplace(info.name.timeline, info.name.segment);
  }
  PushLineOptions line;
  line.log_id = server->log_id;
  line.system_identifier = server->system_identifier;
  line.wal_folder = path_join(order.data_folder, "pg_wal");
  line.ahead_max = options_.ahead_max;
  line.on_trouble = options_.on_trouble;
  server->line = std::make_unique<PushLine>(world_.files, repository_, std::move(line));
  return server;
}

Status Desk::meet(Server& server, std::uint32_t timeline) {
  const auto now = world_.clock.steady();
  if (server.met && now - *server.met < options_.meet_every) return {};
  server.met.reset();
  const AdmittedBy by{options_.host, server.data_folder, "first push", world_.clock.now()};
  LB_TRY(meet_instance(repository_, server.log_id, server.token, timeline, by));
  server.met = now;
  return {};
}

Answer Desk::look() {
  std::unique_lock lock(mutex_);
  Json servers = Json::array();
  for (const auto& [folder, server] : servers_) {
    if (!server) continue;
    Json uploading = Json::array();
    for (const auto& name : server->line->uploading()) uploading.push(name);
    servers.push(Json::object()
                     .set("data_folder", folder)
                     .set("log", server->log_id)
                     .set("uploading", std::move(uploading)));
  }
  Answer answer;
  answer.details = Json::object().set("servers", std::move(servers)).dump();
  return answer;
}

}  // namespace lb::archive
