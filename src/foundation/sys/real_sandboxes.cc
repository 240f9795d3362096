#include <pwd.h>
#include <unistd.h>

#include <atomic>

#include "foundation/base/text.h"
#include "foundation/sys/real_sandbox.h"
#include "foundation/sys/sandbox_marker.h"

namespace lb {

namespace {

// "lifeboat-sandbox-<pid>-<started>-<pid namespace>-<number>"
std::string group_name(const OwnerId& owner) {
  static std::atomic<int> next = 0;
  return cat(cgroup_prefix, owner.pid, "-", owner.started, "-", namespace_number(owner.pids), "-",
             ++next);
}

bool group_owner_gone(Files& files, std::string_view name) {
  auto parts = split(name.substr(cgroup_prefix.size()), '-');
  auto owner = owner_of_parts(files, parts);
  return parts.size() == 4 && owner.ok() && owner_gone(files, *owner);
}

Result<std::optional<UserId>> find_user(const std::string& name) {
  std::vector<char> room(1 << 16);
  passwd entry{};
  passwd* found = nullptr;
  int code = ::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  if (code != 0) return system_error(code, cat("look up user ", printable(name)));
  if (found == nullptr || found->pw_uid == 0) return std::optional<UserId>();
  return std::optional(UserId{found->pw_uid, found->pw_gid});
}

Status check_spec(const SandboxSpec& spec) {
  if (spec.user.uid == 0) return Error(ErrorKind::invalid, "a sandbox never runs as root");
  if (::geteuid() != 0 && spec.user.uid != ::geteuid()) {
    return Error(ErrorKind::denied, cat("only root can run a sandbox as user ", spec.user.uid));
  }
  if (!spec.folder.starts_with('/')) {
    return Error(ErrorKind::invalid,
                 cat("sandbox folder is not absolute: ", printable(spec.folder)));
  }
  return {};
}

class RealSandboxes final : public Sandboxes {
 public:
  explicit RealSandboxes(Files& files) : files_(files) {}

  Result<std::unique_ptr<Sandbox>> create(const SandboxSpec& spec) override {
    LB_TRY(check_spec(spec));
    auto owner = LB_TRY(this_owner(files_));
    LB_TRY(write_marker(files_, spec.folder, owner).context("mark the sandbox folder"));
    auto supervisor = LB_TRY(start_supervisor(forker_));
    auto cgroup = SandboxCgroup::make(files_, group_name(owner), spec);
    auto limits = cgroup.applied();
    auto added = cgroup.add(files_, supervisor.process->pid());
    if (!added.ok()) limits = {cat("missing: memory and CPU limits (", added.error().text(), ")")};
    auto init = LB_TRY(make_socket_pair());
    auto link = std::make_shared<SandboxLink>(files_, std::move(supervisor), std::move(init.ours),
                                              std::move(cgroup));
    auto isolation =
        LB_TRY(set_up(*link, spec, std::move(init.theirs)).context("create a sandbox"));
    isolation.insert(isolation.end(), limits.begin(), limits.end());
    return std::unique_ptr<Sandbox>(std::make_unique<RealSandbox>(link, std::move(isolation)));
  }

  Result<UserId> unprivileged_user(const std::string& preferred) override {
    if (::geteuid() != 0) return UserId{::geteuid(), ::getegid()};
    for (const std::string& name : {preferred, std::string("nobody")}) {
      auto user = LB_TRY(find_user(name));
      if (user) return *user;
    }
    return Error(ErrorKind::not_found,
                 cat("neither user ", printable(preferred), " nor nobody exists"));
  }

  Result<std::vector<std::string>> sweep(const std::string& root) override {
    std::vector<std::string> removed;
    auto entries = files_.list(root);
    if (!entries.ok() && entries.error().kind() != ErrorKind::not_found) {
      return std::move(entries).take_error();
    }
    Status first = sweep_cgroups(files_, &group_owner_gone);
    for (const auto& entry : entries.ok() ? *entries : std::vector<DirEntry>()) {
      auto folder = path_join(root, entry.name);
      auto owner = read_marker(files_, folder);
      bool claim = !owner.ok() && entry.name.starts_with(claim_prefix);
      if (claim) owner = claim_owner(files_, entry.name);
      if (claim && !owner.ok()) {
        // Of an older version, whose names told no owner: removed only while it is empty.
        if (files_.remove_directory(folder).ok()) removed.push_back(folder);
        continue;
      }
      // No marker or one that cannot be read: not ours to remove.
      if (entry.kind != FileKind::directory || !owner.ok() || !owner_gone(files_, *owner)) continue;
      auto gone = remove_sandbox_folder(files_, folder);
      if (gone.ok()) removed.push_back(folder);
      if (!gone.ok() && first.ok()) first = std::move(gone);
    }
    LB_TRY(std::move(first).context(cat("sweep ", printable(root))));
    return removed;
  }

 private:
  static Result<std::vector<std::string>> set_up(SandboxLink& link, const SandboxSpec& spec,
                                                 Descriptor init) {
    Buffer question;
    ByteWriter writer(question);
    writer.u8(static_cast<std::uint8_t>(ToSupervisor::set_up));
    put_spec(writer, spec);
    auto bytes = LB_TRY(link.ask(question, 1 << 20, init.get()));
    init.reset();
    ByteReader reader(bytes);
    LB_TRY(get_status(reader));
    auto isolation = LB_TRY(get_texts(reader));
    LB_TRY(link.await_init());
    return isolation;
  }

  Files& files_;
  std::shared_ptr<ForkThread> forker_ = std::make_shared<ForkThread>();
};

}  // namespace

std::unique_ptr<Sandboxes> real_sandboxes(Files& files) {
  return std::make_unique<RealSandboxes>(files);
}

}  // namespace lb
