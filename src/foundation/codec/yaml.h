// YamlNode: one YAML document as an owned tree in which every value knows its line and column.
// Scalars stay text; what a text means (YAML 1.2 core: `no` and `02:00` are text) is asked where a
// type is wanted. Anchors are expanded within a limit. The library that scans is named only in
// yaml.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/codec/json.h"

namespace lb {

struct YamlNode {
  enum class Kind { null, scalar, sequence, mapping };
  struct Entry;

  Kind kind = Kind::null;
  bool plain = false;  // a scalar without quotes: only such text can mean a number or a boolean
  std::string text;
  std::vector<YamlNode> items;
  std::vector<Entry> entries;        // in file order; duplicate keys have been reported as faults
  int source = 0;                    // which of several files it came from; given to parse_yaml
  std::size_t line = 0, column = 0;  // from 1; columns count characters

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_sequence() const { return kind == Kind::sequence; }
  bool is_mapping() const { return kind == Kind::mapping; }
  const YamlNode* find(std::string_view key) const;  // null when absent or not a mapping

  // The core schema, for plain scalars only.
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> integer() const;
  std::optional<double> number() const;  // integers too
};

struct YamlNode::Entry {
  YamlNode key, value;  // the key is always a scalar
};

struct YamlFault {
  std::size_t line = 0, column = 0;
  std::string text, suggestion;
};

struct YamlDocument {
  YamlNode root;
  std::vector<YamlFault> faults;  // empty: the tree is whole
  bool readable = true;           // false: the first fault ended the reading, the tree is not there
};

// Refuses more than 10 MB, bad UTF-8, depth over 64, more than 50,000 values (aliases expanded).
YamlDocument parse_yaml(std::string_view text, int source = 0);
Json to_json(const YamlNode& node);  // by the core schema
// A text as one YAML scalar on one line that reads back as the same text: quoted when it must be.
std::string yaml_scalar(std::string_view text);

}  // namespace lb
