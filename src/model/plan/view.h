// View: typed reads from one node of a validated tree. A value that is absent, or was already
// refused by the validator, reads as its default, so that binding never has to report anything.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "foundation/codec/yaml.h"
#include "model/plan/plan.h"

namespace lb::plan {

class View {
 public:
  // Both outlive the view.
  View(const YamlNode& node, const std::vector<std::string>& files)
      : node_(&node), files_(&files) {}

  const YamlNode& node() const { return *node_; }
  bool has(std::string_view key) const { return node_->find(key) != nullptr; }
  View at(std::string_view key) const;  // an absent key gives a view of nothing
  std::vector<View> items() const;      // of a list; a single value counts as a list of one
  std::vector<std::pair<std::string, View>> entries() const;
  Place place() const;
  Place place_of_key(std::string_view key) const;  // where the key stands; else place()

  // Of the node itself.
  const std::string& text() const { return node_->text; }
  Reference reference() const;
  std::optional<Comparison> comparison() const;

  // Of the value under `key`.
  std::string text(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  std::vector<std::pair<std::string, std::string>> text_map(std::string_view key) const;
  std::vector<std::pair<std::string, Reference>> reference_map(std::string_view key) const;
  bool boolean(std::string_view key, bool fallback) const;
  std::optional<std::int64_t> integer(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<Micros> duration(std::string_view key) const;
  std::optional<std::uint64_t> size(std::string_view key) const;
  std::optional<double> percent(std::string_view key) const;
  std::optional<Schedule> schedule(std::string_view key) const;
  std::optional<Comparison> comparison(std::string_view key) const;
  Reference reference(std::string_view key) const;
  Objective objective(std::string_view key) const;

 private:
  const YamlNode* node_;
  const std::vector<std::string>* files_;
};

}  // namespace lb::plan
