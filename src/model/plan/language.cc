#include "model/plan/language.h"

namespace lb::plan {

namespace {

Shape build_plan_shape() {
  return record({
      required("version", scalar(Form::integer), "version of the plan language: 1"),
      required("system", text(), "what this plan protects"),
      with_default("timezone", text(), "UTC", "zone of all schedules"),
      optional("include", one_or_list(text()), "further plan files, relative to this one"),
      optional("objectives", objective_shape(), "targets of the whole system"),
      required("repository", repository_shape(), "where backups live"),
      required("stores", stores_shape(), "what is backed up"),
      optional("groups", groups_shape(), "stores that are restored to one consistent point"),
      optional("targets", targets_shape(), "places to restore into"),
      optional("masks", masks_shape(), "how personal data is made harmless in a target"),
      optional("checks", checks_shape(), "suites of assertions on restored data"),
      optional("drills", drills_shape(), "proofs that recovery works"),
      optional("runbooks", runbooks_shape(), "ordered steps for one kind of failure"),
      optional("people", people_shape(), "roles and how to reach them"),
      optional("channels", channels_shape(), "ways that messages take"),
      optional("hours", hours_shape(), "when people work"),
      optional("alerts", alerts_shape(), "who is told what"),
      optional("escalation", escalation_shape(), "who answers within which time"),
      optional("raci", raci_shape(), "who is responsible, accountable, consulted, informed"),
      optional("templates", templates_shape(), "texts of messages"),
      optional("probes", probes_shape(), "status pages of providers"),
      optional("tasks", tasks_shape(), "named commands and reviews"),
      optional("links", named_map(text()), "references shown in reports"),
      optional("evidence", evidence_shape(), "what is kept as proof"),
  });
}

}  // namespace

const Shape& plan_shape() {
  static const Shape shape = build_plan_shape();
  return shape;
}

const std::vector<std::string>& named_sections() {
  static const std::vector<std::string> names = {
      "stores", "groups",   "targets",   "masks",  "checks", "drills", "runbooks",
      "people", "channels", "templates", "probes", "tasks",  "links"};
  return names;
}

Shape objective_shape() {
  return record({
      optional("rpo", scalar(Form::duration), "target: data that may be lost, as time"),
      optional("rto", scalar(Form::duration), "target: time until recovery is proven"),
      optional("goal", scalar(Form::duration), "stretch target beside the first"),
      optional("why", text(), "the reason, shown in reports"),
      optional("clock",
               word({"declared-to-restored", "declared-to-verified", "declared-to-switched",
                     "detected-to-restored", "detected-to-verified", "detected-to-switched",
                     "artifact-to-restored", "artifact-to-verified", "artifact-to-switched"}),
               "where the clock of the RTO starts and stops"),
  });
}

Shape evidence_shape() {
  return record({
      with_default("keep", scalar(Form::duration), "3y", "how long reports and journals are kept"),
      optional("sign", scalar(Form::secret), "key that signs evidence"),
      with_default("formats", list(word({"html", "json", "markdown"})), "[html, json, markdown]",
                   "formats of reports"),
  });
}

}  // namespace lb::plan
