#include "storage/state/bisect_log.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/state/entry_id.h"

namespace lb::state {

constexpr const char* result_kind = "bisect";
constexpr const char* probe_kind = "bisect-probe";

static Result<Json> read(repo::Repository& repository, const char* kind, const std::string& id) {
  auto bytes = LB_TRY(repository.get_record(kind, id).context(cat("read ", kind, " ", id)));
  auto json = parse_json(text_of(bytes));
  if (!json.ok()) return Error(ErrorKind::corrupt, cat(kind, " ", id, ": ", json.error().text()));
  return json;
}

Status put_bisect(repo::Repository& repository, const record::BisectRecord& record) {
  const std::string text = record::encode(record).dump();
  return repository.put_record(result_kind, record.id, view_of(text))
      .context(cat("record bisect ", record.id));
}

Result<std::vector<record::BisectRecord>> bisects(repo::Repository& repository) {
  std::vector<record::BisectRecord> out;
  const auto ids = LB_TRY(repository.records(result_kind).context("read the log of bisects"));
  for (const auto& id : ids) {
    const auto json = LB_TRY(read(repository, result_kind, id));
    out.push_back(LB_TRY(record::decode_bisect(json).context(cat("bisect ", id))));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.started < b.started; });
  return out;
}

Status put_bisect_probe(repo::Repository& repository, const std::string& series,
                        const record::BisectProbe& probe) {
  const std::string text =
      Json::object().set("series", series).set("probe", record::encode(probe)).dump();
  return repository.put_record(probe_kind, repository.fresh_id(), view_of(text))
      .context("record a probe");
}

Result<std::map<std::string, record::BisectProbe>> bisect_probes(repo::Repository& repository,
                                                                 const std::string& series,
                                                                 Timestamp since) {
  std::map<std::string, record::BisectProbe> out;
  const auto ids = LB_TRY(repository.records(probe_kind).context("read the probes of bisects"));
  for (const auto& id : ids) {
    // Ids are of whole milliseconds.
    const auto made = time_of_id(id);
    if (made && *made + std::chrono::milliseconds(1) < since) continue;
    const auto json = LB_TRY(read(repository, probe_kind, id));
    if (json["series"].string() != series) continue;
    auto probe = LB_TRY(record::decode_bisect_probe(json["probe"]));
    out.insert_or_assign(probe.words, std::move(probe));
  }
  return out;
}

}  // namespace lb::state
