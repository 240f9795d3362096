#include "foundation/base/text.h"
#include "foundation/codec/yaml.h"
#include "model/plan/language.h"
#include "model/plan/reader.h"
#include "model/plan/scalar_form.h"

namespace lb::plan {

namespace {

Json types(std::initializer_list<const char*> names) {
  Json::Array out;
  for (const char* one : names) out.emplace_back(one);
  return Json(std::move(out));
}

Json texts(const std::vector<std::string>& all) {
  Json::Array out;
  for (const auto& one : all) out.emplace_back(one);
  return Json(std::move(out));
}

std::string definition_name(const ScalarForm& form) {
  std::string_view what = form.what;
  for (std::string_view article : {"a ", "an "}) {
    if (what.starts_with(article)) what.remove_prefix(article.size());
  }
  return replace_all(std::string(what), " ", "-");
}

// YAML reads an unquoted 12 or true as no string, so a text accepts these too.
Json scalar_type(Form form) {
  switch (form) {
    case Form::boolean:
      return Json("boolean");
    case Form::integer:
      return Json("integer");
    case Form::number:
      return Json("number");
    case Form::size:
      return types({"string", "integer"});
    case Form::text:
    case Form::comparison:
    case Form::reference:
    case Form::name:
      return types({"string", "number", "boolean"});
    default:
      return Json("string");
  }
}

Json scalar_definition(const ScalarForm& form) {
  Json out = Json::object();
  out.set("description", form.what);
  out.set("type", scalar_type(form.form));
  if (form.form == Form::integer || form.form == Form::number) out.set("minimum", 0);
  if (!form.pattern.empty()) out.set("pattern", form.pattern);
  return out;
}

Json schema_of(const Shape& shape);

Json schema_of(const std::vector<Field>& fields) {
  Json properties = Json::object();
  Json::Array required_keys;
  for (const auto& field : fields) {
    auto one = schema_of(field.shape);
    if (!field.help.empty()) one.set("description", field.help);
    if (!field.fallback.empty()) one.set("default", to_json(parse_yaml(field.fallback).root));
    properties.set(field.key, std::move(one));
    if (field.required) required_keys.emplace_back(field.key);
  }
  Json out = Json::object();
  out.set("type", "object").set("properties", std::move(properties));
  if (!required_keys.empty()) out.set("required", Json(std::move(required_keys)));
  out.set("additionalProperties", false);
  return out;
}

Json map_schema(const Shape& shape) {
  Json out = Json::object();
  out.set("type", "object").set("minProperties", 1);
  if (shape.named)
    out.set("propertyNames", Json::object().set("pattern", "^[a-z0-9][a-z0-9_-]{0,62}$"));
  out.set("additionalProperties", schema_of(shape.parts[0]));
  return out;
}

Json alternatives(const char* keyword, Json::Array all) {
  return Json::object().set(keyword, Json(std::move(all)));
}

Json scalar_schema(const Shape& shape, const ScalarForm& form) {
  Json out = Json::object();
  if (shape.form == Form::word) {
    out.set("enum", texts(shape.words));
  } else {
    out.set("$ref", "#/$defs/" + definition_name(form));
  }
  if (!shape.variable) return out;
  auto variable = Json::object().set("type", "string").set("pattern", "^\\$.+$");
  return alternatives("anyOf", {std::move(out), std::move(variable)});
}

Json schema_of(const Shape& shape) {
  if (const auto* form = scalar_form(shape.form)) return scalar_schema(shape, *form);
  switch (shape.form) {
    case Form::list:
      return Json::object()
          .set("type", "array")
          .set("minItems", 1)
          .set("items", schema_of(shape.parts[0]));
    case Form::map:
      return map_schema(shape);
    case Form::record: {
      auto out = schema_of(shape.fields);
      if (shape.parts.empty()) return out;
      return out.set("patternProperties", Json::object().set("\\.", schema_of(shape.parts[0])));
    }
    case Form::verbs: {
      Json::Array all;
      for (const auto& verb : shape.verbs) all.push_back(schema_of(fields_with(shape, verb)));
      return alternatives("oneOf", std::move(all));
    }
    case Form::either: {
      Json::Array all;
      for (const auto& part : shape.parts) all.push_back(schema_of(part));
      return alternatives("anyOf", std::move(all));
    }
    default:
      return Json::object();
  }
}

}  // namespace

std::string json_schema() {
  Json definitions = Json::object();
  for (int form = 0; form < static_cast<int>(Form::list); ++form) {
    const auto* one = scalar_form(static_cast<Form>(form));
    if (one == nullptr || one->form == Form::word) continue;
    definitions.set(definition_name(*one), scalar_definition(*one));
  }
  Json out = Json::object();
  out.set("$schema", "https://json-schema.org/draft/2020-12/schema");
  out.set("title", "Lifeboat plan");
  auto plan = schema_of(plan_shape());
  for (const auto& [key, value] : plan.members()) out.set(key, value);
  out.set("$defs", std::move(definitions));
  return out.dump(2) + "\n";
}

}  // namespace lb::plan
