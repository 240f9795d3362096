// wal admit: from now on this server may write the log of a store.
#include "app/cli/agent_desk.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "foundation/sys/real_path.h"
#include "recovery/archive/desk.h"
#include "stores/postgres/archived_file.h"

namespace lb::cli {

namespace {

struct Newcomer {
  std::string log_id, token, data_folder;
  std::uint32_t timeline = 1;
};

// --data, else what the server's own tools take, else where we stand.
std::string data_folder_of(const Shell& shell, const Args& args) {
  const auto found = shell.environment.find("PGDATA");
  const auto fallback = found == shell.environment.end() ? shell.folder : found->second;
  const auto named = args.get("data", fallback);
  return named.starts_with('/') ? named : path_join(shell.folder, named);
}

// The newest whose history the server has.
std::uint32_t timeline_in(Files& files, const std::string& data_folder) {
  std::uint32_t newest = 1;
  const auto entries = files.list(path_join(data_folder, "pg_wal"));
  if (!entries.ok()) return newest;
  for (const auto& entry : *entries) {
    const auto name = pg::parse_archived_name(entry.name);
    if (name && name->kind == pg::ArchivedName::Kind::history)
      newest = std::max(newest, name->timeline);
  }
  return newest;
}

Result<Newcomer> meet(const Shell& shell, const Args& args, repo::Repository& repository,
                      const std::string& store) {
  auto& files = shell.world.files;
  Newcomer out;
  if (args.has("timeline")) {
    const auto timeline = LB_TRY(parse_uint(args.get("timeline")).context("--timeline"));
    const auto system = LB_TRY(archive::known_system(repository, store));
    out.log_id = archive::log_id_of(store, system);
    out.token = archive::no_instance();
    out.timeline = static_cast<std::uint32_t>(std::min<std::uint64_t>(timeline, 0xffffffff));
    return out;
  }
  out.data_folder = LB_TRY(real_path(files, data_folder_of(shell, args)).context("--data"));
  const auto system = LB_TRY(archive::system_of(files, out.data_folder)
                                 .hint("name the data directory with --data FOLDER"));
  const auto known = LB_TRY(archive::known_system(repository, store));
  if (known != 0 && known != system) {
    return Error(ErrorKind::denied, cat(out.data_folder, " is another database system (", system,
                                        ") than the one backed up as ", store, " (", known, ")"))
        .with_hint("take a backup of the new system first; its log is kept apart")
        .with_exit(ExitCode::refused);
  }
  out.log_id = archive::log_id_of(store, system);
  out.token = LB_TRY(archive::instance_token(files, out.data_folder, shell.host));
  out.timeline = timeline_in(files, out.data_folder);
  return out;
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args, Reading::plain, Access::write));
  const auto* store = LB_TRY(postgres_store(session->plan.plan, args.get("store")));
  const auto who = LB_TRY(meet(shell, args, *session->repository, store->name));
  const bool pushes = who.token != archive::no_instance();
  const auto timeline = cat("timeline ", who.timeline, " may follow in the log of ", store->name,
                            ", also where it left stored log behind");
  const auto server = cat("the server at ", who.data_folder, " on ", shell.host,
                          " may write the log of ", store->name, " from timeline ", who.timeline);
  const auto text = pushes ? cat(server, "; others are refused") : timeline;
  auto act =
      LB_TRY(state::Act::begin(shell.world, *session->journal, "wal admit", store->name, text,
                               Json::object().set("timeline", std::int64_t{who.timeline})));
  const auto admitted = archive::admit(
      *session->repository, who.log_id, who.token, who.timeline,
      {shell.host, who.data_folder, cat("wal admit by ", shell.user), shell.world.clock.now()});
  LB_TRY(
      act->finish(admitted.ok(), admitted.ok() ? text : admitted.error().text(), Json::object()));
  if (!admitted.ok()) return admitted.error();
  if (auto mirrored = session->journal->mirror(*session->repository); !mirrored.ok()) {
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.wal_admit/1", Json::object()
                                                    .set("store", store->name)
                                                    .set("log", who.log_id)
                                                    .set("instance", who.token)
                                                    .set("data_folder", who.data_folder)
                                                    .set("timeline", std::int64_t{who.timeline}));
  } else {
    shell.console.out(text);
  }
  return ExitCode::ok;
}

}  // namespace

Verb wal_admit_verb() {
  return {{"wal admit",
           "Says that this server is the one whose log counts: after a failover or a move, on the "
           "host of the new primary. The server that wrote it before is refused from then on, and "
           "so is every clone. With --timeline, for a store that is streamed: this timeline may "
           "follow, although it began before the end of what is stored.",
           {"lifeboat wal admit --store db --data /var/lib/postgresql/15/main   # the new primary",
            "lifeboat wal admit --store db --json                # in its data directory"},
           "wal admit --store NAME [flags]",
           {{"store", 's', "NAME", "the store of the plan", false},
            {"timeline", 0, "N", "admit this timeline, and no server that pushes", false},
            {"data", 'D', "FOLDER", "its data directory (default: PGDATA, or this folder)", false}},
           0},
          run};
}

}  // namespace lb::cli
