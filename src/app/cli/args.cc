#include "app/cli/args.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::cli {

namespace {

const Flag* find_flag(const VerbHelp& verb, const std::string& name, char letter) {
  auto matches = [&](const Flag& flag) {
    return letter != 0 ? flag.letter == letter : flag.name == name;
  };
  for (const auto* list : {&verb.flags, &common_flags()}) {
    auto found = std::find_if(list->begin(), list->end(), matches);
    if (found != list->end()) return &*found;
  }
  return nullptr;
}

Error unknown_flag(const VerbHelp& verb, const std::string& word) {
  std::vector<std::string> names;
  for (const auto* list : {&verb.flags, &common_flags()}) {
    for (const auto& flag : *list) names.push_back("--" + flag.name);
  }
  auto near = nearest(word, names);
  Error error(ErrorKind::invalid, cat("unknown flag '", word, "' for ", verb.name));
  if (near.empty()) return std::move(error).with_hint(cat("see lifeboat ", verb.name, " --help"));
  return std::move(error).with_hint(cat("did you mean ", near, "?"));
}

struct Word {
  std::string name;   // as typed, for messages
  std::string value;  // after '='
  bool has_value = false;
  const Flag* flag = nullptr;
};

Result<Word> read_flag(const VerbHelp& verb, const std::string& word) {
  Word out;
  out.name = word;
  if (word.starts_with("--")) {
    auto equals = word.find('=');
    out.name = word.substr(0, equals);
    out.has_value = equals != std::string::npos;
    if (out.has_value) out.value = word.substr(equals + 1);
    out.flag = find_flag(verb, out.name.substr(2), 0);
  } else if (word.size() == 2) {
    out.flag = find_flag(verb, {}, word[1]);
  }
  if (out.flag == nullptr) return unknown_flag(verb, out.name);
  if (out.has_value && out.flag->value.empty()) {
    return Error(ErrorKind::invalid, cat("flag ", out.name, " takes no value"));
  }
  return out;
}

std::string flag_usage(const Flag& flag) {
  std::string text = flag.letter != 0 ? cat("-", flag.letter, ", ") : "    ";
  text += cat("--", flag.name);
  if (!flag.value.empty()) text += cat(" ", flag.value);
  return text;
}

}  // namespace

const std::vector<Flag>& common_flags() {
  static const std::vector<Flag> flags = {
      {"plan", 'p', "FILE", "the plan (default: lifeboat.yaml, or LIFEBOAT_PLAN)", false},
      {"json", 0, "", "machine-readable output: one document, or JSON Lines for long verbs", false},
      {"quiet", 'q', "", "only errors", false},
      {"verbose", 'v', "", "more of what happens", false},
      {"help", 'h', "", "this text", false},
  };
  return flags;
}

bool Args::has(const std::string& flag) const { return flags.contains(flag); }
std::string Args::get(const std::string& flag, std::string fallback) const {
  auto found = flags.find(flag);
  return found == flags.end() ? fallback : found->second.back();
}
std::vector<std::string> Args::all(const std::string& flag) const {
  auto found = flags.find(flag);
  return found == flags.end() ? std::vector<std::string>{} : found->second;
}

Result<Args> parse_args(const VerbHelp& verb, const std::vector<std::string>& words) {
  Args args;
  bool only_positionals = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    if (only_positionals || word.size() < 2 || word[0] != '-') {
      args.positionals.push_back(word);
      continue;
    }
    if (word == "--") {
      only_positionals = true;
      continue;
    }
    auto flag = LB_TRY(read_flag(verb, word));
    if (!flag.flag->value.empty() && !flag.has_value) {
      if (++i >= words.size()) {
        return Error(ErrorKind::invalid, cat("flag ", flag.name, " needs ", flag.flag->value));
      }
      flag.value = words[i];
    }
    auto& values = args.flags[flag.flag->name];
    if (!values.empty() && !flag.flag->repeats && !flag.flag->value.empty()) {
      return Error(ErrorKind::invalid, cat("flag ", flag.name, " is given twice"));
    }
    values.push_back(flag.value);
  }
  if (!args.has("help") && args.positionals.size() > verb.positionals_max) {
    return Error(ErrorKind::invalid, cat("'", printable(args.positionals[verb.positionals_max]),
                                         "' is one word too many"))
        .with_hint(cat("usage: lifeboat ", verb.usage));
  }
  return args;
}

std::string help_text(const VerbHelp& verb) {
  std::string out = "Examples:\n";
  for (const auto& example : verb.examples) out += cat("  ", example, "\n");
  out += cat("\n", verb.summary, "\n\nUsage: lifeboat ", verb.usage, "\n\nFlags:\n");
  std::size_t width = 0;
  for (const auto* list : {&verb.flags, &common_flags()}) {
    for (const auto& flag : *list) width = std::max(width, flag_usage(flag).size());
  }
  for (const auto* list : {&verb.flags, &common_flags()}) {
    for (const auto& flag : *list) {
      auto usage = flag_usage(flag);
      out += cat("  ", usage, std::string(width - usage.size() + 2, ' '), flag.help, "\n");
    }
  }
  return out;
}

}  // namespace lb::cli
