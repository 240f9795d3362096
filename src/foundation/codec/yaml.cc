#include "foundation/codec/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "foundation/base/text.h"

namespace lb {

namespace {

constexpr std::size_t bytes_max = 10'000'000;
constexpr std::size_t depth_max = 64;
constexpr std::size_t values_max = 50'000;
constexpr std::size_t expanded_bytes_max = 20'000'000;

struct Position {
  std::size_t line = 1, column = 1;
};

Position position_of(std::string_view text, std::size_t offset) {
  Position at;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++at.line;
      at.column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++at.column;
    }
  }
  return at;
}

// Where the first byte stands that is not UTF-8, or the end. Whole lines are judged first: fast.
std::size_t first_bad_byte(std::string_view text) {
  std::size_t start = 0;
  while (start < text.size()) {
    auto end = text.find('\n', start);
    if (end == std::string_view::npos) end = text.size();
    if (!valid_utf8(text.substr(start, end - start))) break;
    start = end + 1;
  }
  while (start < text.size()) {
    std::size_t length = 1;
    while (length <= 4 && !valid_utf8(text.substr(start, length))) ++length;
    if (length > 4) return start;
    start += length;
  }
  return text.size();
}

struct Event {
  yaml_event_t raw{};
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&raw); }
};

std::string_view view(const yaml_char_t* text) {
  return text == nullptr ? std::string_view()
                         : std::string_view(reinterpret_cast<const char*>(text));
}

// The size of a tree, to charge an alias before it is copied.
struct Weight {
  std::size_t values = 0, bytes = 0, height = 0;
};

class TreeReader {
 public:
  TreeReader(std::string_view text, int source) : text_(text), source_(source) {
    ready_ = yaml_parser_initialize(&parser_) == 1;
    if (!ready_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  TreeReader(const TreeReader&) = delete;
  TreeReader& operator=(const TreeReader&) = delete;
  ~TreeReader() {
    if (ready_) yaml_parser_delete(&parser_);
  }

  YamlDocument read() {
    YamlDocument out;
    out.readable = ready_ && read_stream(out.root);
    if (!out.readable) out.root = YamlNode();
    out.faults = std::move(faults_);
    return out;
  }

 private:
  bool fail(const yaml_mark_t& mark, std::string what, std::string suggestion = {}) {
    faults_.push_back({mark.line + 1, mark.column + 1, std::move(what), std::move(suggestion)});
    return false;
  }

  bool too_deep(const yaml_event_t& event) {
    return fail(event.start_mark, cat("nested deeper than ", depth_max, " levels"));
  }

  bool next(Event& event) {
    if (yaml_parser_parse(&parser_, &event.raw) == 1) return true;
    std::string what = printable(parser_.problem != nullptr ? parser_.problem : "cannot be read");
    if (parser_.error == YAML_READER_ERROR) {
      auto at = position_of(text_, parser_.problem_offset);
      faults_.push_back({at.line, at.column, what, ""});
      return false;
    }
    if (parser_.context != nullptr) what = cat(what, " ", printable(parser_.context));
    return fail(parser_.problem_mark, what);
  }

  bool read_stream(YamlNode& root) {
    for (;;) {
      Event event;
      if (!next(event)) return false;
      switch (event.raw.type) {
        case YAML_STREAM_END_EVENT:
          return true;
        case YAML_DOCUMENT_START_EVENT:
          if (documents_++ > 0) return fail(event.raw.start_mark, "a second document begins here");
          break;
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
          break;
        default:
          if (!read_node(event.raw, root, 0)) return false;
      }
    }
  }

  bool read_node(const yaml_event_t& event, YamlNode& node, std::size_t depth) {
    if (event.type == YAML_ALIAS_EVENT) return expand(event, node, depth);
    if (depth > depth_max) return too_deep(event);
    std::size_t bytes = event.type == YAML_SCALAR_EVENT ? event.data.scalar.length : 0;
    if (!charge(event.start_mark, {1, bytes, 0})) return false;
    node.source = source_;
    node.line = event.start_mark.line + 1;
    node.column = event.start_mark.column + 1;
    switch (event.type) {
      case YAML_SCALAR_EVENT:
        return read_scalar(event, node);
      case YAML_SEQUENCE_START_EVENT:
        return read_sequence(event, node, depth);
      case YAML_MAPPING_START_EVENT:
        return read_mapping(event, node, depth);
      default:
        return fail(event.start_mark, "a value is missing here");
    }
  }

  bool read_scalar(const yaml_event_t& event, YamlNode& node) {
    const auto& scalar = event.data.scalar;
    if (!tag_fits(event, view(scalar.tag), "tag:yaml.org,2002:str")) return false;
    node.kind = YamlNode::Kind::scalar;
    node.plain = scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.plain_implicit == 1;
    node.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
    if (node.plain && (node.text.empty() || node.text == "~" || node.text == "null" ||
                       node.text == "Null" || node.text == "NULL")) {
      node.kind = YamlNode::Kind::null;
    }
    return remember(event, view(scalar.anchor), node);
  }

  bool read_sequence(const yaml_event_t& event, YamlNode& node, std::size_t depth) {
    if (!tag_fits(event, view(event.data.sequence_start.tag), "tag:yaml.org,2002:seq"))
      return false;
    std::string anchor(view(event.data.sequence_start.anchor));
    node.kind = YamlNode::Kind::sequence;
    open_.insert(anchor);
    for (;;) {
      Event item;
      if (!next(item)) return false;
      if (item.raw.type == YAML_SEQUENCE_END_EVENT) break;
      node.items.emplace_back();
      if (!read_node(item.raw, node.items.back(), depth + 1)) return false;
    }
    open_.erase(anchor);
    return remember(event, anchor, node);
  }

  bool read_mapping(const yaml_event_t& event, YamlNode& node, std::size_t depth) {
    if (!tag_fits(event, view(event.data.mapping_start.tag), "tag:yaml.org,2002:map")) return false;
    std::string anchor(view(event.data.mapping_start.anchor));
    node.kind = YamlNode::Kind::mapping;
    open_.insert(anchor);
    std::map<std::string, std::size_t> lines;  // of the keys seen
    for (;;) {
      Event key;
      if (!next(key)) return false;
      if (key.raw.type == YAML_MAPPING_END_EVENT) break;
      auto& entry = node.entries.emplace_back();
      if (!read_key(key.raw, entry.key, depth + 1)) return false;
      Event value;
      if (!next(value)) return false;
      if (!read_node(value.raw, entry.value, depth + 1)) return false;
      note_duplicate(node, lines);
    }
    open_.erase(anchor);
    return remember(event, anchor, node);
  }

  bool read_key(const yaml_event_t& event, YamlNode& key, std::size_t depth) {
    if (!read_node(event, key, depth)) return false;
    if (key.is_sequence() || key.is_mapping())
      return fail(event.start_mark, "a key must be a text");
    key.kind = YamlNode::Kind::scalar;  // a key `null` or `~` is a text like any other
    return true;
  }

  // Keeps the first of two equal keys, so that whoever reads the tree never has to choose.
  void note_duplicate(YamlNode& node, std::map<std::string, std::size_t>& lines) {
    const auto& key = node.entries.back().key;
    auto [first, added] = lines.emplace(key.text, key.line);
    if (added) return;
    faults_.push_back({key.line, key.column, cat("duplicate key '", printable(key.text), "'"),
                       cat("it is already given in line ", first->second)});
    node.entries.pop_back();
  }

  bool tag_fits(const yaml_event_t& event, std::string_view tag, std::string_view allowed) {
    if (tag.empty() || tag == "!" || tag == allowed) return true;
    return fail(event.start_mark, cat("tag '", printable(tag), "' is not allowed"),
                "write the value without a tag");
  }

  // The copy counts like an expansion: anchors inside anchors would else multiply the memory.
  bool remember(const yaml_event_t& event, std::string_view anchor, const YamlNode& node) {
    if (anchor.empty()) return true;
    auto weight = weigh(node);
    if (!charge(event.start_mark, weight)) return false;
    anchors_[std::string(anchor)] = {node, weight};
    return true;
  }

  static Weight weigh(const YamlNode& node) {
    Weight sum{1, node.text.size(), 0};
    auto add = [&](const YamlNode& part) {
      auto weight = weigh(part);
      sum.values += weight.values;
      sum.bytes += weight.bytes;
      sum.height = std::max(sum.height, weight.height + 1);
    };
    for (const auto& item : node.items) add(item);
    for (const auto& [key, value] : node.entries) {
      add(key);
      add(value);
    }
    return sum;
  }

  bool expand(const yaml_event_t& event, YamlNode& node, std::size_t depth) {
    std::string name(view(event.data.alias.anchor));
    if (open_.contains(name)) {
      return fail(event.start_mark,
                  cat("alias '*", printable(name), "' stands inside its own value"));
    }
    auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      return fail(event.start_mark, cat("alias '*", printable(name), "' has no anchor before it"));
    }
    if (depth + found->second.weight.height > depth_max) return too_deep(event);
    if (!charge(event.start_mark, found->second.weight)) return false;
    node = found->second.node;
    return true;
  }

  bool charge(const yaml_mark_t& mark, Weight weight) {
    used_.values += weight.values;
    used_.bytes += weight.bytes;
    if (used_.values <= values_max && used_.bytes <= expanded_bytes_max) return true;
    return fail(mark, cat("more than ", human_count(values_max), " values or ",
                          expanded_bytes_max / 1'000'000, " MB once aliases are expanded"));
  }

  struct Anchored {
    YamlNode node;
    Weight weight;
  };

  std::string_view text_;
  int source_;
  bool ready_ = false;
  yaml_parser_t parser_{};
  int documents_ = 0;
  std::vector<YamlFault> faults_;
  std::map<std::string, Anchored> anchors_;
  std::set<std::string> open_;  // anchors of values that are still being read
  Weight used_;
};

YamlDocument unreadable(Position at, std::string what, std::string suggestion = {}) {
  YamlDocument out;
  out.readable = false;
  out.faults.push_back({at.line, at.column, std::move(what), std::move(suggestion)});
  return out;
}

}  // namespace

YamlDocument parse_yaml(std::string_view text, int source) {
  if (text.size() > bytes_max) {
    return unreadable({}, cat("the file has ", human_size(text.size()), ", more than 10 MB"));
  }
  if (auto bad = first_bad_byte(text); bad < text.size()) {
    return unreadable(position_of(text, bad), "this is not UTF-8", "save the file as UTF-8");
  }
  return TreeReader(text, source).read();
}

}  // namespace lb
