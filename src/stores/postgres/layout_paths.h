// LayoutPaths: where a row of a postgres snapshot goes below the target. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/result.h"

namespace lb::pg {

// Tablespaces that are not mapped lie in here, below the data directory.
inline constexpr std::string_view tablespaces_folder = "lifeboat_tablespaces";

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
  bool is_mapped(std::uint32_t oid) const;  // to a place that was asked for
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  std::vector<std::pair<std::uint32_t, std::string>> tablespaces_;
};

}  // namespace lb::pg
