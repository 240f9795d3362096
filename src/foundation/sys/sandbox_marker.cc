#include "foundation/sys/sandbox_marker.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/sys/sandbox.h"

namespace lb {

namespace {

constexpr std::string_view title = "lifeboat sandbox 1";

}  // namespace

Status write_marker(Files& files, const std::string& folder, const OwnerId& owner) {
  return write_durably(files, path_join(folder, marker_name), view_of(owner_text(title, owner)));
}

Result<OwnerId> read_marker(Files& files, const std::string& folder) {
  return read_owner(files, path_join(folder, marker_name), title);
}

std::string namespace_number(const std::string& pids) {
  auto open = pids.find('['), close = pids.find(']');
  return open == std::string::npos || close == std::string::npos
             ? "0"
             : pids.substr(open + 1, close - open - 1);
}

Result<OwnerId> owner_of_parts(Files& files, const std::vector<std::string>& parts) {
  Error unknown(ErrorKind::not_found, "the name tells no owner");
  auto here = LB_TRY(this_owner(files));
  if (parts.size() < 3 || parts[2] != namespace_number(here.pids)) return unknown;
  auto number = parse_int(parts[0]);
  auto started = parse_uint(parts[1]);
  if (!number.ok() || !started.ok()) return unknown;
  return OwnerId{*number, *started, here.boot, here.pids};
}

std::string claim_name(const OwnerId& owner, const std::string& name) {
  return cat(claim_prefix, owner.pid, "-", owner.started, "-", namespace_number(owner.pids), "-",
             name);
}

Result<OwnerId> claim_owner(Files& files, std::string_view folder_name) {
  folder_name.remove_prefix(std::min(folder_name.size(), claim_prefix.size()));
  return owner_of_parts(files, split(folder_name, '-'));
}

Result<std::string> claim_sandbox_folder(Files& files, const std::string& root,
                                         const std::string& name) {
  auto owner = LB_TRY(this_owner(files));
  auto claim = path_join(root, claim_name(owner, name));
  auto folder = path_join(root, name);
  // A sweep of an older version removes any empty claim: then it is made again.
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

}  // namespace lb
