// Rules about aims: what is promised against what is planned for it.
#include <algorithm>
#include <map>

#include "foundation/base/text.h"
#include "model/adopt/contradictions.h"

namespace lb::adopt {

namespace {

bool has_log(std::string_view text) {
  return mentions(text, {"wal", "pitr", "point in time", "continuous", "stream"});
}

// "hourly" in the statement of the objective itself, or in a schedule of backups.
struct Plan {
  Span every;
  std::string text;
  std::size_t line;
};

// What a section says itself, without its subsections.
std::string words_of_section(const Draft& draft, const Section& section) {
  std::string out = section.title;
  for (auto i = section.first; i < section.own_end; ++i)
    out += cat(" ", draft.outline.blocks[i].text);
  return out;
}

// Lines that say how often backups are made. A drill's date is none.
std::vector<Plan> schedules(const Draft& draft, const std::vector<Statement>& all) {
  std::vector<Plan> out;
  std::map<std::size_t, bool> of_backups;  // section -> whether it speaks of them
  for (const auto& one : all) {
    auto kind = draft.outline.blocks[one.block].kind;
    if (kind != Block::Kind::paragraph && kind != Block::Kind::item) continue;
    auto says = labelled(one.text);
    auto every = find_cadence(says.value);
    if (!every ||
        !mentions(says.label, {"schedule", "backup schedule", "backup frequency", "frequency"}))
      continue;
    auto where = draft.outline.section_of[one.block];
    const auto& section = draft.outline.sections[where];
    if (!of_backups.contains(where)) {
      of_backups[where] = mentions(words_of_section(draft, section),
                                   {"backup", "backing up", "export", "snapshot", "dump"});
    }
    bool drill = mentions(cat(section.title, " ", says.label), {"drill", "test"});
    if (of_backups[where] && !drill && !has_log(one.text))
      out.push_back({*every, one.text, one.line});
  }
  return out;
}

void too_seldom(const Draft& draft, const std::vector<Statement>& all,
                std::vector<Contradiction>& out) {
  auto planned = schedules(draft, all);
  for (const auto& aim : draft.found_objectives) {
    if (!aim.rpo || has_log(aim.text)) continue;
    std::vector<Plan> against;
    if (auto own = find_cadence(aim.text)) against.push_back({*own, aim.text, aim.line});
    if (aim.component.empty()) against.insert(against.end(), planned.begin(), planned.end());
    Contradiction one;
    Micros worst{0};
    std::string schedule;
    for (const auto& plan : against) {
      if (plan.every.length < aim.span.length) continue;
      one.lines.push_back(plan.line);
      if (plan.every.length > worst) schedule = plan.every.text;
      worst = std::max(worst, plan.every.length);
    }
    if (one.lines.empty()) continue;
    one.lines.push_back(aim.line);
    bool counted = !schedule.empty() && schedule[0] >= '0' && schedule[0] <= '9';  // "30m"
    one.text = cat("an RPO of ", aim.span.text, aim.component.empty() ? "" : " for ", aim.component,
                   " under backups made ", counted ? "every " : "", schedule,
                   ": what is lost at worst is one interval and the time that a backup takes");
    one.advice = "back up more often than the RPO, or keep the log of changes beside it";
    out.push_back(std::move(one));
  }
}

// "5+ failure scenarios": more asked for than there are.
void too_few(const Draft& draft, const std::vector<Statement>& all,
             std::vector<Contradiction>& out) {
  std::vector<std::size_t> given;
  for (const auto& runbook : draft.runbooks) {
    if (runbook.scenario) given.push_back(runbook.line);
  }
  for (const auto& one : all) {
    auto words = words_of(one.text);
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      auto asked = parse_uint(words[i]);
      bool scenarios = words[i + 1].starts_with("scenario") ||
                       (i + 2 < words.size() && words[i + 2].starts_with("scenario"));
      bool digits = words[i].find_first_not_of("0123456789") == std::string::npos;
      if (!digits || !asked.ok() || *asked > 100 || !scenarios || *asked <= given.size()) continue;
      Contradiction found;
      found.lines = given;
      found.lines.push_back(one.line);
      found.text = cat(*asked, " scenarios are asked for and ", given.size(),
                       given.size() == 1 ? " is" : " are", " given");
      found.advice = "write the missing ones, or ask for fewer";
      out.push_back(std::move(found));
    }
  }
}

void no_procedure(const Draft& draft, const std::vector<Statement>& all,
                  std::vector<Contradiction>& out) {
  bool handled = std::any_of(all.begin(), all.end(), [](const Statement& one) {
    return one.runbook != none && mentions(one.text, {"redis"}) &&
           mentions(one.text, {"restore", "dump", "rdb", "backup", "import", "bgsave"});
  });
  for (const auto& aim : draft.found_objectives) {
    if (handled || !aim.rpo || store_kind(aim.component) != "redis") continue;
    Contradiction found;
    found.lines = {aim.line};
    found.text = cat("an RPO of ", aim.span.text, " for ", aim.component,
                     ", and no procedure that backs it up or restores it");
    found.advice = "back it up, or say that its loss is accepted";
    out.push_back(std::move(found));
  }
}

void decides_nobody(const Draft& draft, std::vector<Contradiction>& out) {
  for (const auto& [task, row] : draft.raci.members) {
    std::size_t responsible = 0, accountable = 0;
    auto count = [&](const Tree& letter) {
      if (letter.text == "R") ++responsible;
      if (letter.text == "A") ++accountable;
    };
    for (const auto& [person, letters] : row.members) {
      if (letters.kind == Tree::Kind::text) count(letters);
      for (const auto& letter : letters.items) count(letter);
    }
    if (accountable == 1) continue;
    Contradiction found;
    found.lines = {row.line};
    found.text =
        accountable > 1
            ? cat(accountable, " are accountable (A) for ", task, ": none of them decides")
            : cat("nobody is accountable (A) for ", task, ", ", responsible, " responsible (R)");
    found.advice = "one A a task: who decides when the others disagree";
    out.push_back(std::move(found));
  }
}

}  // namespace

void contradict_objectives(const Draft& draft, const std::vector<Statement>& all,
                           std::vector<Contradiction>& out) {
  too_seldom(draft, all, out);
  too_few(draft, all, out);
  no_procedure(draft, all, out);
  decides_nobody(draft, out);
}

}  // namespace lb::adopt
