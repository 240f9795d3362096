// Verdict: the object e/<session> that makes a session a snapshot (or says that it was aborted).
// docs/format.md, "Verdicts". Pure; the decoder is bounds-checked.
#pragma once

#include <string>
#include <vector>

#include "foundation/crypto/hash.h"
#include "foundation/sys/random.h"
#include "storage/repo/keyring.h"
#include "storage/repo/types.h"

namespace lb::repo {

struct VerdictPack {
  std::string name;
  std::uint64_t bytes = 0;
  Digest sha256{};     // of its end, from the footer on
  bool needed = true;  // false: kept in the list so that the numbers of the others stay
};
struct Attachment {
  std::string name;
  std::uint64_t bytes = 0;
  std::vector<Extent> extents;
};
struct Verdict {
  bool aborted = false;
  SnapshotInfo info;
  std::vector<VerdictPack> packs;
  std::vector<Attachment> attachments;
  Digest previous{};  // SHA-256 of the store's previous verdict object, or zeros
};

// The object has three frames: the head (all that a list of snapshots shows), the body (packs and
// attachments), and the table's upper level (row_codec.h). An aborted one has the head alone.
inline constexpr std::size_t verdict_frames = 3;
Buffer encode_head(const Verdict& verdict);
Buffer encode_body(const Verdict& verdict);
Result<Verdict> decode_head(const std::string& session, ByteView bytes);  // without packs
Status decode_body(ByteView bytes, Verdict& verdict);
// Head and body of an opened object.
Result<Verdict> decode_verdict(const std::string& session, const std::vector<Buffer>& frames);
// The object with a table whose upper level is `upper`.
Buffer seal_verdict(const Keyring& keys, Random& random, const Verdict& verdict, ByteView upper);

}  // namespace lb::repo
