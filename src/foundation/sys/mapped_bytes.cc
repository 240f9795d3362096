#include "foundation/sys/mapped_bytes.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <optional>

namespace lb {

namespace {

// What the handler may touch: no locks, no memory that is given back. A range whose `end` is 0
// holds nothing; `begin` changes only then.
struct Range {
  std::atomic<bool> taken = false;
  std::atomic<std::uintptr_t> begin = 0, end = 0;
  bool holds(std::uintptr_t address) const {
    const std::uintptr_t first = begin, last = end;
    return address >= first && address < last && begin == first;  // both of one mapping
  }
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);

std::array<Range, 64> ranges;
struct sigaction handled_before;
std::uintptr_t page_size;

// Zeros for one page of a mapping, whose owner cannot go away while somebody reads it.
bool put_zeros(std::uintptr_t address) {
  for (const auto& range : ranges) {
    if (!range.holds(address)) continue;
    auto* page = reinterpret_cast<void*>(address / page_size * page_size);  // NOLINT: an address
    return ::mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
           page;
  }
  return false;
}

void on_bus_error(int number, siginfo_t* info, void* /*context*/) {
  const int errno_before = errno;
  bool fault = info->si_code > 0;  // not sent by somebody
  if (!fault || !put_zeros(reinterpret_cast<std::uintptr_t>(info->si_addr))) {  // NOLINT
    ::sigaction(SIGBUS, &handled_before, nullptr);
    if (!fault) ::raise(number);  // a fault comes again by itself
  }
  errno = errno_before;
}

bool install_handler() {
  page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action {};
  action.sa_sigaction = &on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  return ::sigaction(SIGBUS, &action, &handled_before) == 0;
}

std::optional<std::size_t> take_slot() {
  for (std::size_t slot = 0; slot < ranges.size(); ++slot) {
    if (!ranges[slot].taken.exchange(true)) return slot;
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<MappedBytes> MappedBytes::of(int descriptor, std::uint64_t size) {
  static const bool handled = install_handler();
  if (!handled || size == 0 || size > SIZE_MAX) return nullptr;
  auto slot = take_slot();
  if (!slot) return nullptr;
  auto& range = ranges[*slot];
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  if (at == MAP_FAILED) {  // NOLINT: the system's own constant
    range.taken = false;
    return nullptr;
  }
  // Looks are random: what lies beside one is not wanted.
  (void)::madvise(at, size, MADV_RANDOM);
  range.begin = reinterpret_cast<std::uintptr_t>(at);  // NOLINT: what the handler compares
  range.end = range.begin + size;
  ByteView bytes(static_cast<const std::uint8_t*>(at), size);
  return std::unique_ptr<MappedBytes>(new MappedBytes(bytes, *slot));
}

MappedBytes::~MappedBytes() {
  auto& range = ranges[slot_];
  range.end = 0;
  (void)::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
  range.taken = false;
}

}  // namespace lb
