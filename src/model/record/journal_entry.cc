#include "model/record/journal_entry.h"

#include <array>

#include "foundation/base/text.h"
#include "model/record/fields.h"

namespace lb::record {

constexpr const char* journal_schema = "lifeboat.journal/1";

static std::array<std::string_view, 3> names_of(JournalEntry::Phase) {
  return {"intent", "outcome", "note"};
}

std::string_view name_of(JournalEntry::Phase phase) {
  return names_of(phase)[static_cast<std::size_t>(phase)];
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, JournalEntry>
void fields(Visit& visit, R& r) {
  visit.needed("id", r.id);
  visit("run", r.run);
  visit.needed("at", r.at);
  visit("host", r.host);
  visit("actor", r.actor);
  visit.needed("act", r.act);
  visit.needed("phase", r.phase);
  visit("ok", r.ok);
  visit("store", r.store);
  visit("text", r.text);
  visit("details", r.details);
}

Json encode(const JournalEntry& entry) {
  Json out = Json::object();
  out.set("schema", journal_schema);
  const Json body = to_json(entry);
  for (const auto& [name, value] : body.members()) out.set(name, value);
  return out;
}

Result<JournalEntry> decode_entry(const Json& json) {
  const std::string schema = json["schema"].string();
  if (schema != journal_schema) {
    return Error(ErrorKind::corrupt, cat("not a journal entry of schema ", journal_schema,
                                         " but \"", printable(schema), "\""));
  }
  JournalEntry entry;
  LB_TRY(from_json(json, entry).context("journal entry"));
  return entry;
}

}  // namespace lb::record
