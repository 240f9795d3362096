#include "model/plan/language.h"

namespace lb::plan {

namespace {

Shape persons() { return one_or_list(name({"people"}, {"all"})); }

Shape event() {
  return either(
      {word({"backup failed",
             "backup incomplete",
             "backup overdue",
             "data damaged",
             "restore failed",
             "verify failed",
             "drill failed",
             "drill overdue",
             "store unreachable",
             "target unreachable",
             "repository unreachable",
             "key unreachable",
             "write failed",
             "rpo breached",
             "rto breached",
             "copy late",
             "lock ending",
             "log gap",
             "log failing",
             "log filling",
             "spool filling",
             "approval late",
             "review overdue",
             "notification undelivered",
             "everything"}),
       verbs(
           "condition",
           {
               {"disk", scalar(Form::percent), "used space of a disk", {}},
               {"slow_queries",
                scalar(Form::number),
                "statements that take longer than a minute, at one time",
                {}},
               {"error_rate",
                scalar(Form::percent),
                "of requests: no answer, or a status of 500 and more",
                {}},
               {"connections", scalar(Form::percent), "used, of those that all roles may have", {}},
               {"response_time", scalar(Form::duration), "of the service of a target", {}},
               {"lag", scalar(Form::duration), "of the log", {}},
           },
           {})});
}

// The half that is shown to everybody; as many random letters as a secret has.
Shape public_key() {
  Shape out = text();
  out.may_look_secret = true;
  return out;
}

}  // namespace

Shape people_shape() {
  return named_map(record({
      optional("name", text()),
      optional("email", text()),
      optional("slack", text(), "\"@person\" or \"#channel\""),
      optional("phone", text()),
      optional("webhook", scalar(Form::secret)),
      optional("pagerduty", scalar(Form::secret), "routing key of the service"),
      optional("via", one_or_list(name({"channels"})),
               "tried one after the other; without it the addresses above, as they stand"),
      optional("users", one_or_list(text()), "system users who act as it: ada, or ada@host"),
      optional("key", public_key(), "Ed25519 public key, hex: its signature proves who acts"),
      optional("members", list(name({"people"})), "a team"),
      optional("deputy", name({"people"}), "when the first does not answer"),
      optional("escalate", name({"people"}), "when nobody answers"),
      optional("duty", text(), "what the role does"),
      optional("updated", scalar(Form::date), "when somebody last saw that this reaches them"),
      optional("review", scalar(Form::schedule), "how often that is tried, counted from `updated`"),
  }));
}

Shape alerts_shape() {
  auto rule = record({required("on", list(event())), required("send", persons())});
  return record({
      optional("critical", rule, "wakes people"),
      optional("warning", rule, "is seen in the morning"),
      optional("info", rule, "is only recorded and sent"),
      optional("heartbeat", scalar(Form::secret), "address that is called as long as all is well"),
  });
}

Shape escalation_shape() {
  auto next = record(
      {required("within", scalar(Form::duration), "time to answer"), required("to", persons())});
  std::vector<Field> levels;
  for (const char* level : {"P0", "P1", "P2", "P3"}) {
    levels.push_back(optional(
        level,
        record({
            required("within", scalar(Form::duration), "time to answer"),
            required("to", persons()),
            with_default("from", word({"now", "business-hours", "next-business-day"}), "now",
                         "when the first are told; see hours:"),
            optional("then", one_or_list(next),
                     "who is told next; without it the deputies, then those they escalate to"),
            with_default("repeat", scalar(Form::integer), "2", "how often all of it is done again"),
            optional("means", text(), "what counts as this level"),
        })));
  }
  return record(std::move(levels));
}

Shape raci_shape() {
  // One letter or several a cell: R responsible, A accountable, C consulted, I informed.
  auto cell = one_or_list(word({"R", "A", "C", "I"}));
  auto task = map(cell);
  task.sections = {"people"};  // the keys are declared there
  return map(std::move(task));
}

Shape templates_shape() {
  return named_map(either({text(), record({
                                       optional("subject", text()),
                                       required("body", text()),
                                       optional("approve", name({"people"}), "before it is sent"),
                                   })}));
}

Shape probes_shape() {
  return named_map(
      either({scalar(Form::url), record({
                                     required("http", scalar(Form::url)),
                                     optional("expect", text(), "contained when all is well"),
                                 })}));
}

Shape tasks_shape() {
  return named_map(either({text(), record({
                                       optional("run", text(), "command"),
                                       optional("review", text(), "document a person reviews"),
                                       optional("within", scalar(Form::duration),
                                                "as a step: of the failure, by then it is done"),
                                       optional("every", scalar(Form::schedule)),
                                       optional("by", name({"people"})),
                                       optional("undo", text()),
                                       optional("why", text()),
                                   })}));
}

}  // namespace lb::plan
