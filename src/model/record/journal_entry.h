// JournalEntry: one act, recorded before (intent) and after (outcome). Encoded as one JSON line.
#pragma once

#include <string>

#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/codec/json.h"

namespace lb::record {

struct JournalEntry {
  std::string id;   // sorts by time
  std::string run;  // groups the entries of one verb
  Timestamp at{};
  std::string host, actor;
  std::string act;  // "backup db", "drill full", "restore db", "verify", "stream db"
  enum class Phase { intent, outcome, note } phase = Phase::note;
  bool ok = true;     // outcome only
  std::string store;  // when it belongs to one
  std::string text;   // one sentence for people
  Json details;       // object; numbers and ids
};

std::string_view name_of(JournalEntry::Phase phase);
Json encode(const JournalEntry& entry);
Result<JournalEntry> decode_entry(const Json& json);

}  // namespace lb::record
