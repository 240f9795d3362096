#include "recovery/check/redactor.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "recovery/check/url.h"

namespace lb::check {

namespace {

constexpr std::size_t word_only_below = 4;

bool word_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::string replace_words(const std::string& text, const std::string& word) {
  std::string out;
  std::size_t at = 0;
  while (true) {
    auto found = text.find(word, at);
    if (found == std::string::npos) return out.append(text, at);
    auto end = found + word.size();
    bool whole = (found == 0 || !word_character(text[found - 1])) &&
                 (end == text.size() || !word_character(text[end]));
    out.append(text, at, found - at).append(whole ? redacted_mark : std::string_view(word));
    at = end;
  }
}

}  // namespace

bool looks_secret(std::string_view name) {
  auto small = lower(name);
  for (std::string_view word :
       {"token", "password", "passwd", "secret", "apikey", "api_key", "api-key", "session",
        "cookie", "jwt", "authorization", "credential", "private_key", "signature"}) {
    if (small.find(word) != std::string::npos) return true;
  }
  return small == "key" || small == "auth";
}

void Redactor::add(std::string_view secret) {
  if (secret.empty()) return;
  add_form(std::string(secret));
  auto quoted = Json(secret).dump();
  add_form(quoted.substr(1, quoted.size() - 2));
  add_form(percent_encoded(secret));
}

void Redactor::add_form(std::string form) {
  if (std::find(forms_.begin(), forms_.end(), form) != forms_.end()) return;
  forms_.push_back(std::move(form));
  std::stable_sort(forms_.begin(), forms_.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string Redactor::clean(std::string text) const {
  for (const auto& form : forms_) {
    text = form.size() < word_only_below ? replace_words(text, form)
                                         : replace_all(std::move(text), form, redacted_mark);
  }
  return text;
}

std::string Redactor::clean_end(std::string text) const {
  // The longest: a whole secret too, of which a shorter rest would leave the end.
  std::size_t cut = 0;
  for (const auto& form : forms_) {
    for (std::size_t from = 0; from < form.size(); ++from) {
      auto rest = std::string_view(form).substr(from);
      if (rest.size() > cut && text.starts_with(rest)) cut = rest.size();
    }
  }
  if (cut > 0) text.replace(0, cut, redacted_mark);
  return clean(std::move(text));
}

void Redactor::clean(record::CheckResult& result) const {
  result.name = clean(std::move(result.name));
  result.expected = clean(std::move(result.expected));
  result.got = clean(std::move(result.got));
  result.reason = clean(std::move(result.reason));
  for (auto& line : result.evidence) line = clean(std::move(line));
}

}  // namespace lb::check
