// Any bytes as a runbook: refused with a reason, or a plan that the plan's reader accepts, in which
// every piece of the text has a place.
#include <cstdint>
#include <string>

#include "foundation/base/assert.h"
#include "foundation/base/text.h"
#include "model/adopt/adopt.h"
#include "model/plan/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lb;
  std::string text(reinterpret_cast<const char*>(data), size);
  auto out = adopt::adopt("doc.md", text);
  if (!out.ok()) {
    LB_ASSERT(!out.error().message().empty());
    return 0;
  }
  LB_ASSERT(valid_utf8(out->yaml));
  for (const auto& piece : out->pieces) {
    LB_ASSERT(piece.line > 0 && valid_utf8(piece.text));
    auto mark = cat("doc.md:", piece.line);
    if (!piece.understood) LB_ASSERT(out->yaml.find(mark) != std::string::npos);
  }
  for (const auto& one : out->contradictions) LB_ASSERT(valid_utf8(one.text));
  auto read = plan::read_plan("plan.yaml", out->yaml, nullptr);
  LB_ASSERT(read.ok());
  LB_ASSERT(read.plan.runbooks.size() == out->runbooks);
  return 0;
}
