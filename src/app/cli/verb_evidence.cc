// evidence verify, and what the drill verbs sign.
#include "app/cli/drill_evidence.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

Status write_evidence(const Shell& shell, const std::string& folder,
                      const drill::Evidence& evidence) {
  auto& files = shell.world.files;
  auto signature = LB_TRY(from_hex(evidence.signature));
  LB_TRY(write_durably(files, path_join(folder, "evidence.json"), view_of(evidence.statement)));
  LB_TRY(write_durably(files, path_join(folder, "evidence.sig"), signature));
  return write_durably(files, path_join(folder, "evidence.pem"),
                       view_of(drill::public_key_pem(evidence.key)));
}

Result<std::optional<Secret>> evidence_seed(const Session& session) {
  const auto& sign = session.plan.plan.evidence.sign;
  if (sign.empty()) return std::optional<Secret>();
  auto text = LB_TRY(session.references->secret(sign).context("evidence: sign:"));
  return std::optional<Secret>(LB_TRY(drill::signing_seed(text)));
}

Status leave_evidence(const Shell& shell, Session& session, const Secret& seed,
                      const record::DrillRecord& record, const std::string& folder) {
  auto known = LB_TRY(drill::read_evidence(*session.repository));
  auto evidence = drill::sign_drill(seed, record, session.repository->id(), known);
  LB_TRY(drill::put_evidence(*session.repository, evidence));
  return write_evidence(shell, folder, evidence);
}

namespace {

// Whose signature is trusted: --key, or the plan's own.
Result<std::string> trusted_key(const Session& session, const Args& args) {
  if (args.has("key")) {
    auto key = from_hex(args.get("key"));
    if (key.ok() && key->size() == SigningPublicKey().size()) return to_hex(*key);
    return Error(ErrorKind::invalid, "--key takes the public key: 64 hex digits");
  }
  auto seed = LB_TRY(evidence_seed(session));
  if (seed) return to_hex(signing_public_key_of(*seed));
  return Error(ErrorKind::invalid, "whose signature? the plan has no evidence: sign:")
      .with_hint("--key and the public key, as evidence.json of a report that you trust names it");
}

Result<ExitCode> verify_evidence(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args));
  auto key = LB_TRY(trusted_key(*session, args));
  auto findings = LB_TRY(drill::judge_evidence(*session->repository, key));
  std::vector<std::vector<std::string>> rows = {{"DRILL", "ID", "EVIDENCE"}};
  Json lines = Json::array();
  std::size_t bad = 0;
  for (const auto& each : findings) {
    if (!each.good) ++bad;
    rows.push_back({each.drill, each.id, each.text});
    lines.push(Json::object()
                   .set("drill", each.drill)
                   .set("id", each.id)
                   .set("good", each.good)
                   .set("text", each.text));
  }
  auto exit = bad == 0 ? ExitCode::ok : ExitCode::check_not_met;
  if (shell.console.options().json) {
    shell.console.event("lifeboat.summary/1", Json::object()
                                                  .set("verb", "evidence verify")
                                                  .set("ok", bad == 0)
                                                  .set("exit", static_cast<int>(exit))
                                                  .set("key", key)
                                                  .set("evidence", std::move(lines)));
    return exit;
  }
  shell.console.out(table(rows, {}));
  shell.console.out(bad == 0
                        ? cat("nothing wrong; signed by ", key)
                        : cat(bad, " of ", findings.size(), " drills are not proven by ", key));
  return exit;
}

}  // namespace

Verb evidence_verify_verb() {
  return {{"evidence verify",
           "Checks what was signed of each drill against the drill log and against itself. Exit 4 "
           "when a statement is forged, gone, or of another record.",
           {"lifeboat evidence verify                    # with the key of the plan",
            "lifeboat evidence verify --key 9c0f…        # with a public key kept elsewhere"},
           "evidence verify [--key HEX]",
           {{"key", 0, "HEX", "the public key that is trusted (default: the plan's)", false}},
           0},
          verify_evidence};
}

}  // namespace lb::cli
