#include "foundation/sys/sandbox_marker.h"

#include <unistd.h>

#include "foundation/base/text.h"
#include "foundation/sys/sandbox.h"

namespace lb {

namespace {

constexpr std::uint64_t text_bytes_max = 1 << 16;
constexpr std::string_view first_line = "lifeboat sandbox 1";

Result<std::string> read_text(Files& files, const std::string& path) {
  auto bytes = LB_TRY(read_file(files, path, text_bytes_max));
  return std::string(text_of(bytes));
}

struct Life {
  char state = '?';
  std::uint64_t started = 0;
};

// The name of the program, in parentheses, may hold anything: the fields are counted after its end.
Result<Life> life_of(Files& files, std::int64_t pid) {
  constexpr std::size_t state_field = 0, started_field = 19;
  auto text = LB_TRY(read_text(files, cat("/proc/", pid, "/stat")));
  auto end = text.rfind(") ");
  auto fields = split(end == std::string::npos ? "" : text.substr(end + 2), ' ');
  if (fields.size() <= started_field || fields[state_field].size() != 1) {
    return Error(ErrorKind::corrupt, cat("/proc/", pid, "/stat has another form"));
  }
  auto started = LB_TRY(parse_uint(fields[started_field]));
  return Life{fields[state_field][0], started};
}

}  // namespace

Result<OwnerId> this_owner(Files& files) {
  OwnerId owner;
  owner.pid = ::getpid();
  auto life = LB_TRY(life_of(files, owner.pid));
  owner.started = life.started;
  auto boot = LB_TRY(read_text(files, "/proc/sys/kernel/random/boot_id"));
  owner.boot = trim(boot);
  owner.pids = LB_TRY(files.read_link("/proc/self/ns/pid"));
  return owner;
}

bool owner_gone(Files& files, const OwnerId& owner) {
  auto here = this_owner(files);
  if (!here.ok()) return false;
  if (here->boot != owner.boot) return true;
  if (here->pids != owner.pids) return false;
  auto life = life_of(files, owner.pid);
  if (!life.ok()) return life.error().kind() == ErrorKind::not_found;
  return life->started != owner.started || life->state == 'Z' || life->state == 'X';
}

Status write_marker(Files& files, const std::string& folder, const OwnerId& owner) {
  auto text = cat(first_line, "\n", owner.pid, "\n", owner.started, "\n", owner.boot, "\n",
                  owner.pids, "\n");
  return write_durably(files, path_join(folder, marker_name), view_of(text));
}

Result<std::string> claim_sandbox_folder(Files& files, const std::string& root,
                                         const std::string& name) {
  auto owner = LB_TRY(this_owner(files));
  auto claim = path_join(root, cat(claim_prefix, name));
  auto folder = path_join(root, name);
  // A sweep may take the claim for an empty one that a killed process left: then it is made again.
  Status marked;
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto made = files.make_directory(claim, 0755);
    if (!made.ok() && made.error().kind() != ErrorKind::conflict)
      return std::move(made).take_error();
    marked = write_marker(files, claim, owner);
    if (marked.ok() || marked.error().kind() != ErrorKind::not_found) break;
  }
  LB_TRY(std::move(marked).context(cat("mark ", printable(claim))));
  // The umask of whoever runs this must not lock the sandbox's user out.
  LB_TRY(files.set_mode(claim, 0755));
  LB_TRY(files.rename(claim, folder));
  return folder;
}

Status remove_sandbox_folder(Files& files, const std::string& folder) {
  auto entries = files.list(folder);
  if (!entries.ok()) {
    bool gone = entries.error().kind() == ErrorKind::not_found;
    return gone ? Status() : Status(std::move(entries).take_error());
  }
  for (const auto& entry : *entries) {
    if (entry.name != marker_name) LB_TRY(remove_tree(files, path_join(folder, entry.name)));
  }
  return remove_tree(files, folder);
}

Result<OwnerId> read_marker(Files& files, const std::string& folder) {
  auto text = LB_TRY(read_text(files, path_join(folder, marker_name)));
  auto lines = split(text, '\n');
  if (lines.size() != 6 || lines[0] != first_line || lines[3].empty()) {
    return Error(ErrorKind::corrupt,
                 cat("the sandbox marker in ", printable(folder), " is damaged"));
  }
  OwnerId owner;
  owner.pid = LB_TRY(parse_int(lines[1]));
  owner.started = LB_TRY(parse_uint(lines[2]));
  owner.boot = lines[3];
  owner.pids = lines[4];
  return owner;
}

}  // namespace lb
