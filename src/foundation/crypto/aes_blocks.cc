#include "foundation/crypto/aes_blocks.h"

#include <openssl/evp.h>

#include "foundation/base/assert.h"

namespace lb {

AesBlocks::AesBlocks(const AesKey& key) : keyed_(EVP_CIPHER_CTX_new()) {
  LB_ASSERT(keyed_ != nullptr);
  LB_ASSERT(EVP_EncryptInit_ex(keyed_, EVP_aes_128_ecb(), nullptr, key.data(), nullptr) == 1);
  LB_ASSERT(EVP_CIPHER_CTX_set_padding(keyed_, 0) == 1);
}

AesBlocks::~AesBlocks() { EVP_CIPHER_CTX_free(keyed_); }

// Contexts are not for several threads at once, so each call works on a copy.
void AesBlocks::encrypt(ByteView in, MutableBytes out) const {
  LB_ASSERT(in.size() % aes_block_bytes == 0 && in.size() <= (1 << 20) && out.size() == in.size());
  auto* context = EVP_CIPHER_CTX_new();
  int written = 0;
  bool done =
      context != nullptr && EVP_CIPHER_CTX_copy(context, keyed_) == 1 &&
      EVP_EncryptUpdate(context, out.data(), &written, in.data(), static_cast<int>(in.size())) == 1;
  EVP_CIPHER_CTX_free(context);
  LB_ASSERT(done && static_cast<std::size_t>(written) == in.size());
}

}  // namespace lb
