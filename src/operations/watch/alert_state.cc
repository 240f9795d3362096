#include "operations/watch/alert_state.h"

#include "foundation/base/bytes.h"
#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"

namespace lb::watch {

namespace {

constexpr std::size_t id_letters = 20;

}  // namespace

AlertState fold(const std::vector<record::Fact>& facts) {
  AlertState out;
  for (const auto& fact : facts) {
    const bool raises = fact.kind == kind::raised;
    if (!raises && fact.kind != kind::cleared) continue;  // of a newer program
    out.event = fact.data["event"].string();
    out.subject = fact.data["subject"].string();
    if (raises) {
      if (!out.raised) ++out.times;
      out.told.clear();
      for (const auto& person : fact.data["people"].items()) out.told.push_back(person.string());
    }
    out.raised = raises;
    out.since = fact.at;
  }
  return out;
}

std::string alert_id(const std::string& event, const std::string& subject,
                     const std::string& bound) {
  const auto named = Json::array().push(event).push(subject).push(bound).dump();
  return to_hex(sha256(view_of(named))).substr(0, id_letters);
}

}  // namespace lb::watch
