// Verdict: the object e/<session> that makes a session a snapshot (or says that it was aborted).
// docs/format.md, "Verdicts". Pure; the decoder is bounds-checked.
#pragma once

#include <string>
#include <vector>

#include "foundation/crypto/hash.h"
#include "storage/repo/types.h"

namespace lb::repo {

struct VerdictPack {
  std::string name;
  std::uint64_t bytes = 0;
  Digest sha256{};
  bool needed = true;  // false: kept in the list so that the numbers of the others stay
};
struct Attachment {
  std::string name;
  std::uint64_t bytes = 0;
  std::vector<Extent> extents;
};
struct Verdict {
  bool aborted = false;
  SnapshotInfo info;  // packs: the number of needed ones
  std::vector<VerdictPack> packs;
  std::vector<Attachment> attachments;
  Digest previous{};  // SHA-256 of the store's previous verdict object, or zeros
};

// The object's first frame; the second holds the table's upper level (row_codec.h).
Buffer encode(const Verdict& verdict);
Result<Verdict> decode_verdict(const std::string& session, ByteView bytes);

}  // namespace lb::repo
