// Core: what all parts of one opened repository share: store, keys, clock, chance. Lives as long as
// the Repository and everything it handed out.
#pragma once

#include "foundation/flow/guarded.h"
#include "foundation/sys/clock.h"
#include "foundation/sys/random.h"
#include "storage/blob/blob_store.h"
#include "storage/chunk/chunker.h"
#include "storage/repo/format.h"
#include "storage/repo/id_mac.h"
#include "storage/repo/keyring.h"
#include "storage/repo/repository.h"

namespace lb::repo {

struct Core {
  Core(BlobStore& store, Clock& wall, Random& chance, Keyring ring, const OpenOptions& wishes)
      : blobs(store),
        clock(wall),
        random(chance),
        keys(std::move(ring)),
        options(wishes),
        chunker(keys.cut_key, {chunk_bytes_min, chunk_bytes_normal, chunk_bytes_max}),
        id_mac(keys.version, keys.id_key.bytes()),
        ids(std::make_unique<Guarded<IdBytes>>()) {}

  BlobStore& blobs;
  Clock& clock;
  Random& random;
  Keyring keys;
  OpenOptions options;
  Chunker chunker;
  IdMac id_mac;
  std::unique_ptr<Guarded<IdBytes>> ids;  // the id given last
};

Digest chunk_digest(const Core& core, ByteView bytes);
ChunkId chunk_id(const Core& core, ByteView bytes);
inline ChunkId short_id(const Digest& digest) {
  ChunkId id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}
// Later than every id given before, even within a millisecond or when the clock goes back.
std::string fresh_session_id(const Core& core);
// Also later than this one, which another host gave.
void follow_session_id(const Core& core, const std::string& session);

}  // namespace lb::repo
