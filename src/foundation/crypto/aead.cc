#include "foundation/crypto/aead.h"

#include <openssl/evp.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "foundation/base/assert.h"
#include "foundation/crypto/gcm_wide.h"

namespace lb {

namespace {

const EVP_CIPHER* algorithm() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  LB_ASSERT(cipher != nullptr);
  return cipher;
}

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, Free>;

int int_size(ByteView bytes) {
  LB_ASSERT(bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  return static_cast<int>(bytes.size());
}

void encrypt(EVP_CIPHER_CTX* context, ByteView plain, std::uint8_t* out) {
  if (plain.empty()) return;
  int written = 0;
  LB_ASSERT(EVP_EncryptUpdate(context, out, &written, plain.data(), int_size(plain)) == 1);
  LB_ASSERT(written == int_size(plain));
}

}  // namespace

struct Aead::Wide {
  explicit Wide(const Secret& secret) { gcm_wide::expand(secret.bytes(), key); }
  ~Wide() {
    wipe(key.rounds);
    wipe(key.powers);
  }
  Wide(const Wide&) = delete;
  Wide& operator=(const Wide&) = delete;

  gcm_wide::Key key;
};

Aead::Aead(Secret key, Way way) : key_(std::move(key)) {
  LB_ASSERT(key_.size() == aead_key_bytes);
  if (way == Way::best && gcm_wide::supported()) wide_ = std::make_unique<const Wide>(key_);
}
Aead::~Aead() = default;

void Aead::seal(const AeadNonce& nonce, ByteView bound, ByteView head, ByteView body,
                Buffer& out) const {
  auto start = out.size();
  out.resize(start + head.size() + body.size() + aead_tag_bytes);
  run(nonce, bound, head, body, out.data() + start);
}

void Aead::seal_into(const AeadNonce& nonce, ByteView bound, ByteView head, ByteView body,
                     MutableBytes out) const {
  LB_ASSERT(out.size() == head.size() + body.size() + aead_tag_bytes);
  run(nonce, bound, head, body, out.data());
}

void Aead::run(const AeadNonce& nonce, ByteView bound, ByteView head, ByteView body,
               std::uint8_t* out) const {
  auto* tag = out + head.size() + body.size();
  if (wide_ && head.size() <= gcm_wide::head_bytes_max) {
    auto made = gcm_wide::seal(wide_->key, nonce, bound, head, body, out);
    std::copy(made.begin(), made.end(), tag);
    return;
  }
  Context context(EVP_CIPHER_CTX_new());
  int written = 0;
  LB_ASSERT(context && EVP_EncryptInit_ex2(context.get(), algorithm(), key_.bytes().data(),
                                           nonce.data(), nullptr) == 1);
  LB_ASSERT(EVP_EncryptUpdate(context.get(), nullptr, &written, bound.data(), int_size(bound)) ==
            1);
  encrypt(context.get(), head, out);
  encrypt(context.get(), body, out + head.size());
  LB_ASSERT(EVP_EncryptFinal_ex(context.get(), tag, &written) == 1);
  LB_ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, aead_tag_bytes, tag) == 1);
}

// `plain` may be where the sealed bytes are.
Status Aead::open_into(const AeadNonce& nonce, ByteView bound, ByteView sealed,
                       std::uint8_t* plain) const {
  Error broken(ErrorKind::corrupt, "does not authenticate");
  if (sealed.size() < aead_tag_bytes) return broken;
  auto cipher = sealed.first(sealed.size() - aead_tag_bytes);
  std::array<std::uint8_t, aead_tag_bytes> tag;
  std::copy(sealed.end() - aead_tag_bytes, sealed.end(), tag.begin());
  if (wide_) {
    auto right = gcm_wide::open(wide_->key, nonce, bound, cipher, plain);
    return equal_constant_time(right, tag) ? Status() : broken;
  }
  Context context(EVP_CIPHER_CTX_new());
  int written = 0;
  LB_ASSERT(context && EVP_DecryptInit_ex2(context.get(), algorithm(), key_.bytes().data(),
                                           nonce.data(), nullptr) == 1);
  LB_ASSERT(EVP_DecryptUpdate(context.get(), nullptr, &written, bound.data(), int_size(bound)) ==
            1);
  if (!cipher.empty()) {
    LB_ASSERT(EVP_DecryptUpdate(context.get(), plain, &written, cipher.data(), int_size(cipher)) ==
              1);
  }
  LB_ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, aead_tag_bytes, tag.data()) ==
            1);
  std::uint8_t none[aead_tag_bytes];
  if (EVP_DecryptFinal_ex(context.get(), none, &written) != 1) return broken;
  return {};
}

Result<Buffer> Aead::open(const AeadNonce& nonce, ByteView bound, ByteView sealed) const {
  Buffer plain(sealed.size() - std::min(sealed.size(), aead_tag_bytes));
  LB_TRY(open_into(nonce, bound, sealed, plain.data()));
  return plain;
}

Result<MutableBytes> Aead::open_in_place(const AeadNonce& nonce, ByteView bound,
                                         MutableBytes sealed) const {
  LB_TRY(open_into(nonce, bound, sealed, sealed.data()));
  return sealed.first(sealed.size() - aead_tag_bytes);
}

}  // namespace lb
