#include "model/plan/mistakes.h"

#include <algorithm>
#include <tuple>

#include "foundation/base/text.h"
#include "model/plan/secrets.h"

namespace lb::plan {

namespace {

constexpr std::size_t mistakes_max = 500;
constexpr std::size_t line_bytes_max = 500;

// Byte offset of a column that counts characters; the end if the line is shorter.
std::size_t offset_of(std::string_view line, std::size_t column) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if ((static_cast<unsigned char>(line[i]) & 0xC0) == 0x80) continue;
    if (++seen == column) return i;
  }
  return line.size();
}

// Lines of one file, found once.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (true) {
    auto end = text.find('\n');
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    out.push_back(line);
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

// Empty when the column lies behind the part of the line that is shown.
std::string caret_line(const Mistake& mistake) {
  std::string out;
  if (offset_of(mistake.source_line, mistake.place.column - 1) >= mistake.source_line.size() &&
      mistake.place.column > 1) {
    return out;
  }
  auto before = offset_of(mistake.source_line, mistake.place.column);
  for (std::size_t i = 0; i < before; ++i) {
    char c = mistake.source_line[i];
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) out += c == '\t' ? '\t' : ' ';
  }
  return out + "^";
}

}  // namespace

void MistakeList::add(int source, std::size_t line, std::size_t column, std::string text,
                      std::string suggestion) {
  if (found_.size() >= mistakes_max) {
    ++dropped_;
    return;
  }
  found_.push_back({source, line, column, std::move(text), std::move(suggestion)});
}

void MistakeList::add(const YamlNode& at, std::string text, std::string suggestion) {
  add(at.source, std::max<std::size_t>(at.line, 1), std::max<std::size_t>(at.column, 1),
      std::move(text), std::move(suggestion));
}

void MistakeList::add(const YamlNode& at, const Error& error, const std::string& label) {
  add(at, label.empty() ? error.message() : cat(label, ": ", error.message()), error.hint());
}

void MistakeList::hide(const YamlNode& secret) {
  hidden_.push_back({secret.source, secret.line, secret.column, "", ""});
}

// Up to the first secret in it, when that stands before the mistake; else with the secrets
// replaced.
std::string MistakeList::without_secrets(std::string_view line, const Found& found) const {
  std::string text(line);
  for (const auto& secret : hidden_) {
    if (secret.source != found.source || secret.line != found.line) continue;
    text = text.substr(0, offset_of(text, secret.column)) + "****";
  }
  auto hidden = hide_secrets(text);
  auto same = std::mismatch(text.begin(), text.end(), hidden.begin(), hidden.end());
  auto first = static_cast<std::size_t>(same.first - text.begin());
  if (same.first == text.end() || offset_of(text, found.column) <= first) return hidden;
  return text.substr(0, first) + "****";
}

std::vector<Mistake> MistakeList::take(const std::vector<SourceFile>& sources) {
  auto order = [](const Found& a, const Found& b) {
    return std::tie(a.source, a.line, a.column) < std::tie(b.source, b.line, b.column);
  };
  std::stable_sort(found_.begin(), found_.end(), order);
  std::vector<std::vector<std::string_view>> lines;
  for (const auto& source : sources) lines.push_back(lines_of(source.text));
  std::vector<Mistake> out;
  for (auto& found : found_) {
    auto source = static_cast<std::size_t>(found.source);
    LB_ASSERT(source < sources.size());
    Mistake mistake{
        {sources[source].name, found.line, found.column}, found.text, found.suggestion, ""};
    auto line =
        found.line <= lines[source].size() ? lines[source][found.line - 1] : std::string_view();
    bool in_view = line.size() <= line_bytes_max && valid_utf8(line);
    mistake.source_line = without_secrets(in_view ? line : std::string_view(), found);
    out.push_back(std::move(mistake));
  }
  if (dropped_ > 0) {
    auto last = out.back();
    out.push_back({last.place, cat("and ", dropped_, " more mistakes"), "correct these first", ""});
  }
  return out;
}

std::string format_mistakes(const std::vector<Mistake>& mistakes, bool color) {
  auto paint = [&](std::string_view code, const std::string& text) {
    return color ? cat("\x1b[", code, "m", text, "\x1b[0m") : text;
  };
  std::string out;
  for (const auto& mistake : mistakes) {
    out += cat(paint("1", mistake.place.text() + ":"), " ", paint("31", mistake.text), "\n");
    if (!trim(mistake.source_line).empty()) {
      out += cat("  ", mistake.source_line, "\n");
      if (auto caret = caret_line(mistake); !caret.empty())
        out += cat("  ", paint("32", caret), "\n");
    }
    if (!mistake.suggestion.empty()) out += cat("  ", paint("36", mistake.suggestion), "\n");
  }
  return out;
}

}  // namespace lb::plan
