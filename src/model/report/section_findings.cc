#include "foundation/base/text.h"
#include "model/report/sections.h"

namespace lb::report {

void write_isolation(Markup& out, const View& view) {
  const auto& isolation = view.record.isolation;
  out.open("section").leaf("h2", "Isolation");
  if (isolation.facts.empty()) {
    out.leaf("p", "No isolation was recorded as in force.");
  } else {
    out.leaf("p", "In force while the restored services ran:").open("ul");
    for (const auto& fact : isolation.facts) out.leaf("li", fact);
    out.close();
  }
  if (isolation.blocked_method.empty() && isolation.blocked_count == 0) {
    out.leaf("p", "Outbound attempts were not counted.");
  } else {
    const auto count = isolation.blocked_count;
    out.leaf(
        "p",
        cat(human_count(count), count == 1 ? " outbound attempt was" : " outbound attempts were",
            " blocked",
            isolation.blocked_method.empty() ? "" : cat(" (", isolation.blocked_method, ")"), "."));
  }
  if (!isolation.blocked_destinations.empty()) {
    out.leaf("p", "Destinations that were tried and not reached:").open("ul");
    for (const auto& place : isolation.blocked_destinations) {
      out.open("li").leaf("code", place).close();
    }
    out.close();
  }
  out.close();
}

static void write_advice_mark(Markup& out, const std::string& severity) {
  if (severity == "failure") return write_mark(out, "fail", "✗", "failure");
  if (severity == "warning") return write_mark(out, "warn", "!", "warning");
  write_mark(out, "note", "i", "note");
}

void write_advice(Markup& out, const View& view) {
  out.open("section").leaf("h2", "Issues and recommendations");
  if (view.advice.empty()) {
    out.leaf("p", "Nothing failed and nothing came near a limit.").close();
    return;
  }
  out.open("ol", {{"class", "advice"}});
  for (const auto& advice : view.advice) {
    out.open("li").open("h3");
    write_advice_mark(out, advice.severity);
    out.text(advice.what).close();
    out.open("p").leaf("b", "Why it matters: ").text(advice.why).close();
    out.open("p").leaf("b", "What to do: ").text(advice.action).close();
    out.close();
  }
  out.close().close();
}

void write_clean_up(Markup& out, const View& view) {
  out.open("section").leaf("h2", "Clean-up");
  out.leaf("p", view.record.cleaned_up
                    ? "Everything the drill started was stopped and everything it made was removed."
                    : "The sandbox of this drill was not removed, or its removal could not be "
                      "confirmed.");
  out.close();
}

}  // namespace lb::report
