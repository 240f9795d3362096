#include "operations/notify/letter.h"

#include <algorithm>
#include <array>

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"

namespace lb::notify {

namespace {

constexpr std::array severities = {std::string_view("info"), std::string_view("warning"),
                                   std::string_view("critical")};
constexpr std::array events = {std::string_view("note"), std::string_view("trigger"),
                               std::string_view("acknowledge"), std::string_view("resolve")};

template <typename Enum, typename Names>
Result<Enum> by_name(const Names& names, const std::string& name) {
  auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    return Error(ErrorKind::corrupt, cat("a stored message has the word '", printable(name), "'"));
  return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view name_of(Severity severity) {
  return severities[static_cast<std::size_t>(severity)];
}

std::string_view name_of(Event event) { return events[static_cast<std::size_t>(event)]; }

Micros limit_for(Severity severity) {
  if (severity == Severity::critical) return std::chrono::minutes(30);
  return std::chrono::hours(24);
}

std::string message_id(const Letter& letter, const std::string& person) {
  const auto named = Json::array().push(letter.system).push(letter.key).push(person).dump();
  const auto digest = sha256(view_of(named));
  return to_hex(ByteView(digest).first(16));
}

Json encode(const Letter& letter) {
  Json tried = Json::array();
  for (const auto& person : letter.tried) tried.push(person);
  return Json::object()
      .set("key", letter.key)
      .set("system", letter.system)
      .set("run", letter.run)
      .set("about", letter.about)
      .set("subject", letter.subject)
      .set("text", letter.text)
      .set("severity", name_of(letter.severity))
      .set("event", name_of(letter.event))
      .set("at", to_micros(letter.at))
      .set("limit", letter.limit.count())
      .set("shareable", letter.shareable)
      .set("tried", std::move(tried));
}

Result<Letter> decode_letter(const Json& json) {
  Letter out;
  out.key = json["key"].string();
  out.system = json["system"].string();
  out.run = json["run"].string();
  out.about = json["about"].string();
  out.subject = json["subject"].string();
  out.text = json["text"].string();
  out.severity = LB_TRY(by_name<Severity>(severities, json["severity"].string()));
  out.event = LB_TRY(by_name<Event>(events, json["event"].string()));
  out.at = from_micros(json["at"].integer());
  out.limit = Micros(json["limit"].integer());
  out.shareable = json["shareable"].boolean();
  for (const auto& person : json["tried"].items()) out.tried.push_back(person.string());
  return out;
}

}  // namespace lb::notify
