// Keyring: the keys of an opened repository, and how the `repo` object and the key slots hold them.
// docs/format.md, "Keys". Immutable once opened; shared by threads.
#pragma once

#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/password.h"
#include "foundation/crypto/sealed_box.h"
#include "foundation/sys/random.h"
#include "storage/blob/blob_store.h"

namespace lb::repo {

struct Keyring {
  std::string repository_id;  // 32 hex digits
  PublicKey public_key{};     // X25519
  Secret private_key;         // empty: this slot may write, not read
  Secret id_key, cut_key, write_key;
};

// What a slot lets its holder do. A write slot holds no private key.
enum class Grant { read_and_write, write };

// Writes `repo` and one passphrase slot; conflict when the store holds anything but slots.
Status make_keyring(BlobStore& blobs, Random& random, const Secret& passphrase,
                    const PasswordCost& cost);
// A slot object that opens with this passphrase.
Result<Buffer> make_slot(const Keyring& keys, Grant grant, Random& random, const Secret& passphrase,
                         const PasswordCost& cost);
// Tries every passphrase slot. no_repository, wrong_key, damaged as exit codes.
Result<Keyring> open_keyring(BlobStore& blobs, const Secret& passphrase);
// corrupt when `repo` or a slot is not as it was written. Needs no key.
Status check_text_object(BlobStore& blobs, const std::string& key);

}  // namespace lb::repo
