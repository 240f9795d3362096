// Sealed objects: everything in the repository but packs, `repo` and slots. A header, a key block
// and frames: each frame is compressed, sealed under the object's own key, and bound to the
// object's name, its number and whether it is the last. docs/format.md, "Sealed objects".
#pragma once

#include <functional>
#include <vector>

#include "foundation/sys/random.h"
#include "storage/blob/blob_store.h"
#include "storage/repo/keyring.h"

namespace lb::repo {

enum class SealFor : std::uint8_t {
  writers = 0,  // whoever has the write key opens it: intents, indexes
  readers = 1,  // opening needs the private key too: verdicts, logs, records
};

Buffer seal_object(const Keyring& keys, Random& random, SealFor whom, const std::string& name,
                   const std::vector<ByteView>& frames);
// All frames, in order. corrupt, with the object's name, when anything is not as it was sealed.
Result<std::vector<Buffer>> open_object(const Keyring& keys, const std::string& name,
                                        ByteView object);
// The same one after another, in memory that is used again for each.
Status open_each_frame(const Keyring& keys, const std::string& name, ByteView object,
                       const std::function<Status(std::size_t number, ByteView plain)>& take);
// The object of this name, read and opened; from a copy of the store when it is missing or damaged
// here.
Result<std::vector<Buffer>> read_object(const Keyring& keys, const std::string& name,
                                        BlobStore& blobs);
// The first frame alone, from at least `first_frame_prefix_bytes` of the object (or all of it).
inline constexpr std::size_t first_frame_prefix_bytes = 16 << 10;
Result<Buffer> open_first_frame(const Keyring& keys, const std::string& name, BlobStore& blobs);
// The first frames, as long as `wants_more` of those opened; no more of the object is read. corrupt
// when it wants more than there are.
Result<std::vector<Buffer>> open_leading_frames(
    const Keyring& keys, const std::string& name, BlobStore& blobs,
    const std::function<bool(const std::vector<Buffer>&)>& wants_more);

}  // namespace lb::repo
