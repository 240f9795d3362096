// Keyring: the keys of an opened repository, and how the `repo` object and the key slots hold them.
// docs/format.md, "Keys". Immutable once opened; shared by threads.
#pragma once

#include "foundation/base/secret.h"
#include "foundation/base/time.h"
#include "foundation/crypto/sealed_box.h"
#include "foundation/sys/random.h"
#include "storage/blob/blob_store.h"
#include "storage/keys/slot.h"
#include "storage/keys/slot_opener.h"
#include "storage/repo/format.h"

namespace lb::repo {

struct Keyring {
  int version = format_version;  // of the repository's format
  std::string repository_id;     // 32 hex digits
  PublicKey public_key{};        // X25519
  Secret private_key;            // empty: this slot may write, not read
  Secret id_key, cut_key, write_key;
  std::string slot;  // id of the slot that was opened

  bool may_read() const { return !private_key.empty(); }
};

Keyring clone(const Keyring& keys);
// What reading with keys that may only write comes to: denied, exit 12.
Error may_not_read();

struct SlotWish {
  std::string name;
  keys::Grant grant = keys::Grant::read_and_write;
  Timestamp created;
};

// Wherever a key is text, it is a passphrase or the text of a key file.

// Writes `repo` and one slot, named "first"; conflict when the store holds anything but slots.
Status make_keyring(BlobStore& blobs, Random& random, const Secret& key_text,
                    const PasswordCost& cost, Timestamp now);
// A sealed slot that opens with this key. A read slot needs keys that may read.
Result<keys::Slot> make_slot(const Keyring& keys, const SlotWish& wish, const Secret& key_text,
                             const PasswordCost& cost, Random& random);
// The parts of make_slot, for kinds that wrap in another way: all but kind and seal, and what to
// seal.
keys::Slot begin_slot(const Keyring& keys, const SlotWish& wish, Random& random);
Secret slot_payload(const Keyring& keys, keys::Grant grant);
// Tries every slot the opener is for. no_repository, wrong_key, damaged as exit codes.
Result<Keyring> open_keyring(BlobStore& blobs, keys::SlotOpener& opener);
Result<Keyring> open_keyring(BlobStore& blobs, const Secret& key_text);
// Of the repository in a store: no_repository, damaged as exit codes. Needs no key.
Result<std::string> repository_id_in(BlobStore& blobs);
// corrupt when `repo` or a slot is not as it was written. Needs no key.
Status check_text_object(BlobStore& blobs, const std::string& key);
Status check_text_bytes(const std::string& key, ByteView object);

}  // namespace lb::repo
