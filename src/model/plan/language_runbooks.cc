#include "model/plan/language.h"

namespace lb::plan {

namespace {

Shape variable_text() { return or_variable(text()); }
Shape point() { return or_variable(scalar(Form::point)); }
Shape target() { return or_variable(name({"targets"})); }
Shape person() { return name({"people"}); }
Shape inputs() { return map(word({"text", "time", "number", "boolean"})); }

// "store: db" or "group: app" as every step that takes one writes it.
std::vector<Field> subject() {
  return {optional("store", or_variable(name({"stores"}))),
          optional("group", or_variable(name({"groups"})))};
}

Shape with_subject(std::vector<Field> fields) {
  auto all = subject();
  for (auto& field : fields) all.push_back(std::move(field));
  return record(std::move(all));
}

Verb restore() {
  return {"restore",
          with_subject({
              required("to", target()),
              with_default("at", point(), "latest"),
              optional("how", word({"in-place", "beside-then-swap", "beside", "instant", "new"})),
              optional("keep_old", scalar(Form::duration), "how long the replaced copy is kept"),
              optional("only", list(text()), "part of the store"),
              optional("from", variable_text(), "copy of the repository to read"),
              optional("mode", word({"merge", "exact"}), "exact deletes what the point has not"),
          }),
          "recovery",
          {}};
}

std::vector<Verb> deciding() {
  return {
      {"ask", inputs(), "questions; answers become $name", {}},
      {"choose",
       with_subject(
           {optional("before", point()), optional("at", point()),
            with_default("prefer", word({"verified", "proven", "clean", "latest"}), "verified")}),
       "the recovery point; becomes $point",
       {}},
      {"gate",
       record({required("approve", person()),
               optional("show",
                        list(word({"point", "data_loss", "predicted_rto", "target", "diff"})))}),
       "stops until the accountable person decides",
       {}},
      {"assess",
       with_subject({optional("against", target())}),
       "what is missing, changed, extra",
       {}},
      {"bisect",
       with_subject({required("check", text())}),
       "the last clean moment; becomes $clean",
       {}},
      {"query",
       record({required("store", or_variable(name({"stores"}))), required("sql", text()),
               optional("save", text())}),
       "rows for a person to look at",
       {}},
  };
}

std::vector<Verb> acting() {
  return {
      {"run", text(), "a command", {}},
      {"preflight",
       list(word({"disk", "credentials", "network", "repository", "version", "extensions", "roles",
                  "ports", "target", "tools"})),
       "what must be in place",
       {}},
      restore(),
      {"verify", either({word({"all"}), list(name({"checks"}))}), "suites that must pass", {}},
      {"provision", text(), "command that makes a new instance", {optional("save", map(text()))}},
      {"switch",
       record({optional("to", target()), optional("write", scalar(Form::reference)),
               optional("run", text())}),
       "traffic to the restored copy",
       {}},
      {"rotate", either({word({"all"}), list(text())}), "credentials and keys", {}},
      {"free",
       list(word({"old-backups", "logs", "temporary", "old-copies"})),
       "room on a disk",
       {}},
      {"task", name({"tasks"}), "one of the named tasks", {}},
      {"use",
       name({"runbooks"}),
       "the steps of another runbook",
       {optional("with", map(text()), "values for its parameters")}},
  };
}

std::vector<Verb> waiting_and_telling() {
  auto wait = record({
      optional("http", scalar(Form::request)),
      optional("run", text(), "command that must succeed"),
      optional("for", scalar(Form::duration)),
      optional("limit", scalar(Form::duration), "after which the step fails"),
  });
  auto notify = record({
      required("template", name({"templates"}, built_in_templates())),
      required("to", one_or_list(name({"people"}, {"all"}))),
  });
  return {
      {"wait", wait, "until something answers", {}},
      {"watch",
       record({required("check", text()), required("for", scalar(Form::duration))}),
       "that something stays so",
       {}},
      {"status", one_or_list(name({"probes"})), "asks the status page of a provider", {}},
      {"timer", word({"start", "stop"}), "the clock of the incident", {}},
      {"notify", notify, "a message, by template", {}},
      {"checklist", list(text()), "ticked off by a person", {}},
      {"banner", text(), "shown large", {}},
      {"manual", text(), "done by a person", {}},
      {"document", text(), "what is written down", {}},
      {"postmortem", name({"templates"}, built_in_templates()), "drafted from the journal", {}},
  };
}

Shape step() {
  auto all = deciding();
  for (auto& verb : acting()) all.push_back(std::move(verb));
  for (auto& verb : waiting_and_telling()) all.push_back(std::move(verb));
  return verbs("step", std::move(all),
               {
                   optional("by", person(), "who does it"),
                   optional("limit", scalar(Form::duration), "time it may take"),
                   optional("undo", text(), "command that takes it back"),
                   optional("probe", text(), "asked after a crash: did it happen?"),
                   with_default("fail", word({"stop", "continue", "ask"}), "stop", "when it fails"),
                   optional("when", text(), "condition; a skipped step is recorded"),
                   with_default("critical", scalar(Form::boolean), "false",
                                "cannot be skipped without a reason and an approver"),
               });
}

}  // namespace

Shape runbooks_shape() {
  return named_map(record({
      optional("symptoms", list(text()), "how the failure shows"),
      optional("prevention", list(text()), "what keeps it from happening"),
      optional("objective", objective_shape()),
      optional("parameters", inputs(), "values that `use:` and drills give"),
      required("steps", list(step())),
  }));
}

}  // namespace lb::plan
