#include "model/adopt/hints.h"

#include "foundation/base/text.h"

namespace lb::adopt {

namespace {

// The store that words speak of, else the only one.
std::string restore_hint(const Draft& draft, const std::string& text) {
  const auto& stores = draft.stores.members;
  auto kind = store_kind(text);
  const Tree::Member* found = stores.size() == 1 ? &stores[0] : nullptr;
  for (const auto& store : stores) {
    if (found == nullptr && !kind.empty() && store.second.find(kind) != nullptr) found = &store;
  }
  if (found == nullptr) return "";
  bool postgres = found->second.find("postgres") != nullptr;
  return cat("restore: {store: ", found->first, ", to: production, ",
             postgres ? "how: beside-then-swap" : "mode: merge", "}");
}

}  // namespace

std::string hint_for(const Draft& draft, const std::string& text) {
  bool checks = mentions(text, {"verify", "validat", "check", "test"});
  if (mentions(text, {"notify", "inform", "tell"}))
    return "notify: {template: recovery-started, to: all}";
  if (mentions(text, {"rotate"})) return "rotate: all";
  if (mentions(text, {"incident timer"})) return "timer: start";
  if (!checks && mentions(text, {"restor", "point in time recovery"}))
    return restore_hint(draft, text);
  if (mentions(text, {"connection string", "dns", "switch traffic"}))
    return "switch: {to: production, run: COMMAND}";
  if (mentions(text, {"provision", "launch new"})) return "provision: COMMAND";
  return "";
}

}  // namespace lb::adopt
