#include "operations/incident/proven.h"

#include "foundation/base/text.h"
#include "operations/incident/incident_state.h"
#include "operations/incident/task_state.h"
#include "operations/notify/signed.h"

namespace lb::incident {

using record::Fact;

namespace {

constexpr const char* person_field = "signed_by";
constexpr const char* key_field = "key";
constexpr const char* signature_field = "signature";

bool is_signed(const Fact& fact) {
  return fact.data.find(signature_field) != nullptr || fact.data.find(person_field) != nullptr;
}

// Without these there would be nothing that people could be told of.
bool begins(const Fact& fact) { return fact.kind == kind::opened || fact.kind == kind::added; }

}  // namespace

std::string signed_text(const std::string& family, const std::string& member, const Fact& fact) {
  auto said = fact;
  said.data.set(signature_field, Json());
  return cat("lifeboat fact\n", family, "\n", member, "\n", record::encode(said).dump());
}

void name_signer(Fact& fact, const std::string& person, const std::string& public_key) {
  if (!fact.data.is_object()) fact.data = Json::object();
  fact.data.set(person_field, person).set(key_field, public_key);
}

void add_signature(Fact& fact, const std::string& signature) {
  fact.data.set(signature_field, signature);
}

Proven prove(const plan::Plan& plan, const std::string& family, const std::string& member,
             const std::vector<Fact>& facts) {
  Proven out;
  for (auto fact : facts) {
    if (!is_signed(fact)) {
      out.facts.push_back(std::move(fact));
      continue;
    }
    const auto person = fact.data[person_field].string();
    const auto key = fact.data[key_field].string();
    const auto signature = fact.data[signature_field].string();
    const auto text = signed_text(family, member, fact);
    const auto checked = notify::check_signed_by(key, person, text, signature);
    const bool right = checked.ok();
    if (!right) {
      out.refused.push_back(
          cat(fact.kind, " of ", format_time_seconds(fact.at), " by ", printable(fact.by),
              begins(fact) ? " counts, but " : " does not count: ", checked.error().text()));
      if (!begins(fact)) continue;
    }
    if (right && !notify::check_signed(plan, person, text, signature).ok())
      fact.by += cat(", by a key of ", printable(person), " that the plan does not have");
    out.facts.push_back(std::move(fact));
  }
  return out;
}

}  // namespace lb::incident
