#include "model/record/bisect_record.h"

#include "foundation/base/text.h"
#include "model/record/fields.h"

namespace lb::record {

constexpr const char* bisect_schema = "lifeboat.bisect/1";

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, BisectStore>
void fields(Visit& visit, R& r) {
  visit.needed("store", r.store);
  visit("kind", r.kind);
  visit.needed("point", r.point);
  visit("point_taken", r.point_taken);
  visit("lsn", r.lsn);
  visit("reached", r.reached);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, BisectProbe>
void fields(Visit& visit, R& r) {
  visit.needed("words", r.words);
  visit.needed("answer", r.answer);
  visit("reason", r.reason);
  visit.needed("at", r.at);
  visit("started", r.started);
  visit("took_us", r.took);
  visit("stores", r.stores);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, BisectRecord>
void fields(Visit& visit, R& r) {
  visit.needed("id", r.id);
  visit("system", r.system);
  visit("started_by", r.started_by);
  visit("host", r.host);
  visit("version", r.version);
  visit("run", r.run);
  visit.needed("subject", r.subject);
  visit.needed("check", r.check);
  visit.needed("stores", r.stores);
  visit.needed("started", r.started);
  visit("ended", r.ended);
  visit("clean", r.clean);
  visit("first_bad", r.first_bad);
  visit("clean_words", r.clean_words);
  visit("transaction", r.transaction);
  visit("narrowed", r.narrowed);
  visit("reason", r.reason);
  visit("warnings", r.warnings);
  visit("probes", r.probes);
}

Json encode(const BisectRecord& record) {
  Json out = Json::object().set("schema", bisect_schema);
  const Json body = to_json(record);
  for (const auto& [name, member] : body.members()) out.set(name, member);
  return out;
}

Result<BisectRecord> decode_bisect(const Json& json) {
  const auto found = json["schema"].string();
  if (found != bisect_schema) {
    return Error(ErrorKind::corrupt,
                 cat("not of schema ", bisect_schema, " but \"", printable(found), "\""));
  }
  BisectRecord out;
  LB_TRY(from_json(json, out).context(bisect_schema));
  return out;
}

Json encode(const BisectProbe& probe) { return to_json(probe); }

Result<BisectProbe> decode_bisect_probe(const Json& json) {
  BisectProbe out;
  LB_TRY(from_json(json, out).context("probe of a bisect"));
  return out;
}

}  // namespace lb::record
