#include <algorithm>
#include <charconv>
#include <limits>

#include "foundation/base/bytes.h"
#include "foundation/base/text.h"
#include "foundation/codec/yaml.h"

namespace lb {

namespace {

std::optional<std::int64_t> in_base(std::string_view digits, int base) {
  std::int64_t value = 0;
  auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (code != std::errc() || digits.empty() || end != digits.data() + digits.size()) return {};
  return value;
}

bool digits_only(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// [0-9]+ with at most one point and an exponent, as the core schema writes floats.
bool shaped_like_float(std::string_view text) {
  bool digit = false, point = false;
  std::size_t i = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] >= '0' && text[i] <= '9') {
      digit = true;
    } else if (text[i] == '.' && !point) {
      point = true;
    } else {
      return false;
    }
  }
  if (!digit || i == text.size()) return digit;
  auto exponent = text.substr(i + 1);
  if (exponent.starts_with('+') || exponent.starts_with('-')) exponent.remove_prefix(1);
  return digits_only(exponent);
}

bool means_something_else(std::string_view text) {
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.plain = true;
  node.text = std::string(text);
  return text == "~" || lower(text) == "null" || node.boolean().has_value() ||
         node.number().has_value();
}

bool needs_quotes(std::string_view text) {
  static constexpr std::string_view never_first = "-?:,[]{}#&*!|>'\"%@` \t";
  static constexpr std::string_view never = "\"\\\n\r\t,[]{}";
  if (text.empty() || means_something_else(text)) return true;
  bool safe_dash =
      text[0] == '-' && text.size() > 1 && text[1] > ' ' && never.find(text[1]) == never.npos;
  if (never_first.find(text[0]) != never_first.npos && !safe_dash) return true;
  if (text.starts_with("---") || text.starts_with("...")) return true;
  if (text.back() == ' ' || text.back() == ':') return true;
  auto odd = [](char c) { return c < 0x20 || static_cast<unsigned char>(c) >= 0x7f; };
  if (std::any_of(text.begin(), text.end(), odd)) return true;
  return text.find_first_of(never) != text.npos || text.find(": ") != text.npos ||
         text.find(" #") != text.npos;
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key.text == key) return &entry.value;
  }
  return nullptr;
}

std::optional<bool> YamlNode::boolean() const {
  if (!is_scalar() || !plain) return {};
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return {};
}

std::optional<std::int64_t> YamlNode::integer() const {
  if (!is_scalar() || !plain) return {};
  std::string_view digits = text;
  if (digits.starts_with("0o")) return in_base(digits.substr(2), 8);
  if (digits.starts_with("0x")) return in_base(digits.substr(2), 16);
  if (digits.starts_with('+')) {
    digits.remove_prefix(1);
    if (!digits_only(digits)) return {};
  }
  return in_base(digits, 10);
}

std::optional<double> YamlNode::number() const {
  if (auto whole = integer()) return static_cast<double>(*whole);
  if (!is_scalar() || !plain) return {};
  std::string_view digits = text;
  bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (!shaped_like_float(digits)) return {};
  double value = 0;
  auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (code != std::errc() || end != digits.data() + digits.size()) return {};
  return negative ? -value : value;
}

Json to_json(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return Json();
    case YamlNode::Kind::scalar:
      if (auto value = node.boolean()) return Json(*value);
      if (auto value = node.integer()) return Json(*value);
      if (auto value = node.number()) return Json(*value);
      return Json(node.text);
    case YamlNode::Kind::sequence: {
      Json::Array items;
      for (const auto& item : node.items) items.push_back(to_json(item));
      return Json(std::move(items));
    }
    case YamlNode::Kind::mapping:
      break;
  }
  Json::Object members;
  for (const auto& [key, value] : node.entries) members.emplace_back(key.text, to_json(value));
  return Json(std::move(members));
}

std::string yaml_scalar(std::string_view text) {
  if (!needs_quotes(text)) return std::string(text);
  // A JSON text is a YAML double-quoted text, but for the characters YAML wants escaped or folds.
  auto quoted = Json(text).dump();
  static constexpr std::pair<std::string_view, std::string_view> special[] = {
      {"\x7f", "\\u007f"},         {"\xE2\x80\xA8", "\\u2028"}, {"\xE2\x80\xA9", "\\u2029"},
      {"\xEF\xBB\xBF", "\\ufeff"}, {"\xEF\xBF\xBE", "\\ufffe"}, {"\xEF\xBF\xBF", "\\uffff"}};
  for (const auto& [raw, escaped] : special) quoted = replace_all(std::move(quoted), raw, escaped);
  for (unsigned char c = 0x80; c < 0xA0; ++c) {
    std::string raw{'\xC2', static_cast<char>(c)};
    if (quoted.find(raw) == std::string::npos) continue;
    quoted = replace_all(std::move(quoted), raw, "\\u00" + to_hex({&c, 1}));
  }
  return quoted;
}

}  // namespace lb
