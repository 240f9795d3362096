#include "model/plan/explain_yaml.h"

#include "foundation/base/text.h"
#include "model/plan/language.h"
#include "model/plan/validate.h"

namespace lb::plan {

namespace {

class Writer {
 public:
  std::string write(const YamlNode& tree) {
    mapping(tree, &plan_shape(), 0);
    return std::move(out_);
  }

 private:
  // Text that was quoted stays quoted: it is text even where it looks like a number.
  static std::string scalar(const YamlNode& node) {
    if (node.is_null()) return "null";
    auto plain = yaml_scalar(node.text);
    if (plain == node.text) return plain;
    bool number_or_flag = node.plain && (node.number().has_value() || node.boolean().has_value());
    return number_or_flag ? node.text : plain;
  }

  void indent(std::size_t depth) { out_.append(depth * 2, ' '); }

  // After "key:" or "-": the value on the same line, or below.
  void value(const YamlNode& node, const Shape* shape, std::size_t depth) {
    if (shape != nullptr && shape->form == Form::either) shape = alternative_for(*shape, node);
    if (node.is_mapping() && (!node.entries.empty() || has_defaults(shape))) {
      out_ += '\n';
      mapping(node, shape, depth);
    } else if (auto line = flow(node); node.is_sequence() && !node.items.empty() && !line.empty()) {
      out_ += cat(" ", line, "\n");
    } else if (node.is_sequence() && !node.items.empty()) {
      out_ += '\n';
      sequence(node, shape, depth);
    } else {
      out_ += cat(" ", node.is_mapping() ? "{}" : node.is_sequence() ? "[]" : scalar(node), "\n");
    }
  }

  static bool has_defaults(const Shape* shape) {
    if (shape == nullptr) return false;
    for (const auto& field : shape->fields) {
      if (!field.fallback.empty()) return true;
    }
    return false;
  }

  // "[a, b]" when all items are scalars and fit on the line; else empty.
  static std::string flow(const YamlNode& node) {
    constexpr std::size_t width_max = 70;
    std::string out = "[";
    for (const auto& item : node.items) {
      if (!item.is_scalar()) return "";
      out += cat(out.size() > 1 ? ", " : "", scalar(item));
    }
    return out.size() < width_max ? out + "]" : "";
  }

  void sequence(const YamlNode& node, const Shape* shape, std::size_t depth) {
    const auto* item_shape =
        shape != nullptr && shape->form == Form::list ? &shape->parts[0] : nullptr;
    for (const auto& item : node.items) {
      const auto* fitting = item_shape;
      if (fitting != nullptr && fitting->form == Form::either)
        fitting = alternative_for(*fitting, item);
      if (item.is_mapping() && !item.entries.empty()) {
        auto start = out_.size();
        mapping(item, fitting, depth + 1);
        out_[start + depth * 2] = '-';
      } else {
        indent(depth);
        out_ += '-';
        value(item, fitting, depth + 1);
      }
    }
  }

  void mapping(const YamlNode& node, const Shape* shape, std::size_t depth) {
    auto fields = fields_of(node, shape);
    for (const auto& [key, entry] : node.entries) {
      if (depth == 0 && key.text == "include") continue;
      indent(depth);
      out_ += cat(yaml_scalar(key.text), ":");
      value(entry, shape_of(key.text, fields, shape), depth + 1);
    }
    for (const auto& field : fields) {
      if (field.fallback.empty() || node.find(field.key) != nullptr) continue;
      indent(depth);
      out_ += cat(field.key, ": ", field.fallback, "  # default\n");
    }
  }

  static std::vector<Field> fields_of(const YamlNode& node, const Shape* shape) {
    if (shape == nullptr) return {};
    if (shape->form == Form::record) return shape->fields;
    if (shape->form != Form::verbs) return {};
    const auto* verb = only_verb(*shape, node);
    return verb != nullptr ? fields_with(*shape, *verb) : std::vector<Field>();
  }

  static const Shape* shape_of(const std::string& key, const std::vector<Field>& fields,
                               const Shape* shape) {
    if (const auto* field = find_field(fields, key)) return &field->shape;
    bool keyed = shape != nullptr && !shape->parts.empty() &&
                 (shape->form == Form::map || shape->form == Form::record);
    return keyed ? &shape->parts[0] : nullptr;
  }

  std::string out_;
};

}  // namespace

std::string yaml_with_defaults(const YamlNode& tree) { return Writer().write(tree); }

}  // namespace lb::plan
