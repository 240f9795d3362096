#include "model/plan/secrets.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "foundation/base/text.h"

namespace lb::plan {

namespace {

// Parts of key names. For the first group any literal is refused; for the second a key may be the
// name of something ("key: storage_key"), so only a long random-looking literal is.
constexpr std::string_view always_secret[] = {"password", "passwd", "passphrase", "secret",
                                              "pgpassword"};
constexpr std::string_view maybe_secret[] = {"key",  "token",  "apikey",        "credential",
                                             "auth", "bearer", "authorization", "cookie"};
constexpr std::string_view known_prefixes[] = {
    "AKIA",  "ASIA",   "sk_live_",    "rk_live_", "ghp_", "gho_", "xoxb-",
    "xoxp-", "glpat-", "github_pat_", "eyJhb",    "AIza", "SG."};

bool name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string last_word(std::string_view key) {
  std::size_t start = key.size();
  while (start > 0 && name_char(key[start - 1])) --start;
  return lower(key.substr(start));
}

template <std::size_t N>
bool among(const std::string& word, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

bool is_reference(std::string_view value) {
  for (std::string_view prefix : {"env:", "file:", "command:", "kms:", "$", "{"}) {
    if (value.starts_with(prefix)) return true;
  }
  return value.find("${") != std::string_view::npos;
}

double bits_per_character(std::string_view text) {
  std::array<int, 256> counts{};
  for (char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  for (int count : counts) {
    if (count == 0) continue;
    double share = count / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

bool random_looking(std::string_view text) {
  bool spaced = text.find(' ') != std::string_view::npos;
  bool has_digit =
      std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return text.size() >= 16 && !spaced && has_digit && bits_per_character(text) >= 3.0;
}

struct Span {
  std::size_t start = 0, size = 0;
};

// The password in the first scheme://user:password@host at or after `from`.
std::optional<Span> password_in_address(std::string_view text, std::size_t from) {
  for (auto at = text.find("://", from); at != std::string_view::npos;
       at = text.find("://", at + 3)) {
    auto start = at + 3;
    auto end = std::min(text.find_first_of("/?# \t\"'", start), text.size());
    auto authority = text.substr(start, end - start);
    auto sign = authority.rfind('@');
    auto colon = authority.find(':');
    if (sign == std::string_view::npos || colon == std::string_view::npos || colon + 1 >= sign)
      continue;
    if (authority[colon + 1] == '$' || authority[colon + 1] == '{') continue;
    return Span{start + colon + 1, sign - colon - 1};
  }
  return {};
}

// The value of the first password=… (connection strings, commands, query parts) at or after `from`.
std::optional<Span> password_assignment(std::string_view text, std::size_t from) {
  for (auto at = text.find('=', from); at != std::string_view::npos; at = text.find('=', at + 1)) {
    if (!among(last_word(text.substr(0, at)), always_secret)) continue;
    auto start = at + 1;
    auto end = std::min(text.find_first_of("& \t,}\"", start), text.size());
    if (end == start || is_reference(text.substr(start, end - start))) continue;
    return Span{start, end - start};
  }
  return {};
}

// A word that begins like the tokens of well-known services, or the address of a Slack hook.
std::optional<Span> known_token(std::string_view text, std::size_t from) {
  constexpr std::string_view slack = "hooks.slack.com/services/";
  if (auto at = text.find(slack, from); at != std::string_view::npos) {
    auto end = std::min(text.find_first_of(" \t\"',}", at), text.size());
    if (end > at + slack.size()) return Span{at + slack.size(), end - at - slack.size()};
  }
  for (auto prefix : known_prefixes) {
    for (auto at = text.find(prefix, from); at != std::string_view::npos;
         at = text.find(prefix, at + prefix.size())) {
      if (at > 0 && name_char(text[at - 1])) continue;
      auto end = at;
      while (end < text.size() && (name_char(text[end]) || text[end] == '_' || text[end] == '-'))
        ++end;
      if (end - at >= 20) return Span{at, end - at};
    }
  }
  return {};
}

bool private_key(std::string_view value) {
  return value.find("-----BEGIN") != std::string_view::npos &&
         value.find("PRIVATE KEY") != std::string_view::npos;
}

// The literal after "password:" in one raw line of YAML or JSON.
std::optional<Span> value_of_secret_key(std::string_view line, std::size_t from) {
  for (auto colon = line.find(':', from); colon != std::string_view::npos;
       colon = line.find(':', colon + 1)) {
    auto name_end = colon;
    while (name_end > 0 && (line[name_end - 1] == '"' || line[name_end - 1] == '\'')) --name_end;
    auto word = last_word(line.substr(0, name_end));
    if (!among(word, always_secret) && !among(word, maybe_secret)) continue;
    auto start = line.find_first_not_of(" \t\"'", colon + 1);
    if (start == std::string_view::npos || start == colon + 1) continue;
    auto end = std::min(line.find_first_of(",}\"' ", start), line.size());
    auto value = line.substr(start, end - start);
    if (value.empty() || is_reference(value)) continue;
    if (among(word, always_secret) || random_looking(value)) return Span{start, end - start};
  }
  return {};
}

}  // namespace

bool looks_like_secret(std::string_view key, std::string_view value) {
  if (value.empty() || value.starts_with("env:") || value.starts_with("kms:")) return false;
  bool is_sql = key == "sql" || key == "left" || key == "right" || key == "group";
  if (password_in_address(value, 0) || known_token(value, 0) || private_key(value)) return true;
  if (!is_sql && password_assignment(value, 0)) return true;
  if (is_reference(value)) return false;
  auto word = last_word(key);
  if (among(word, always_secret)) return true;
  return among(word, maybe_secret) && random_looking(value);
}

std::string hide_secrets(std::string_view line) {
  std::string out(line);
  using Finder = std::optional<Span> (*)(std::string_view, std::size_t);
  for (Finder find :
       {&password_in_address, &password_assignment, &known_token, &value_of_secret_key}) {
    std::size_t from = 0;
    while (auto found = find(out, from)) {
      out.replace(found->start, found->size, "****");
      from = found->start + 4;
    }
  }
  return out;
}

}  // namespace lb::plan
