// RestoreMark: a small file in the target folder while a restore runs. It names the temporary files
// of that run, so that after a kill the next restore removes exactly those. One restore a folder at
// a time.
#pragma once

#include <cstdint>
#include <string>

#include "foundation/sys/world.h"

namespace lb::files {

class RestoreMark {
 public:
  // Removes what an interrupted run left below `folder`, then marks the folder, durably.
  static Result<RestoreMark> begin(World& world, const std::string& folder);
  Status end();

  std::string temporary_in(const std::string& folder);  // a fresh path in it

 private:
  RestoreMark(Files& files, std::string path, std::string prefix);

  Files* files_;
  std::string path_, prefix_;
  std::uint64_t next_ = 0;
};

}  // namespace lb::files
