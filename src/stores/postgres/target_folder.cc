#include "stores/postgres/target_folder.h"

#include "foundation/base/text.h"
#include "stores/postgres/restore.h"
#include "stores/postgres/wal_bytes.h"

namespace lb::pg {

namespace {

constexpr std::uint64_t small_file_max = 64 << 10;

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

std::string server_in(const std::string& process) {
  return cat("is the data directory of a running server (process ", process, ")");
}

// The first line of postmaster.pid; empty when there is none that can be read.
std::string postmaster(Files& files, const std::string& folder) {
  auto bytes = read_file(files, path_join(folder, "postmaster.pid"), small_file_max);
  if (!bytes.ok()) return {};
  auto line = std::string(trim(split(text_of(*bytes), '\n').front()));
  return is_number(line) ? line : std::string();
}

bool is_server(Files& files, const std::string& process) {
  auto name = read_file(files, cat("/proc/", process, "/comm"), small_file_max);
  return name.ok() && trim(text_of(*name)).starts_with("postgres");
}

enum class Works { here, elsewhere, unknown };

// Servers and their children work in the data directory. It is compared by the file that marks it:
// paths may be named otherwise in there, as they are in a container.
Works place_of(Files& files, const std::string& process, const FileInfo& version) {
  auto seen = files.info(cat("/proc/", process, "/cwd/PG_VERSION"));
  if (!seen.ok()) {
    return seen.error().kind() == ErrorKind::not_found ? Works::elsewhere : Works::unknown;
  }
  bool same = seen->device == version.device && seen->inode == version.inode;
  return same ? Works::here : Works::elsewhere;
}

}  // namespace

Status refused_folder(const std::string& folder, std::string_view why, std::string hint) {
  return Error(ErrorKind::denied, cat(printable(folder), " ", why))
      .with_exit(ExitCode::refused)
      .with_hint(std::move(hint));
}

Status check_target_empty(Files& files, const std::string& folder) {
  if (folder.empty() || folder[0] != '/') {
    return Error(ErrorKind::invalid, cat("'", printable(folder), "' is not an absolute path"));
  }
  auto there = LB_TRY(path_exists(files, folder));
  if (!there) return {};
  auto info = LB_TRY(files.info(folder));
  if (info.kind != FileKind::directory) return refused_folder(folder, "is not a folder");
  auto entries = LB_TRY(files.list(folder));
  for (const auto& entry : entries) {
    if (entry.name != "postmaster.pid") continue;
    return refused_folder(folder, "holds postmaster.pid: a server may be running on it");
  }
  for (const auto& entry : entries) {
    const bool ours =
        entry.name == unfinished_mark || entry.name.starts_with(unfinished_mark_beside);
    if (!ours) return refused_folder(folder, "is not empty");
  }
  return {};
}

Status check_no_server(Files& files, const std::string& folder) {
  auto refuse = [&](const std::string& process) {
    return refused_folder(folder, server_in(process), "stop it first: pg_ctl stop");
  };
  auto version = files.info(path_join(folder, "PG_VERSION"));
  auto named = postmaster(files, folder);
  auto processes = LB_TRY(files.list("/proc"));
  for (const auto& process : processes) {
    if (!is_number(process.name) || !is_server(files, process.name)) continue;
    auto works = version.ok() ? place_of(files, process.name, *version) : Works::unknown;
    // One that cannot be looked at is believed to be what the lock file says.
    bool here = works == Works::here || (works == Works::unknown && process.name == named);
    if (here) return refuse(process.name);
  }
  return {};
}

std::optional<std::string> system_identifier_in(Files& files, const std::string& folder) {
  constexpr std::size_t identifier_bytes = 8;
  auto control = read_file(files, path_join(folder, "global/pg_control"), small_file_max);
  if (!control.ok() || control->size() < identifier_bytes) return std::nullopt;
  return std::to_string(load<std::uint64_t>(control->data()));
}

Result<PresentData> look_at_present_data(Files& files, const std::string& folder) {
  auto info = LB_TRY(files.info(folder));
  if (info.kind != FileKind::directory) return refused_folder(folder, "is not a folder").error();
  auto version = files.info(path_join(folder, "PG_VERSION"));
  if (!version.ok() || version->kind != FileKind::regular) {
    return refused_folder(folder, "is not empty and no data directory: PG_VERSION is missing")
        .error();
  }
  LB_TRY(check_no_server(files, folder));
  return PresentData{system_identifier_in(files, folder)};
}

Status check_same_major(Files& files, const std::string& folder, int server_version) {
  auto text = read_file(files, path_join(folder, "PG_VERSION"), small_file_max);
  if (!text.ok()) return {};
  auto present = parse_uint(trim(text_of(*text)));
  auto major = static_cast<std::uint64_t>(server_version / 10000);
  if (!present.ok() || *present == major) return {};
  return refused_folder(
      folder, cat("is a data directory of PostgreSQL ", *present, ", the point is of ", major),
      "physical files run on their own major version alone: carry databases over with lifeboat "
      "restore STORE --database NAME --into CONNINFO, or restore into a new folder");
}

Result<std::uint64_t> allocated_bytes(Files& files, const std::string& folder) {
  std::uint64_t bytes = 0;
  auto entries = LB_TRY(files.list(folder));
  for (const auto& entry : entries) {
    auto path = path_join(folder, entry.name);
    if (entry.kind == FileKind::directory) {
      bytes += LB_TRY(allocated_bytes(files, path));
    } else {
      auto info = LB_TRY(files.info(path));
      bytes += info.allocated;
    }
  }
  return bytes;
}

}  // namespace lb::pg
