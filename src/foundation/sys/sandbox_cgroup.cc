#include "foundation/sys/sandbox_cgroup.h"

#include <csignal>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "foundation/base/text.h"

namespace lb {

namespace {

constexpr std::uint64_t text_bytes_max = 16 << 20;
constexpr std::uint64_t period_micros = 100000;

std::string read_text(Files& files, const std::string& path) {
  auto bytes = read_file(files, path, text_bytes_max);
  return bytes.ok() ? std::string(text_of(*bytes)) : std::string();
}

Status write_value(Files& files, const std::string& path, const std::string& value) {
  auto file = LB_TRY(files.open_write(path));
  return file->write_at(view_of(value), 0);
}

// "\040" and the like in mountinfo.
std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool octal = text[i] == '\\' && i + 3 < text.size();
    if (octal) {
      out +=
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

struct OwnLine {
  std::vector<std::string> controllers;
  std::string path;
};

std::vector<OwnLine> own_lines(std::string_view text) {
  std::vector<OwnLine> out;
  for (const auto& line : split(text, '\n')) {
    auto first = line.find(':');
    auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    out.push_back(
        {split(line.substr(first + 1, second - first - 1), ','), line.substr(second + 1)});
  }
  return out;
}

bool holds(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::string own_folder(const std::string& mount, const std::string& root, const std::string& path) {
  // In a container the mount may show only a part of the hierarchy.
  std::string below = path;
  if (root != "/" && path.starts_with(root)) below = path.substr(root.size());
  return below.empty() || below == "/" ? mount : cat(mount, below);
}

}  // namespace

std::vector<CgroupPlace> cgroup_places(std::string_view mountinfo, std::string_view own) {
  std::vector<CgroupPlace> out;
  auto lines = own_lines(own);
  for (const auto& line : split(mountinfo, '\n')) {
    auto fields = split(line, ' ');
    auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 10 || fields.end() - dash < 4) continue;
    CgroupPlace place;
    place.two = dash[1] == "cgroup2";
    if (!place.two && dash[1] != "cgroup") continue;
    place.mount = unescape(fields[4]);
    auto options = split(dash[3], ',');
    for (const auto& [controllers, path] : lines) {
      bool same = place.two ? controllers == std::vector<std::string>{""}
                            : holds(options, controllers.front());
      if (!same) continue;
      if (!place.two) place.controllers = controllers;
      place.own = own_folder(place.mount, unescape(fields[3]), path);
      out.push_back(place);
      break;
    }
  }
  return out;
}

namespace {

class Maker {
 public:
  Maker(Files& files, const std::string& name)
      : files_(files),
        name_(name),
        places_(cgroup_places(read_text(files, "/proc/self/mountinfo"),
                              read_text(files, "/proc/self/cgroup"))) {}

  struct Group {
    std::string folder;
    bool two = false;
  };

  // A fresh group that has the controller. The same one serves several controllers.
  Result<Group> group_with(const std::string& controller) {
    for (const auto& place : places_) {
      auto group = place.two ? group_two(place, controller) : group_one(place, controller);
      if (group) return *group;
    }
    return Error(ErrorKind::unsupported,
                 cat("no control group with the ", controller, " controller can be made here"));
  }

  std::vector<std::string> folders;

 private:
  bool made(const std::string& folder) {
    if (holds(folders, folder)) return true;
    if (!files_.make_directory(folder, 0755).ok()) return false;
    folders.push_back(folder);
    return true;
  }

  std::optional<Group> group_one(const CgroupPlace& place, const std::string& controller) {
    auto folder = path_join(place.own, name_);
    if (!holds(place.controllers, controller) || !made(folder)) return std::nullopt;
    return Group{folder, false};
  }

  // A group that holds processes cannot hand controllers down (except the root), so the way goes up
  // from the caller's own group to the first that hands this one down or can be told to.
  std::optional<Group> group_two(const CgroupPlace& place, const std::string& controller) {
    for (auto folder = place.own;; folder = path_parent(folder)) {
      auto has = split(trim(read_text(files_, path_join(folder, "cgroup.controllers"))), ' ');
      auto control = path_join(folder, "cgroup.subtree_control");
      bool down = holds(split(trim(read_text(files_, control)), ' '), controller);
      if (!down && holds(has, controller)) {
        down = write_value(files_, control, cat("+", controller)).ok();
      }
      auto group = path_join(folder, name_);
      if (down && made(group)) return Group{group, true};
      if (folder.size() <= place.mount.size()) return std::nullopt;
    }
  }

  Files& files_;
  std::string name_;
  std::vector<CgroupPlace> places_;
};

Result<std::string> limit_memory(Files& files, Maker& maker, std::uint64_t bytes) {
  auto group = LB_TRY(maker.group_with("memory"));
  auto value = std::to_string(bytes);
  auto file = group.two ? "memory.max" : "memory.limit_in_bytes";
  LB_TRY(write_value(files, path_join(group.folder, file), value));
  // Swap would stretch the limit; kernels without swap accounting have no such file.
  (void)(group.two
             ? write_value(files, path_join(group.folder, "memory.swap.max"), "0")
             : write_value(files, path_join(group.folder, "memory.memsw.limit_in_bytes"), value));
  return cat("memory limit ", human_size(bytes), " (cgroup v", group.two ? "2" : "1", ")");
}

Result<std::string> limit_cpu(Files& files, Maker& maker, double cpus) {
  auto group = LB_TRY(maker.group_with("cpu"));
  auto quota = std::max<long long>(1000, std::llround(cpus * static_cast<double>(period_micros)));
  if (group.two) {
    LB_TRY(write_value(files, path_join(group.folder, "cpu.max"), cat(quota, " ", period_micros)));
  } else {
    LB_TRY(write_value(files, path_join(group.folder, "cpu.cfs_period_us"),
                       std::to_string(period_micros)));
    LB_TRY(write_value(files, path_join(group.folder, "cpu.cfs_quota_us"), std::to_string(quota)));
  }
  return cat("CPU limit ", fixed(cpus, 2), " cores (cgroup v", group.two ? "2" : "1", ")");
}

void kill_all(Files& files, const std::string& folder) {
  if (write_value(files, path_join(folder, "cgroup.kill"), "1").ok()) return;
  for (const auto& line : split(read_text(files, path_join(folder, "cgroup.procs")), '\n')) {
    auto number = parse_int(line);
    if (number.ok() && *number > 1) ::kill(static_cast<pid_t>(*number), SIGKILL);
  }
}

Status remove_group(Files& files, const std::string& folder) {
  constexpr int tries = 200;
  for (int i = 0;; ++i) {
    auto removed = files.remove_directory(folder);
    if (removed.ok() || removed.error().kind() == ErrorKind::not_found) return {};
    if (i == tries) return removed;
    // The kernel lets go of the dead a moment after their death.
    kill_all(files, folder);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace

SandboxCgroup SandboxCgroup::make(Files& files, const std::string& name, const SandboxSpec& spec) {
  SandboxCgroup out;
  Maker maker(files, name);
  auto note = [&](const Result<std::string>& result, std::string_view what) {
    out.applied_.push_back(result.ok() ? *result
                                       : cat("missing: ", what, " (", result.error().text(), ")"));
  };
  if (spec.memory_bytes > 0) note(limit_memory(files, maker, spec.memory_bytes), "memory limit");
  if (spec.cpus > 0) note(limit_cpu(files, maker, spec.cpus), "CPU limit");
  out.folders_ = maker.folders;
  return out;
}

Status SandboxCgroup::add(Files& files, int pid) {
  for (const auto& folder : folders_) {
    LB_TRY(write_value(files, path_join(folder, "cgroup.procs"), std::to_string(pid)));
  }
  return {};
}

Status SandboxCgroup::remove(Files& files) {
  while (!folders_.empty()) {
    LB_TRY(remove_group(files, folders_.back()));
    folders_.pop_back();
  }
  return {};
}

Status sweep_cgroups(Files& files, OwnerGone owner_gone) {
  auto places = cgroup_places(read_text(files, "/proc/self/mountinfo"),
                              read_text(files, "/proc/self/cgroup"));
  Status first;
  for (const auto& place : places) {
    for (auto folder = place.own;; folder = path_parent(folder)) {
      auto entries = files.list(folder);
      for (const auto& entry : entries.ok() ? *entries : std::vector<DirEntry>()) {
        if (!entry.name.starts_with(cgroup_prefix) || !owner_gone(files, entry.name)) continue;
        auto removed = remove_group(files, path_join(folder, entry.name));
        if (!removed.ok() && first.ok()) first = std::move(removed);
      }
      if (folder.size() <= place.mount.size()) break;
    }
  }
  return first;
}

}  // namespace lb
