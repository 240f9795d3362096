#include "model/plan/shape.h"

#include <utility>

namespace lb::plan {

Shape scalar(Form form) {
  Shape out;
  out.form = form;
  return out;
}

Shape text() { return scalar(Form::text); }

Shape word(std::vector<std::string> words) {
  auto out = scalar(Form::word);
  out.words = std::move(words);
  return out;
}

Shape name(std::vector<std::string> sections, std::vector<std::string> words) {
  auto out = scalar(Form::name);
  out.sections = std::move(sections);
  out.words = std::move(words);
  return out;
}

Shape list(Shape item) {
  auto out = scalar(Form::list);
  out.parts.push_back(std::move(item));
  return out;
}

Shape map(Shape value) {
  auto out = scalar(Form::map);
  out.parts.push_back(std::move(value));
  return out;
}

Shape named_map(Shape value) {
  auto out = map(std::move(value));
  out.named = true;
  return out;
}

Shape record(std::vector<Field> fields) {
  auto out = scalar(Form::record);
  out.fields = std::move(fields);
  return out;
}

Shape verbs(std::string what, std::vector<Verb> alternatives, std::vector<Field> common) {
  auto out = scalar(Form::verbs);
  out.what = std::move(what);
  out.verbs = std::move(alternatives);
  out.fields = std::move(common);
  return out;
}

Shape either(std::vector<Shape> alternatives) {
  auto out = scalar(Form::either);
  out.parts = std::move(alternatives);
  return out;
}

Shape one_or_list(const Shape& item) { return either({item, list(item)}); }

Shape or_variable(Shape shape) {
  shape.variable = true;
  return shape;
}

Field required(std::string key, Shape shape, std::string help) {
  return {std::move(key), std::move(shape), std::move(help), true, {}};
}

Field optional(std::string key, Shape shape, std::string help) {
  return {std::move(key), std::move(shape), std::move(help), false, {}};
}

Field with_default(std::string key, Shape shape, std::string fallback, std::string help) {
  return {std::move(key), std::move(shape), std::move(help), false, std::move(fallback)};
}

const Field* find_field(const std::vector<Field>& fields, const std::string& key) {
  for (const auto& field : fields) {
    if (field.key == key) return &field;
  }
  return nullptr;
}

const Verb* find_verb(const Shape& shape, const std::string& key) {
  for (const auto& verb : shape.verbs) {
    if (verb.key == key) return &verb;
  }
  return nullptr;
}

std::vector<Field> fields_with(const Shape& shape, const Verb& verb) {
  std::vector<Field> out;
  out.push_back(required(verb.key, verb.shape, verb.help));
  out.insert(out.end(), verb.fields.begin(), verb.fields.end());
  out.insert(out.end(), shape.fields.begin(), shape.fields.end());
  return out;
}

}  // namespace lb::plan
