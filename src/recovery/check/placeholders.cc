#include "recovery/check/placeholders.h"

#include <functional>

#include "foundation/base/text.h"
#include "recovery/check/url.h"

namespace lb::check {

namespace {

bool name_character(char c, bool first) {
  bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return letter || (!first && c >= '0' && c <= '9');
}

struct Found {
  std::string name;
  std::size_t end = 0;
};

// The name that begins after the $ at `at`; nullopt when none does.
std::optional<Found> name_after(const std::string& text, std::size_t at) {
  bool braced = at + 1 < text.size() && text[at + 1] == '{';
  std::size_t begin = at + (braced ? 2 : 1), end = begin;
  while (end < text.size() && name_character(text[end], end == begin)) ++end;
  if (end == begin || (braced && (end == text.size() || text[end] != '}'))) return std::nullopt;
  return Found{text.substr(begin, end - begin), braced ? end + 1 : end};
}

using Visit = std::function<Status(const std::string& literal, const std::string* name)>;

// Calls `visit` for the literal pieces and the names of `text`, in order.
Status walk(const std::string& text, const Visit& visit) {
  std::size_t at = 0;
  while (at < text.size()) {
    auto dollar = text.find('$', at);
    if (dollar == std::string::npos) return visit(text.substr(at), nullptr);
    LB_TRY(visit(text.substr(at, dollar - at), nullptr));
    if (auto found = name_after(text, dollar)) {
      LB_TRY(visit("", &found->name));
      at = found->end;
      continue;
    }
    LB_TRY(visit("$", nullptr));
    at = dollar + (text.compare(dollar, 2, "$$") == 0 ? 2 : 1);
  }
  return {};
}

}  // namespace

Result<std::string> Placeholders::value(const std::string& name) const {
  if (row != nullptr) {
    if (auto found = row->find(name); found != row->end()) {
      if (!found->second) return Error(ErrorKind::not_found, cat(name, " is NULL in this row"));
      return *found->second;
    }
  }
  if (auto found = saved.find(name); found != saved.end()) return found->second;
  return Error(ErrorKind::invalid, cat("$", name, " was not saved by an earlier check"));
}

Result<std::string> fill(const std::string& text, const Placeholders& values, Fill how) {
  std::string out;
  auto add = [&](const std::string& literal, const std::string* name) -> Status {
    out += literal;
    if (name == nullptr) return {};
    auto value = LB_TRY(values.value(*name));
    if (how == Fill::url) value = out.empty() ? url_safe(value) : path_safe(value);
    out += value;
    return {};
  };
  LB_TRY(walk(text, add));
  return out;
}

std::set<std::string> names_in(const std::string& text) {
  std::set<std::string> out;
  auto collected = walk(text, [&](const std::string&, const std::string* name) -> Status {
    if (name != nullptr) out.insert(*name);
    return {};
  });
  LB_ASSERT(collected.ok());
  return out;
}

}  // namespace lb::check
