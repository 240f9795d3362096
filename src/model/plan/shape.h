// Shape: what a part of the plan may look like, as data. The language_*.cc files write the whole
// language down as shapes; the validator, `plan schema` and `plan explain` all read the same
// tables, so that they cannot drift apart. Built once, immutable.
#pragma once

#include <string>
#include <vector>

namespace lb::plan {

enum class Form {
  // Scalars; values.h, schedule.h and the base library say what each accepts.
  text,
  boolean,
  integer,
  number,
  duration,
  size,
  percent,
  schedule,
  comparison,
  reference,  // may be literal
  secret,     // a reference only
  point,      // in time
  date,       // "2026-01-13"
  url,
  request,  // "GET /health"
  column,   // "table.column"
  name,     // of something declared in one of `sections`
  word,     // one of `words`
  // Structures.
  list,    // parts[0]: each item
  map,     // parts[0]: each value; `named`: the keys are names that others refer to
  record,  // fields; parts[0], if there: the value of further keys that contain a dot
  verbs,   // a record with exactly one of `verbs`, its own fields, and `fields` for all
  either,  // parts: alternatives of different node kinds
  any,     // whatever YAML allows (the body of a request)
};

struct Field;
struct Verb;

struct Shape {
  Form form = Form::any;
  std::vector<std::string> words;     // word: all; name: allowed beside declared names
  std::vector<std::string> sections;  // name
  std::vector<Shape> parts;
  std::vector<Field> fields;
  std::vector<Verb> verbs;
  std::string what;              // verbs: "check", "step"; used in messages
  bool named = false;            // map
  bool variable = false;         // scalars: "$name" is accepted in place of the value
  bool may_look_secret = false;  // masks: "api_keys.token" names a column, not a secret
};

struct Field {
  std::string key;
  Shape shape;
  std::string help;
  bool required = false;
  std::string fallback;  // the default as YAML, shown by `plan explain`
};

struct Verb {
  std::string key;
  Shape shape;
  std::string help;
  std::vector<Field> fields;
};

Shape scalar(Form form);
Shape text();
Shape word(std::vector<std::string> words);
Shape name(std::vector<std::string> sections, std::vector<std::string> words = {});
Shape list(Shape item);
Shape map(Shape value);
Shape named_map(Shape value);
Shape record(std::vector<Field> fields);
Shape verbs(std::string what, std::vector<Verb> alternatives, std::vector<Field> common);
Shape either(std::vector<Shape> alternatives);
Shape one_or_list(const Shape& item);
Shape or_variable(Shape shape);

Field required(std::string key, Shape shape, std::string help = {});
Field optional(std::string key, Shape shape, std::string help = {});
Field with_default(std::string key, Shape shape, std::string fallback, std::string help = {});

const Field* find_field(const std::vector<Field>& fields, const std::string& key);
const Verb* find_verb(const Shape& shape, const std::string& key);
// The fields that go with one verb: its own, and those common to all.
std::vector<Field> fields_with(const Shape& shape, const Verb& verb);

}  // namespace lb::plan
