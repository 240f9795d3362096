#include "foundation/codec/xml.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "foundation/base/text.h"

namespace lb {

namespace {

constexpr std::size_t depth_max = 16;
constexpr std::size_t nodes_max = 100000;

void append_utf8(std::string& out, std::uint32_t point) {
  auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((point >> shift) & 0x3f)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | (point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | (point >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | (point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool digit_in(char c, unsigned base, std::uint32_t* value) {
  unsigned digit = 99;
  if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A' + 10);
  if (digit >= base || *value > 0x110000) return false;
  *value = *value * base + digit;
  return true;
}

// "#65" or "#x41".
bool append_reference(std::string& out, std::string_view name) {
  bool hex = name.starts_with("#x");
  std::uint32_t point = 0;
  auto digits = name.substr(hex ? 2 : 1);
  if (digits.empty()) return false;
  for (char c : digits) {
    if (!digit_in(c, hex ? 16 : 10, &point)) return false;
  }
  bool surrogate = point >= 0xd800 && point < 0xe000;
  if (point == 0 || point > 0x10ffff || surrogate) return false;
  append_utf8(out, point);
  return true;
}

bool append_entity(std::string& out, std::string_view name) {
  static constexpr std::pair<std::string_view, char> known[] = {
      {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [word, character] : known) {
    if (name == word) {
      out += character;
      return true;
    }
  }
  return name.starts_with('#') && append_reference(out, name);
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<XmlNode> document() {
    LB_TRY(skip_prologue());
    auto root = LB_TRY(element(0));
    LB_TRY(skip_prologue());
    if (!rest_.empty()) return bad("something follows the last element");
    return root;
  }

 private:
  static Error bad(const std::string& why) {
    return Error(ErrorKind::corrupt, cat("this is not the XML it must be: ", why));
  }

  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  Result<std::string_view> until(std::string_view token) {
    auto at = rest_.find(token);
    if (at == std::string_view::npos) return bad(cat("'", token, "' is missing"));
    auto found = rest_.substr(0, at);
    rest_.remove_prefix(at + token.size());
    return found;
  }

  // A comment or an instruction; false when there is none.
  Result<bool> skip_one() {
    if (take("<!--")) {
      LB_TRY(until("-->"));
      return true;
    }
    if (take("<?")) {
      LB_TRY(until("?>"));
      return true;
    }
    return false;
  }

  Status skip_prologue() {
    (void)take("\xEF\xBB\xBF");
    for (;;) {
      while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
      auto skipped = LB_TRY(skip_one());
      if (!skipped) return {};
    }
  }

  Result<std::string> name() {
    auto end = std::min(rest_.find_first_of(" \t\r\n/>"), rest_.size());
    auto whole = rest_.substr(0, end);
    rest_.remove_prefix(end);
    auto local = whole.substr(whole.find(':') + 1);
    if (local.empty() || local.find_first_of("<&\"'!?=") != std::string_view::npos) {
      return bad("an element has no name");
    }
    return std::string(local);
  }

  // From behind the name to behind '>'. True: the element is empty ("/>").
  Result<bool> attributes() {
    char quote = 0;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      char c = rest_[i];
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '<') {
        return bad("'<' inside an element");
      } else if (c == '>') {
        bool empty = i > 0 && rest_[i - 1] == '/';
        rest_.remove_prefix(i + 1);
        return empty;
      }
    }
    return bad("an element does not end");
  }

  Result<XmlNode> element(std::size_t depth) {
    if (depth > depth_max) return bad("elements lie too deep");
    if (++nodes_ > nodes_max) return bad("there are too many elements");
    if (!take("<")) return bad("an element is missing");
    XmlNode node;
    node.name = LB_TRY(name());
    auto empty = LB_TRY(attributes());
    if (empty) return node;
    for (;;) {
      LB_TRY(text(node.text));
      if (take("</")) break;
      auto skipped = LB_TRY(skip_one());
      if (skipped) continue;
      if (take("<![CDATA[")) {
        auto raw = LB_TRY(until("]]>"));
        node.text += raw;
        continue;
      }
      auto inner = LB_TRY(element(depth + 1));
      node.children.push_back(std::move(inner));
    }
    auto closing = LB_TRY(name());
    auto end = LB_TRY(attributes());
    if (closing != node.name || end) return bad(cat("'", printable(node.name), "' does not end"));
    return node;
  }

  // Up to the next '<', entities resolved.
  Status text(std::string& out) {
    auto end = rest_.find('<');
    if (end == std::string_view::npos) return bad("the text ends inside an element");
    auto raw = rest_.substr(0, end);
    rest_.remove_prefix(end);
    while (!raw.empty()) {
      auto amp = std::min(raw.find('&'), raw.size());
      out += raw.substr(0, amp);
      raw.remove_prefix(amp);
      if (raw.empty()) break;
      auto semicolon = raw.find(';');
      bool good =
          semicolon != std::string_view::npos && append_entity(out, raw.substr(1, semicolon - 1));
      if (!good) return bad("an entity that is not known");
      raw.remove_prefix(semicolon + 1);
    }
    return {};
  }

  std::string_view rest_;
  std::size_t nodes_ = 0;
};

}  // namespace

const XmlNode* XmlNode::child(std::string_view wanted) const {
  for (const auto& one : children) {
    if (one.name == wanted) return &one;
  }
  return nullptr;
}

std::string XmlNode::text_of(std::string_view wanted) const {
  const auto* found = child(wanted);
  return found != nullptr ? found->text : std::string();
}

Result<XmlNode> parse_xml(std::string_view text) { return Parser(text).document(); }

}  // namespace lb
