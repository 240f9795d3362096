// Selection: what of a tree belongs to the store, decided from paths alone. It is written into the
// snapshot, so that an exact restore knows which files it has no say about. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/bytes.h"
#include "stores/files/patterns.h"

namespace lb::files {

struct Choice {
  bool included = false;  // it is part of the store
  bool entered = false;   // a folder to look into; not included: only if something in it is
};

class Selection {
 public:
  Selection() = default;
  static Result<Selection> make(std::vector<std::string> include, std::vector<std::string> exclude);

  Choice choose(std::string_view path, bool is_folder, bool parent_included) const;
  bool takes_all() const { return include_.empty() && exclude_.empty(); }

  // Paths below the root that were never entered: the repository's own folder.
  std::vector<std::string> skipped;

  Buffer encode() const;
  static Result<Selection> decode(ByteView bytes);

 private:
  std::vector<std::string> include_texts_, exclude_texts_;
  Patterns include_, exclude_;
};

// Name of the attachment that holds it.
inline constexpr char selection_attachment[] = "selection";

// Files Lifeboat itself makes while it restores: never saved, never counted as foreign.
inline constexpr char own_prefix[] = ".lifeboat-restore";

}  // namespace lb::files
