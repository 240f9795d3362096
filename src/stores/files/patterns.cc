#include "stores/files/patterns.h"

#include "foundation/base/text.h"

namespace lb::files {

namespace {

constexpr std::string_view any_depth = "**";

// The class that starts at pattern[at] == '['. `end` is where it closes, npos when it does not.
struct ClassMatch {
  bool matches = false;
  std::size_t end = std::string_view::npos;
};

ClassMatch match_class(std::string_view pattern, std::size_t at, char wanted) {
  auto next = at + 1;
  bool negated = next < pattern.size() && (pattern[next] == '!' || pattern[next] == '^');
  if (negated) ++next;
  auto byte = static_cast<unsigned char>(wanted);
  bool found = false;
  // A ']' right after the opening is a member, as in every shell.
  for (auto first = next; next < pattern.size(); ++next) {
    if (pattern[next] == ']' && next != first) return {found != negated, next};
    if (pattern[next] == '\\' && next + 1 < pattern.size()) ++next;
    auto low = static_cast<unsigned char>(pattern[next]), high = low;
    if (next + 2 < pattern.size() && pattern[next + 1] == '-' && pattern[next + 2] != ']') {
      next += 2;
      if (pattern[next] == '\\' && next + 1 < pattern.size()) ++next;
      high = static_cast<unsigned char>(pattern[next]);
    }
    found = found || (low <= byte && byte <= high);
  }
  return {};
}

bool classes_are_closed(std::string_view segment) {
  for (std::size_t at = 0; at < segment.size(); ++at) {
    if (segment[at] == '\\') {
      ++at;
    } else if (segment[at] == '[') {
      auto end = match_class(segment, at, 'x').end;
      if (end == std::string_view::npos) return false;
      at = end;
    }
  }
  return true;
}

// One element of the pattern (not '*') against one byte; the element's length, 0 when it differs.
std::size_t match_element(std::string_view pattern, std::size_t at, char byte) {
  switch (pattern[at]) {
    case '?':
      return 1;
    case '[': {
      auto outcome = match_class(pattern, at, byte);
      return outcome.matches ? outcome.end - at + 1 : 0;
    }
    case '\\':
      if (at + 1 < pattern.size()) return pattern[at + 1] == byte ? 2 : 0;
      return byte == '\\' ? 1 : 0;
    default:
      return pattern[at] == byte ? 1 : 0;
  }
}

// Segments against names. Only the last "**" is ever tried again, so the time is the product of the
// two lengths at worst, whatever the pattern.
bool match_segments(const std::vector<std::string>& segments,
                    const std::vector<std::string_view>& names) {
  std::size_t segment = 0, name = 0, retry_segment = 0, retry_name = 0;
  bool can_retry = false;
  while (name < names.size()) {
    if (segment < segments.size() && segments[segment] == any_depth) {
      if (segment + 1 == segments.size()) return true;
      can_retry = true;
      retry_segment = ++segment;
      retry_name = name;
    } else if (segment < segments.size() && match_name(segments[segment], names[name])) {
      ++segment;
      ++name;
    } else if (can_retry) {
      segment = retry_segment;
      name = ++retry_name;
    } else {
      return false;
    }
  }
  // A "**" left over wants at least one name: "a/**" is what lies below a, not a itself.
  return segment == segments.size();
}

std::vector<std::string_view> names_of(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    auto slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return out;
}

std::string_view last_name(std::string_view path) {
  auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

bool match_name(std::string_view pattern, std::string_view name) {
  std::size_t at = 0, byte = 0, retry_at = 0, retry_byte = 0;
  bool can_retry = false;
  while (byte < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      can_retry = true;
      retry_at = ++at;
      retry_byte = byte;
      continue;
    }
    auto matched = at < pattern.size() ? match_element(pattern, at, name[byte]) : 0;
    if (matched > 0) {
      at += matched;
      ++byte;
    } else if (can_retry) {
      at = retry_at;
      byte = ++retry_byte;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

Result<Patterns::Pattern> Patterns::parse_one(const std::string& text) {
  auto wrong = [&](std::string_view why) {
    return Error(ErrorKind::invalid, cat("pattern '", printable(text), "': ", why));
  };
  Pattern out;
  std::string_view rest = text;
  if (rest.starts_with('!')) {
    out.negated = true;
    rest.remove_prefix(1);
  }
  if (rest.ends_with('/')) {
    out.folders_only = true;
    rest.remove_suffix(1);
  }
  if (rest.starts_with("./")) rest.remove_prefix(1);
  out.anchored = rest.find('/') != std::string_view::npos;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  if (rest.empty()) return wrong("names nothing");
  if (rest.find('\0') != std::string_view::npos) return wrong("holds a NUL");
  for (auto name : names_of(rest)) {
    if (name.empty()) return wrong("has two slashes in a row");
    if (name == "." || name == "..") return wrong("'.' and '..' are not allowed in it");
    if (!classes_are_closed(name)) return wrong("the '[' is never closed");
    bool repeated = name == any_depth && !out.segments.empty() && out.segments.back() == any_depth;
    if (!repeated) out.segments.emplace_back(name);
  }
  return out;
}

Result<Patterns> Patterns::parse(const std::vector<std::string>& texts) {
  Patterns out;
  for (const auto& text : texts) out.patterns_.push_back(LB_TRY(parse_one(text)));
  return out;
}

std::optional<bool> Patterns::match(std::string_view path, bool is_folder) const {
  std::vector<std::string_view> names;
  for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern) {
    if (pattern->folders_only && !is_folder) continue;
    if (pattern->anchored && names.empty()) names = names_of(path);
    bool matched = pattern->anchored ? match_segments(pattern->segments, names)
                                     : match_name(pattern->segments[0], last_name(path));
    if (matched) return !pattern->negated;
  }
  return std::nullopt;
}

bool Patterns::may_match_below(std::string_view folder) const {
  auto names = names_of(folder);
  for (const auto& pattern : patterns_) {
    if (pattern.negated) continue;
    if (!pattern.anchored) return true;
    std::size_t at = 0;
    while (at < names.size() && at < pattern.segments.size() && pattern.segments[at] != any_depth &&
           match_name(pattern.segments[at], names[at])) {
      ++at;
    }
    if (at < pattern.segments.size() && (at == names.size() || pattern.segments[at] == any_depth)) {
      return true;
    }
  }
  return false;
}

}  // namespace lb::files
