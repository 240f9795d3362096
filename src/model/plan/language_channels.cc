#include "model/plan/language.h"

namespace lb::plan {

Shape channels_shape() {
  auto tls = with_default("tls", word({"starttls", "implicit", "none"}), "starttls",
                          "none only to a server on this machine");
  return named_map(
      verbs("channel",
            {
                {"slack",
                 scalar(Form::secret),
                 "address of an incoming webhook",
                 {optional("room", text(), "\"#ops\", the room the webhook posts into")}},
                {"smtp",
                 scalar(Form::reference),
                 "mail server, host or host:port",
                 {required("from", text(), "sender"), optional("user", scalar(Form::secret)),
                  optional("password", scalar(Form::secret)), tls,
                  optional("ca", text(), "file of certificates to trust")}},
                {"webhook",
                 scalar(Form::secret),
                 "address that takes JSON",
                 {optional("sign", scalar(Form::secret), "key of the signature (HMAC-SHA256)")}},
                {"pagerduty",
                 scalar(Form::secret),
                 "routing key of a service (Events v2)",
                 {optional("at", scalar(Form::url), "another place to post events to")}},
                {"command", text(), "is given the message on its standard input", {}},
            },
            {with_default("limit", scalar(Form::duration), "30s", "of one attempt")}));
}

Shape hours_shape() {
  return record({
      with_default("days", one_or_list(text()), "mon-fri", "mon, tue, … or mon-fri"),
      with_default("from", text(), "\"09:00\""),
      with_default("to", text(), "\"17:00\""),
      optional("zone", text(), "Europe/Berlin; the plan's timezone without"),
      optional("except", one_or_list(text()), "days off: 2026-12-25"),
  });
}

}  // namespace lb::plan
