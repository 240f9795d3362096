#include "model/plan/language.h"

namespace lb::plan {

namespace {

Shape all_or_list() { return either({word({"all"}), list(text())}); }
Shape comparison() { return scalar(Form::comparison); }
Shape store() { return name({"stores"}); }

Verb http() {
  auto expect = record({
      optional("status", one_or_list(scalar(Form::integer)), "accepted status; else 200 to 399"),
      optional("within", scalar(Form::duration), "time the answer may take"),
      optional("json", map(comparison()), "\"$.path\" and what is expected there"),
      optional("headers", map(text()), "name and a text its value must contain"),
      optional("bytes", comparison(), "size of the body"),
      optional("text", text(), "must be contained in the body"),
  });
  auto rows = record({
      required("store", store(), "database that is asked"),
      required("sql", text(), "one request a row; columns are $name"),
  });
  return {"http",
          scalar(Form::request),
          "one request, such as GET /health",
          {optional("json", scalar(Form::any), "body; env:NAME and $name are filled in"),
           optional("bearer", scalar(Form::reference), "token, such as $token"),
           optional("headers", map(scalar(Form::reference)), "of the request"),
           optional("save", map(text()), "name and \"$.path\": values for later checks"),
           optional("rows", rows, "repeats the request for each row"),
           optional("expect", expect, "what the answer must be")}};
}

Verb references() {
  auto from = record({
      required("store", store(), "holds the references"),
      optional("sql", text(), "first column: the keys"),
      optional("collection", text(), "for document stores"),
      optional("field", text(), "for document stores"),
      optional("strip_prefix", text(), "removed from each key before the look-up"),
  });
  auto to = record({
      required("store", store(), "holds what is referred to"),
      required("collection", text(), "for document stores"),
  });
  return {"references",
          record({required("from", from), required("to", either({store(), to})),
                  with_default("missing", comparison(), "0", "references that lead nowhere")}),
          "keys found in one store must exist in another",
          {}};
}

Verb equal() {
  auto query = either({text(), record({
                                   required("collection", text()),
                                   optional("sum", text(), "field"),
                                   optional("by", text(), "field"),
                               })});
  return {"equal",
          record({required("left", query), required("right", query)}),
          "two queries must give the same rows; the first differing keys are shown",
          {}};
}

Verb group() {
  auto documents = record({required("collection", text()), required("by", text(), "field")});
  return {"group",
          either({text(), documents}),
          "a distribution, compared with the recorded one",
          {with_default("expect", comparison(), "recorded"),
           optional("tolerance", scalar(Form::percent), "how far each share may be off")}};
}

Verb files() {
  return {"files",
          record({
              optional("store", store(), "which files store"),
              optional("in", list(text()), "folders below the root; else all"),
              optional("count", comparison(), "regular files"),
              optional("zero_bytes", comparison(), "empty files"),
              optional("modes", comparison(), "permissions"),
              optional("hashes", comparison(), "content"),
          }),
          "what a tree must look like",
          {}};
}

// What a service wrote, what accepts connections, what looks encrypted.
std::vector<Verb> of_the_whole() {
  return {
      {"logs",
       text(),
       "service whose output is read",
       {optional("errors", comparison(), "lines that tell one; left out: 0"),
        optional("warnings", comparison(), "lines that warn; left out: any number")}},
      {"connect",
       text(),
       "a store, a service or a URL (http, https, tcp) that must accept a connection",
       {}},
      {"cron",
       either({word({"all"}), list(text())}),
       "schedules that must be there and due sanely",
       {}},
      {"entropy",
       either({word({"all"}), list(text())}),
       "encrypted-looking content between points",
       {optional("rise", scalar(Form::percent), "the share that may look so; left out: 10%")}},
  };
}

// In the language, and not yet in the checker: reading them must not fail, running them must.
std::vector<Verb> not_built() {
  return {
      {"scan", text(), "command that looks for malware", {}},
      {"masked", name({"masks"}), "no original value is left anywhere", {}},
      {"unchanged", name({"targets"}), "fingerprint before and after are the same", {}},
  };
}

std::vector<Verb> all_verbs() {
  std::vector<Verb> out = {
      {"tables", list(text()), "tables that must exist", {}},
      {"count",
       all_or_list(),
       "rows of each table",
       {with_default("expect", comparison(), "recorded")}},
      {"fresh",
       scalar(Form::column),
       "newest row: measures the loss",
       {optional("within", scalar(Form::duration), "age the newest row may have at the point")}},
      {"foreign_keys", all_or_list(), "re-validated, not merely listed", {}},
      {"amcheck",
       all_or_list(),
       "indexes and heap are checked by the server",
       {with_default("heap", scalar(Form::boolean), "true")}},
      {"sql", text(), "first value of the first row", {required("expect", comparison())}},
      equal(),
      group(),
      files(),
      references(),
      http(),
      {"manual", one_or_list(text()), "a person looks and confirms", {}},
  };
  for (auto& verb : of_the_whole()) out.push_back(std::move(verb));
  for (auto& verb : not_built()) out.push_back(std::move(verb));
  return out;
}

}  // namespace

const std::vector<std::string>& checks_not_built() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const auto& verb : not_built()) out.push_back(verb.key);
    return out;
  }();
  return names;
}

Shape checks_shape() {
  auto check = verbs(
      "check", all_verbs(),
      {
          optional("name", text(), "shown in reports; else derived"),
          optional("store", store(), "the store that is asked"),
          with_default("critical", scalar(Form::boolean), "false", "its failure ends the suite"),
      });
  auto defaults = record({
      optional("within", scalar(Form::duration), "for each http check"),
      optional("status", one_or_list(scalar(Form::integer)), "for each http check"),
      optional("store", store(), "for each check"),
  });
  auto suite = record({
      optional("defaults", defaults, "filled into each check of the suite"),
      required("checks", list(check)),
  });
  return named_map(either({list(check), suite}));
}

}  // namespace lb::plan
