// Quarantine: objects that were found damaged and are being replaced, and damaged packs for which
// there was nothing to replace them with. A session that begins relies on none of these packs, so
// that the next backup stores again what they held. docs/format.md, "Repair".
#pragma once

#include <set>
#include <string>
#include <vector>

#include "storage/repo/core.h"

namespace lb::repo {

inline constexpr const char* quarantine_prefix = "q/";

Buffer encode_quarantine(const std::set<std::string>& keys);
Result<std::set<std::string>> decode_quarantine(ByteView bytes);

struct Quarantine {
  std::set<std::string> keys;         // of all objects together
  std::vector<std::string> objects;   // that say so: "q/…"
  std::vector<std::string> warnings;  // one for each that is damaged
};
Result<Quarantine> read_quarantine(const Core& core);
// Durable when it returns.
Status put_quarantine(const Core& core, const std::set<std::string>& keys);

}  // namespace lb::repo
