// OwnerNames: the names of users and groups, read once from /etc/passwd and /etc/group. Names are
// recorded for people; restore uses the numbers. Thread-safe once made.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "foundation/sys/files.h"

namespace lb::files {

class OwnerNames {
 public:
  OwnerNames() = default;
  static OwnerNames read(Files& files);  // files that cannot be read give no names
  static OwnerNames parse(std::string_view passwd, std::string_view group);

  const std::string& user(std::uint32_t uid) const;  // empty when unknown
  const std::string& group(std::uint32_t gid) const;

 private:
  std::map<std::uint32_t, std::string> users_, groups_;
};

}  // namespace lb::files
