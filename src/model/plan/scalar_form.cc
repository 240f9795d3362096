#include "model/plan/scalar_form.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/base/time.h"
#include "model/plan/hours_text.h"
#include "model/plan/schedule.h"
#include "model/plan/values.h"

namespace lb::plan {

namespace {

Error bad(const YamlNode& node, std::string_view what, std::string hint) {
  return Error(ErrorKind::invalid, cat("'", shown(node.text), "' is not ", what))
      .with_hint(std::move(hint));
}

Status judge_text(const YamlNode&, const Shape&, const Names&) { return {}; }

Status judge_boolean(const YamlNode& node, const Shape&, const Names&) {
  if (node.boolean()) return {};
  return bad(node, "true or false", "write true or false; yes, no, on and off are texts");
}

Status judge_integer(const YamlNode& node, const Shape&, const Names&) {
  auto value = node.integer();
  if (value && *value >= 0) return {};
  return bad(node, "a whole number", "write 0, 1, 2 and so on, without quotes");
}

Status judge_number(const YamlNode& node, const Shape&, const Names&) {
  auto value = node.number();
  if (value && *value >= 0) return {};
  return bad(node, "a number", "write a number such as 2 or 0.5, without quotes");
}

Status judge_duration(const YamlNode& node, const Shape&, const Names&) {
  return parse_duration(node.text).status();
}

Status judge_size(const YamlNode& node, const Shape&, const Names&) {
  return parse_size(node.text).status();
}

Status judge_percent(const YamlNode& node, const Shape&, const Names&) {
  return parse_percent(node.text).status();
}

Status judge_schedule(const YamlNode& node, const Shape&, const Names&) {
  return parse_schedule(node.text).status();
}

Status judge_comparison(const YamlNode& node, const Shape&, const Names&) {
  return parse_comparison(node.text).status();
}

Status judge_reference(const YamlNode& node, const Shape&, const Names&) {
  if (trim(node.text).empty())
    return bad(node, "an address or a reference", "write env:NAME or the address");
  return parse_reference(node.text).status();
}

Status judge_secret(const YamlNode& node, const Shape&, const Names&) {
  auto reference = LB_TRY(parse_reference(node.text));
  if (reference.kind != Reference::Kind::literal) return {};
  // The text is not repeated: it may be the secret itself.
  return Error(ErrorKind::invalid, "a secret must not stand in the plan")
      .with_hint("write a reference: env:NAME, file:PATH, command:… or kms:…");
}

Status judge_point(const YamlNode& node, const Shape&, const Names&) {
  return check_point(node.text);
}

Status judge_date(const YamlNode& node, const Shape&, const Names&) {
  return parse_date(node.text).status();
}

Status judge_url(const YamlNode& node, const Shape&, const Names&) { return check_url(node.text); }

Status judge_request(const YamlNode& node, const Shape&, const Names&) {
  return parse_request(node.text).status();
}

Status judge_column(const YamlNode& node, const Shape&, const Names&) {
  auto parts = split(node.text, '.');
  bool whole =
      std::none_of(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); });
  if (whole && (parts.size() == 2 || parts.size() == 3)) return {};
  return bad(node, "a column", "write table.column or schema.table.column");
}

Status judge_word(const YamlNode& node, const Shape& shape, const Names&) {
  const auto& words = shape.words;
  if (std::find(words.begin(), words.end(), node.text) != words.end()) return {};
  auto what = words.size() == 1 ? cat("'", words[0], "', the only choice") : "one of the choices";
  return bad(node, what, suggest(node.text, words));
}

std::string singular(const std::string& section) {
  if (section == "people") return "person";
  if (section == "checks") return "suite of checks";
  return section.substr(0, section.size() - 1);
}

Status judge_name(const YamlNode& node, const Shape& shape, const Names& names) {
  auto declared_in = [&](const std::string& section) {
    auto found = names.find(section);
    return found != names.end() ? &found->second : nullptr;
  };
  const auto& words = shape.words;
  if (std::find(words.begin(), words.end(), node.text) != words.end()) return {};
  std::vector<std::string> known = words, kinds, sections;
  for (const auto& section : shape.sections) {
    kinds.push_back(singular(section));
    sections.push_back(cat("'", section, ":'"));
    const auto* declared = declared_in(section);
    if (declared == nullptr) continue;
    if (declared->all.contains(node.text)) return {};
    // More than anyone could choose from; the list only serves the suggestion.
    constexpr std::size_t choices_max = 200;
    auto count = std::min(declared->in_order.size(), choices_max);
    known.insert(known.end(), declared->in_order.begin(),
                 declared->in_order.begin() + static_cast<std::ptrdiff_t>(count));
  }
  auto hint = suggest(node.text, known);
  if (known.size() == words.size()) hint = cat("the plan has no section ", join(sections, " or "));
  return Error(ErrorKind::invalid,
               cat("unknown ", join(kinds, " or "), " '", shown(node.text), "'"))
      .with_hint(hint);
}

// The known word that differs only by two letters in the wrong order: the most common slip.
std::string swapped(std::string wrong, const std::vector<std::string>& known) {
  for (std::size_t i = 0; i + 1 < wrong.size(); ++i) {
    std::swap(wrong[i], wrong[i + 1]);
    if (std::find(known.begin(), known.end(), wrong) != known.end()) return wrong;
    std::swap(wrong[i], wrong[i + 1]);
  }
  return "";
}

constexpr ScalarForm forms[] = {
    {Form::text, "a text", "", judge_text},
    {Form::boolean, "true or false", "", judge_boolean},
    {Form::integer, "a whole number", "", judge_integer},
    {Form::number, "a number", "", judge_number},
    {Form::duration, "a duration", "^([0-9]{1,9}(mo|ms|us|y|w|d|h|m|s))+$", judge_duration},
    {Form::size, "a size", "^[0-9]+(\\.[0-9]+)? ?(KiB|MiB|GiB|TiB|kB|MB|GB|TB|B)?$", judge_size},
    {Form::percent, "a percentage", "^[0-9]+(\\.[0-9]+)? ?%$", judge_percent},
    {Form::schedule, "a schedule", "", judge_schedule},
    {Form::comparison, "a comparison", "", judge_comparison},
    {Form::reference, "an address or a reference", "", judge_reference},
    {Form::secret, "a reference to a secret", "^(env|file|command|kms):.+$", judge_secret},
    {Form::point, "a point in time", "", judge_point},
    {Form::date, "a date", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", judge_date},
    {Form::url, "an address", "^https?://[^/ ].*$", judge_url},
    {Form::request, "a request", "^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) +[/$h][^ ]*$",
     judge_request},
    {Form::column, "a column", "^[^.]+\\.[^.]+(\\.[^.]+)?$", judge_column},
    {Form::name, "a name", "", judge_name},
    {Form::word, "a word", "", judge_word},
};

}  // namespace

const ScalarForm* scalar_form(Form form) {
  for (const auto& one : forms) {
    if (one.form == form) return &one;
  }
  return nullptr;
}

std::string suggest(const std::string& wrong, const std::vector<std::string>& known) {
  constexpr std::size_t word_max = 60;  // nobody mistypes more, and the search is not free
  if (wrong.size() > 1 && wrong.size() <= word_max) {
    auto near = swapped(wrong, known);
    if (near.empty()) near = nearest(wrong, known);
    if (!near.empty()) return cat("did you mean '", near, "'?");
  }
  constexpr std::size_t shown_max = 30;
  if (known.empty()) return "";
  if (known.size() > shown_max) {
    return cat("known are: ", join({known.begin(), known.begin() + shown_max}, ", "), ", …");
  }
  return cat("known are: ", join(known, ", "));
}

std::string shown(std::string_view text) {
  constexpr std::size_t bytes_max = 60;
  if (text.size() <= bytes_max) return printable(text);
  auto end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return printable(text.substr(0, end)) + "…";
}

}  // namespace lb::plan
