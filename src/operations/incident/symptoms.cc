#include "operations/incident/symptoms.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "foundation/base/text.h"

namespace lb::incident {

namespace {

constexpr std::array stop_words = {
    "a",   "all",  "an",   "and", "any",   "are",  "as",    "at",    "be",   "been",
    "but", "by",   "can",  "do",  "does",  "for",  "from",  "had",   "has",  "have",
    "in",  "is",   "it",   "its", "my",    "no",   "not",   "of",    "on",   "or",
    "our", "some", "that", "the", "their", "them", "then",  "there", "they", "this",
    "to",  "very", "was",  "we",  "were",  "when", "which", "with",  "t",    "s"};

// Short forms and words that people use for the same thing, by stem.
const std::map<std::string, std::string>& same_words() {
  static const std::map<std::string, std::string> words = {
      {"db", "databas"},      {"postgr", "databas"},     {"postgresql", "databas"},
      {"down", "unavail"},    {"unavailabl", "unavail"}, {"unreachabl", "unavail"},
      {"offlin", "unavail"},  {"outag", "unavail"},      {"crypt", "encrypt"},
      {"lost", "miss"},       {"loss", "miss"},          {"gon", "miss"},
      {"broken", "fail"},     {"break", "fail"},         {"app", "applic"},
      {"applicat", "applic"}, {"err", "error"}};
  return words;
}

bool is_letter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte >= 0x80;
}

bool cut(std::string& word, std::string_view end, std::size_t rest_min) {
  if (word.size() < end.size() + rest_min || !word.ends_with(end)) return false;
  word.resize(word.size() - end.size());
  return true;
}

void undouble(std::string& word) {
  const auto size = word.size();
  if (size < 3 || word[size - 1] != word[size - 2]) return;
  if (std::string_view("aeiouls").find(word[size - 1]) == std::string_view::npos) word.pop_back();
}

std::string stem(std::string word) {
  if (cut(word, "ies", 2)) {
    word += 'y';
  } else if (!word.ends_with("ss") && !word.ends_with("us")) {
    cut(word, "s", 3);
  }
  if (cut(word, "ing", 3) || cut(word, "ed", 3)) undouble(word);
  if (word.ends_with("tion") || word.ends_with("sion")) cut(word, "ion", 4);
  cut(word, "ure", 4);
  cut(word, "e", 3);
  auto same = same_words().find(word);
  return same == same_words().end() ? word : same->second;
}

struct Word {
  std::string stem, written;
};

std::vector<Word> words_of(const std::string& text) {
  std::vector<Word> out;
  std::string word;
  for (char c : lower(text) + " ") {
    if (is_letter(c)) {
      word += c;
      continue;
    }
    if (word.empty()) continue;
    bool means_nothing = std::find(stop_words.begin(), stop_words.end(), word) != stop_words.end();
    if (!means_nothing) out.push_back({stem(word), word});
    word.clear();
  }
  return out;
}

std::set<std::string> stems_in(const std::vector<std::string>& texts) {
  std::set<std::string> out;
  for (const auto& text : texts) {
    for (auto& each : stems_of(text)) out.insert(std::move(each));
  }
  return out;
}

// How many runbooks have a word, by stem.
std::map<std::string, std::size_t> spread(const plan::Plan& plan) {
  std::map<std::string, std::size_t> out;
  for (const auto& runbook : plan.runbooks) {
    for (const auto& each : stems_in(runbook.symptoms)) ++out[each];
  }
  return out;
}

// What each word says: the fewer runbooks have it, the more.
using Weights = std::map<std::string, double>;
Weights weights_of(const plan::Plan& plan) {
  const auto all = static_cast<double>(plan.runbooks.size());
  Weights out;
  for (const auto& [word, have] : spread(plan))
    out[word] = std::log(1 + all / static_cast<double>(have));
  return out;
}

struct Fit {
  double weight = 0, part = 0;
  std::string symptom;
};
Fit best_symptom(const plan::Runbook& runbook, const std::vector<Word>& asked,
                 const Weights& weights) {
  Fit out;
  for (const auto& symptom : runbook.symptoms) {
    Fit one{0, 0, symptom};
    const auto all = stems_in({symptom});
    for (const auto& word : asked) {
      if (!all.contains(word.stem)) continue;
      one.weight += weights.at(word.stem);
      one.part += 1 / static_cast<double>(all.size());
    }
    if (std::tie(one.weight, one.part) > std::tie(out.weight, out.part)) out = one;
  }
  return out;
}

}  // namespace

std::vector<std::string> stems_of(const std::string& text) {
  std::vector<std::string> out;
  for (auto& word : words_of(text)) out.push_back(std::move(word.stem));
  return out;
}

std::vector<Suggestion> suggest(const plan::Plan& plan, const std::vector<std::string>& seen) {
  std::vector<Word> asked;
  for (const auto& text : seen) {
    for (auto& word : words_of(text)) {
      bool known = std::any_of(asked.begin(), asked.end(),
                               [&](const Word& other) { return other.stem == word.stem; });
      if (!known) asked.push_back(std::move(word));
    }
  }
  const auto weights = weights_of(plan);
  std::vector<Suggestion> out;
  for (const auto& runbook : plan.runbooks) {
    const auto own = stems_in(runbook.symptoms);
    Suggestion one;
    one.runbook = runbook.name;
    for (const auto& word : asked) {
      if (!own.contains(word.stem)) continue;
      one.words.push_back(word.written);
      one.score += weights.at(word.stem);
    }
    if (one.words.empty()) continue;
    auto fit = best_symptom(runbook, asked, weights);
    one.symptom = fit.symptom;
    one.score += fit.part / 2;  // one more word is always worth more
    out.push_back(std::move(one));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  return out;
}

}  // namespace lb::incident
