// The plan language for people, from the same tables that judge a plan: docs/plan.md is what this
// prints.
#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/language.h"
#include "model/plan/reader.h"
#include "model/plan/scalar_form.h"

namespace lb::plan {

namespace {

constexpr const char* preface =
    "# The plan\n\n"
    "Every key of `lifeboat.yaml`: what it takes, its default, what it means. This page is what\n"
    "`lifeboat plan schema --markdown` prints, made from the tables that judge a plan. Plans for\n"
    "five real systems stand in [examples/](../examples/); `lifeboat plan explain` prints yours\n"
    "with every default.\n\n"
    "*NAME* is a name that you choose. A list may be written in one line: `[a, b]`. \"Not built\n"
    "yet\" is read and checked; acting on it is refused with its place.\n";

bool structured(const Shape& shape) {
  switch (shape.form) {
    case Form::list:
    case Form::map:
      return structured(shape.parts[0]) || shape.form == Form::map;
    case Form::record:
    case Form::verbs:
      return true;
    case Form::either:
      return std::any_of(shape.parts.begin(), shape.parts.end(), structured);
    default:
      return false;
  }
}

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string choices(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const auto& word : words) out.push_back(cat("`", word, "`"));
  return join(out, ", ");
}

std::string name_text(const Shape& shape) {
  auto out = cat("a name of ", choices(shape.sections));
  return shape.words.empty() ? out : cat(out, ", or ", choices(shape.words));
}

std::string type_text(const Shape& shape);

bool is_one_or_list(const Shape& shape) {
  return shape.parts.size() == 2 && shape.parts[1].form == Form::list &&
         type_text(shape.parts[0]) == type_text(shape.parts[1].parts[0]);
}

std::string type_text(const Shape& shape) {
  if (shape.form == Form::word) return choices(shape.words);
  if (shape.form == Form::name)
    return cat(name_text(shape), shape.variable ? ", or `$variable`" : "");
  if (const auto* form = scalar_form(shape.form))
    return cat(form->what, shape.variable ? ", or `$variable`" : "");
  switch (shape.form) {
    case Form::list:
      return shape.parts[0].form == Form::word ? cat("list of ", type_text(shape.parts[0]))
                                               : cat("list, each ", type_text(shape.parts[0]));
    case Form::map:
      return structured(shape.parts[0]) ? "by *NAME*"
                                        : cat("by *NAME*: ", type_text(shape.parts[0]));
    case Form::record:
      return "these keys";
    case Form::verbs:
      return cat("one ", shape.what);
    case Form::either: {
      if (is_one_or_list(shape)) return cat(type_text(shape.parts[0]), ", or a list of them");
      std::vector<std::string> out;
      for (const auto& part : shape.parts) out.push_back(type_text(part));
      return join(out, "; or ");
    }
    default:
      return "anything";
  }
}

bool named(const std::vector<std::string>& all, const std::string& key) {
  return std::find(all.begin(), all.end(), key) != all.end();
}

class ReferenceText {
 public:
  std::string write() {
    out_ = preface;
    for (const auto& field : plan_shape().fields) {
      section_ = field.key;
      out_ += cat("\n## ", field.key, "\n\n", capital(field.help),
                  field.required ? ". Required: " : ": ", type_text(field.shape));
      if (!field.fallback.empty()) out_ += cat("; left out: `", field.fallback, "`");
      out_ += ".\n\n";
      children(field.shape, 0);
      while (out_.ends_with("\n\n")) out_.pop_back();
    }
    return std::move(out_);
  }

 private:
  void line(std::size_t depth, const std::string& key, const Shape& shape, const std::string& help,
            const std::string& more) {
    out_ += cat(std::string(2 * depth, ' '), "- `", key, ":` ", type_text(shape), more);
    if (!help.empty()) out_ += cat(" – ", help);
    out_ += not_built(key, depth) ? " (not built yet)\n" : "\n";
  }

  bool not_built(const std::string& key, std::size_t depth) const {
    if (section_ == "checks") return depth == 1 && named(checks_not_built(), key);
    if (depth != 0) return false;
    if (section_ == "drills") return named(drill_keys_not_built(), key);
    static const std::vector<std::string> stores = {"redis", "bucket", "firestore", "command"};
    static const std::vector<std::string> targets = {"wipe",  "mask",   "migrate",
                                                     "redis", "bucket", "firestore"};
    if (section_ == "stores") return named(stores, key);
    return section_ == "targets" && named(targets, key);
  }

  // What looks like the one before it is not written out again.
  void fields(const std::vector<Field>& all, std::size_t depth) {
    std::string before, first;
    for (const auto& field : all) {
      if (field.key == "objective") {
        out_ += cat(std::string(2 * depth, ' '), "- `objective:` the keys of ",
                    "[objectives](#objectives)\n");
        continue;
      }
      std::string more = field.required ? ", required" : "";
      if (!field.fallback.empty()) more += cat(", left out: `", field.fallback, "`");
      line(depth, field.key, field.shape, field.help, more);
      const auto from = out_.size();
      children(field.shape, depth + 1);
      const auto inside = out_.substr(from);
      if (!inside.empty() && inside == before) {
        out_.resize(from - 1);
        out_ += cat(", as those of `", first, "`\n");
      } else {
        before = inside;
        first = field.key;
      }
    }
  }

  void alternatives(const Shape& shape, std::size_t depth) {
    for (const auto& verb : shape.verbs) {
      line(depth, verb.key, verb.shape, verb.help, "");
      if (verb.key == "parallel") continue;  // of the same steps again
      children(verb.shape, depth + 1);
      for (const auto& field : verb.fields) fields({field}, depth + 1);
    }
    if (shape.fields.empty()) return;
    out_ += cat("\n", std::string(2 * depth, ' '), "Beside it, of each ", shape.what, ":\n\n");
    fields(shape.fields, depth);
  }

  void children(const Shape& shape, std::size_t depth) {
    if (shape.form == Form::list || shape.form == Form::map) children(shape.parts[0], depth);
    if (shape.form == Form::record) fields(shape.fields, depth);
    if (shape.form == Form::verbs) alternatives(shape, depth);
    if (shape.form != Form::either) return;
    if (is_one_or_list(shape)) return children(shape.parts[0], depth);
    for (const auto& part : shape.parts) {
      // A suite is a list of checks, or a record that holds the same list: once is enough.
      const bool again = part.form == Form::list && shape.parts.back().form == Form::record &&
                         part.parts[0].form == Form::verbs;
      if (!again) children(part, depth);
    }
  }

  std::string out_, section_;
};

}  // namespace

std::string language_reference() { return ReferenceText().write(); }

}  // namespace lb::plan
