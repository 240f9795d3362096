#include "stores/postgres/layout_paths.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/sys/files.h"

namespace lb::pg {

namespace {

bool is_safe(const std::vector<std::string>& parts) {
  for (const auto& part : parts) {
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string::npos)
      return false;
  }
  return true;
}

// Not brought back: it belongs to the server that was backed up, or would lead to its places.
bool is_left_out(const std::string& key) {
  for (const char* name :
       {"postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal", "tablespace_map",
        "backup_manifest", "backup_label.old", "tablespace_map.old"}) {
    if (key == name) return true;
  }
  // What a server that was restored by Lifeboat keeps there comes as rows of its tablespaces.
  if (key == tablespaces_folder || key.starts_with(cat(tablespaces_folder, "/"))) return true;
  return key.starts_with("pg_replslot/") || key.starts_with("pg_wal/") ||
         key.starts_with("pg_stat_tmp/");
}

}  // namespace

LayoutPaths::LayoutPaths(std::string folder,
                         std::vector<std::pair<std::uint32_t, std::string>> tablespaces)
    : folder_(std::move(folder)), tablespaces_(std::move(tablespaces)) {}

std::string LayoutPaths::tablespace(std::uint32_t oid) const {
  for (const auto& [mapped, path] : tablespaces_) {
    if (mapped == oid) return path;
  }
  return path_join(folder_, cat(tablespaces_folder, "/", oid));
}

bool LayoutPaths::is_mapped(std::uint32_t oid) const {
  return std::any_of(tablespaces_.begin(), tablespaces_.end(),
                     [&](const auto& each) { return each.first == oid; });
}

Result<LayoutPaths::Place> LayoutPaths::place(const std::string& key) const {
  auto parts = split(key, '/');
  if (!is_safe(parts)) {
    return Error(ErrorKind::corrupt,
                 cat("the snapshot holds an impossible path: '", printable(key), "'"));
  }
  Place place;
  if (parts[0] == "pg_tblspc" && parts.size() > 1) {
    auto oid = parse_uint(parts[1]);
    if (!oid.ok() || *oid == 0 || *oid > 0xffffffffu) {
      return Error(ErrorKind::corrupt, cat("'", printable(key), "' is in no tablespace"));
    }
    place.tablespace = static_cast<std::uint32_t>(*oid);
    place.path = tablespace(*place.tablespace);
    for (std::size_t i = 2; i < parts.size(); ++i) place.path = path_join(place.path, parts[i]);
    place.skip = parts.size() == 2;
    return place;
  }
  place.skip = is_left_out(key);
  place.path = path_join(folder_, key == "global/pg_control" ? "global/pg_control.lifeboat" : key);
  return place;
}

}  // namespace lb::pg
