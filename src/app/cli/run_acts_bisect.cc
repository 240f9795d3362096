// The step that looks for the last clean moment. It restores into sandboxes alone, so it may be
// done once more; what it has probed already it does not probe again after a crash.
#include "app/cli/bisect_desk.h"
#include "app/cli/run_acts.h"
#include "foundation/base/text.h"
#include "model/plan/view.h"

namespace lb::cli {

using runbook::Act;
using runbook::ActEnd;

namespace {

const std::vector<std::string> no_files;

}  // namespace

Result<ActEnd> RunActs::bisect(const Act& act, std::stop_token stop) {
  const std::lock_guard one_at_a_time(restoring_);
  LB_TRY(need_repository());
  plan::View what(act.step().what, no_files);
  auto name = LB_TRY(act.expand(what.has("group") ? what.text("group") : what.text("store")));
  auto check = LB_TRY(act.expand(what.text("check")));
  auto subject = LB_TRY(bisect_subject(plan_, name));
  auto request = LB_TRY(bisect_request(shell_, session_, plan_, subject, check));
  request.run = act.run;
  request.series = cat(act.run, " step ", act.own.number);
  request.series_since = act.began;
  drill::DrillTools tools{shell_.world, *session_.repository, *session_.journal,
                          *session_.references, shell_.console};
  auto record = LB_TRY(drill::run_bisect(tools, request, stop));
  ActEnd out;
  out.ok = record.clean.has_value();
  out.text = record.reason;
  for (const auto& warning : record.warnings) {
    shell_.console.warn(redactor_.clean(warning));
    out.text += cat("; note: ", warning);
  }
  out.data.set("bisect", record.id).set("output", redactor_.clean(bisect_table(record)));
  if (record.clean) out.set["clean"] = record.clean_words;
  return out;
}

}  // namespace lb::cli
