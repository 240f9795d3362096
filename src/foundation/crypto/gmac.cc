#include "foundation/crypto/gmac.h"

#include <openssl/evp.h>

#include <limits>
#include <mutex>
#include <vector>

#include "foundation/base/assert.h"

namespace lb {

namespace {

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, Free>;

}  // namespace

// Contexts keep the key schedule, which takes longer to make than a page takes to prove.
struct Gmac::State {
  std::mutex mutex;
  std::vector<Context> idle;
  Context keyed{EVP_CIPHER_CTX_new()};  // never used itself, only copied

  Context take() {
    std::lock_guard lock(mutex);
    if (!idle.empty()) {
      auto out = std::move(idle.back());
      idle.pop_back();
      return out;
    }
    Context out(EVP_CIPHER_CTX_new());
    LB_ASSERT(out && EVP_CIPHER_CTX_copy(out.get(), keyed.get()) == 1);
    return out;
  }
  void give_back(Context context) {
    std::lock_guard lock(mutex);
    idle.push_back(std::move(context));
  }
};

Gmac::Gmac(const Secret& key) : state_(std::make_unique<State>()) {
  static EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  LB_ASSERT(algorithm != nullptr && key.size() == aead_key_bytes && state_->keyed);
  const AeadNonce any{};
  LB_ASSERT(EVP_EncryptInit_ex2(state_->keyed.get(), algorithm, key.bytes().data(), any.data(),
                                nullptr) == 1);
}
Gmac::~Gmac() = default;

GmacTag Gmac::of(const AeadNonce& nonce, ByteView message) const {
  LB_ASSERT(message.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  auto context = state_->take();
  GmacTag tag;
  int written = 0;
  auto size = static_cast<int>(message.size());
  bool done =
      EVP_EncryptInit_ex2(context.get(), nullptr, nullptr, nonce.data(), nullptr) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &written, message.data(), size) == 1 &&
      EVP_EncryptFinal_ex(context.get(), tag.data(), &written) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, aead_tag_bytes, tag.data()) == 1;
  LB_ASSERT(done);
  state_->give_back(std::move(context));
  return tag;
}

}  // namespace lb
