// Recovery kit: the random key of one slot in shares, each a page of text to print, any `need` of
// which open the repository when every passphrase and key file is lost. Pure.
#pragma once

#include <string>
#include <vector>

#include "foundation/crypto/shamir.h"
#include "storage/keys/slot.h"

namespace lb::keys {

struct KitShare {
  std::string repository;  // 32 hex digits
  std::string kit;         // id of the slot it is for
  unsigned need = 0, count = 0;
  KeyShare share;
  std::string source;  // file it was read from, for messages
};

// For a slot of kind shares. Sets need, digests and `sealed`.
// `fresh`: need × 32 random bytes, the first 32 of which become the key of the slot.
std::vector<KitShare> make_kit(Slot& slot, unsigned need, unsigned count, const Secret& fresh,
                               const Secret& payload);
// The base key of the slot. denied, exit 12, names shares that repeat, were altered, or how many
// are missing.
Result<Secret> join_kit(const Slot& slot, const std::vector<KitShare>& shares);
// Shares of one kit and one repository; denied, exit 12, names the one that is not.
Status check_one_kit(const std::vector<KitShare>& shares);

// The page: what it is for, what to do with it, and the share in lines with checks of their own, so
// that a typing error is named by its line. `place`: where the repository was. Holds a secret.
Secret write_share(const KitShare& share, const std::string& place);
// invalid, with the line, when it is damaged. `source` goes into messages.
Result<KitShare> read_share(const Secret& page, const std::string& source);

}  // namespace lb::keys
