// Control groups of sandboxes: memory and CPU limits, by version 2 where it holds the controllers,
// else by version 1. What could not be applied is said, never claimed. Private to foundation/sys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/sys/files.h"
#include "foundation/sys/sandbox.h"

namespace lb {

// Where the calling process may make groups: one entry for each mounted hierarchy.
struct CgroupPlace {
  bool two = false;                      // version 2
  std::vector<std::string> controllers;  // version 1 only
  std::string mount, own;                // folder of the mount; folder of the caller's own group
};

// From the texts of /proc/self/mountinfo and /proc/self/cgroup. Pure.
std::vector<CgroupPlace> cgroup_places(std::string_view mountinfo, std::string_view own);

class SandboxCgroup {
 public:
  // Never fails: what could not be applied is listed as missing.
  static SandboxCgroup make(Files& files, const std::string& name, const SandboxSpec& spec);

  Status add(Files& files, int pid);
  Status remove(Files& files);  // idempotent; kills what is inside
  const std::vector<std::string>& applied() const { return applied_; }

 private:
  std::vector<std::string> folders_;
  std::vector<std::string> applied_;
};

// Removes the groups of sandboxes whose owner is gone, as told by `owner_gone(name)`.
using OwnerGone = bool (*)(Files& files, std::string_view name);
Status sweep_cgroups(Files& files, OwnerGone owner_gone);

constexpr std::string_view cgroup_prefix = "lifeboat-sandbox-";

}  // namespace lb
