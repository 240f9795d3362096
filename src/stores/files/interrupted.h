// RestoreMark: a small file in the target folder while a restore runs. It names the temporary files
// of that run, so that after a kill the next restore removes exactly those, and the paths that run
// was to restore: after a power cut a file there may have its size and time but not its content, so
// none is trusted until a restore of these paths has come to its end. One restore a folder at a
// time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "foundation/sys/world.h"
#include "stores/files/path_filter.h"

namespace lb::files {

class RestoreMark {
 public:
  // Removes what an interrupted run left below `folder`, then marks the folder, durably.
  static Result<RestoreMark> begin(World& world, const std::string& folder,
                                   const PathFilter& filter);
  // After the restored files are durable. The mark stays for what is still in doubt.
  Status end();

  // An earlier restore ended early and may have left this path, whole in name only.
  bool in_doubt(const std::string& path) const;
  std::string temporary_in(const std::string& folder);  // a fresh path in it

 private:
  RestoreMark(Files& files, std::string folder) : files_(&files), folder_(std::move(folder)) {}
  Status read_earlier();
  Status write(const std::vector<std::string>& paths);
  std::string path() const;
  std::string prefix_of(const std::string& run) const;

  Files* files_;
  std::string folder_, run_;
  std::string earlier_run_;                     // empty: none ended early
  std::vector<std::string> doubtful_, remain_;  // paths; the root is "": before and after this run
  std::uint64_t next_ = 0;
};

}  // namespace lb::files
