#include "foundation/crypto/password.h"

#include <sodium.h>

#include "foundation/base/assert.h"

namespace lb {

static_assert(crypto_pwhash_argon2id_SALTBYTES == std::tuple_size_v<PasswordSalt>);

Result<Secret> key_from_password(const Secret& password, const PasswordSalt& salt,
                                 const PasswordCost& cost) {
  if (cost.passes < 1 || cost.passes > 64 || cost.memory_bytes < 8192 ||
      cost.memory_bytes > (4ull << 30)) {
    return Error(ErrorKind::invalid, "the cost of the passphrase key is out of range");
  }
  LB_ASSERT(sodium_init() >= 0);
  Buffer key(32);
  // An empty passphrase has no bytes to point at.
  const char* text = password.size() == 0 ? "" : password.reveal().data();
  int failed = crypto_pwhash(key.data(), key.size(), text, password.size(), salt.data(),
                             cost.passes, cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13);
  Secret out{ByteView(key)};
  wipe(key);
  if (failed != 0) {
    return Error(ErrorKind::exhausted, "not enough memory to derive the key from the passphrase");
  }
  return out;
}

}  // namespace lb
