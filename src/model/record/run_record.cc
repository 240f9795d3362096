#include "model/record/run_record.h"

#include <array>

#include "foundation/base/text.h"
#include "model/record/fields.h"

namespace lb::record {

constexpr const char* event_schema = "lifeboat.run-event/1";
constexpr const char* input_schema = "lifeboat.run-input/1";

static std::array<std::string_view, 10> names_of(RunEventKind) {
  return {"opened",     "driver", "asks",    "began", "ended",
          "undo-began", "undone", "refused", "noted", "closed"};
}

static std::array<std::string_view, 12> names_of(RunInputKind) {
  return {"answer", "done", "tick",  "confirm", "approve", "deny",
          "report", "skip", "retry", "undo",    "note",    "abort"};
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, RunEvent>
void fields(Visit& visit, R& r) {
  visit.needed("n", r.number);
  visit.needed("at", r.at);
  visit("host", r.host);
  visit("by", r.by);
  visit.needed("kind", r.kind);
  visit("step", r.step);
  visit("attempt", r.attempt);
  visit("text", r.text);
  visit("data", r.data);
}

template <typename Visit, typename R>
requires std::same_as<std::remove_const_t<R>, RunInput>
void fields(Visit& visit, R& r) {
  visit.needed("id", r.id);
  visit.needed("at", r.at);
  visit("host", r.host);
  visit("user", r.user);
  visit.needed("kind", r.kind);
  visit("step", r.step);
  visit("text", r.text);
  visit("data", r.data);
}

template <typename R>
static Json with_schema(const char* schema, const R& value) {
  Json out = Json::object();
  out.set("schema", schema);
  const Json body = to_json(value);
  for (const auto& [name, member] : body.members()) out.set(name, member);
  return out;
}

template <typename R>
static Result<R> of_schema(const char* schema, const Json& json) {
  const auto found = json["schema"].string();
  if (found != schema) {
    return Error(ErrorKind::corrupt,
                 cat("not of schema ", schema, " but \"", printable(found), "\""));
  }
  R out;
  LB_TRY(from_json(json, out).context(schema));
  return out;
}

std::string_view name_of(RunEventKind kind) {
  return names_of(kind)[static_cast<std::size_t>(kind)];
}
std::string_view name_of(RunInputKind kind) {
  return names_of(kind)[static_cast<std::size_t>(kind)];
}

Json encode(const RunEvent& event) { return with_schema(event_schema, event); }
Json encode(const RunInput& input) { return with_schema(input_schema, input); }
Result<RunEvent> decode_run_event(const Json& json) {
  return of_schema<RunEvent>(event_schema, json);
}
Result<RunInput> decode_run_input(const Json& json) {
  return of_schema<RunInput>(input_schema, json);
}

}  // namespace lb::record
