// Core: what all parts of one opened repository share: store, keys, clock, chance. Lives as long as
// the Repository and everything it handed out.
#pragma once

#include "foundation/sys/clock.h"
#include "foundation/sys/random.h"
#include "storage/blob/blob_store.h"
#include "storage/repo/chunker.h"
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
        chunker(keys.cut_key),
        id_mac(keys.id_key.bytes()) {}

  BlobStore& blobs;
  Clock& clock;
  Random& random;
  Keyring keys;
  OpenOptions options;
  Chunker chunker;
  Hmac id_mac;
};

Digest chunk_digest(const Core& core, ByteView bytes);
ChunkId chunk_id(const Core& core, ByteView bytes);
std::string fresh_session_id(const Core& core);

}  // namespace lb::repo
