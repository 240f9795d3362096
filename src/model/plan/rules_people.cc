#include <algorithm>
#include <set>

#include "foundation/base/text.h"
#include "model/plan/hours_text.h"
#include "model/plan/rules.h"
#include "model/plan/scalar_form.h"
#include "model/plan/template_text.h"

namespace lb::plan {

namespace {

void check_template(const View& part, MistakeList& mistakes) {
  if (!part.node().is_scalar()) return;
  auto parsed = parse_template(part.text());
  if (!parsed.ok()) mistakes.add(part.node(), parsed.error());
}

void check_templates(const View& root, MistakeList& mistakes) {
  for (const auto& [name, one] : root.at("templates").entries()) {
    for (const auto& part : {one, one.at("subject"), one.at("body")})
      check_template(part, mistakes);
    auto subject = one.at("subject");
    if (subject.text().find('\n') != std::string::npos)
      mistakes.add(subject.node(), "subject: must be one line");
  }
}

// What may stand in the head of a mail and in its envelope without being taken for more.
void check_mail_address(const View& address, const std::string& label, MistakeList& mistakes) {
  const auto& text = address.text();
  if (text.empty()) return;
  const auto at = text.find('@');
  bool fine = at != std::string::npos && at > 0 && at + 1 < text.size() &&
              text.find('@', at + 1) == std::string::npos && text.size() <= 254;
  for (const char c : text)
    fine = fine && c > ' ' && c < 127 &&
           std::string_view("<>()[],;:\\\"").find(c) == std::string_view::npos;
  if (fine) return;
  mistakes.add(address.node(), cat(label, ": '", shown(text), "' is not a mail address"),
               "write one address such as ada@example.com; several people are several entries");
}

// The public key by which somebody's signatures are known: a slip would lock them out of deciding.
void check_key(const View& key, MistakeList& mistakes) {
  const auto& text = key.text();
  constexpr std::size_t digits = 64;
  bool hex = text.size() == digits &&
             text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (text.empty() || hex) return;
  mistakes.add(key.node(), cat("key: '", shown(text), "' is not a public key of 64 hex digits"),
               "lifeboat person key FILE makes one and prints the line");
}

// A route that needs something the person does not have would only be found out at three at night.
void check_via(const View& person, const View& channels, MistakeList& mistakes) {
  for (const auto& via : person.at("via").items()) {
    if (!channels.at(via.text()).has("smtp") || person.has("email")) continue;
    mistakes.add(via.node(), cat("via: channel '", shown(via.text()), "' needs a mail address"),
                 "add email: to the person");
  }
}

// Who is asked next must not lead back to where it began.
void check_chain(const View& people, const std::string& name, const char* key,
                 MistakeList& mistakes) {
  std::set<std::string> seen = {name};
  auto next = people.at(name).text(key);
  while (!next.empty() && seen.insert(next).second) next = people.at(next).text(key);
  // Each circle once: from the name that comes first in it.
  if (next != name || *seen.begin() != name) return;
  mistakes.add(people.at(name).at(key).node(), cat(key, ": leads back to '", shown(name), "'"),
               "name somebody who is not asked before");
}

void check_members(const View& people, const std::string& name, MistakeList& mistakes) {
  std::vector<std::string> open = {name};
  std::set<std::string> seen;
  while (!open.empty()) {
    auto one = open.back();
    open.pop_back();
    for (const auto& member : people.at(one).texts("members")) {
      if (member == name) {
        mistakes.add(people.at(name).at("members").node(),
                     cat("team '", shown(name), "' is a member of itself"));
        return;
      }
      if (seen.insert(member).second) open.push_back(member);
    }
  }
}

bool on_this_machine(const std::string& address) {
  auto host = address.substr(0, address.find_first_of(":/"));
  const bool number = host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || (number && host.starts_with("127.")) ||
         address.starts_with("[::1]");
}

void check_channel(const View& channel, MistakeList& mistakes) {
  check_mail_address(channel.at("from"), "from", mistakes);
  if (channel.has("user") != channel.has("password")) {
    mistakes.add(channel.node(), "user and password belong together",
                 channel.has("user") ? "add password:" : "add user:");
  }
  auto smtp = channel.at("smtp").reference();
  bool plain = channel.text("tls") == "none";
  if (plain && smtp.kind == Reference::Kind::literal && !on_this_machine(smtp.value)) {
    mistakes.add(channel.at("tls").node(),
                 "tls: mail to another machine would be readable on the way",
                 "leave tls: out, or use tls: implicit");
  }
  const auto& at = channel.text("at");
  constexpr std::string_view unencrypted = "http://";
  if (lower(at).starts_with(unencrypted) && !on_this_machine(at.substr(unencrypted.size()))) {
    mistakes.add(channel.at("at").node(), "at: the routing key would be readable on the way",
                 "write https://…");
  }
  if (auto limit = channel.duration("limit"); limit && *limit <= Micros(0))
    mistakes.add(channel.at("limit").node(), "limit: nothing is sent in no time");
}

template <typename Parse>
void check_texts(const View& texts, Parse parse, MistakeList& mistakes) {
  for (const auto& one : texts.items()) {
    if (!one.node().is_scalar()) continue;
    auto parsed = parse(one.text());
    if (!parsed.ok()) mistakes.add(one.node(), parsed.error());
  }
}

void check_hours(const View& hours, MistakeList& mistakes) {
  check_texts(hours.at("days"), parse_days, mistakes);
  check_texts(hours.at("except"), parse_date, mistakes);
  check_texts(hours.at("from"), parse_time_of_day, mistakes);
  check_texts(hours.at("to"), parse_time_of_day, mistakes);
  check_texts(hours.at("zone"), check_zone_name, mistakes);
  auto from = parse_time_of_day(hours.has("from") ? hours.text("from") : "09:00");
  auto to = parse_time_of_day(hours.has("to") ? hours.text("to") : "17:00");
  if (from.ok() && to.ok() && *from >= *to)
    mistakes.add(hours.at(hours.has("to") ? "to" : "from").node(), "hours: end before they begin",
                 "from: 09:00, to: 17:00");
}

}  // namespace

void check_people_rules(const View& root, MistakeList& mistakes) {
  auto people = root.at("people"), channels = root.at("channels");
  for (const auto& [name, person] : people.entries()) {
    check_mail_address(person.at("email"), "email", mistakes);
    check_key(person.at("key"), mistakes);
    check_via(person, channels, mistakes);
    check_chain(people, name, "deputy", mistakes);
    check_chain(people, name, "escalate", mistakes);
    check_members(people, name, mistakes);
  }
  for (const auto& [name, channel] : channels.entries()) check_channel(channel, mistakes);
  for (const auto& [name, level] : root.at("escalation").entries()) {
    for (const auto& next : level.at("then").items()) {
      auto within = next.duration("within");
      if (within && *within <= Micros(0))
        mistakes.add(next.at("within").node(), "within: nobody can answer in no time");
    }
    auto within = level.duration("within");
    if (within && *within <= Micros(0))
      mistakes.add(level.at("within").node(), "within: nobody can answer in no time");
  }
  check_hours(root.at("hours"), mistakes);
  check_templates(root, mistakes);
}

}  // namespace lb::plan
