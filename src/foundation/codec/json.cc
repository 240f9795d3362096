#include "foundation/codec/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "foundation/base/text.h"

namespace lb {

namespace {

const Json& shared_null() {
  static const Json null;
  return null;
}

// Length of the valid UTF-8 sequence at the start of `text`, 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  auto first = static_cast<unsigned char>(text[0]);
  std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (length > text.size()) return 0;
  return valid_utf8(text.substr(0, length)) ? length : 0;
}

void write_control(std::string& out, unsigned char c) {
  static constexpr char digits[] = "0123456789abcdef";
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  out += "\\u00";
  out += digits[c >> 4];
  out += digits[c & 15];
}

void write_text(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    auto c = static_cast<unsigned char>(text[0]);
    std::size_t length = 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[0];
    } else if (c < 0x20) {
      write_control(out, c);
    } else if (length = sequence_length(text); length == 0) {
      out += "\xEF\xBF\xBD";
      length = 1;
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  out += '"';
}

void write_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char digits[40];
  auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  std::string_view text(digits, static_cast<std::size_t>(end - digits));
  out += text;
  // Without this a whole double would read back as an integer, which is another type.
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

class Writer {
 public:
  Writer(std::string& out, int indent) : out_(out), indent_(indent) {}

  void value(const Json& json) {
    if (json.is_null()) {
      out_ += "null";
    } else if (json.is_bool()) {
      out_ += json.boolean() ? "true" : "false";
    } else if (json.is_int()) {
      out_ += std::to_string(json.integer());
    } else if (json.is_number()) {
      write_double(out_, json.number());
    } else if (json.is_string()) {
      write_text(out_, json.string());
    } else if (json.is_array()) {
      array(json.items());
    } else {
      object(json.members());
    }
  }

 private:
  void array(const Json::Array& items) {
    out_ += '[';
    ++depth_;
    for (std::size_t i = 0; i < items.size(); ++i) {
      separate(i);
      value(items[i]);
    }
    close(items.empty(), ']');
  }

  void object(const Json::Object& members) {
    out_ += '{';
    ++depth_;
    for (std::size_t i = 0; i < members.size(); ++i) {
      separate(i);
      write_text(out_, members[i].first);
      out_ += indent_ > 0 ? ": " : ":";
      value(members[i].second);
    }
    close(members.empty(), '}');
  }

  void separate(std::size_t index) {
    if (index > 0) out_ += ',';
    new_line();
  }

  void close(bool empty, char bracket) {
    --depth_;
    if (!empty) new_line();
    out_ += bracket;
  }

  void new_line() {
    if (indent_ <= 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(indent_) * static_cast<std::size_t>(depth_), ' ');
  }

  std::string& out_;
  int indent_;
  int depth_ = 0;
};

}  // namespace

Json::Json(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    value_ = static_cast<std::int64_t>(value);
  } else {
    value_ = static_cast<double>(value);
  }
}

bool Json::boolean(bool fallback) const {
  auto* held = std::get_if<bool>(&value_);
  return held != nullptr ? *held : fallback;
}

std::int64_t Json::integer(std::int64_t fallback) const {
  auto* held = std::get_if<std::int64_t>(&value_);
  return held != nullptr ? *held : fallback;
}

double Json::number(double fallback) const {
  if (auto* whole = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*whole);
  auto* held = std::get_if<double>(&value_);
  return held != nullptr ? *held : fallback;
}

std::string Json::string(std::string fallback) const {
  auto* held = std::get_if<std::string>(&value_);
  if (held != nullptr) return *held;
  return fallback;
}

const Json::Array& Json::items() const {
  static const Array none;
  auto* held = std::get_if<Array>(&value_);
  return held != nullptr ? *held : none;
}

const Json::Object& Json::members() const {
  static const Object none;
  auto* held = std::get_if<Object>(&value_);
  return held != nullptr ? *held : none;
}

const Json* Json::find(std::string_view name) const {
  for (const auto& member : members()) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

const Json& Json::operator[](std::string_view name) const {
  auto* found = find(name);
  return found != nullptr ? *found : shared_null();
}

Json& Json::set(std::string name, Json value) {
  if (is_null()) value_ = Object{};
  auto* object = std::get_if<Object>(&value_);
  LB_ASSERT(object != nullptr);
  for (auto& member : *object) {
    if (member.first != name) continue;
    member.second = std::move(value);
    return *this;
  }
  object->emplace_back(std::move(name), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (is_null()) value_ = Array{};
  auto* array = std::get_if<Array>(&value_);
  LB_ASSERT(array != nullptr);
  array->push_back(std::move(value));
  return *this;
}

std::string Json::dump(int indent) const {
  std::string out;
  Writer(out, indent).value(*this);
  return out;
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace lb
