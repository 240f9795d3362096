#include <set>

#include "foundation/base/text.h"
#include "stores/postgres/recorded_fingerprint.h"
#include "stores/postgres/restore.h"

namespace lb::pg {

namespace {

// Replay keeps a window of segments beside the data, and the server writes a few of its own.
constexpr std::uint64_t segments_beside = 8;
constexpr std::uint64_t bytes_beside = 64ull << 20;
constexpr std::size_t control_file_max = 1 << 20;

struct Place {
  std::string folder;
  std::uint64_t present = 0;
};

struct Folders {
  std::string share, library;
};

Result<Folders> ask_folders(World& world, const std::string& binaries) {
  Folders folders;
  for (auto [flag, out] :
       {std::pair{"--sharedir", &folders.share}, {"--pkglibdir", &folders.library}}) {
    Command command;
    command.argv = {path_join(binaries, "pg_config"), flag};
    command.environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C"}};
    auto finished = LB_TRY(world.processes.run(command, Seconds(20), {}));
    if (!finished.ok()) return Error(ErrorKind::unavailable, cat("pg_config ", flag, " failed"));
    *out = std::string(trim(finished.output));
  }
  return folders;
}

// "module_pathname = '$libdir/amcheck'" -> "amcheck"; empty when the extension has no library.
std::string library_of(std::string_view control) {
  for (const auto& line : split(control, '\n')) {
    auto text = trim(line);
    if (!text.starts_with("module_pathname")) continue;
    auto from = text.find('\'');
    auto to = text.rfind('\'');
    if (from == std::string_view::npos || to <= from) return {};
    auto path = std::string(text.substr(from + 1, to - from - 1));
    return replace_all(path, "$libdir/", "");
  }
  return {};
}

// Names of all extensions in the fingerprint, each once.
Result<std::set<std::string>> extensions_of(repo::SnapshotReader& snapshot) {
  std::set<std::string> names;
  auto json = LB_TRY(read_fingerprint(snapshot));
  if (!json) return names;
  for (const auto& database : (*json)["databases"].items()) {
    for (const auto& extension : database["extensions"].items())
      names.insert(extension["name"].string());
  }
  return names;
}

Result<Diagnosis> check_extension(Files& files, const Folders& folders, const std::string& name,
                                  int major) {
  Diagnosis finding{true, cat("extension ", printable(name)), "installed", {}};
  auto missing = [&](std::string what) {
    finding.ok = false;
    finding.text = std::move(what);
    finding.hint = cat("install it for PostgreSQL ", major,
                       " on this machine (Debian: apt search postgresql-", major, ")");
    return finding;
  };
  if (name.find('/') != std::string::npos) return missing("its name is not a file name");
  auto control = path_join(folders.share, cat("extension/", name, ".control"));
  auto there = LB_TRY(path_exists(files, control));
  if (!there) return missing(cat("extension ", printable(name), " is used but not installed here"));
  auto text = LB_TRY(read_file(files, control, control_file_max));
  auto library = library_of(text_of(text));
  if (library.empty()) return finding;
  auto path = library[0] == '/' ? library : path_join(folders.library, library);
  if (!path.ends_with(".so")) path += ".so";
  auto has_library = LB_TRY(path_exists(files, path));
  if (!has_library)
    return missing(cat("the library of extension ", printable(name), " is missing: ", path));
  return finding;
}

Status check_extensions(World& world, repo::SnapshotReader& snapshot, const std::string& binaries,
                        int major, PreflightOutcome& outcome) {
  auto names = LB_TRY(extensions_of(snapshot));
  if (names.empty()) return {};
  auto folders = ask_folders(world, binaries);
  if (!folders.ok()) {
    outcome.unseen.push_back(
        {false, "extensions", cat("extensions not examined: ", folders.error().text()),
         cat("install pg_config of PostgreSQL ", major, ", or see by hand that this machine has ",
             join(std::vector<std::string>(names.begin(), names.end()), ", "))});
    return {};
  }
  for (const auto& name : names) {
    auto finding = LB_TRY(check_extension(world.files, *folders, name, major));
    outcome.findings.push_back(std::move(finding));
  }
  return {};
}

// The nearest folder that exists: its file system will take the data.
Result<std::string> existing_parent(Files& files, std::string folder) {
  for (;;) {
    auto there = LB_TRY(path_exists(files, folder));
    if (there || folder == "/" || folder == ".") return folder;
    folder = path_parent(folder);
  }
}

std::uint64_t needed_bytes(const repo::SnapshotInfo& info, const SnapshotDetails& details,
                           std::uint64_t segments) {
  auto beside = std::min(segments_beside, segments) * details.segment_bytes;
  return info.logical_bytes + info.logical_bytes / 50 + beside + bytes_beside;
}

Status check_space(World& world, repo::SnapshotReader& snapshot, const SnapshotDetails& details,
                   const RecoveryTarget& target, const Place& where, PreflightOutcome& outcome) {
  const auto& info = snapshot.info();
  outcome.bytes_needed = needed_bytes(info, details, target.needed.size() + 2);
  auto place = LB_TRY(existing_parent(world.files, where.folder));
  auto space = LB_TRY(world.files.space(place));
  outcome.bytes_available = space.available + where.present;
  bool enough = outcome.bytes_available >= outcome.bytes_needed;
  outcome.findings.push_back(
      {enough, "space",
       cat(human_size(outcome.bytes_needed), " needed, ", human_size(outcome.bytes_available),
           " available in ", printable(place)),
       enough ? "" : "free space there, or restore to another place"});
  bool inodes = space.inodes_available == 0 || space.inodes_available > info.rows;
  outcome.findings.push_back(
      {inodes, "inodes", cat(info.rows, " files, ", space.inodes_available, " inodes available"),
       inodes ? "" : "restore to a file system with more inodes"});
  return {};
}

}  // namespace

Result<PreflightOutcome> preflight(World& world, repo::SnapshotReader& snapshot,
                                   const RecoveryTarget& target, const std::string& folder,
                                   std::uint64_t present) {
  PreflightOutcome outcome;
  auto details = LB_TRY(decode_details(snapshot.info().meta.details));
  LB_TRY(check_space(world, snapshot, details, target, {folder, present}, outcome));
  auto installed = LB_TRY(check_installed(world, snapshot));
  outcome.findings.insert(outcome.findings.end(), installed.findings.begin(),
                          installed.findings.end());
  outcome.unseen = std::move(installed.unseen);
  return outcome;
}

Result<PreflightOutcome> check_installed(World& world, repo::SnapshotReader& snapshot) {
  PreflightOutcome outcome;
  auto details = LB_TRY(decode_details(snapshot.info().meta.details));
  auto major = details.server_version / 10000;
  auto binaries = find_binaries(world.files, details.server_version);
  if (!binaries.ok()) {
    outcome.findings.push_back(
        {false, cat("PostgreSQL ", major), binaries.error().text(), binaries.error().hint()});
    return outcome;
  }
  outcome.findings.push_back({true, cat("PostgreSQL ", major), *binaries, {}});
  LB_TRY(check_extensions(world, snapshot, *binaries, major, outcome));
  return outcome;
}

Result<std::uint64_t> bytes_needed_at_most(repo::SnapshotReader& snapshot) {
  auto details = LB_TRY(decode_details(snapshot.info().meta.details));
  return needed_bytes(snapshot.info(), details, segments_beside);
}

}  // namespace lb::pg
