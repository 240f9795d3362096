// Slot: the keys of a repository, wrapped once for one holder: someone who knows a passphrase, has
// a key file, or brings enough shares of a recovery kit. docs/format.md, "Keys". Pure.
#pragma once

#include <string>
#include <vector>

#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/password.h"

namespace lb::keys {

// What a slot lets its holder do. A write slot holds no private key.
enum class Grant { read_and_write, write };
const char* name_of(Grant grant);

namespace kind {
inline constexpr const char* passphrase = "passphrase";
inline constexpr const char* key_file = "key file";
inline constexpr const char* shares = "shares";
}  // namespace kind

struct Slot {
  std::string id;          // 32 hex digits; the object is k/<id>
  std::string repository;  // 32 hex digits
  std::string kind;        // one of the above; others are some newer version's, and open nothing
  std::string name;        // what people call it; two may have one name while it is rotated
  Grant grant = Grant::read_and_write;
  std::string created;  // RFC 3339
  PasswordSalt salt{};  // passphrase
  PasswordCost cost;
  unsigned need = 0;                  // shares
  std::vector<Digest> share_digests;  // SHA-256 of each, by number from 1
  Buffer sealed;

  bool known() const {
    return kind == kind::passphrase || kind == kind::key_file || kind == kind::shares;
  }
};

// `base`: what only a holder has: the stretched passphrase, the key of the file, the joined shares.
// Fills `sealed`. The id must be fresh: it makes the wrapping key one that is used once.
void seal_slot(Slot& slot, const Secret& base, const Secret& payload);
// denied: the base is not this slot's, or its text was changed.
Result<Secret> open_slot(const Slot& slot, const Secret& base);

Buffer write_slot(const Slot& slot);
// corrupt when damaged, or when it asks for a cost out of range.
Result<Slot> read_slot(const std::string& id, ByteView object);

// 1 to 40 of [a-z0-9._-], beginning with a letter or digit. invalid otherwise.
Status check_slot_name(const std::string& name);

}  // namespace lb::keys
