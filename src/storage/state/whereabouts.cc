#include "storage/state/whereabouts.h"

#include <optional>
#include <vector>

#include "foundation/base/text.h"

namespace lb::state {

constexpr std::uint64_t small_file_max = 4 << 20;

static std::string content_of(Files& files, const std::string& path) {
  auto bytes = read_file(files, path, small_file_max);
  return bytes.ok() ? std::string(trim(text_of(*bytes))) : std::string();
}

struct ProcessStat {
  std::string pid, state, start;
};

// "pid (name) state ppid ...": the name may hold spaces and parentheses, so fields count from the
// last.
static std::optional<ProcessStat> read_stat(Files& files, const std::string& path) {
  const std::string text = content_of(files, path);
  const auto open = text.find(" (");
  const auto close = text.rfind(") ");
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  const auto fields = split(std::string_view(text).substr(close + 2), ' ');
  constexpr std::size_t start_field = 19;  // starttime, counted from the state
  if (fields.size() <= start_field) return std::nullopt;
  return ProcessStat{text.substr(0, open), fields[0], fields[start_field]};
}

static std::string user_name(Files& files) {
  auto facts = files.info("/proc/self/stat");
  if (!facts.ok()) return "unknown";
  const std::string uid = cat(facts->uid);
  for (const auto& line : split(content_of(files, "/etc/passwd"), '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() > 2 && fields[2] == uid) return fields[0];
  }
  return cat("uid ", uid);
}

Whereabouts whereabouts(Files& files) {
  Whereabouts out;
  out.host = content_of(files, "/proc/sys/kernel/hostname");
  if (out.host.empty()) out.host = "unknown";
  out.actor = user_name(files);
  const auto stat = read_stat(files, "/proc/self/stat");
  auto space = files.read_link("/proc/self/ns/pid");
  if (stat && space.ok()) {
    out.process =
        join({content_of(files, "/proc/sys/kernel/random/boot_id"), *space, stat->pid, stat->start},
             "/");
  }
  return out;
}

bool process_gone(Files& files, const std::string& process, const std::string& own) {
  const auto named = split(process, '/');
  const auto self = split(own, '/');
  if (named.size() != 4) return true;
  if (self.size() != 4) return false;
  if (named[0] != self[0]) return true;   // the machine has started anew since
  if (named[1] != self[1]) return false;  // its number means nothing here
  const auto stat = read_stat(files, cat("/proc/", named[2], "/stat"));
  // A zombie has ended; only its parent does not know yet.
  return !stat || stat->start != named[3] || stat->state == "Z" || stat->state == "X";
}

}  // namespace lb::state
