// Any bytes as a plan: no crash, every mistake has a place and readable text, and what is accepted
// is explained into a plan that is accepted again and means the same.
#include <cstdint>
#include <string>

#include "foundation/base/assert.h"
#include "foundation/base/text.h"
#include "model/plan/reader.h"
#include "model/plan/unsupported.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lb;
  std::string text(reinterpret_cast<const char*>(data), size);
  auto loader = [&](const std::string&) -> Result<std::string> { return text; };
  auto out = plan::read_plan("plan.yaml", text, loader);
  for (const auto& mistake : out.mistakes) {
    LB_ASSERT(mistake.place.line > 0 && mistake.place.column > 0);
    LB_ASSERT(valid_utf8(mistake.text + mistake.suggestion + mistake.source_line));
  }
  LB_ASSERT(plan::format_mistakes(out.mistakes, true).empty() == out.ok());
  if (!out.ok()) return 0;
  plan::unsupported_for_backup(out.plan, {});
  for (const auto& drill : out.plan.drills) plan::unsupported_for_drill(out.plan, drill);
  auto explained = plan::explain(out.plan, {}, from_micros(1'800'000'000'000'000));
  auto again = plan::read_plan("again.yaml", explained.yaml, loader);
  LB_ASSERT(again.ok());
  LB_ASSERT(plan::explain(again.plan, {}, from_micros(0)).lines.size() == explained.lines.size());
  return 0;
}
