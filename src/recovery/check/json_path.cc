#include "recovery/check/json_path.h"

#include "foundation/base/text.h"

namespace lb::check {

namespace {

struct Step {
  std::string member;
  std::optional<std::size_t> index;
};

class PathParser {
 public:
  explicit PathParser(const std::string& path) : path_(path) {}

  Result<std::vector<Step>> parse() {
    if (!path_.starts_with('$')) return bad("it must begin with $");
    at_ = 1;
    std::vector<Step> steps;
    while (at_ < path_.size()) {
      if (path_[at_] != '.' && path_[at_] != '[') return bad("expected . or [");
      auto step = path_[at_] == '.' ? member() : bracket();
      if (!step.ok()) return std::move(step).take_error();
      steps.push_back(std::move(step).take());
    }
    return steps;
  }

 private:
  Error bad(const std::string& why) const {
    return Error(ErrorKind::invalid, cat("'", printable(path_), "' is no JSON path: ", why))
        .with_hint("write paths such as $.items[0].id");
  }

  Result<Step> member() {
    auto end = path_.find_first_of(".[", at_ + 1);
    if (end == std::string::npos) end = path_.size();
    auto name = path_.substr(at_ + 1, end - at_ - 1);
    if (name.empty()) return bad("a name is missing");
    at_ = end;
    return Step{name, std::nullopt};
  }

  Result<Step> bracket() {
    auto end = path_.find(']', at_);
    if (end == std::string::npos) return bad("] is missing");
    auto inside = path_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    bool quoted = inside.size() >= 2 && (inside.front() == '"' || inside.front() == '\'') &&
                  inside.back() == inside.front();
    if (quoted) return Step{inside.substr(1, inside.size() - 2), std::nullopt};
    auto index = parse_uint(inside);
    if (!index.ok()) return bad("[] holds a number or a quoted name");
    return Step{"", *index};
  }

  const std::string& path_;
  std::size_t at_ = 0;
};

const Json* follow(const Json* value, const Step& step) {
  if (!step.index) return value->find(step.member);
  const auto& items = value->items();
  return *step.index < items.size() ? &items[*step.index] : nullptr;
}

}  // namespace

Result<const Json*> at_path(const Json& document, const std::string& path) {
  auto steps = LB_TRY(PathParser(path).parse());
  const Json* value = &document;
  for (const auto& step : steps) {
    value = follow(value, step);
    if (value == nullptr) break;
  }
  return value;
}

std::optional<std::string> scalar_text(const Json& value) {
  if (value.is_null()) return std::nullopt;
  if (value.is_string()) return value.string();
  return value.dump();
}

}  // namespace lb::check
