#include "recovery/swap/cluster_swap.h"

#include "foundation/base/text.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/same_cluster.h"
#include "stores/postgres/target_folder.h"

namespace lb::swap {

namespace {

constexpr Micros poll_pause = std::chrono::milliseconds(100);
constexpr std::uint64_t configuration_bytes_max = 16 << 20;
constexpr const char* link_under_way = ".lifeboat-link";
constexpr const char* configuration_files[] = {"postgresql.conf", "postgresql.auto.conf",
                                               "pg_hba.conf", "pg_ident.conf"};

Error refused(const std::string& folder, std::string_view why, std::string hint) {
  return Error(ErrorKind::denied, cat(printable(folder), " ", why))
      .with_hint(std::move(hint))
      .with_exit(ExitCode::refused);
}

Status check_is_primary(Files& files, const std::string& live) {
  auto version = files.info(path_join(live, "PG_VERSION"));
  if (!version.ok() || version->kind != FileKind::regular)
    return refused(live, "is no data directory: PG_VERSION is missing", "name the data directory");
  auto standby = LB_TRY(path_exists(files, path_join(live, "standby.signal")));
  if (!standby) return {};
  return refused(live, "belongs to a standby",
                 "exchange its primary, then set the standby up anew");
}

Result<std::vector<std::string>> notes_on(Files& files, const std::string& live) {
  std::vector<std::string> notes;
  auto wal = files.read_link(path_join(live, "pg_wal"));
  if (wal.ok())
    notes.push_back(cat("the log of the old one lies in ", printable(*wal),
                        ", that of the new one in its data directory"));
  auto spaces = path_join(live, "pg_tblspc");
  auto there = LB_TRY(path_exists(files, spaces));
  if (!there) return notes;
  auto entries = LB_TRY(files.list(spaces));
  for (const auto& entry : entries) {
    auto leads = files.read_link(path_join(spaces, entry.name));
    if (!leads.ok() || leads->starts_with(live + "/")) continue;
    notes.push_back(cat("the old one has a tablespace in ", printable(*leads),
                        ", which stays there; the new one has it in its data directory"));
  }
  return notes;
}

// Whether the server at the address runs on the live folder.
Status check_answers(const ClusterSwap& cluster) {
  LB_TRY(pg::check_same_cluster(cluster.world.files, cluster.conninfo, cluster.live));
  auto connection = LB_TRY(pg::Connection::open(cluster.conninfo));
  auto asked = LB_TRY(connection->query("SELECT pg_is_in_recovery()"));
  if (asked.rows.at(0).at(0) == "f") return {};
  return Error(ErrorKind::unavailable, "the server is still in recovery");
}

// Asks again until it is so or the time is over; the last refusal then.
Status wait_for(const ClusterSwap& cluster, const std::function<Status()>& ask) {
  auto& clock = cluster.world.clock;
  auto end = clock.steady() + cluster.limit;
  for (;;) {
    auto asked = ask();
    if (asked.ok() || clock.steady() >= end) return asked;
    if (!clock.sleep(poll_pause, cluster.stopped)) return Error(ErrorKind::cancelled, "stopped");
  }
}

Status stop_server(const ClusterSwap& cluster) {
  auto at_rest = [&] { return pg::check_no_server(cluster.world.files, cluster.live); };
  if (at_rest().ok()) return {};
  LB_TRY(cluster.stop().context("stop the live server"));
  return wait_for(cluster, at_rest);
}

Status start_server(const ClusterSwap& cluster) {
  if (!pg::check_no_server(cluster.world.files, cluster.live).ok()) return {};
  return cluster.start().context("start the server");
}

Status prove_server(const ClusterSwap& cluster) {
  return wait_for(cluster, [&] { return check_answers(cluster); })
      .context(cat("the server on ", printable(cluster.live), " does not prove itself"));
}

// As the other one has it, with its owner.
Status copy_configuration(Files& files, const std::string& name, const std::string& folder,
                          const std::string& old) {
  auto from = path_join(old, name), to = path_join(folder, name);
  auto info = files.info(from);
  if (!info.ok() && info.error().kind() == ErrorKind::not_found) return {};
  if (!info.ok()) return info.status();
  if (info->kind == FileKind::symlink) {
    auto leads = LB_TRY(files.read_link(from));
    LB_TRY(remove_tree(files, to));
    return files.make_symlink(leads, to);
  }
  auto bytes = LB_TRY(read_file(files, from, configuration_bytes_max));
  LB_TRY(write_durably(files, to, bytes, info->mode));
  return files.set_owner(to, info->uid, info->gid);
}

// Links of tablespaces that lead into the folder lead to where it will be.
Status direct_tablespaces(Files& files, const std::string& folder, const std::string& live) {
  auto spaces = path_join(folder, "pg_tblspc"), beside = path_join(folder, link_under_way);
  auto entries = LB_TRY(files.list(spaces));
  for (const auto& entry : entries) {
    auto link = path_join(spaces, entry.name);
    auto leads = files.read_link(link);
    if (!leads.ok() || !leads->starts_with(folder + "/")) continue;
    auto info = LB_TRY(files.info(link));
    // Under another name first: at no moment is a tablespace without its link.
    LB_TRY(remove_tree(files, beside));
    LB_TRY(files.make_symlink(live + leads->substr(folder.size()), beside));
    LB_TRY(files.set_owner(beside, info.uid, info.gid));
    LB_TRY(files.rename(beside, link));
  }
  return {};
}

Status make_ready(const ClusterSwap& cluster, const std::string& folder, const std::string& old) {
  auto& files = cluster.world.files;
  LB_TRY(pg::check_no_server(files, folder));
  for (const char* name : configuration_files)
    LB_TRY(copy_configuration(files, name, folder, old).context("take over the configuration"));
  auto like = LB_TRY(files.info(old));
  LB_TRY(files.set_mode(folder, like.mode));
  LB_TRY(files.set_owner(folder, like.uid, like.gid));
  return direct_tablespaces(files, folder, cluster.live).context("tablespaces of the new cluster");
}

}  // namespace

Result<ClusterPreview> check_cluster_swap(World& world, const FolderWish& wish,
                                          std::uint64_t bytes_needed) {
  auto& files = world.files;
  LB_TRY(check_folder_swap(files, wish));
  LB_TRY(check_is_primary(files, wish.live));
  ClusterPreview preview;
  preview.system_identifier = pg::system_identifier_in(files, wish.live);
  preview.running = !pg::check_no_server(files, wish.live).ok();
  preview.notes = LB_TRY(notes_on(files, wish.live));
  auto space = LB_TRY(files.space(path_parent(wish.live)));
  preview.space_bytes = space.available;
  if (space.available >= bytes_needed) return preview;
  return Error(ErrorKind::exhausted,
               cat("the new cluster needs ", human_size(bytes_needed), " beside ",
                   printable(wish.live), ", there are ", human_size(space.available)))
      .with_hint("make room, or restore with --delta, which needs less and keeps nothing")
      .with_exit(ExitCode::no_space);
}

FolderActs cluster_acts(const ClusterSwap& cluster) {
  FolderActs acts;
  acts.fill = cluster.fill;
  acts.verify = cluster.verify;
  acts.stop = [&cluster] { return stop_server(cluster); };
  acts.in_use = [&cluster]() -> Result<bool> {
    return !pg::check_no_server(cluster.world.files, cluster.live).ok();
  };
  acts.prepare = [&cluster](const std::string& folder, const std::string& old) {
    return make_ready(cluster, folder, old);
  };
  acts.start = [&cluster] { return start_server(cluster); };
  acts.prove = [&cluster] { return prove_server(cluster); };
  return acts;
}

}  // namespace lb::swap
