// Json: an owned JSON value with ordered object members. Parsing is strict (RFC 8259, UTF-8, depth
// 100, duplicate members refused); the library that does it is named only in json.cc. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "foundation/base/result.h"

namespace lb {

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;  // null
  Json(bool value) : value_(value) {}
  Json(std::int64_t value) : value_(value) {}
  Json(int value) : value_(std::int64_t{value}) {}
  Json(std::uint64_t value);  // values above int64 become a double
  Json(double value) : value_(value) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}
  static Json array() { return Json(Array{}); }
  static Json object() { return Json(Object{}); }

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_number() const { return is_int() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // Lenient reads with a fallback when the type is another: for our own documents.
  bool boolean(bool fallback = false) const;
  std::int64_t integer(std::int64_t fallback = 0) const;
  double number(double fallback = 0) const;
  std::string string(std::string fallback = {}) const;
  const Array& items() const;     // empty when not an array
  const Object& members() const;  // empty when not an object

  const Json* find(std::string_view name) const;        // null when absent
  const Json& operator[](std::string_view name) const;  // a shared null when absent
  Json& set(std::string name,
            Json value);   // adds or replaces; makes an object of null; returns *this
  Json& push(Json value);  // makes an array of null; returns *this

  // One line; with indent > 0 pretty. Invalid UTF-8 in strings becomes U+FFFD. NaN and infinity:
  // null.
  std::string dump(int indent = 0) const;
  bool operator==(const Json& other) const = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

// invalid with "line L column C: …" on malformed text.
Result<Json> parse_json(std::string_view text);
// Text safe inside HTML elements and quoted attributes.
std::string escape_html(std::string_view text);

}  // namespace lb
