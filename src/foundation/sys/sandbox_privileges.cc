#include "foundation/sys/sandbox_privileges.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "foundation/base/text.h"
#include "foundation/sys/descriptor.h"

namespace lb {

namespace {

Error not_allowed(int error, std::string_view what) {
  return Error(ErrorKind::unsupported, cat("this machine does not allow isolation: ", what, ": ",
                                           system_error(error, "").text()))
      .with_hint(
          "run as root, or allow unprivileged user namespaces (sysctl user.max_user_namespaces, "
          "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)")
      .with_native(cat("errno ", error));
}

bool write_text(const char* path, const std::string& text) {
  Descriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  return file.valid() &&
         ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

Status enter_user_namespace() {
  auto uid = ::geteuid();
  auto gid = ::getegid();
  if (::unshare(CLONE_NEWUSER) != 0) return not_allowed(errno, "user namespace");
  // The kernel wants group changes given up before an unprivileged map of groups.
  if (!write_text("/proc/self/setgroups", "deny") ||
      !write_text("/proc/self/gid_map", cat(gid, " ", gid, " 1")) ||
      !write_text("/proc/self/uid_map", cat(uid, " ", uid, " 1"))) {
    return not_allowed(errno, "map the caller into a user namespace");
  }
  return {};
}

void drop_bounding_set() {
  for (unsigned long number = 0; number < 64; ++number) {
    if (::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0 && errno == EINVAL) return;
  }
}

bool bounding_set_empty() {
  for (unsigned long number = 0; number < 64; ++number) {
    int held = ::prctl(PR_CAPBSET_READ, number, 0, 0, 0);
    if (held < 0) return true;
    if (held > 0) return false;
  }
  return true;
}

bool drop_capabilities() {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  return ::syscall(SYS_capset, &header, none) == 0;
}

bool change_user(const UserId& user) {
  if (::geteuid() == 0 && ::syscall(SYS_setgroups, 0, nullptr) != 0) return false;
  return ::syscall(SYS_setresgid, user.gid, user.gid, user.gid) == 0 &&
         ::syscall(SYS_setresuid, user.uid, user.uid, user.uid) == 0;
}

}  // namespace

Status enter_namespaces() {
  if (::geteuid() != 0) LB_TRY(enter_user_namespace());
  int fresh = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID;
  if (::unshare(fresh) != 0) return not_allowed(errno, "network, mount and process namespaces");
  constexpr std::string_view name = "lifeboat-sandbox";
  if (::sethostname(name.data(), name.size()) != 0) return system_error(errno, "name the sandbox");
  return {};
}

Status give_up_privileges(const UserId& user) {
  drop_bounding_set();
  if (!change_user(user)) return system_error(errno, cat("become user ", user.uid));
  if (!drop_capabilities()) return system_error(errno, "drop capabilities");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return system_error(errno, "refuse new privileges");
  rlimit none{};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return system_error(errno, "switch core dumps off");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return system_error(errno, "refuse tracing");
  // Last: a change of user clears it.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return system_error(errno, "tie to the parent");
  // Trust is good, looking is better: nothing runs inside unless all of it holds.
  if (!bounding_set_empty() || ::geteuid() != user.uid || ::getegid() != user.gid) {
    return Error(ErrorKind::internal, "privileges remain in the sandbox");
  }
  return {};
}

}  // namespace lb
