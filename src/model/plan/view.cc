#include "model/plan/view.h"

#include "foundation/base/text.h"
#include "model/plan/schedule.h"
#include "model/plan/values.h"

namespace lb::plan {

namespace {

const YamlNode& nothing() {
  static const YamlNode node;
  return node;
}

template <typename T>
std::optional<T> kept(Result<T> result) {
  if (!result.ok()) return {};
  return std::move(result).take();
}

}  // namespace

View View::at(std::string_view key) const {
  const auto* found = node_->find(key);
  return View(found != nullptr ? *found : nothing(), *files_);
}

std::vector<View> View::items() const {
  std::vector<View> out;
  if (node_->is_scalar()) out.push_back(*this);
  for (const auto& item : node_->items) out.emplace_back(item, *files_);
  return out;
}

std::vector<std::pair<std::string, View>> View::entries() const {
  std::vector<std::pair<std::string, View>> out;
  for (const auto& [key, value] : node_->entries) out.emplace_back(key.text, View(value, *files_));
  return out;
}

Place View::place() const {
  if (node_->line == 0) return {};
  // A step that comes from the script of a run has no file any more.
  auto source = static_cast<std::size_t>(node_->source);
  return {source < files_->size() ? (*files_)[source] : "", node_->line, node_->column};
}

Place View::place_of_key(std::string_view key) const {
  for (const auto& entry : node_->entries) {
    if (entry.key.text == key) return View(entry.key, *files_).place();
  }
  return place();
}

Reference View::reference() const {
  auto out = kept(parse_reference(node_->text)).value_or(Reference());
  out.place = place();
  return out;
}

std::optional<Comparison> View::comparison() const {
  if (!node_->is_scalar()) return {};
  auto out = kept(parse_comparison(node_->text));
  if (out) out->place = place();
  return out;
}

std::string View::text(std::string_view key) const { return at(key).text(); }

std::vector<std::string> View::texts(std::string_view key) const {
  std::vector<std::string> out;
  for (const auto& item : at(key).items()) out.push_back(item.text());
  return out;
}

std::vector<std::pair<std::string, std::string>> View::text_map(std::string_view key) const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, value] : at(key).entries()) out.emplace_back(name, value.text());
  return out;
}

std::vector<std::pair<std::string, Reference>> View::reference_map(std::string_view key) const {
  std::vector<std::pair<std::string, Reference>> out;
  for (const auto& [name, value] : at(key).entries()) out.emplace_back(name, value.reference());
  return out;
}

bool View::boolean(std::string_view key, bool fallback) const {
  return at(key).node().boolean().value_or(fallback);
}

std::optional<std::int64_t> View::integer(std::string_view key) const {
  return at(key).node().integer();
}

std::optional<double> View::number(std::string_view key) const { return at(key).node().number(); }

std::optional<Micros> View::duration(std::string_view key) const {
  return kept(parse_duration(text(key)));
}

std::optional<std::uint64_t> View::size(std::string_view key) const {
  return kept(parse_size(text(key)));
}

std::optional<double> View::percent(std::string_view key) const {
  return kept(parse_percent(text(key)));
}

std::optional<Schedule> View::schedule(std::string_view key) const {
  auto out = kept(parse_schedule(text(key)));
  if (out) out->place = at(key).place();
  return out;
}

std::optional<Comparison> View::comparison(std::string_view key) const {
  return at(key).comparison();
}

Reference View::reference(std::string_view key) const { return at(key).reference(); }

Objective View::objective(std::string_view key) const {
  auto from = at(key);
  Objective out;
  out.rpo = from.duration("rpo");
  out.rto = from.duration("rto");
  out.goal = from.duration("goal");
  out.why = from.text("why");
  out.clock = from.text("clock");
  out.place = from.place();
  return out;
}

}  // namespace lb::plan
