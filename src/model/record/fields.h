// The one description of a record's fields serves both directions: a record type T offers
// `fields(visit, record)` naming each member once, and to_json/from_json below walk it. So a field
// can never be written and not read. Times are RFC 3339 text, durations integers of microseconds
// (members end in _us), absent values null. Private to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/base/text.h"
#include "foundation/base/time.h"
#include "foundation/codec/json.h"

namespace lb::record {

inline Error field_error(std::string message) {
  return Error(ErrorKind::corrupt, std::move(message));
}

inline Json to_json(const std::string& value) { return value; }
inline Json to_json(bool value) { return value; }
inline Json to_json(std::uint64_t value) { return value; }
inline Json to_json(Micros value) { return std::int64_t{value.count()}; }
inline Json to_json(Timestamp value) { return format_time(value); }
inline Json to_json(const Json& value) { return value; }

inline Status from_json(const Json& json, std::string& out) {
  if (!json.is_string()) return field_error("text expected");
  out = json.string();
  return {};
}

inline Status from_json(const Json& json, bool& out) {
  if (!json.is_bool()) return field_error("true or false expected");
  out = json.boolean();
  return {};
}

inline Status from_json(const Json& json, std::uint64_t& out) {
  if (!json.is_int() || json.integer() < 0) return field_error("a whole number from 0 expected");
  out = static_cast<std::uint64_t>(json.integer());
  return {};
}

inline Status from_json(const Json& json, Micros& out) {
  if (!json.is_int()) return field_error("a whole number of microseconds expected");
  out = Micros(json.integer());
  return {};
}

inline Status from_json(const Json& json, Timestamp& out) {
  auto parsed = parse_time(json.string());
  if (!parsed.ok()) return field_error("a time with its zone expected");
  out = *parsed;
  return {};
}

inline Status from_json(const Json& json, Json& out) {
  out = json;
  return {};
}

// Structures are declared before the containers of them, so that vectors of them find their
// overloads.
class FieldWriter;
class FieldReader;

template <typename T>
concept HasFields = requires(FieldWriter& writer, FieldReader& reader, T& value) {
  fields(writer, value);
  fields(reader, value);
};

// An enumeration offers `names_of(T{})`: its names in the order of its values.
template <typename T>
concept HasNames = std::is_enum_v<T> && requires(T value) {
  names_of(value);
};

template <HasNames T>
Json to_json(T value) {
  return names_of(value)[static_cast<std::size_t>(value)];
}

template <HasNames T>
Status from_json(const Json& json, T& out) {
  const auto names = names_of(out);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!json.is_string() || json.string() != names[i]) continue;
    out = static_cast<T>(i);
    return {};
  }
  return field_error(cat("unknown value ", json.dump()));
}

template <HasFields T>
Json to_json(const T& value);
template <HasFields T>
Status from_json(const Json& json, T& out);

template <typename T>
Json to_json(const std::optional<T>& value) {
  return value ? to_json(*value) : Json();
}

template <typename T>
Status from_json(const Json& json, std::optional<T>& out) {
  out.reset();
  return json.is_null() ? Status() : from_json(json, out.emplace());
}

template <typename T>
Json to_json(const std::vector<T>& values) {
  Json out = Json::array();
  for (const T& value : values) out.push(to_json(value));
  return out;
}

template <typename T>
Status from_json(const Json& json, std::vector<T>& out) {
  if (!json.is_array()) return field_error("a list expected");
  out.clear();
  for (const Json& item : json.items()) {
    LB_TRY(from_json(item, out.emplace_back()).context(cat("[", out.size() - 1, "]")));
  }
  return {};
}

class FieldWriter {
 public:
  template <typename T>
  void operator()(const char* name, const T& value) {
    json_.set(name, to_json(value));
  }
  template <typename T>
  void needed(const char* name, const T& value) {
    (*this)(name, value);
  }
  // Of a member that came later: records without it are written as they were before, so that what
  // was signed of them stays so.
  template <typename T>
  void if_any(const char* name, const T& value) {
    if (value != T()) (*this)(name, value);
  }
  Json take() && { return std::move(json_); }

 private:
  Json json_ = Json::object();
};

// A member that is absent keeps its default, so that later versions may add members; a needed one
// must be there. The first mistake wins.
class FieldReader {
 public:
  explicit FieldReader(const Json& json) : json_(json) {}
  template <typename T>
  void operator()(const char* name, T& out) {
    const Json* member = json_.find(name);
    if (status_.ok() && member != nullptr) status_ = from_json(*member, out).context(name);
  }
  template <typename T>
  void needed(const char* name, T& out) {
    if (status_.ok() && json_.find(name) == nullptr) {
      status_ = field_error(cat(name, " is missing"));
    }
    (*this)(name, out);
  }
  template <typename T>
  void if_any(const char* name, T& out) {
    (*this)(name, out);
  }
  Status status() const { return status_; }

 private:
  const Json& json_;
  Status status_;
};

template <HasFields T>
Json to_json(const T& value) {
  FieldWriter writer;
  fields(writer, value);
  return std::move(writer).take();
}

template <HasFields T>
Status from_json(const Json& json, T& out) {
  if (!json.is_object()) return field_error("an object expected");
  FieldReader reader(json);
  fields(reader, out);
  return reader.status();
}

}  // namespace lb::record
