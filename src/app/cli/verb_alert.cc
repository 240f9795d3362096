// alert test: proves each channel with a real message.
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "operations/notify/postman.h"
#include "operations/notify/proof.h"

namespace lb::cli {

namespace {

constexpr Micros outbox_time = Seconds(20);

Json json_of(const notify::Proof& proof) {
  return Json::object()
      .set("channel", proof.tried.route.channel.name)
      .set("kind", plan::name_of(proof.tried.route.channel.kind))
      .set("to", proof.tried.route.person)
      .set("ok", proof.ok())
      .set("took_us", proof.sent.took.count())
      .set("text", proof.tried.problem.empty() ? proof.sent.text : proof.tried.problem);
}

std::string in_milliseconds(Micros time) {
  return cat(fixed(static_cast<double>(time.count()) / 1000, 0), " ms");
}

void show(Console& console, const std::vector<notify::Proof>& proofs) {
  std::vector<std::vector<std::string>> rows = {{"", "CHANNEL", "KIND", "TO", "TOOK", "ANSWER"}};
  for (const auto& proof : proofs) {
    const auto& route = proof.tried.route;
    const bool tried = proof.tried.problem.empty();
    rows.push_back({proof.ok() ? console.colored("ok  ", 32) : console.colored("FAIL", 31),
                    route.channel.name, std::string(plan::name_of(route.channel.kind)),
                    route.person.empty() ? "-" : route.person,
                    tried ? in_milliseconds(proof.sent.took) : "-",
                    tried ? proof.sent.text : proof.tried.problem});
  }
  console.out(table(rows, {4}));
}

// What waits from before is tried with it: whoever looks at channels wants to know.
Result<Json> carry_what_waits(const Shell& shell, notify::Postman& postman, state::Outbox& outbox) {
  const auto before = LB_TRY(outbox.waiting());
  if (before == 0) return Json::object().set("delivered", 0).set("waiting", 0);
  auto carried = LB_TRY(postman.drain(outbox_time, shell.stop));
  const auto after = LB_TRY(outbox.waiting());
  const auto text = cat("outbox: ", carried.delivered, " delivered, ", carried.undelivered,
                        " given up, ", after, " waiting");
  if (!shell.console.options().json) shell.console.out(text);
  return Json::object()
      .set("delivered", std::uint64_t{carried.delivered})
      .set("undelivered", std::uint64_t{carried.undelivered})
      .set("waiting", std::uint64_t{after});
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto loaded = LB_TRY(load_plan(shell, args));
  References references(shell.world, shell.environment, loaded.folder);
  auto routes = LB_TRY(notify::routes_to_prove(loaded.plan, args.positionals));
  const auto path = path_join(state_folder(shell, loaded.plan.system), "journal.sqlite");
  auto journal = LB_TRY(state::Journal::open(shell.world, path));
  auto outbox = LB_TRY(state::Outbox::open(shell.world, *journal, path));
  auto act = LB_TRY(state::Act::begin(shell.world, *journal, "alert test", {},
                                      cat("Testing ", routes.size(), " ways to tell people"),
                                      Json::object()));
  auto proofs = LB_TRY(notify::prove(shell.world, references, loaded.plan, routes,
                                     cat(shell.user, "@", shell.host), shell.stop));
  Json results = Json::array();
  std::size_t good = 0;
  for (const auto& proof : proofs) {
    results.push(json_of(proof));
    if (proof.ok()) ++good;
  }
  const bool ok = good == proofs.size();
  LB_TRY(act->finish(ok, cat(good, " of ", proofs.size(), " work"),
                     Json::object().set("results", results)));
  if (!shell.console.options().json) show(shell.console, proofs);
  notify::Postman postman(shell.world, loaded.plan, references, *journal, *outbox);
  auto waiting = LB_TRY(carry_what_waits(shell, postman, *outbox));
  shell.console.event("lifeboat.alert_test/1", Json::object()
                                                   .set("ok", ok)
                                                   .set("results", std::move(results))
                                                   .set("outbox", std::move(waiting)));
  return ok ? ExitCode::ok : ExitCode::failed;
}

}  // namespace

Verb alert_test_verb() {
  return {{"alert test",
           "Sends a real message by each channel of the plan and says what came of it.",
           {"lifeboat alert test            # every channel of channels:",
            "lifeboat alert test mail ada   # one channel, and all that reaches one person",
            "lifeboat alert test --json     # for a script"},
           "alert test [CHANNEL|PERSON...]",
           {},
           100},
          run};
}

}  // namespace lb::cli
