// SlotOpener: how one holder comes to the base key of the slots made for it. The seam for key
// services: one more implementation, and a kind of slot of its own. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/keys/recovery_kit.h"
#include "storage/keys/slot.h"

namespace lb::keys {

class SlotOpener {
 public:
  virtual ~SlotOpener() = default;
  // nullopt: the slot is not of this opener's kind. The base may turn out to be another slot's.
  virtual Result<std::optional<Secret>> base_of(const Slot& slot) = 0;
};

// A passphrase is stretched once for all slots with the same salt and cost: the slots of one
// repository share them, so that a wrong passphrase costs one argon2id however many slots there
// are.
class PassphraseOpener final : public SlotOpener {
 public:
  explicit PassphraseOpener(const Secret& passphrase) : passphrase_(passphrase.clone()) {}
  Result<std::optional<Secret>> base_of(const Slot& slot) override;

 private:
  struct Stretched {
    PasswordSalt salt;
    PasswordCost cost;
    Secret base;
  };
  Secret passphrase_;
  std::vector<Stretched> stretched_;
};

class KeyFileOpener final : public SlotOpener {
 public:
  explicit KeyFileOpener(Secret key) : key_(std::move(key)) {}
  Result<std::optional<Secret>> base_of(const Slot& slot) override;

 private:
  Secret key_;
};

class ShareOpener final : public SlotOpener {
 public:
  explicit ShareOpener(std::vector<KitShare> shares) : shares_(std::move(shares)) {}
  // denied with the shares that are wrong, of another kit, or missing.
  Result<std::optional<Secret>> base_of(const Slot& slot) override;

 private:
  std::vector<KitShare> shares_;
};

// What a plan's reference gave: the text of a key file, or else a passphrase.
Result<std::unique_ptr<SlotOpener>> opener_of(const Secret& key_text);

}  // namespace lb::keys
