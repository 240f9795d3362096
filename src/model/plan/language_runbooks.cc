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
              optional("stop", text(), "of a data directory that is exchanged: ends its server"),
              optional("start", text(), "begins it again"),
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
       record(
           {optional("approve", person(), "who decides; left out: the A of `task`"),
            optional("task", text(), "a line of raci:"),
            optional("show", list(word({"point", "data_loss", "predicted_rto", "target", "diff"}))),
            with_default("expires", scalar(Form::duration), "1h",
                         "how long a decision may be made and used")}),
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
       record({required("store", or_variable(name({"stores"}))),
               required("sql", text(), "$names are given as values"),
               optional("on", target(), "the target asked; left out: where the store lives"),
               optional("expect", scalar(Form::comparison), "of the first value"),
               optional("save", text(), "variable that takes the first value")}),
       "rows for a person to look at",
       {}},
  };
}

std::vector<Verb> acting() {
  return {
      {"run",
       text(),
       "a command",
       {optional("save", text(), "variable that takes what it prints")}},
      {"preflight",
       list(word({"disk", "credentials", "network", "repository", "version", "extensions", "roles",
                  "ports", "target", "tools"})),
       "what must be in place",
       {}},
      restore(),
      {"verify", either({word({"all"}), list(name({"checks"}))}), "suites that must pass", {}},
      {"check", text(), "one check of the suites, by its name", {}},
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
  auto item = record({required("item", text()),
                      with_default("critical", scalar(Form::boolean), "false",
                                   "cannot be left out without a reason and an approver")});
  return {
      {"wait", wait, "until something answers", {}},
      {"watch",
       record({required("check", text()), required("for", scalar(Form::duration))}),
       "that something stays so",
       {}},
      {"status", one_or_list(name({"probes"})), "asks the status page of a provider", {}},
      {"timer", word({"start", "stop"}), "the clock of the incident", {}},
      {"notify", notify, "a message, by template", {}},
      {"checklist", list(either({text(), item})), "ticked off by a person", {}},
      {"banner", text(), "shown large", {}},
      {"phase", text(), "a heading: the steps after it belong to it", {}},
      {"manual", text(), "done by a person", {}},
      {"document", text(), "what is written down", {}},
      {"postmortem", name({"templates"}, built_in_templates()), "drafted from the journal", {}},
  };
}

// What may follow a failure: a word, so many tries more, or another step.
Shape failure() {
  return either({word({"stop", "continue", "ask"}),
                 record({optional("retry", scalar(Form::integer), "so many times more"),
                         optional("wait", scalar(Form::duration), "before each of them"),
                         optional("goto", text(), "name of the step that follows instead")})});
}

std::vector<Field> modifiers() {
  return {
      optional("name", text(), "what `goto` and people call it"),
      optional("by", person(), "who does it"),
      optional("limit", scalar(Form::duration), "time it may take"),
      optional("undo", text(), "command that takes it back"),
      optional("probe", text(), "asked after a crash: did it happen?"),
      with_default("fail", failure(), "stop", "when it fails"),
      optional("when", text(), "condition; a skipped step is recorded"),
      with_default("critical", scalar(Form::boolean), "false",
                   "cannot be skipped without a reason and an approver"),
      optional("review", word({"required"}), "not done before a person has read it"),
      with_default("key", scalar(Form::boolean), "false",
                   "its commands are given what opens the repository, to call lifeboat"),
  };
}

Shape step() {
  auto all = deciding();
  for (auto& verb : acting()) all.push_back(std::move(verb));
  for (auto& verb : waiting_and_telling()) all.push_back(std::move(verb));
  auto alone = verbs("step", all, modifiers());
  all.push_back({"parallel", list(std::move(alone)), "steps done side by side", {}});
  return verbs("step", std::move(all), modifiers());
}

}  // namespace

Shape runbooks_shape() {
  return named_map(record({
      optional("symptoms", list(text()), "how the failure shows"),
      optional("prevention", list(text()), "what keeps it from happening"),
      optional("objective", objective_shape()),
      optional("parameters", inputs(), "values that `use:` and drills give"),
      optional("owner", person(), "who answers for this text"),
      optional("version", text(), "of this text, as people count it"),
      optional("updated", scalar(Form::date), "when it was last brought up to date"),
      optional("review", scalar(Form::schedule),
               "how often it is to be read again, counted from `updated`"),
      optional("classification", word({"public", "internal", "confidential"}),
               "confidential: its page is kept sealed only; see `pages` of the repository"),
      required("steps", list(step())),
  }));
}

}  // namespace lb::plan
