#include "model/plan/language.h"

namespace lb::plan {

namespace {

Shape failure_policy() {
  return record({
      optional("keep", name({"targets"}), "preserved for debugging"),
      optional("notify", one_or_list(name({"people"}, {"all"}))),
      optional("retry", list(word({"fresh", "previous"})), "fresh target; previous point"),
  });
}

Shape faults() {
  return word({"primary-region-down", "lost-chunk", "missing-wal", "expired-key", "absent-approver",
               "full-disk", "slow-link", "bad-clock", "copy-unreachable"});
}

}  // namespace

const std::vector<std::string>& drill_keys_not_built() {
  static const std::vector<std::string> keys = {"via",     "review",    "fault", "gate",
                                                "on_fail", "untouched", "from",  "migrate"};
  return keys;
}

Shape drills_shape() {
  auto pitr = record({
      required("window", scalar(Form::duration), "span that is audited"),
      with_default("samples", scalar(Form::integer), "10", "random seconds that are restored"),
  });
  return named_map(record({
      optional("every", scalar(Form::schedule), "when it runs"),
      optional("backup", word({"first"}), "takes a new point before"),
      optional("restore", one_or_list(name({"stores", "groups"})), "what is restored"),
      optional("into", name({"targets"}), "where"),
      with_default("at", scalar(Form::point), "latest", "which point"),
      optional("from", text(), "copy of the repository to read"),
      optional("checks", list(name({"checks"})), "suites that must pass"),
      optional("verify", scalar(Form::percent), "share of the repository that is read back"),
      optional("objective", objective_shape(), "targets of the drill"),
      optional("runbook", name({"runbooks"}), "followed step by step"),
      optional("with", map(text()), "values for the runbook"),
      optional("via", list(word({"logical", "physical", "instant"})),
               "ways of restoring, each proven"),
      optional("review", list(text()), "documents a person reviews"),
      optional("fault", faults(), "what is broken on purpose"),
      optional("pitr", pitr, "audit of point-in-time recovery"),
      optional("gate", text(), "decision at the end"),
      optional("on_fail", failure_policy(), "what happens when it fails"),
      optional("untouched", name({"targets"}), "proven to be the same before and after"),
      optional("migrate", text(), "command after the restore"),
  }));
}

}  // namespace lb::plan
