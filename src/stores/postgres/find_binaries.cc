#include <vector>

#include "foundation/base/text.h"
#include "stores/postgres/restore.h"

namespace lb::pg {

namespace {

constexpr std::size_t environment_bytes_max = 1 << 20;
constexpr std::string_view places_variable = "LIFEBOAT_POSTGRES=";
constexpr int newest_major = 18;

// What LIFEBOAT_POSTGRES says: folders, with a colon between them. It describes the machine, like
// PATH, and is looked up where binaries are, instead of being handed down through every restore.
std::vector<std::string> named_folders(Files& files) {
  std::vector<std::string> folders;
  auto environment = read_file(files, "/proc/self/environ", environment_bytes_max);
  if (!environment.ok()) return folders;
  for (const auto& entry : split(text_of(*environment), '\0')) {
    if (!entry.starts_with(places_variable)) continue;
    for (const auto& folder : split(entry.substr(places_variable.size()), ':')) {
      if (folder.starts_with('/')) folders.push_back(folder);
    }
  }
  return folders;
}

std::vector<std::string> places_of(Files& files, int major) {
  std::vector<std::string> places;
  for (const auto& folder : named_folders(files)) places.push_back(cat(folder, "/", major, "/bin"));
  for (const auto& place :
       {cat("/usr/lib/postgresql/", major, "/bin"), cat("/usr/pgsql-", major, "/bin"),
        cat("/opt/postgresql/", major, "/bin"), cat("/usr/local/pgsql-", major, "/bin")})
    places.push_back(place);
  return places;
}

bool has(Files& files, const std::string& folder, const char* program) {
  auto there = path_exists(files, path_join(folder, program));
  return there.ok() && *there;
}

std::string install_hint(const char* package, int major) {
  return cat("install ", package, major, " (Debian: apt install ", package, major,
             "), or name the folder that holds ", major, "/bin in LIFEBOAT_POSTGRES");
}

}  // namespace

Result<std::string> find_binaries(Files& files, int server_version) {
  auto major = server_version / 10000;
  for (const auto& place : places_of(files, major)) {
    if (has(files, place, "postgres")) return place;
  }
  return Error(ErrorKind::not_found, cat("the sandbox lacks PostgreSQL ", major,
                                         ": no server of that version is installed here"))
      .with_exit(ExitCode::target_unreachable)
      .with_hint(cat("a physical copy runs only on its own major version, and the backup may well "
                     "be good: ",
                     install_hint("postgresql-", major)));
}

Result<std::string> find_client_programs(Files& files, int source_version, int target_version) {
  auto source = source_version / 10000;
  auto target = target_version / 10000;
  // The target's own write what it understands best; older ones do too, newer ones may not.
  std::vector<int> majors;
  for (int major = target; major >= source; --major) majors.push_back(major);
  for (int major = std::max(target, source - 1) + 1; major <= newest_major; ++major)
    majors.push_back(major);
  for (int major : majors) {
    for (const auto& place : places_of(files, major)) {
      if (has(files, place, "pg_dump") && has(files, place, "psql")) return place;
    }
  }
  return Error(ErrorKind::not_found,
               cat("no pg_dump and psql of PostgreSQL ", source, " or later are installed here"))
      .with_exit(ExitCode::target_unreachable)
      .with_hint(install_hint("postgresql-client-", std::max(source, target)));
}

}  // namespace lb::pg
