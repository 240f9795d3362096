// Verdict: the object e/<session> that makes a session a snapshot, or says that it was aborted or
// what it moved. docs/format.md, "Sessions". Pure; the decoder is bounds-checked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "foundation/crypto/hash.h"
#include "foundation/sys/random.h"
#include "storage/repo/keyring.h"
#include "storage/repo/types.h"

namespace lb::repo {

struct Moved;

enum class VerdictState : std::uint8_t { snapshot = 1, aborted = 2, moved = 3 };

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
  VerdictState state = VerdictState::snapshot;
  SnapshotInfo info;
  std::vector<VerdictPack> packs;
  std::vector<Attachment> attachments;
  Digest previous{};  // SHA-256 of the store's previous verdict object, or zeros
  // Of a repacking alone; its packs are in `packs` too. Shared by all who look frames up in it.
  std::shared_ptr<const Moved> moved;
  bool is_snapshot() const { return state == VerdictState::snapshot; }
};

// The object has three frames: the head (all that a list of snapshots shows), the body (packs and
// attachments), and the table's upper level (row_codec.h). An aborted one has the head alone, that
// of a repacking the head and what moved.h says.
inline constexpr std::size_t verdict_frames = 3;
Buffer encode_head(const Verdict& verdict);
Buffer encode_body(const Verdict& verdict);
Result<Verdict> decode_head(const std::string& session, ByteView bytes);  // without packs
Status decode_body(ByteView bytes, Verdict& verdict);
// Head and body of the object, opened and proven. `frames`: when not null, gets all of them.
Result<Verdict> open_verdict(const Keyring& keys, const std::string& session, ByteView object,
                             std::vector<Buffer>* frames = nullptr);
// The same of an object whose frames were opened.
Result<Verdict> decode_verdict(const Keyring& keys, const std::string& session,
                               const std::vector<Buffer>& frames);
// The object with a table whose upper level is `upper`.
Buffer seal_verdict(const Keyring& keys, Random& random, const Verdict& verdict, ByteView upper);

}  // namespace lb::repo
