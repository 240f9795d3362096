// What alerts: has bounds for and servers and services tell: connections, statements, answers.
// Asked only when the plan has such a bound.
#include <algorithm>

#include "app/cli/service_watch.h"
#include "app/cli/standing.h"
#include "foundation/base/text.h"
#include "model/plan/alert_bounds.h"
#include "stores/postgres/server_load.h"

namespace lb::cli {

namespace {

constexpr Micros slow_after = std::chrono::minutes(1);

// A line of its own only when a bound is passed.
void add_measured(const plan::Plan& plan, watch::Finding finding, Standing& out) {
  const auto above = passed_bound(plan, finding.event, *finding.measured);
  if (!above.empty())
    out.lines.push_back({cat(finding.event, ", ", finding.subject),
                         cat(finding.text, " Above ", above), "above", false});
  out.findings.push_back(std::move(finding));
}

void add_connections(const plan::Plan& plan, const plan::Store& store, const pg::ServerLoad& load,
                     Standing& out) {
  const auto text = load.full ? cat(store.name, " takes no more connections.")
                              : cat(load.connections, " of ", load.connections_max,
                                    " connections of ", store.name, " are used.");
  add_measured(plan, {"connections", store.name, false, text, load.connections_share()}, out);
}

// What may not be seen is no zero.
void add_statements(const plan::Plan& plan, const plan::Store& store, const pg::ServerLoad& load,
                    Standing& out) {
  if (!load.slow)
    return out.lines.push_back({cat("slow_queries, ", store.name),
                                cat("not measured: ", load.slow_unknown), "unknown", false});
  const auto text =
      cat(*load.slow, *load.slow == 1 ? " statement has" : " statements have", " been at work in ",
          store.name, " for more than ", human_duration(slow_after), ".");
  add_measured(plan, {"slow_queries", store.name, false, text, static_cast<double>(*load.slow)},
               out);
}

void add_server(const Shell& shell, Session& session, const plan::Store& store, Standing& out) {
  const auto& plan = session.plan.plan;
  auto load = [&]() -> Result<pg::ServerLoad> {
    const auto conninfo = LB_TRY(session.references->secret(store.address));
    return pg::read_server_load(conninfo, slow_after);
  }();
  const auto from_here = cat(store.name, ", from ", shell.host);
  if (!load.ok()) {
    const auto kind = load.error().kind();
    const bool away = kind == ErrorKind::unavailable || kind == ErrorKind::timeout;
    out.lines.push_back({cat("load of ", store.name), cat("not measured: ", load.error().text()),
                         away ? "unreachable" : "unknown", false});
    if (away) out.findings.push_back({"store unreachable", from_here, true, load.error().text()});
    return;
  }
  out.findings.push_back({"store unreachable", from_here, false, {}});
  if (plan::has_bound(plan, "connections")) add_connections(plan, store, *load, out);
  if (plan::has_bound(plan, "slow_queries")) add_statements(plan, store, *load, out);
}

void add_service(const Shell& shell, const plan::Plan& plan, const plan::Target& target,
                 Standing& out) {
  const auto look =
      look_at_service(shell.world.http, shell.world.clock, requests_to(plan, target), shell.stop);
  const bool away = look.asked > 0 && look.answered == 0;
  if (away)
    out.lines.push_back({cat("service of ", target.name), text_of(look), "unreachable", false});
  for (auto& finding : findings_of(look, target.name, shell.host)) {
    if (finding.measured && !away) {  // one line says it all
      add_measured(plan, std::move(finding), out);
    } else {
      out.findings.push_back(std::move(finding));
    }
  }
}

}  // namespace

void add_load(const Shell& shell, Session& session, Standing& out) {
  const auto& plan = session.plan.plan;
  if (plan::has_bound(plan, "connections") || plan::has_bound(plan, "slow_queries")) {
    for (const auto& store : plan.stores) {
      if (store.kind == plan::StoreKind::postgres) add_server(shell, session, store, out);
    }
  }
  if (!plan::has_bound(plan, "response_time") && !plan::has_bound(plan, "error_rate")) return;
  for (const auto* target : plan::targets_in_service(plan)) add_service(shell, plan, *target, out);
}

}  // namespace lb::cli
