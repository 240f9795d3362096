#include "operations/notify/signed.h"

#include <algorithm>

#include "foundation/base/bytes.h"
#include "foundation/base/text.h"
#include "foundation/crypto/signature.h"

namespace lb::notify {

namespace {

Error unproven(const std::string& why) {
  return Error(ErrorKind::denied, why).with_exit(ExitCode::refused);
}

}  // namespace

Status check_signed_by(const std::string& key, const std::string& person, const std::string& text,
                       const std::string& signature) {
  const auto bytes = from_hex(key);
  const auto proof = from_hex(signature);
  SigningPublicKey public_key{};
  if (!bytes.ok() || bytes->size() != public_key.size() || !proof.ok())
    return unproven(cat("the signature of ", printable(person), " cannot be read"));
  std::copy(bytes->begin(), bytes->end(), public_key.begin());
  if (is_signed_by(public_key, view_of(text), *proof)) return {};
  return unproven(cat("the signature is not that of ", printable(person)));
}

Status check_signed(const plan::Plan& plan, const std::string& person, const std::string& text,
                    const std::string& signature) {
  const auto* known = plan.person(person);
  if (known == nullptr || known->key.empty())
    return unproven(cat("the plan knows no key of '", printable(person), "'"));
  return check_signed_by(known->key, person, text, signature);
}

}  // namespace lb::notify
