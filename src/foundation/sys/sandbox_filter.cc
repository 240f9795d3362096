#include "foundation/sys/sandbox_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace lb {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t native = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t native = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t native = 0;
#endif

constexpr std::uint16_t load_word = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t if_equal = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t if_at_least = BPF_JMP | BPF_JGE | BPF_K;
constexpr std::uint16_t give = BPF_RET | BPF_K;
// Numbers from here on are the x32 calls of x86-64: the same acts under other numbers.
constexpr std::uint32_t other_numbers = 0x40000000;

class Program {
 public:
  void load(std::size_t offset) { add(load_word, static_cast<std::uint32_t>(offset)); }
  void refuse_if_equal(std::uint32_t value, int error) {
    add(if_equal, value, 0, 1);
    refuse(error);
  }
  void refuse_if_at_least(std::uint32_t value, int error) {
    add(if_at_least, value, 0, 1);
    refuse(error);
  }
  void refuse_unless_equal(std::uint32_t value, int error) {
    add(if_equal, value, 1, 0);
    refuse(error);
  }
  void allow_unless_equal(std::uint32_t value) {
    add(if_equal, value, 1, 0);
    allow();
  }
  void allow_if_equal(std::uint32_t value) {
    add(if_equal, value, 0, 1);
    allow();
  }
  void allow() { add(give, SECCOMP_RET_ALLOW); }
  void refuse(int error) {
    add(give, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error & 0xffff));
  }
  std::vector<sock_filter>& steps() { return steps_; }

 private:
  void add(std::uint16_t code, std::uint32_t value, std::uint8_t yes = 0, std::uint8_t no = 0) {
    steps_.push_back(sock_filter{code, yes, no, value});
  }
  std::vector<sock_filter> steps_;
};

Program make_program() {
  Program program;
  program.load(offsetof(seccomp_data, arch));
  program.refuse_unless_equal(native, ENOSYS);
  program.load(offsetof(seccomp_data, nr));
  program.refuse_if_at_least(other_numbers, ENOSYS);
  for (auto number : {SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_keyctl,
                      SYS_add_key, SYS_request_key, SYS_bpf}) {
    program.refuse_if_equal(static_cast<std::uint32_t>(number), ENOSYS);
  }
  program.allow_unless_equal(static_cast<std::uint32_t>(SYS_socket));
  // The low half of the first argument: families are small numbers on little-endian machines.
  program.load(offsetof(seccomp_data, args));
  for (int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}) {
    program.allow_if_equal(static_cast<std::uint32_t>(family));
  }
  program.refuse(EAFNOSUPPORT);
  return program;
}

}  // namespace

Status filter_system_calls() {
  if (native == 0) {
    return Error(ErrorKind::unsupported, "no system call filter for this processor");
  }
  auto program = make_program();
  sock_fprog raw{static_cast<unsigned short>(program.steps().size()), program.steps().data()};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &raw, 0, 0) != 0) {
    return system_error(errno, "filter system calls in the sandbox");
  }
  return {};
}

}  // namespace lb
