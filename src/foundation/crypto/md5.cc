#include "foundation/crypto/md5.h"

#include <openssl/evp.h>

namespace lb {

Result<std::array<std::uint8_t, 16>> md5(ByteView bytes) {
  std::array<std::uint8_t, 16> out;
  auto done =
      EVP_Q_digest(nullptr, "MD5", nullptr, bytes.data(), bytes.size(), out.data(), nullptr);
  if (done != 1) return Error(ErrorKind::unsupported, "this machine's OpenSSL has no MD5");
  return out;
}

}  // namespace lb
