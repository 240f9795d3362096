// A judge for the part of JSON Schema that `plan schema` uses, so that tests can hold documents
// against it. A keyword it does not know is a violation: the schema cannot grow past its judge
// unnoticed.
#pragma once

#include <regex>
#include <string>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"

namespace lb::plan::testing {

class SchemaJudge {
 public:
  explicit SchemaJudge(const Json& root) : root_(root) {}

  // The first reason why the value does not fit, with its path; empty when it fits.
  std::string judge(const Json& schema, const Json& value, const std::string& path) {
    for (const auto& [keyword, rule] : schema.members()) {
      auto reason = judge_one(schema, keyword, rule, value, path);
      if (!reason.empty()) return reason;
    }
    return "";
  }

 private:
  std::string judge_one(const Json& schema, const std::string& keyword, const Json& rule,
                        const Json& value, const std::string& path) {
    for (const char* note : {"$schema", "title", "description", "default", "$defs"}) {
      if (keyword == note) return "";
    }
    if (keyword == "$ref") {
      auto name = rule.string().substr(std::string("#/$defs/").size());
      const auto* definition = root_["$defs"].find(name);
      return definition == nullptr ? cat(path, ": no definition ", name)
                                   : judge(*definition, value, path);
    }
    if (keyword == "type") return has_type(rule, value) ? "" : cat(path, ": type ", value.dump());
    if (keyword == "enum")
      return contains(rule, value) ? "" : cat(path, ": not among ", rule.dump());
    if (keyword == "minimum")
      return value.number() >= rule.number() ? "" : cat(path, ": below ", rule.dump());
    if (keyword == "pattern") return pattern(rule, value, path);
    if (keyword == "items") return items(rule, value, path);
    if (keyword == "minItems") return value.items().empty() ? path + ": empty" : "";
    if (keyword == "minProperties") return value.members().empty() ? path + ": empty" : "";
    if (keyword == "required") return required(rule, value, path);
    if (keyword == "propertyNames") return names(rule, value, path);
    if (keyword == "properties") return properties(rule, value, path);
    if (keyword == "additionalProperties") return additional(schema, rule, value, path);
    if (keyword == "patternProperties") return by_pattern(rule, value, path);
    if (keyword == "anyOf" || keyword == "oneOf") return some(keyword, rule, value, path);
    return cat(path, ": keyword ", keyword, " is unknown to the judge");
  }

  static bool has_type(const Json& rule, const Json& value) {
    if (rule.is_array()) {
      for (const auto& one : rule.items()) {
        if (has_type(one, value)) return true;
      }
      return false;
    }
    auto type = rule.string();
    return (type == "string" && value.is_string()) || (type == "boolean" && value.is_bool()) ||
           (type == "integer" && value.is_int()) || (type == "number" && value.is_number()) ||
           (type == "object" && value.is_object()) || (type == "array" && value.is_array());
  }

  static bool contains(const Json& list, const Json& value) {
    for (const auto& one : list.items()) {
      if (one == value) return true;
    }
    return false;
  }

  static std::string pattern(const Json& rule, const Json& value, const std::string& path) {
    if (!value.is_string() || std::regex_search(value.string(), std::regex(rule.string())))
      return "";
    return cat(path, ": '", value.string(), "' does not match ", rule.string());
  }

  std::string items(const Json& rule, const Json& value, const std::string& path) {
    for (std::size_t i = 0; i < value.items().size(); ++i) {
      auto reason = judge(rule, value.items()[i], cat(path, "[", i, "]"));
      if (!reason.empty()) return reason;
    }
    return "";
  }

  static std::string required(const Json& rule, const Json& value, const std::string& path) {
    for (const auto& key : rule.items()) {
      if (value.find(key.string()) == nullptr) return cat(path, ": ", key.string(), " is missing");
    }
    return "";
  }

  std::string names(const Json& rule, const Json& value, const std::string& path) {
    for (const auto& member : value.members()) {
      auto reason = judge(rule, Json(member.first), cat(path, "/", member.first));
      if (!reason.empty()) return reason;
    }
    return "";
  }

  std::string properties(const Json& rule, const Json& value, const std::string& path) {
    for (const auto& [key, part] : value.members()) {
      const auto* schema = rule.find(key);
      auto reason = schema == nullptr ? std::string() : judge(*schema, part, cat(path, "/", key));
      if (!reason.empty()) return reason;
    }
    return "";
  }

  std::string additional(const Json& schema, const Json& rule, const Json& value,
                         const std::string& path) {
    for (const auto& [key, part] : value.members()) {
      bool known = schema["properties"].find(key) != nullptr;
      for (const auto& one : schema["patternProperties"].members()) {
        known = known || std::regex_search(key, std::regex(one.first));
      }
      if (known) continue;
      if (rule.is_bool()) return rule.boolean() ? "" : cat(path, ": key ", key, " is not allowed");
      auto reason = judge(rule, part, cat(path, "/", key));
      if (!reason.empty()) return reason;
    }
    return "";
  }

  std::string by_pattern(const Json& rule, const Json& value, const std::string& path) {
    for (const auto& [expression, schema] : rule.members()) {
      for (const auto& [key, part] : value.members()) {
        if (!std::regex_search(key, std::regex(expression))) continue;
        auto reason = judge(schema, part, cat(path, "/", key));
        if (!reason.empty()) return reason;
      }
    }
    return "";
  }

  std::string some(const std::string& keyword, const Json& rule, const Json& value,
                   const std::string& path) {
    std::size_t fitting = 0;
    std::string reasons;
    for (const auto& one : rule.items()) {
      auto reason = judge(one, value, path);
      if (reason.empty()) ++fitting;
      reasons += "\n  " + reason;
    }
    bool fits = keyword == "oneOf" ? fitting == 1 : fitting >= 1;
    return fits ? "" : cat(path, ": ", fitting, " alternatives of ", keyword, " fit", reasons);
  }

  const Json& root_;
};

inline std::string violation(const Json& schema, const Json& value) {
  return SchemaJudge(schema).judge(schema, value, "");
}

}  // namespace lb::plan::testing
