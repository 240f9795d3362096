// Condemned packs: what a collector means to delete (g/) and has decided to delete (d/). A session
// that begins must not rely on any of them. docs/format.md, "Care".
#pragma once

#include <set>
#include <string>
#include <vector>

#include "storage/repo/care_object.h"

namespace lb::repo {

Buffer encode_packs(const std::vector<std::string>& packs);
Result<std::vector<std::string>> decode_packs(ByteView bytes);

// Packs a new session must take as absent.
struct Condemned {
  std::set<std::string> packs;
  // An object that tells which was damaged: then all that are there are condemned.
  std::vector<std::string> warnings;
};

// To be read after the session's intent is durable and before its packs are listed: a collector
// that did not see the intent has its packs listed here, one whose deletions were completed has
// them gone from the listing.
Result<Condemned> condemned_packs(const Core& core);

}  // namespace lb::repo
