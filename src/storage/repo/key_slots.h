// KeySlots: who may open a repository. Adds, removes and rotates slots with the keys of an opened
// repository, in an order that leaves it openable wherever it stops. Data keys never change: a
// slot that is gone keeps out who did not keep the keys. One thread; several hosts may act at once.
#pragma once

#include <vector>

#include "foundation/sys/clock.h"
#include "storage/keys/recovery_kit.h"
#include "storage/repo/keyring.h"

namespace lb::repo {

struct SlotLine {
  keys::Slot slot;
  bool in_use = false;  // the one this repository was opened with
  std::string problem;  // not empty: damaged, only the id of the slot is known
};

// The slots of this repository, those of others left out; by name, then age. Needs no key.
Result<std::vector<SlotLine>> list_slots(BlobStore& blobs, const std::string& repository_id,
                                         const std::string& opened = {});

class KeySlots {
 public:
  // `keys` must outlive this.
  KeySlots(BlobStore& blobs, Clock& clock, Random& random, const Keyring& keys);

  Result<std::vector<SlotLine>> list();
  // `key_text`: a passphrase or the text of a key file. conflict: the name is taken. denied: keys
  // that may only write make no slots.
  Status add(const std::string& name, keys::Grant grant, const Secret& key_text,
             const PasswordCost& cost);
  // A slot that any `need` of the shares open.
  Result<std::vector<keys::KitShare>> add_kit(const std::string& name, unsigned need,
                                              unsigned count);
  // refused (exit 5) when no slot would be left that a passphrase or key file opens for reading.
  Status remove(const std::string& name);
  // What the removal of this name would do, without doing it: not_found, refused.
  Status check_remove(const std::string& name);
  // The same name and grant under another key; the old slot goes when the new one is durable.
  Status rotate(const std::string& name, const Secret& key_text, const PasswordCost& cost);

 private:
  Status check_may_grant() const;
  Status check_free(const std::string& name);
  Status put(const keys::Slot& slot);
  Status remove_slots(const std::vector<std::string>& ids);

  BlobStore& blobs_;
  Clock& clock_;
  Random& random_;
  const Keyring& keys_;
};

}  // namespace lb::repo
