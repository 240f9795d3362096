#include "model/adopt/tree.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/codec/yaml.h"
#include "model/adopt/words.h"
#include "model/plan/secrets.h"

namespace lb::adopt {

Tree Tree::of(std::string text, std::size_t line) {
  Tree tree;
  tree.kind = Kind::text;
  tree.text = std::move(text);
  tree.line = line;
  return tree;
}

Tree Tree::raw(std::string text, std::size_t line) {
  auto tree = of(std::move(text), line);
  tree.kind = Kind::raw;
  return tree;
}

Tree Tree::list() {
  Tree tree;
  tree.kind = Kind::list;
  return tree;
}

Tree Tree::with_remark(std::string words) && {
  remark = std::move(words);
  return std::move(*this);
}

const Tree* Tree::find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

Tree& Tree::at(std::string_view key) {
  for (auto& [name, value] : members) {
    if (name == key) return value;
  }
  members.push_back({std::string(key), Tree()});
  return members.back().second;
}

Tree& Tree::set(std::string_view key, Tree value) {
  auto& place = at(key);
  place = std::move(value);
  return place;
}

std::string comment_line(std::string_view text) {
  constexpr std::size_t shown_max = 300;
  auto out = printable(plan::hide_secrets(text.substr(0, shown_max)));
  // Characters that end a line of YAML, or may not stand in it.
  for (const char* bad :
       {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xEF\xBB\xBF", "\xEF\xBF\xBE", "\xEF\xBF\xBF"})
    out = replace_all(std::move(out), bad, " ");
  return text.size() > shown_max ? out + "…" : out;
}

namespace {

// Texts that a literal block gives back as they are.
bool fits_literal(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.ends_with('\n')) return false;
  if (text.starts_with(' ') || text.starts_with('\n') || text.starts_with('\t')) return false;
  auto ok = [](unsigned char c) { return c == '\n' || c >= 0x20; };
  if (!std::all_of(text.begin(), text.end(), ok)) return false;
  // Characters that YAML folds or forbids are left to the quoted form.
  for (const auto& line : split(text, '\n')) {
    auto quoted = yaml_scalar(line);
    if (quoted.find("\\u") != std::string::npos || line.find('\x7f') != std::string::npos)
      return false;
  }
  return true;
}

class Writer {
 public:
  explicit Writer(const std::string& file) : file_(file) {}

  void members(const Tree& tree, std::size_t depth) {
    for (const auto& [key, value] : tree.members) {
      if (depth == 0 && !out_.yaml.empty()) out_.yaml += '\n';
      above(value, depth);
      pad(depth);
      entry(key, value, depth);
    }
  }

  Written take() && { return std::move(out_); }

 private:
  void pad(std::size_t depth) { out_.yaml.append(depth * 2, ' '); }

  void above(const Tree& value, std::size_t depth) {
    for (const auto& line : value.above) {
      pad(depth);
      out_.yaml += cat("# ", comment_line(line), "\n");
    }
  }

  std::string behind(const Tree& value) const {
    if (!value.remark.empty()) return cat("  # ", comment_line(value.remark));
    if (value.line == 0) return "";
    return cat("  # from ", comment_line(file_), ":", value.line);
  }

  void entry(const std::string& key, const Tree& value, std::size_t depth) {
    out_.yaml += cat(yaml_scalar(key), ":");
    ++out_.values;
    body(key, value, depth);
  }

  // What stands behind "key:" or "-".
  void body(const std::string& key, const Tree& value, std::size_t depth) {
    ++out_.values;
    if (value.kind == Tree::Kind::text || value.kind == Tree::Kind::raw) {
      scalar(key, value, depth);
    } else if (value.kind == Tree::Kind::list) {
      out_.yaml += value.items.empty() ? cat(" []", behind(value), "\n") : cat(behind(value), "\n");
      for (const auto& item : value.items) list_item(key, item, depth + 1);
    } else {
      out_.yaml +=
          value.members.empty() ? cat(" {}", behind(value), "\n") : cat(behind(value), "\n");
      members(value, depth + 1);
    }
  }

  void list_item(const std::string& key, const Tree& item, std::size_t depth) {
    above(item, depth);
    pad(depth);
    out_.yaml += '-';
    if (item.kind != Tree::Kind::map || item.members.empty()) return body(key, item, depth);
    ++out_.values;
    bool first = true;
    for (const auto& [name, value] : item.members) {
      if (!first) pad(depth + 1);
      out_.yaml += first ? " " : "";
      first = false;
      entry(name, value, depth + 1);
    }
  }

  void scalar(const std::string& key, const Tree& value, std::size_t depth) {
    if (value.kind == Tree::Kind::raw) {
      out_.yaml += cat(" ", value.text, behind(value), "\n");
    } else if (plan::looks_like_secret(key, value.text) || holds_secret(value.text)) {
      out_.secrets.push_back(value.line);
      out_.yaml +=
          cat(" \"(left out: it looks like a secret; see the source)\"", behind(value), "\n");
    } else if (fits_literal(value.text)) {
      out_.yaml += cat(" |-", behind(value), "\n");
      for (const auto& line : split(value.text, '\n')) {
        if (!line.empty()) pad(depth + 1);
        out_.yaml += cat(line, "\n");
      }
    } else {
      out_.yaml += cat(" ", yaml_scalar(value.text), behind(value), "\n");
    }
  }

  const std::string& file_;
  Written out_;
};

}  // namespace

Written write_yaml(const Tree& tree, const std::string& file) {
  Writer writer(file);
  writer.members(tree, 0);
  return std::move(writer).take();
}

}  // namespace lb::adopt
