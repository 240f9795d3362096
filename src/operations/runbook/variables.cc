#include "operations/runbook/variables.h"

#include <array>

#include "foundation/base/text.h"

namespace lb::runbook {

namespace {

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }

// The name that starts behind the dollar at `at`, and the first character after it.
struct Found {
  std::string name;
  std::size_t end = 0;
};
Found name_at(const std::string& text, std::size_t at) {
  std::size_t i = at + 1;
  bool braces = i < text.size() && text[i] == '{';
  if (braces) ++i;
  auto begin = i;
  if (i >= text.size() || !begins_name(text[i])) return {"", at + 1};
  while (i < text.size() && in_name(text[i])) ++i;
  auto name = text.substr(begin, i - begin);
  if (!braces) return {name, i};
  if (i >= text.size() || text[i] != '}') return {"", at + 1};
  return {name, i + 1};
}

bool is_true(const std::string& value) {
  return !value.empty() && value != "false" && value != "no" && value != "0";
}

struct Parts {
  std::string left, op, right;
};
std::optional<Parts> parts_of(const std::string& condition) {
  static constexpr std::array<std::string_view, 6> operators = {"==", "!=", "<=", ">=", "<", ">"};
  for (auto op : operators) {
    auto at = condition.find(cat(" ", op, " "));
    if (at == std::string::npos) continue;
    return Parts{std::string(trim(condition.substr(0, at))), std::string(op),
                 std::string(trim(condition.substr(at + op.size() + 2)))};
  }
  return std::nullopt;
}

Result<bool> compare(const Parts& parts, const std::string& left, const std::string& right) {
  if (parts.op == "==") return left == right;
  if (parts.op == "!=") return left != right;
  auto a = LB_TRY(parse_double(left).context(parts.left));
  auto b = LB_TRY(parse_double(right).context(parts.right));
  if (parts.op == "<") return a < b;
  if (parts.op == ">") return a > b;
  return parts.op == "<=" ? a <= b : a >= b;
}

}  // namespace

Result<std::string> Names::value(const std::string& name, std::size_t scope) const {
  // A parameter hides what was set under its name; its text means names of the scope around.
  for (std::size_t at = scope;; at = script_.scopes[at].outer) {
    const auto& values = script_.scopes[at].values;
    auto given = values.find(name);
    if (given != values.end()) {
      return at == 0 ? Result<std::string>(given->second)
                     : expand(given->second, script_.scopes[at].outer);
    }
    if (at == 0) break;
  }
  auto found = set_.find(name);
  if (found != set_.end()) return found->second;
  return Error(ErrorKind::invalid, cat("$", name, " has no value yet"))
      .with_hint("an ask:, choose: or save: before this step gives it one");
}

Result<std::string> Names::expand(const std::string& text, std::size_t scope) const {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '$') {
      out += text[i++];
      continue;
    }
    auto found = name_at(text, i);
    if (found.name.empty()) {
      out += text[i++];
      continue;
    }
    out += LB_TRY(value(found.name, scope));
    i = found.end;
  }
  return out;
}

std::vector<std::string> variables_in(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < text.size();) {
    auto found = text[i] == '$' ? name_at(text, i) : Found{"", i + 1};
    if (!found.name.empty()) out.push_back(found.name);
    i = found.end;
  }
  return out;
}

Variables Names::all(std::size_t scope) const {
  Variables out = set_;
  for (std::size_t at = 0; at < script_.scopes.size(); ++at) {
    for (const auto& [name, text] : script_.scopes[at].values) {
      auto seen = value(name, scope);
      if (seen.ok()) out[name] = *seen;
    }
  }
  return out;
}

Result<std::optional<bool>> decide(const std::string& condition, const Names& names,
                                   std::size_t scope) {
  auto text = std::string(trim(condition));
  bool negated = text.starts_with("not ");
  auto core = negated ? std::string(trim(text.substr(4))) : text;
  if (!core.starts_with('$')) return std::optional<bool>();
  auto parts = parts_of(core);
  if (parts) {
    auto left = LB_TRY(names.expand(parts->left, scope));
    auto right = LB_TRY(names.expand(parts->right, scope));
    auto holds = LB_TRY(compare(*parts, left, right));
    return std::optional<bool>(holds != negated);
  }
  auto found = name_at(core, 0);
  if (found.name.empty() || found.end != core.size()) return std::optional<bool>();
  auto value = LB_TRY(names.value(found.name, scope));
  return std::optional<bool>(is_true(value) != negated);
}

}  // namespace lb::runbook
