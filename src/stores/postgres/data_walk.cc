#include "stores/postgres/data_walk.h"

#include <algorithm>
#include <set>

#include "foundation/base/text.h"

namespace lb::pg {
namespace {

// Folders that are saved empty: the server fills them anew when it starts.
bool is_emptied(std::string_view path) {
  for (const char* name : {"pg_stat_tmp", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial",
                           "pg_snapshots", "pg_subtrans", "pg_wal"}) {
    if (path == name) return true;
  }
  return false;
}

bool is_left_out(std::string_view name) {
  for (const char* other :
       {"postgresql.auto.conf.tmp", "current_logfiles.tmp", "backup_label", "tablespace_map",
        "backup_manifest", "postmaster.pid", "postmaster.opts"}) {
    if (name == other) return true;
  }
  return name.starts_with("pg_internal.init") || name.starts_with("pgsql_tmp");
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "t3_16384", with forks and segments: of a session, and gone with it.
bool is_temporary(std::string_view name) {
  if (!name.starts_with("t")) return false;
  const std::size_t underscore = name.find('_');
  return underscore != std::string_view::npos && all_digits(name.substr(1, underscore - 1)) &&
         relation_name(name.substr(underscore + 1)).has_value();
}

class Walk {
 public:
  Walk(DataFolder& folder, int server_version, const std::function<Status(WalkedFile)>& visit,
       WalkFindings& findings)
      : folder_(folder),
        space_prefix_(cat("PG_", server_version / 10000, "_")),
        visit_(visit),
        findings_(findings) {}

  Status go_through(const std::string& path) {
    auto listed = folder_.list(path);
    if (!listed.ok() && listed.error().kind() == ErrorKind::not_found && !path.empty()) return {};
    if (!listed.ok() && listed.error().kind() == ErrorKind::denied && !is_servers(path)) {
      findings_.left_out.push_back(cat(printable(path), "/: ", listed.error().message()));
      return {};
    }
    std::vector<DataEntry> entries = LB_TRY(std::move(listed).context(printable(path)));
    const std::set<std::uint32_t> unlogged = unlogged_in(path, entries);
    for (DataEntry& entry : entries) {
      WalkedFile file;
      file.path = path.empty() ? entry.name : cat(path, "/", entry.name);
      file.relation = relation_file(file.path);
      file.entry = std::move(entry);
      LB_TRY(take(std::move(file), unlogged));
    }
    return {};
  }

 private:
  static bool holds_relations(const std::string& path) {
    return relation_file(path + "/1").relation;
  }

  // Of an unlogged relation only the init fork means anything after a recovery.
  static std::set<std::uint32_t> unlogged_in(const std::string& path,
                                             const std::vector<DataEntry>& entries) {
    std::set<std::uint32_t> out;
    if (!holds_relations(path)) return out;
    for (const DataEntry& entry : entries) {
      const auto name = relation_name(entry.name);
      if (name && name->fork == RelationName::Fork::init) out.insert(name->filenode);
    }
    return out;
  }

  Status take(WalkedFile file, const std::set<std::uint32_t>& unlogged) {
    const std::string& name = file.entry.name;
    if (is_left_out(name) || file.path == "global/pg_control") return {};
    if (file.relation.relation && !unlogged.empty()) {
      const auto relation = relation_name(name);
      if (relation && relation->fork != RelationName::Fork::init &&
          unlogged.contains(relation->filenode)) {
        return {};
      }
    }
    const bool in_relations = holds_relations(path_parent(file.path));
    if (in_relations && is_temporary(name)) return {};
    switch (file.entry.kind) {
      case FileAttributes::Kind::file:
        return visit_(std::move(file));
      case FileAttributes::Kind::directory:
        return take_folder(std::move(file));
      case FileAttributes::Kind::symlink:
        return take_link(std::move(file));
    }
    return {};
  }

  Status take_folder(WalkedFile file) {
    const std::string path = file.path;
    // In a tablespace only the folder of this server's version is its.
    const bool of_space =
        path.starts_with("pg_tblspc/") && path_parent(path_parent(path)) == "pg_tblspc";
    if (of_space && !file.entry.name.starts_with(space_prefix_)) return {};
    const std::uint32_t mode = file.entry.mode;
    LB_TRY(visit_(std::move(file)));
    if (path == "pg_wal") {
      WalkedFile status;
      status.path = "pg_wal/archive_status";
      status.entry.name = "archive_status";
      status.entry.kind = FileAttributes::Kind::directory;
      status.entry.mode = mode;
      return visit_(std::move(status));
    }
    return is_emptied(path) ? Status() : go_through(path);
  }

  Status take_link(WalkedFile file) {
    if (file.path == "pg_wal") {
      file.entry.kind = FileAttributes::Kind::directory;
      file.entry.mode = 0700;
      return take_folder(std::move(file));
    }
    if (path_parent(file.path) == "pg_tblspc") {
      const std::string path = file.path;
      LB_TRY(visit_(std::move(file)));
      return go_through(path);
    }
    findings_.left_out.push_back(cat(printable(file.path), ": a link out of the data directory"));
    return {};
  }

  DataFolder& folder_;
  const std::string space_prefix_;
  const std::function<Status(WalkedFile)>& visit_;
  WalkFindings& findings_;
};

}  // namespace

std::optional<RelationName> relation_name(std::string_view name) {
  RelationName out;
  const auto number = [](std::string_view text) -> std::optional<std::uint32_t> {
    if (!all_digits(text) || text.size() > 10) return std::nullopt;
    const auto value = parse_uint(text);
    if (!value.ok() || *value > 0xFFFFFFFFu) return std::nullopt;
    return static_cast<std::uint32_t>(*value);
  };
  const std::size_t dot = name.find('.');
  if (dot != std::string_view::npos) {
    const auto segment = number(name.substr(dot + 1));
    if (!segment) return std::nullopt;
    out.segment = *segment;
    name = name.substr(0, dot);
  }
  const std::size_t underscore = name.find('_');
  if (underscore != std::string_view::npos) {
    const std::string_view fork = name.substr(underscore + 1);
    if (fork == "fsm") {
      out.fork = RelationName::Fork::fsm;
    } else if (fork == "vm") {
      out.fork = RelationName::Fork::vm;
    } else if (fork == "init") {
      out.fork = RelationName::Fork::init;
    } else {
      return std::nullopt;
    }
    name = name.substr(0, underscore);
  }
  const auto filenode = number(name);
  if (!filenode) return std::nullopt;
  out.filenode = *filenode;
  return out;
}

bool is_servers(std::string_view path) {
  for (const char* begin : {"pg_", "base", "global", "PG_", "postgresql"}) {
    if (path.starts_with(begin)) return true;
  }
  return false;
}

Status walk_data(DataFolder& folder, int server_version,
                 const std::function<Status(WalkedFile file)>& visit, WalkFindings& findings) {
  return Walk(folder, server_version, visit, findings).go_through({});
}

}  // namespace lb::pg
