// Care objects: what the collector writes for all to obey: the ledger, condemned packs, decisions.
// Sealed for writers, so that every backup host can read them, and marked with a key that only
// holders of the private key have, so that a backup host cannot make a collector delete anything.
// docs/format.md, "Care".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/repo/core.h"

namespace lb::repo {

inline constexpr const char* ledger_prefix = "l/";
inline constexpr const char* condemned_prefix = "g/";
inline constexpr const char* decision_prefix = "d/";

std::string ledger_key(std::uint32_t number);         // "l/00000007"
std::string condemned_key(std::uint32_t generation);  // "g/00000007"
std::string awaited_key(std::uint32_t generation);    // "g/00000007.open"
std::string decision_key(std::uint32_t generation);   // "d/00000007"
// The number of a key with one of the prefixes above; nothing for "….open" and other names.
std::optional<std::uint32_t> care_number(std::string_view key);

// Shows that a holder of the private key made what stands under the key.
Digest care_mark(const Keyring& keys, const std::string& key, ByteView payload);

// Puts by create-if-absent, durably. conflict: another one has the name. denied: this key may only
// write.
Status put_care(const Core& core, const std::string& key, ByteView payload);
// not_found, or corrupt when it is damaged or, as far as this key can tell, was not made by a
// holder of the private key.
Result<Buffer> get_care(const Core& core, const std::string& key);

}  // namespace lb::repo
