// LayoutPaths: where a row of a postgres snapshot goes below the target. Pure. Also the guards of
// the target folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/sys/files.h"

namespace lb::pg {

class LayoutPaths {
 public:
  LayoutPaths(std::string folder, std::vector<std::pair<std::uint32_t, std::string>> tablespaces);

  struct Place {
    std::string path;
    std::optional<std::uint32_t> tablespace;  // the row belongs to this tablespace
    bool skip = false;                        // made by us, or must not come back
  };
  // corrupt for a key that would leave the target ("..", absolute, empty parts).
  Result<Place> place(const std::string& key) const;
  std::string tablespace(std::uint32_t oid) const;

 private:
  std::string folder_;
  std::vector<std::pair<std::uint32_t, std::string>> tablespaces_;
};

// refused (exit 5) when the folder holds anything.
Status check_target_empty(Files& files, const std::string& folder);
Status refused_folder(const std::string& folder, std::string_view why);

}  // namespace lb::pg
