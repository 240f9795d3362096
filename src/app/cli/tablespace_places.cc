#include "app/cli/tablespace_places.h"

#include <algorithm>
#include <map>

#include "app/cli/folder_way.h"
#include "app/cli/protected_places.h"
#include "foundation/base/text.h"
#include "foundation/sys/real_path.h"
#include "recovery/restore/sandbox_folder.h"
#include "stores/postgres/layout_paths.h"
#include "stores/postgres/target_folder.h"

namespace lb::cli {

namespace {

constexpr std::string_view rows_prefix = "pg_tblspc/";

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// Where something will be, or the nearest folder above it that is there.
Result<std::string> nearest(Files& files, std::string path) {
  for (;;) {
    auto there = LB_TRY(path_exists(files, path));
    if (there || path == "/") return path;
    path = path_parent(path);
  }
}

// What it leads to, also where some of it is not there yet.
Result<std::string> leads_to(Files& files, const std::string& path) {
  auto there = LB_TRY(nearest(files, path));
  auto real = LB_TRY(real_path(files, there));
  if (there == path) return real;
  return path_join(real, std::string_view(path).substr(there == "/" ? 1 : there.size() + 1));
}

Error no_such(const std::string& old, const pg::SnapshotDetails& details) {
  std::vector<std::string> known;
  for (const auto& each : details.tablespaces)
    known.push_back(cat(printable(each.location), " (", printable(each.name), ")"));
  return Error(ErrorKind::invalid, cat("the point has no tablespace ", printable(old)))
      .with_hint(known.empty() ? std::string("it has none besides the data directory")
                               : cat("it has ", join(known, ", ")));
}

// Compared by the folders themselves: neither a link nor another spelling hides where one lies.
Status check_path(const Shell& shell, const Session& session, const std::string& path,
                  const Request& request, const TablespacePlaces& others) {
  auto& files = shell.world.files;
  auto wrong = [&](const std::string& why) {
    return Error(ErrorKind::invalid, cat("--tablespace: ", printable(path), " ", why));
  };
  if (!path.starts_with('/')) return wrong("is not an absolute path");
  for (const auto& part : split(path.substr(1), '/')) {
    if (part.empty() || part == "." || part == "..") return wrong("is not written out plainly");
  }
  auto way = LB_TRY(FolderWay::of(files, path));
  auto home = LB_TRY(FolderWay::of(files, request.folder));
  if (home.contains(way)) return wrong("lies inside the data directory");
  if (way.contains(home)) return wrong("holds the data directory");
  for (const auto& [oid, other] : others) {
    auto there = LB_TRY(FolderWay::of(files, other));
    if (way.overlaps(there)) return wrong("is where another tablespace goes");
  }
  auto guarded = protected_folder(shell, session, path);
  if (guarded.empty()) return {};
  return pg::refused_folder(path, cat("lies where protected target ", guarded, " is"),
                            "give a folder elsewhere");
}

// Empty, or the one that the data directory that is there has already.
Status check_present(const Shell& shell, const Request& request, std::uint32_t oid,
                     const std::string& path) {
  auto& files = shell.world.files;
  auto there = LB_TRY(path_exists(files, path));
  if (!there) return {};
  auto info = LB_TRY(files.info(path));
  if (info.kind != FileKind::directory) return pg::refused_folder(path, "is not a folder", "");
  auto link = files.read_link(path_join(request.folder, cat(rows_prefix, oid)));
  if (link.ok()) {
    auto leads = leads_to(files, *link);
    if (leads.ok() && *leads == path) return {};
  }
  auto entries = LB_TRY(files.list(path));
  if (entries.empty()) return {};
  return pg::refused_folder(path, "is not empty: nothing was written", "give a new folder");
}

Result<std::map<std::uint32_t, std::uint64_t>> sizes_of(repo::SnapshotReader& snapshot) {
  std::map<std::uint32_t, std::uint64_t> out;
  auto cursor = LB_TRY(snapshot.rows());
  for (;;) {
    auto row = LB_TRY(cursor->next());
    if (!row) return out;
    if (!row->key.starts_with(rows_prefix)) continue;
    auto oid = parse_uint(split(row->key, '/').at(1));
    if (oid.ok()) out[static_cast<std::uint32_t>(*oid)] += row->size;
  }
}

}  // namespace

Result<TablespacePlaces> tablespace_places(const Shell& shell, const Session& session,
                                           const Request& request,
                                           const pg::SnapshotDetails& details) {
  TablespacePlaces out;
  for (const auto& [old, fresh] : request.tablespaces) {
    auto found = std::find_if(details.tablespaces.begin(), details.tablespaces.end(),
                              [&, wanted = without_slash(old)](const auto& each) {
                                return each.location == wanted || each.name == wanted;
                              });
    if (found == details.tablespaces.end()) return no_such(old, details);
    auto path = without_slash(fresh);
    LB_TRY(check_path(shell, session, path, request, out));
    path = LB_TRY(leads_to(shell.world.files, path));
    bool twice = std::any_of(out.begin(), out.end(),
                             [&](const auto& each) { return each.first == found->oid; });
    if (twice) {
      return Error(ErrorKind::invalid,
                   cat("--tablespace names ", printable(found->name), " twice"));
    }
    LB_TRY(check_present(shell, request, found->oid, path));
    out.emplace_back(found->oid, path);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string words_of(const TablespacePlaces& places, const pg::SnapshotDetails& details) {
  std::string out;
  for (const auto& [oid, path] : places) {
    for (const auto& each : details.tablespaces) {
      if (each.oid == oid) out += cat(" --tablespace ", each.name, "=", path);
    }
  }
  return out;
}

Result<std::uint64_t> check_tablespace_room(const Shell& shell, repo::SnapshotReader& snapshot,
                                            const std::string& folder,
                                            const TablespacePlaces& places) {
  if (places.empty()) return std::uint64_t{0};
  auto& files = shell.world.files;
  auto device_of = [&](const std::string& path) -> Result<std::uint64_t> {
    auto there = LB_TRY(nearest(files, path));
    auto info = LB_TRY(files.info(there));
    return static_cast<std::uint64_t>(info.device);
  };
  auto home = LB_TRY(device_of(folder));
  auto sizes = LB_TRY(sizes_of(snapshot));
  std::map<std::uint64_t, std::pair<std::string, std::uint64_t>> needed;  // by file system
  std::uint64_t elsewhere = 0;
  for (const auto& [oid, path] : places) {
    auto device = LB_TRY(device_of(path));
    if (device == home) continue;
    auto there = LB_TRY(path_exists(files, path));
    std::uint64_t present = 0;
    if (there) present = LB_TRY(pg::allocated_bytes(files, path));
    auto& sum = needed[device];
    sum.first = path;
    sum.second += sizes[oid] - std::min(present, sizes[oid]);
    elsewhere += sizes[oid];
  }
  for (const auto& [device, need] : needed) {
    auto there = LB_TRY(nearest(files, need.first));
    auto space = LB_TRY(files.space(there));
    if (space.available >= need.second) continue;
    return Error(ErrorKind::exhausted,
                 cat("the restore needs ", human_size(need.second), " for ", printable(need.first),
                     ", there are ", human_size(space.available)));
  }
  return elsewhere;
}

Status make_tablespace_places(const Shell& shell, const TablespacePlaces& places, UserId user) {
  auto& files = shell.world.files;
  for (const auto& [oid, path] : places) {
    auto there = LB_TRY(path_exists(files, path));
    if (!there) {
      LB_TRY(make_directories(files, path_parent(path), 0755));
      LB_TRY(files.make_directory(path, 0700));
    }
    LB_TRY(restore::make_private_folder(shell.world, path, user));
  }
  return {};
}

}  // namespace lb::cli
