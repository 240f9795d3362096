#include "model/record/fact.h"

#include <algorithm>
#include <tuple>

#include "foundation/base/text.h"
#include "model/record/fields.h"

namespace lb::record {

constexpr const char* fact_schema = "lifeboat.fact/1";

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, Fact>
void fields(Visit& visit, R& r) {
  visit.needed("id", r.id);
  visit.needed("order", r.order);
  visit.needed("at", r.at);
  visit("host", r.host);
  visit("by", r.by);
  visit.needed("kind", r.kind);
  visit("text", r.text);
  visit("data", r.data);
}

Json encode(const Fact& fact) {
  Json out = Json::object().set("schema", fact_schema);
  const Json body = to_json(fact);
  for (const auto& [name, member] : body.members()) out.set(name, member);
  return out;
}

Result<Fact> decode_fact(const Json& json) {
  const auto found = json["schema"].string();
  if (found != fact_schema) {
    return Error(ErrorKind::corrupt,
                 cat("not of schema ", fact_schema, " but \"", printable(found), "\""));
  }
  Fact out;
  LB_TRY(from_json(json, out).context(fact_schema));
  return out;
}

void sort_facts(std::vector<Fact>& facts) {
  std::sort(facts.begin(), facts.end(), [](const Fact& a, const Fact& b) {
    return std::tie(a.order, a.at, a.id) < std::tie(b.order, b.at, b.id);
  });
}

std::uint64_t next_order(const std::vector<Fact>& known) {
  std::uint64_t out = 0;
  for (const auto& fact : known) out = std::max(out, fact.order);
  return out + 1;
}

}  // namespace lb::record
