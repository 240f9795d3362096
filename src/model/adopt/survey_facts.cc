// Facts in lists and lines of "name: value": objectives, retention, schedules, roles, links,
// regular reviews, alerts, buckets.
#include <algorithm>

#include "foundation/base/text.h"
#include "model/adopt/draft.h"

namespace lb::adopt {

namespace {

// A statement with what stands around it.
struct Fact {
  std::string_view raw;  // as written
  Labelled says;
  std::string text;     // plain, whole
  std::string heading;  // title of its section
  std::string label;    // of the list it stands in
  std::size_t line = 0;
  bool ordered = false, task = false;

  bool about(std::initializer_list<std::string_view> words) const {
    return mentions(heading, words) || mentions(label, words);
  }
};

std::string take_objective(Draft& draft, const Fact& fact) {
  const auto& label = fact.says.label;
  bool rpo = mentions(label, {"rpo", "recovery point"});
  bool rto = mentions(label, {"rto", "recovery time"});
  bool inside = !rpo && !rto && !label.empty() && !store_kind(label).empty();
  if (inside) rpo = mentions(fact.says.value, {"rpo"});
  auto span = find_span(fact.says.value);
  if ((!rpo && !rto) || !span) return "";
  ObjectiveFound found{rpo, *span, inside ? label : "", fact.text, fact.line};
  if (put_objective(draft, found, "")) return "objective";
  return "comment";  // said twice, or another figure for the same
}

std::string take_retention(Draft& draft, const Fact& fact) {
  if (!mentions(fact.says.label, {"retention", "retain", "keep"})) return "";
  std::string became;
  for (const auto& part : split(fact.says.value, ',')) {
    auto span = find_span(part);
    const char* key = mentions(part, {"pitr", "point in time", "wal"}) ? "pitr"
                      : mentions(part, {"weekly"})                     ? "weekly"
                      : mentions(part, {"monthly"})                    ? "monthly"
                      : mentions(part, {"yearly", "annual"})           ? "yearly"
                      : mentions(part, {"hourly"})                     ? "hourly"
                                                                       : "daily";
    if (span && draft.retain.find(key) == nullptr) {
      draft.retain.set(key, Tree::of(span->text, fact.line));
      became = "retention";
    }
    if (mentions(part, {"log "}) && draft.retain.find("log") == nullptr) {
      draft.retain.set("log", Tree::of("deletions", fact.line));
      became = "retention";
    }
  }
  return became;
}

std::string take_schedule(Draft& draft, const Fact& fact) {
  if (!mentions(fact.says.label, {"schedule", "frequency"})) return "";
  auto cadence = find_cadence(fact.says.value);
  bool backups = mentions(fact.heading, {"backup", "export", "snapshot"});
  if (!cadence || !backups || draft.stores.members.empty()) return "";
  auto kind = store_kind(fact.heading);
  auto* store = kind.empty() ? &draft.stores.members[0].second : &draft.store(kind, fact.line);
  if (store->find("every") != nullptr) return "";
  store->set("every", Tree::of(cadence->text, fact.line));
  return "schedule";
}

std::string take_role(Draft& draft, const Fact& fact) {
  bool roles = mentions(fact.heading, {"role", "responsib"}) && !fact.says.label.empty() &&
               !fact.says.value.empty();
  if (!roles) return "";
  auto person = draft.person(fact.says.label, fact.line);
  draft.people.at(person).set("duty", Tree::of(fact.says.value, fact.line));
  return cat("person ", person);
}

std::string take_link(Draft& draft, const Fact& fact) {
  if (!mentions(fact.heading, {"related", "reference", "links", "see also"})) return "";
  if (mentions(fact.heading, {"command"})) return "";
  auto target = link_of(fact.raw);
  auto words = fact.text;
  if (!target.empty()) words = words.substr(0, std::min(words.find(" - "), words.find(" (")));
  auto key = fresh_key(draft.links, slug(words));
  draft.links.set(key, Tree::of(target.empty() ? fact.text : target, fact.line));
  return cat("link ", key);
}

// "Monthly:" with a list below it, or "Monthly Restore Drill: …".
std::string take_review(Draft& draft, const Fact& fact) {
  if (fact.ordered || fact.task) return "";
  auto own = find_cadence(fact.says.label);
  auto of_list = words_of(fact.label).size() <= 2 ? find_cadence(fact.label) : std::nullopt;
  bool stands = own || (words_of(fact.text).size() <= 12 && find_cadence(fact.text) &&
                        mentions(fact.text, {"review", "drill", "test"}) &&
                        find_cadence(fact.text)->length >= Micros(86'400'000'000));
  if (!of_list && !stands) return "";
  auto cadence = own ? own : of_list ? of_list : find_cadence(fact.text);
  auto key = fresh_key(draft.tasks, slug(own ? fact.says.label : fact.text));
  Tree task;
  task.set("review", Tree::of(fact.text, fact.line));
  task.set("every", Tree::of(cadence->text));
  draft.tasks.set(key, std::move(task));
  return cat("task ", key);
}

// The event of an alert; empty when the language of the plan has none that fits.
std::optional<Tree> event_of(const std::string& text, std::size_t line) {
  auto percent = text.find('%');
  auto digits = percent;
  while (digits != std::string::npos && digits > 0 && text[digits - 1] >= '0' &&
         text[digits - 1] <= '9')
    --digits;
  bool share = percent != std::string::npos && digits < percent;
  if (share && mentions(text, {"disk"})) {
    Tree disk;
    disk.set("disk", Tree::of(text.substr(digits, percent + 1 - digits), line));
    return disk;
  }
  struct Word {
    std::string_view first, second;
    const char* event;
  };
  static constexpr Word known[] = {{"backup", "fail", "backup failed"},
                                   {"restore", "fail", "restore failed"},
                                   {"drill", "fail", "drill failed"},
                                   {"write", "fail", "write failed"},
                                   {"connection", "fail", "store unreachable"},
                                   {"backup", "overdue", "backup overdue"},
                                   {"backup", "missed", "backup overdue"},
                                   {"rpo", "breach", "rpo breached"},
                                   {"rto", "breach", "rto breached"}};
  for (const auto& one : known) {
    if (mentions(text, {one.first}) && mentions(text, {one.second}))
      return Tree::of(one.event, line);
  }
  return {};
}

std::string take_alert(Draft& draft, const Fact& fact) {
  if (!fact.about({"alert"})) return "";
  auto event = event_of(fact.text, fact.line);
  if (!event) return "";
  auto* level = mentions(fact.label, {"warn"}) ? "warning" : "critical";
  auto& rule = draft.alerts.at(level);
  if (rule.find("on") == nullptr) {
    rule.set("on", Tree::list());
    rule.set("send", Tree::of("all").with_remark("the source does not say who, or in words only"));
  }
  rule.at("on").items.push_back(std::move(*event));
  rule.at("on").items.back().above.push_back(cat(draft.at(fact.line), ": ", fact.text));
  return cat("alert, ", level);
}

std::string take_bucket(Draft& draft, const Fact& fact) {
  bool named = fact.about({"bucket"}) && trim(fact.raw).starts_with("`") &&
               words_of(fact.says.label).size() == 1;
  if (!named) return "";
  auto key = slug(fact.says.label);
  if (draft.stores.find(key) != nullptr) return "";
  Tree store;
  store.line = fact.line;
  store.set("bucket", Tree::of(cat("s3://", fact.says.label)).with_remark(fact.says.value));
  if (draft.manifests_only) store.set("mode", Tree::of("manifest"));
  draft.stores.set(key, std::move(store));
  return cat("store ", key);
}

// Values hold less than words do. True, for callers to return.
bool keep_words(Draft& draft, const Fact& fact) {
  draft.prose.push_back(cat(draft.at(fact.line), ": ", fact.text));
  return true;
}

std::string take(Draft& draft, const Fact& fact) {
  for (auto* taker : {take_objective, take_retention, take_schedule, take_role, take_bucket,
                      take_link, take_alert, take_review}) {
    auto became = taker(draft, fact);
    if (!became.empty()) return became;
  }
  return "";
}

// What the document says of itself, once; it counts for all of its runbooks.
bool take_front_matter(Draft& draft, const Fact& fact) {
  const auto label = join(words_of(fact.says.label), " ");
  const auto& value = fact.says.value;
  auto keep = [&](std::optional<Tree>& place, const std::string& text) {
    place = Tree::of(text, fact.line);
    return true;
  };
  const bool number = value.find_first_not_of("v0123456789.") == std::string::npos;
  if ((label == "document version" || label == "version") && number && !draft.version)
    return keep(draft.version, value);
  if ((label == "last updated" || label == "updated" || label == "last revised") &&
      !draft.updated) {
    auto date = find_date(value);
    return date.has_value() && keep(draft.updated, *date);
  }
  if (label != "classification" || draft.classification) return false;
  if (mentions(value, {"confidential", "restricted", "secret"}))
    return keep(draft.classification, "confidential");
  if (mentions(value, {"internal"})) return keep(draft.classification, "internal");
  return mentions(value, {"public"}) && keep(draft.classification, "public");
}

}  // namespace

bool take_fact(Draft& draft, std::size_t block, const std::string& label) {
  const auto& item = draft.outline.blocks[block];
  const auto& section = draft.outline.sections[draft.outline.section_of[block]];
  Fact fact{item.text, labelled(item.text), plain(item.text), section.title,
            label,     item.line,           item.ordered,     item.task};
  auto became = take(draft, fact);
  if (became.empty()) return false;
  draft.place(block, became);
  return keep_words(draft, fact);
}

bool take_field(Draft& draft, std::string_view text, std::size_t line, const Section& section) {
  Fact fact{text, labelled(text), plain(text), section.title, "", line, false, false};
  if (fact.says.label.empty() || fact.says.value.empty()) return false;
  if (mentions(fact.says.label, {"maintained by", "owner"}) && !draft.owner) {
    draft.owner = Tree::of(draft.person(fact.says.value, line), line);
    return keep_words(draft, fact);
  }
  auto cadence = find_cadence(fact.says.value);
  if (mentions(fact.says.label, {"review cycle", "review"}) && cadence && !draft.review) {
    draft.review = Tree::of(cadence->text, line);
    return keep_words(draft, fact);
  }
  if (take_front_matter(draft, fact)) return keep_words(draft, fact);
  for (auto* taker : {take_objective, take_retention, take_schedule}) {
    auto became = taker(draft, fact);
    if (!became.empty()) return keep_words(draft, fact);
  }
  return false;
}

}  // namespace lb::adopt
