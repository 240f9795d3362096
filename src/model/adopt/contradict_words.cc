// Rules about sentences: steps that take away what a later one needs.
#include <algorithm>

#include "foundation/base/text.h"
#include "model/adopt/contradictions.h"

namespace lb::adopt {

namespace {

bool about_full_disk(const Draft& draft, std::size_t runbook) {
  const auto& from = draft.runbooks[runbook];
  auto full = [](std::string_view text) {
    return mentions(text, {"disk", "storage", "volume", "space"}) &&
           mentions(text, {"full", "exhausted", "out of"});
  };
  return full(from.title) || std::any_of(from.symptoms.begin(), from.symptoms.end(),
                                         [&](const Tree& one) { return full(one.text); });
}

void deletes_backups(const Draft& draft, const std::vector<Statement>& all,
                     std::vector<Contradiction>& out) {
  for (const auto& one : all) {
    bool words = one.runbook != none && mentions(one.text, {"delet", "remov", "purg", "rm"}) &&
                 mentions(one.text, {"backup", "snapshots", "dumps"}) &&
                 !mentions(one.text, {"never delet", "do not delet", "don t delet", "expired"});
    if (!words || !about_full_disk(draft, one.runbook)) continue;
    Contradiction found;
    found.lines = {one.line};
    found.text = "backups are deleted to make room while something is failing";
    found.advice =
        "logs and temporary files first; backups only as far as the retention allows: free: [logs, "
        "temporary]";
    out.push_back(std::move(found));
  }
}

void manifests_as_content(const std::vector<Statement>& all, std::vector<Contradiction>& out) {
  for (const auto& one : all) {
    bool claims = mentions(one.text, {"manifest"}) && !one.command &&
                  mentions(one.text, {"recreat", "restor", "recover", "rebuild"}) &&
                  !mentions(one.text, {"not recover", "cannot", "not be restored", "names only",
                                       "files from the copy"});
    // "Recreate the structure of buckets from manifests" promises no content.
    if (!claims || (mentions(one.text, {"structure"}) && !mentions(one.text, {"files"}))) continue;
    Contradiction found;
    found.lines = {one.line};
    found.text =
        "a list of objects is called enough to recreate them: it has their names, not their "
        "content";
    found.advice =
        "copy the objects too (mode: full), or say that their content is not recoverable";
    out.push_back(std::move(found));
  }
}

// The newest backup may be younger than the moment that is wanted.
void base_too_young(const Draft& draft, const std::vector<Statement>& all,
                    std::vector<Contradiction>& out) {
  for (std::size_t runbook = 0; runbook < draft.runbooks.size(); ++runbook) {
    const Statement* newest = nullptr;
    for (const auto& one : all) {
      if (one.runbook != runbook) continue;
      bool before = mentions(one.text, {"before", "prior", "older than", "preceding"});
      bool latest = mentions(one.text, {"latest", "newest", "most recent"}) &&
                    mentions(one.text, {"backup", "encrypted backup", "snapshot", "dump", "base"});
      if (latest && !before && newest == nullptr) newest = &one;
      bool moment = mentions(one.text, {"up to", "until", "to the", "to desired"}) &&
                    mentions(one.text, {"time", "timestamp", "moment", "point in time"});
      if (!moment || newest == nullptr || newest == &one) continue;
      Contradiction found;
      found.lines = {newest->line, one.line};
      found.text =
          "the latest backup is restored and then brought to a moment: it may be younger than that "
          "moment";
      found.advice = "the newest backup before the moment: choose: before: …";
      out.push_back(std::move(found));
      break;
    }
  }
}

}  // namespace

void contradict_words(const Draft& draft, const std::vector<Statement>& all,
                      std::vector<Contradiction>& out) {
  deletes_backups(draft, all, out);
  manifests_as_content(all, out);
  base_too_young(draft, all, out);
}

}  // namespace lb::adopt
