#include "model/plan/validate.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/secrets.h"

namespace lb::plan {

namespace {

bool is_scalar_form(const Shape& shape) { return scalar_form(shape.form) != nullptr; }

std::string kind_of(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::mapping:
      return "a map";
    case YamlNode::Kind::scalar:
      return "a text";
    case YamlNode::Kind::null:
      break;
  }
  return "nothing";
}

std::string wanted(const Shape& shape) {
  if (const auto* form = scalar_form(shape.form)) return std::string(form->what);
  switch (shape.form) {
    case Form::list:
      return "a list";
    case Form::either: {
      std::vector<std::string> all;
      for (const auto& part : shape.parts) all.push_back(wanted(part));
      return join(all, " or ");
    }
    default:
      return "a map";
  }
}

bool valid_name(std::string_view name) {
  auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 63 && plain(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return plain(c) || c == '-' || c == '_'; });
}

std::vector<std::string> keys_of(const std::vector<Field>& fields) {
  std::vector<std::string> out;
  for (const auto& field : fields) out.push_back(field.key);
  return out;
}

class Validator {
 public:
  Validator(const Names& names, MistakeList& mistakes) : names_(names), mistakes_(mistakes) {}

  // `label` is the nearest key above the node, for messages; it also tells what may be a secret.
  void check(const YamlNode& node, const Shape& shape, const std::string& label) {
    if (shape.form == Form::any) return check_any(node, label);
    if (node.is_null()) {
      mistakes_.add(node, cat(label, ": has no value"),
                    cat("write ", wanted(shape), ", or leave it out"));
      return;
    }
    if (is_scalar_form(shape)) return check_scalar(node, shape, label);
    switch (shape.form) {
      case Form::list:
        return check_list(node, shape, label);
      case Form::map:
        return check_map(node, shape, label);
      case Form::record:
        return check_record(node, shape, label);
      case Form::verbs:
        return check_verbs(node, shape, label);
      default:
        return check_either(node, shape, label);
    }
  }

 private:
  void wrong_kind(const YamlNode& node, const Shape& shape, const std::string& label) {
    std::string hint;
    if (shape.form == Form::list && node.is_scalar())
      hint = cat("write [", hide_text(node, label), "]");
    mistakes_.add(node, cat(label, ": must be ", wanted(shape), ", not ", kind_of(node)), hint);
  }

  static std::string hide_text(const YamlNode& node, const std::string& label) {
    return looks_like_secret(label, node.text) ? "…" : shown(node.text);
  }

  // True when the text is fine; else the mistake is noted and the text must not be shown.
  bool check_no_secret(const YamlNode& node, const std::string& label) {
    if (!looks_like_secret(label, node.text)) return true;
    mistakes_.hide(node);
    mistakes_.add(node,
                  cat(label, ": this looks like a secret, and secrets must not stand in the plan"),
                  "write a reference: env:NAME, file:PATH, command:… or kms:…");
    return false;
  }

  void check_scalar(const YamlNode& node, const Shape& shape, const std::string& label) {
    if (!node.is_scalar()) return wrong_kind(node, shape, label);
    if (!shape.may_look_secret && !check_no_secret(node, label)) return;
    if (is_variable(shape, node)) return;
    auto fits = scalar_form(shape.form)->judge(node, shape, names_);
    if (fits.ok()) return;
    if (shape.form == Form::secret) mistakes_.hide(node);
    mistakes_.add(node, fits.error(), label);
  }

  void check_any(const YamlNode& node, const std::string& label) {
    if (node.is_scalar()) check_no_secret(node, label);
    for (const auto& item : node.items) check_any(item, label);
    for (const auto& [key, value] : node.entries) check_any(value, shown(key.text));
  }

  void check_list(const YamlNode& node, const Shape& shape, const std::string& label) {
    if (!node.is_sequence()) return wrong_kind(node, shape, label);
    if (node.items.empty())
      mistakes_.add(node, cat(label, ": is empty"), "fill it or leave it out");
    for (const auto& item : node.items) check(item, shape.parts[0], label);
  }

  void check_map(const YamlNode& node, const Shape& shape, const std::string& label) {
    if (!node.is_mapping()) return wrong_kind(node, shape, label);
    if (node.entries.empty())
      mistakes_.add(node, cat(label, ": is empty"), "fill it or leave it out");
    for (const auto& [key, value] : node.entries) {
      if (shape.named && !valid_name(key.text)) {
        mistakes_.add(key, cat("'", shown(key.text), "' cannot be a name"),
                      "names are lower-case letters, digits, - and _, at most 63 of them");
      }
      if (!shape.sections.empty()) {
        auto known = name(shape.sections);
        auto declared = scalar_form(Form::name)->judge(key, known, names_);
        if (!declared.ok()) mistakes_.add(key, declared.error());
      }
      check(value, shape.parts[0], shown(key.text));
    }
  }

  void check_record(const YamlNode& node, const Shape& shape, const std::string& label) {
    if (!node.is_mapping()) return wrong_kind(node, shape, label);
    const auto* others = shape.parts.empty() ? nullptr : &shape.parts[0];
    for (const auto& [key, value] : node.entries) {
      if (const auto* field = find_field(shape.fields, key.text)) {
        check(value, field->shape, field->key);
      } else if (others != nullptr && key.text.find('.') != std::string::npos) {
        check(value, *others, shown(key.text));
      } else {
        unknown_key(key, keys_of(shape.fields));
      }
    }
    check_required(node, shape.fields, label);
  }

  void unknown_key(const YamlNode& key, const std::vector<std::string>& known) {
    mistakes_.add(key, cat("unknown key '", shown(key.text), "'"), suggest(key.text, known));
  }

  void check_required(const YamlNode& node, const std::vector<Field>& fields,
                      const std::string& label) {
    for (const auto& field : fields) {
      if (!field.required || node.find(field.key) != nullptr) continue;
      auto hint = field.help.empty() ? std::string() : cat(field.key, ": ", field.help);
      mistakes_.add(node, cat(label, ": key '", field.key, "' is missing"), hint);
    }
  }

  void check_verbs(const YamlNode& node, const Shape& shape, const std::string& label) {
    if (!node.is_mapping()) return wrong_kind(node, shape, label);
    const Verb* verb = nullptr;
    for (const auto& [key, value] : node.entries) {
      const auto* found = find_verb(shape, key.text);
      if (found == nullptr) continue;
      if (verb != nullptr) {
        mistakes_.add(
            key, cat("'", verb->key, "' and '", found->key, "' cannot stand in one ", shape.what),
            cat("write two: each ", shape.what, " has one of them"));
        return;
      }
      verb = found;
    }
    if (verb == nullptr) return no_verb(node, shape, label);
    check_with_verb(node, shape, *verb);
  }

  void check_with_verb(const YamlNode& node, const Shape& shape, const Verb& verb) {
    auto fields = fields_with(shape, verb);
    for (const auto& [key, value] : node.entries) {
      if (const auto* field = find_field(fields, key.text)) {
        check(value, field->shape, field->key);
      } else if (auto owner = owner_of(shape, key.text); !owner.empty()) {
        mistakes_.add(key, cat("key '", key.text, "' does not go with '", verb.key, "'"),
                      cat("it goes with ", owner));
      } else {
        unknown_key(key, keys_of(fields));
      }
    }
    check_required(node, fields, verb.key);
  }

  static std::string owner_of(const Shape& shape, const std::string& key) {
    std::vector<std::string> owners;
    for (const auto& verb : shape.verbs) {
      if (find_field(verb.fields, key) != nullptr) owners.push_back(verb.key);
    }
    return join(owners, ", ");
  }

  void no_verb(const YamlNode& node, const Shape& shape, const std::string& label) {
    std::vector<std::string> known;
    for (const auto& verb : shape.verbs) known.push_back(verb.key);
    for (const auto& [key, value] : node.entries) {
      if (find_field(shape.fields, key.text) != nullptr || !owner_of(shape, key.text).empty())
        continue;
      return unknown_key(key, known);
    }
    mistakes_.add(node, cat(label, ": this ", shape.what, " does not say what it is"),
                  suggest("", known));
  }

  void check_either(const YamlNode& node, const Shape& shape, const std::string& label) {
    const auto* fitting = alternative_for(shape, node);
    if (fitting == nullptr) return wrong_kind(node, shape, label);
    check(node, *fitting, label);
  }

  const Names& names_;
  MistakeList& mistakes_;
};

}  // namespace

bool is_variable(const Shape& shape, const YamlNode& node) {
  return shape.variable && node.text.size() > 1 && node.text[0] == '$';
}

const Shape* alternative_for(const Shape& either, const YamlNode& node) {
  for (const auto& part : either.parts) {
    bool scalar = is_scalar_form(part);
    bool fits = (scalar && node.is_scalar()) || (part.form == Form::list && node.is_sequence()) ||
                (!scalar && part.form != Form::list && node.is_mapping());
    if (fits) return &part;
  }
  return nullptr;
}

const Verb* only_verb(const Shape& shape, const YamlNode& node) {
  const Verb* out = nullptr;
  for (const auto& entry : node.entries) {
    const auto* found = find_verb(shape, entry.key.text);
    if (found == nullptr) continue;
    if (out != nullptr) return nullptr;
    out = found;
  }
  return out;
}

void validate(const YamlNode& root, const Shape& shape, const Names& names, MistakeList& mistakes) {
  Validator(names, mistakes).check(root, shape, "plan");
}

}  // namespace lb::plan
