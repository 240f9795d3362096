#include "model/plan/language.h"

namespace lb::plan {

Shape targets_shape() {
  std::vector<Field> fields = {
      with_default("protect", scalar(Form::boolean), "false",
                   "production: its name must be typed, drills never enter"),
      optional("isolate", word({"network"}), "loopback only, host sockets hidden"),
      optional("start", map(text()), "services to start there: name and command"),
      optional("url", scalar(Form::url), "where its service answers"),
      optional("environment", map(scalar(Form::reference)), "variables of its services"),
      optional("memory", scalar(Form::size), "limit of all its processes"),
      optional("cpus", scalar(Form::number), "limit of all its processes"),
      optional("folder", text(), "where restores are laid out; else a temporary directory"),
      optional("stores", map(scalar(Form::reference)), "place of each store, by its name"),
      with_default("wipe", scalar(Form::boolean), "false", "emptied before a restore"),
      optional("mask", name({"masks"}), "applied before anyone may log in"),
      optional("migrate", text(), "command after the restore, before the checks"),
      optional("first", name({"targets"}), "the same point must have passed its checks there"),
  };
  for (const char* kind : {"postgres", "redis", "files", "bucket", "firestore"}) {
    fields.push_back(optional(kind, scalar(Form::reference), "place of the stores of this kind"));
  }
  return named_map(record(std::move(fields)));
}

Shape masks_shape() {
  auto out = record({
      optional("empty", list(text()), "tables and keys that are emptied"),
      optional("set", map(text()), "columns that get a fixed value"),
      with_default("unlisted", word({"refuse", "keep"}), "refuse",
                   "a column that looks personal and is not listed"),
  });
  // "*.email", "customers.name": a pattern of columns and what becomes of them.
  auto rule = text();
  rule.may_look_secret = true;
  out.parts.push_back(rule);
  out.fields[1].shape.parts[0].may_look_secret = true;
  return named_map(std::move(out));
}

}  // namespace lb::plan
