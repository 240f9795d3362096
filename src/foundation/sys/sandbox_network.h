// The network of a sandbox: loopback, and a device into which every other packet goes, where it is
// counted, named and refused. Used by the supervisor inside the namespace. Private to
// foundation/sys.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "foundation/sys/descriptor.h"
#include "foundation/sys/sandbox.h"

namespace lb {

class SandboxNetwork {
 public:
  // To be called inside the fresh network namespace, before /proc is replaced.
  static Result<SandboxNetwork> bring_up();

  int packets() const { return device_.get(); }  // readable when packets wait; -1: none
  void refuse_packets();
  BlockedAttempts blocked();

 private:
  std::uint64_t kernel_count();

  Descriptor device_;
  Descriptor counters_, counters_six_;  // the kernel's counts of attempts without a route
  std::uint64_t count_ = 0;
  std::set<std::string> destinations_;
};

}  // namespace lb
