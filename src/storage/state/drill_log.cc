#include <algorithm>

#include "foundation/base/text.h"
#include "storage/state/entry_id.h"
#include "storage/state/journal.h"

namespace lb::state {

using record::DrillRecord;

constexpr const char* record_kind = "drill";

Status put_drill(repo::Repository& repository, const DrillRecord& record) {
  const std::string text = record::encode(record).dump();
  return repository.put_record(record_kind, record.id, view_of(text))
      .context(cat("record drill ", record.id));
}

static Result<DrillRecord> decode(const Buffer& bytes) {
  auto json = parse_json(text_of(bytes));
  if (!json.ok()) return Error(ErrorKind::corrupt, json.error().text());
  return record::decode_drill(*json);
}

// In place of a record that cannot be read: the log keeps its line, and says what is wrong with it.
static DrillRecord unreadable(const std::string& id, const Error& error) {
  DrillRecord out;
  out.id = id;
  out.started = out.ended = time_of_id(id).value_or(Timestamp{});
  out.verdict = record::Verdict::inconclusive;
  out.reason = cat("the record of this drill is damaged: ", error.text());
  out.findings.push_back(
      {"warning", out.reason, "Run lifeboat verify to see the extent of the damage."});
  return out;
}

Result<std::vector<DrillRecord>> drills(repo::Repository& repository) {
  std::vector<DrillRecord> out;
  const auto ids = LB_TRY(repository.records(record_kind).context("read the drill log"));
  for (const auto& id : ids) {
    auto bytes = repository.get_record(record_kind, id);
    auto record = bytes.ok() ? decode(*bytes) : Result<DrillRecord>(bytes.error());
    if (record.ok()) {
      out.push_back(std::move(record).take());
    } else if (record.error().kind() == ErrorKind::corrupt) {
      out.push_back(unreadable(id, record.error()));
    } else {
      return std::move(record).take_error().context(cat("read drill ", id));
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const DrillRecord& a, const DrillRecord& b) {
    return a.started < b.started;
  });
  return out;
}

}  // namespace lb::state
