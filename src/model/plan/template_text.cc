#include "model/plan/template_text.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/language.h"
#include "model/plan/scalar_form.h"

namespace lb::plan {

namespace {

constexpr BuiltInTemplate built_in[] = {
    {"recovery-started", "{system}: recovery started",
     "We have started to recover {system}.\n\n"
     "What happened: {impact}\nSince: {since}\nWe expect to be done by: {predicted_end}\n"
     "Next message: {next_update}\n"},
    {"recovery-progress", "{system}: recovery under way",
     "The recovery of {system} goes on.\n\n"
     "What happened: {impact}\nSince: {since}\nWhat we are doing now: {step}\n"
     "We expect to be done by: {predicted_end}\nNext message: {next_update}\n"},
    {"recovery-finished", "{system}: recovery finished",
     "{system} has been recovered and checked.\n\n"
     "What happened: {impact}\nSince: {since}\nRecovered to: {point}\nData lost: {data_loss}\n"},
    {"data-loss", "{system}: data was lost",
     "The recovery of {system} could not bring everything back.\n\n"
     "Data lost: {data_loss}\nAffected: {affected}\nRecovered to: {point}\n\n"
     "Please look at what you entered after that moment and enter it again where it is missing.\n"},
    {"stakeholders", "{system}: {impact}",
     "{system} is disturbed since {since}: {impact}.\n\n"
     "Affected: {affected}\nData lost, as far as we know: {data_loss}\n"
     "We expect to be done by: {predicted_end}\nNext message: {next_update}\n"},
    {"status-page", "{system}: disturbed",
     "We are working on a disturbance of {system}: {impact}. It began at {since}. "
     "Next update: {next_update}."},
    {"customers", "{system}: what happened, and what it means for you",
     "Since {since} {system} did not work as it should: {impact}.\n\n"
     "Data lost: {data_loss}\nWe expect everything to work again by: {predicted_end}\n\n"
     "You need not do anything now. We will write again: {next_update}.\n"},
    {"affected-users", "{system}: your data",
     "You receive this message because your data in {system} is affected.\n\n"
     "What happened: {impact}\nSince: {since}\nAffected: {affected}\nData lost: {data_loss}\n"},
    {"regulator", "{system}: notification of an incident",
     "We notify you of an incident in {system}.\n\n"
     "Nature of the incident: {impact}\nBegan: {since}\nPersons and data affected: {affected}\n"
     "Data lost: {data_loss}\nExpected end: {predicted_end}\n"
     "Further information will follow: {next_update}\n"},
};

Error lonely(char brace) {
  return Error(ErrorKind::invalid, cat("a '", brace, "' stands alone in the template"))
      .with_hint(cat("write ", brace, brace, " for the character itself, {impact} for a variable"));
}

Status known_variable(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& one : template_variables()) known.emplace_back(one.name);
  if (std::find(known.begin(), known.end(), name) != known.end()) return {};
  return Error(ErrorKind::invalid, cat("unknown placeholder '{", shown(name), "}'"))
      .with_hint(suggest(name, known));
}

}  // namespace

const BuiltInTemplate* built_in_template(std::string_view name) {
  const auto* found = std::find_if(std::begin(built_in), std::end(built_in),
                                   [&](const auto& one) { return one.name == name; });
  return found == std::end(built_in) ? nullptr : found;
}

const std::vector<std::string>& built_in_templates() {
  static const auto names = [] {
    std::vector<std::string> out;
    for (const auto& one : built_in) out.emplace_back(one.name);
    out.emplace_back("post-mortem");  // a document, drafted from the journal
    return out;
  }();
  return names;
}

const std::vector<TemplateVariable>& template_variables() {
  static const std::vector<TemplateVariable> all = {
      {"system", "what the plan protects"},
      {"impact", "what does not work, in one sentence"},
      {"since", "when it began"},
      {"next_update", "when the next message comes"},
      {"predicted_end", "when the recovery is expected to be done"},
      {"data_loss", "what is lost, as time or in words"},
      {"affected", "who or what is affected"},
      {"point", "the recovery point"},
      {"target", "where it is restored to"},
      {"severity", "P0 to P3"},
      {"incident", "its number and title"},
      {"runbook", "the runbook that runs"},
      {"step", "what is being done"},
      {"who", "who acts or has decided"},
      {"report", "where the report is"},
  };
  return all;
}

Result<std::vector<TemplatePiece>> parse_template(std::string_view text) {
  std::vector<TemplatePiece> out;
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool twice = i + 1 < text.size() && text[i + 1] == c;
    if (c != '{' && c != '}') {
      plain += c;
    } else if (twice) {
      plain += c;
      ++i;
    } else {
      const auto close = text.find('}', i);
      if (c == '}' || close == std::string_view::npos) return lonely(c);
      std::string name(text.substr(i + 1, close - i - 1));
      LB_TRY(known_variable(name));
      if (!plain.empty()) out.push_back({false, std::exchange(plain, {})});
      out.push_back({true, std::move(name)});
      i = close;
    }
  }
  if (!plain.empty()) out.push_back({false, plain});
  return out;
}

Result<std::string> fill_template(std::string_view text, const TemplateValues& values) {
  auto pieces = LB_TRY(parse_template(text));
  std::string out;
  std::vector<std::string> missing;
  for (const auto& piece : pieces) {
    auto found = values.find(piece.text);
    if (!piece.variable) {
      out += piece.text;
    } else if (found != values.end() && !trim(found->second).empty()) {
      out += found->second;
    } else if (std::find(missing.begin(), missing.end(), piece.text) == missing.end()) {
      missing.push_back(piece.text);
    }
  }
  if (missing.empty()) return out;
  return Error(ErrorKind::invalid,
               cat("the message has no value for {", join(missing, "}, {"), "}"))
      .with_hint("give the missing values, or choose a template without them");
}

}  // namespace lb::plan
