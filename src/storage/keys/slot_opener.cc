#include "storage/keys/slot_opener.h"

#include "storage/keys/key_file.h"

namespace lb::keys {

Result<std::optional<Secret>> PassphraseOpener::base_of(const Slot& slot) {
  if (slot.kind != kind::passphrase) return std::optional<Secret>();
  for (const auto& done : stretched_) {
    bool same = done.salt == slot.salt && done.cost.passes == slot.cost.passes &&
                done.cost.memory_bytes == slot.cost.memory_bytes;
    if (same) return std::optional<Secret>(done.base.clone());
  }
  auto base = LB_TRY(key_from_password(passphrase_, slot.salt, slot.cost));
  stretched_.push_back({slot.salt, slot.cost, base.clone()});
  return std::optional<Secret>(std::move(base));
}

Result<std::optional<Secret>> KeyFileOpener::base_of(const Slot& slot) {
  if (slot.kind != kind::key_file) return std::optional<Secret>();
  return std::optional<Secret>(key_.clone());
}

Result<std::optional<Secret>> ShareOpener::base_of(const Slot& slot) {
  bool ours = slot.kind == kind::shares;
  for (const auto& share : shares_) ours = ours && share.kit == slot.id;
  if (!ours) return std::optional<Secret>();
  return std::optional<Secret>(LB_TRY(join_kit(slot, shares_)));
}

Result<std::unique_ptr<SlotOpener>> opener_of(const Secret& key_text) {
  if (!is_key_file(key_text))
    return std::unique_ptr<SlotOpener>(std::make_unique<PassphraseOpener>(key_text));
  auto key = LB_TRY(read_key_file(key_text));
  return std::unique_ptr<SlotOpener>(std::make_unique<KeyFileOpener>(std::move(key)));
}

}  // namespace lb::keys
