#include "foundation/base/text.h"
#include "model/report/sections.h"

namespace lb::report {

using record::DrillRecord;

static void write_derivations(Markup& out, const View& view) {
  out.leaf("h3", "How the figures come about").open("ul");
  for (const auto& store : view.record.stores) {
    if (!store.reached) continue;
    out.leaf("li", cat("Data loss of ", store.store, ": ", moment_text(view.record.loss_moment),
                       " (moment of loss) − ", moment_text(*store.reached), " (reached) = ",
                       format_duration(view.record.loss_moment - *store.reached), "."));
  }
  if (view.figures.rto) {
    out.leaf("li",
             cat("Recovery time: from ", moment_text(view.record.started), " (start of the drill) ",
                 "to the end of the last check = ", format_duration(*view.figures.rto), "."));
  }
  const auto& checks = view.figures.checks;
  out.leaf("li",
           cat("Checks: ", checks.passed, " passed + ", checks.failed, " failed + ", checks.errors,
               " could not run + ", checks.skipped, " skipped = ", checks.total, "."));
  out.close();
}

static std::string offline_commands(const DrillRecord& record) {
  std::string out =
      "lifeboat verify                # reads back, decrypts and checks every object\n";
  for (const auto& store : record.stores) {
    if (!store.point.empty())
      out += cat("lifeboat show ", store.point, "   # point of ", store.store, "\n");
  }
  out += cat("lifeboat report ", record.id, "   # makes this report again from the record\n");
  return out;
}

void write_appendix(Markup& out, const View& view) {
  const auto& record = view.record;
  out.open("section").leaf("h2", "Appendix");
  write_derivations(out, view);
  out.leaf("h3", "How to verify this offline");
  out.leaf("p", cat("The record of this drill and the points it used lie in the repository (",
                    record.repository.empty() ? "not recorded" : record.repository,
                    "). With the repository and its key, and nothing else:"));
  out.leaf("pre", offline_commands(record));
  out.leaf("h3", "Journal extract");
  if (record.journal.empty()) {
    out.leaf("p", "The record holds no journal lines.");
  } else {
    out.open("details").leaf("summary", cat(record.journal.size(), " lines"));
    out.leaf("pre", join(record.journal, "\n")).close();
  }
  out.close();
}

}  // namespace lb::report
