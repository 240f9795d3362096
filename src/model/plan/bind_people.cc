#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/bind.h"

namespace lb::plan {

std::vector<Person> bind_people(const View& section) {
  std::vector<Person> out;
  for (const auto& [name, from] : section.entries()) {
    Person person;
    person.name = name;
    person.full_name = from.text("name");
    person.email = from.text("email");
    person.slack = from.text("slack");
    person.phone = from.text("phone");
    person.webhook = from.reference("webhook");
    person.pagerduty = from.reference("pagerduty");
    for (const auto& [key, value] : from.entries()) {
      if (key == "email" || key == "slack" || key == "webhook" || key == "pagerduty")
        person.addresses.push_back(key);
    }
    person.via = from.texts("via");
    person.users = from.texts("users");
    person.key = from.text("key");
    person.members = from.texts("members");
    person.deputy = from.text("deputy");
    person.escalate = from.text("escalate");
    person.duty = from.text("duty");
    person.place = from.place();
    out.push_back(std::move(person));
  }
  return out;
}

std::vector<Template> bind_templates(const View& section) {
  std::vector<Template> out;
  for (const auto& [name, from] : section.entries()) {
    bool whole = !from.node().is_mapping();
    out.push_back({name, from.text("subject"), whole ? from.text() : from.text("body"),
                   from.text("approve"), from.place()});
  }
  return out;
}

namespace {

EscalationLevel::From starting(const std::string& word) {
  if (word == "business-hours") return EscalationLevel::From::business_hours;
  if (word == "next-business-day") return EscalationLevel::From::next_business_day;
  return EscalationLevel::From::now;
}

}  // namespace

std::vector<EscalationLevel> bind_escalation(const View& section) {
  std::vector<EscalationLevel> out;
  for (const auto& [name, from] : section.entries()) {
    EscalationLevel level;
    level.name = name;
    level.within = from.duration("within").value_or(Micros(0));
    level.to = from.texts("to");
    level.from = starting(from.text("from"));
    const auto then = from.at("then");
    auto steps = then.items();
    if (then.node().is_mapping()) steps.push_back(then);  // one alone
    for (const auto& next : steps)
      level.then.push_back({next.duration("within").value_or(Micros(0)), next.texts("to")});
    level.repeat = static_cast<unsigned>(
        std::clamp<std::int64_t>(from.integer("repeat").value_or(2), 0, 1000));
    level.means = from.text("means");
    level.place = from.place();
    out.push_back(std::move(level));
  }
  return out;
}

std::vector<RaciTask> bind_raci(const View& section) {
  std::vector<RaciTask> out;
  for (const auto& [name, from] : section.entries()) {
    RaciTask task;
    task.name = name;
    for (const auto& [person, cell] : from.entries()) {
      std::string letters;
      for (const auto& letter : cell.items()) letters += letter.text();
      task.letters.emplace_back(person, letters);
    }
    task.place = from.place();
    out.push_back(std::move(task));
  }
  return out;
}

std::vector<Probe> bind_probes(const View& section) {
  std::vector<Probe> out;
  for (const auto& [name, from] : section.entries()) {
    bool whole = !from.node().is_mapping();
    out.push_back(
        {name, whole ? from.text() : from.text("http"), from.text("expect"), from.place()});
  }
  return out;
}

std::vector<Task> bind_tasks(const View& section) {
  std::vector<Task> out;
  for (const auto& [name, from] : section.entries()) {
    Task task;
    task.name = name;
    bool whole = !from.node().is_mapping();
    task.run = whole ? from.text() : from.text("run");
    task.review = from.text("review");
    task.by = from.text("by");
    task.undo = from.text("undo");
    task.why = from.text("why");
    task.every = from.schedule("every");
    task.place = from.place();
    out.push_back(std::move(task));
  }
  return out;
}

}  // namespace lb::plan
