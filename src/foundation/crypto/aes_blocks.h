// AES-128 block by block through OpenSSL, for processors without the instructions: what stands in
// aes_rounds.h is built on it there, and held against it in tests. Thread-safe.
#pragma once

#include "foundation/base/bytes.h"
#include "foundation/crypto/aes_rounds.h"

struct evp_cipher_ctx_st;

namespace lb {

class AesBlocks {
 public:
  explicit AesBlocks(const AesKey& key);
  ~AesBlocks();
  AesBlocks(const AesBlocks&) = delete;
  AesBlocks& operator=(const AesBlocks&) = delete;
  // Whole blocks, each by itself; `out` is as large.
  void encrypt(ByteView in, MutableBytes out) const;

 private:
  evp_cipher_ctx_st* const keyed_;  // never used itself, only copied
};

}  // namespace lb
