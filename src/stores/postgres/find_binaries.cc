#include "foundation/base/text.h"
#include "stores/postgres/restore.h"

namespace lb::pg {

Result<std::string> find_binaries(Files& files, int server_version) {
  auto major = server_version / 10000;
  const std::string places[] = {
      cat("/usr/lib/postgresql/", major, "/bin"), cat("/usr/pgsql-", major, "/bin"),
      cat("/opt/postgresql/", major, "/bin"), cat("/usr/local/pgsql-", major, "/bin")};
  for (const auto& place : places) {
    auto there = path_exists(files, path_join(place, "postgres"));
    if (there.ok() && *there) return place;
  }
  return Error(ErrorKind::not_found, cat("no PostgreSQL ", major, " server is installed here"))
      .with_exit(ExitCode::target_unreachable)
      .with_hint(cat("a physical copy runs only on its own major version: install postgresql-",
                     major, " (Debian: apt install postgresql-", major, ")"));
}

}  // namespace lb::pg
