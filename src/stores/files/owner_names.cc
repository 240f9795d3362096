#include "stores/files/owner_names.h"

#include "foundation/base/text.h"

namespace lb::files {

namespace {

constexpr std::uint64_t list_bytes_max = 16 << 20;

// "name:password:number:…" a line. The first name of a number is its name, as for the C library.
std::map<std::uint32_t, std::string> parse_list(std::string_view text) {
  std::map<std::uint32_t, std::string> out;
  for (const auto& line : split(text, '\n')) {
    auto fields = split(line, ':');
    if (fields.size() < 3) continue;
    auto number = parse_uint(fields[2]);
    if (!number.ok() || *number > UINT32_MAX) continue;
    out.emplace(static_cast<std::uint32_t>(*number), fields[0]);
  }
  return out;
}

const std::string& look_up(const std::map<std::uint32_t, std::string>& names, std::uint32_t id) {
  static const std::string unknown;
  auto found = names.find(id);
  return found == names.end() ? unknown : found->second;
}

}  // namespace

OwnerNames OwnerNames::parse(std::string_view passwd, std::string_view group) {
  OwnerNames out;
  out.users_ = parse_list(passwd);
  out.groups_ = parse_list(group);
  return out;
}

OwnerNames OwnerNames::read(Files& files) {
  auto text = [&](const char* path) {
    auto bytes = read_file(files, path, list_bytes_max);
    return bytes.ok() ? std::string(text_of(*bytes)) : std::string();
  };
  return parse(text("/etc/passwd"), text("/etc/group"));
}

const std::string& OwnerNames::user(std::uint32_t uid) const { return look_up(users_, uid); }
const std::string& OwnerNames::group(std::uint32_t gid) const { return look_up(groups_, gid); }

}  // namespace lb::files
