#include "foundation/sys/owner.h"

#include <unistd.h>

#include "foundation/base/text.h"

namespace lb {

namespace {

constexpr std::uint64_t text_bytes_max = 1 << 16;

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

std::string owner_text(std::string_view title, const OwnerId& owner) {
  return cat(title, "\n", owner.pid, "\n", owner.started, "\n", owner.boot, "\n", owner.pids, "\n");
}

Result<OwnerId> read_owner(Files& files, const std::string& path, std::string_view title) {
  auto text = LB_TRY(read_text(files, path));
  auto lines = split(text, '\n');
  if (lines.size() < 6 || lines[0] != title || lines[3].empty()) {
    return Error(ErrorKind::corrupt, cat(printable(path), " is damaged"));
  }
  OwnerId owner;
  owner.pid = LB_TRY(parse_int(lines[1]));
  owner.started = LB_TRY(parse_uint(lines[2]));
  owner.boot = lines[3];
  owner.pids = lines[4];
  return owner;
}

}  // namespace lb
