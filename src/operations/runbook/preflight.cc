#include "operations/runbook/preflight.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/view.h"

namespace lb::runbook {

namespace {

const std::vector<std::string> no_files;

template <typename T>
void add_once(std::vector<T>& list, const T& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

// "1F90" is 8080; 0: no port.
std::uint16_t hex_port(const std::string& digits) {
  constexpr std::size_t digits_max = 4;
  unsigned port = 0;
  if (digits.size() > digits_max) return 0;
  for (char c : digits) {
    auto digit = std::string_view("0123456789ABCDEF").find(c);
    if (digit == std::string_view::npos) return 0;
    port = port * 16 + static_cast<unsigned>(digit);
  }
  return static_cast<std::uint16_t>(port);
}

class Needs {
 public:
  Needs(const plan::Plan& plan, const Script& script, const Variables& known)
      : plan_(plan), script_(script), names_(script, known) {}

  PreflightNeeds go() {
    for (const auto& own : script_.steps) {
      own_ = &own;
      commands();
      if (own.step->verb == "choose") out_.reads_repository = true;
      if (own.step->verb == "restore") restores();
      if (own.step->verb == "switch") (void)target();
    }
    return std::move(out_);
  }

 private:
  std::string value(const char* key) {
    plan::View what(own_->step->what, no_files);
    if (!what.has(key)) return "";
    auto text = names_.expand(what.text(key), own_->scope);
    if (text.ok()) return *text;
    add_once(out_.not_known, cat("step ", own_->number, ": ", text.error().text()));
    return "";
  }

  const plan::Target* target() {
    auto name = value("to");
    const auto* found = name.empty() ? nullptr : plan_.target(name);
    if (found == nullptr && !name.empty())
      add_once(out_.not_known, cat("step ", own_->number, ": the plan has no target ", name));
    if (found != nullptr) add_once(out_.targets, found);
    return found;
  }

  void restores() {
    const auto* to = target();
    auto copy = value("from");
    if (!copy.empty()) add_once(out_.copies, copy);
    if (!plan::View(own_->step->what, no_files).has("from")) out_.reads_repository = true;
    std::vector<std::string> stores;
    auto store = value("store");
    if (!store.empty()) stores.push_back(store);
    const auto* group = plan_.group(value("group"));
    if (group != nullptr) stores = group->stores;
    for (const auto& name : stores) restored(name, to);
  }

  void restored(const std::string& name, const plan::Target* to) {
    const auto* store = plan_.store(name);
    if (store == nullptr)
      return add_once(out_.not_known, cat("step ", own_->number, ": the plan has no store ", name));
    bool built = store->kind == plan::StoreKind::postgres || store->kind == plan::StoreKind::files;
    if (!built) {
      return add_once(out_.not_built, cat("step ", own_->number, ": a ", plan::name_of(store->kind),
                                          " store (", name, ")"));
    }
    if (to == nullptr) return;
    WantedRestore wanted{store, to, value("how"),
                         plan::View(own_->step->what, no_files).texts("only")};
    bool known = std::any_of(out_.restores.begin(), out_.restores.end(), [&](const auto& one) {
      return one.store == store && one.target == to && one.how == wanted.how &&
             one.only == wanted.only;
    });
    if (!known) out_.restores.push_back(std::move(wanted));
  }

  void commands() {
    const auto& step = *own_->step;
    plan::View what(step.what, no_files);
    std::vector<std::string> all = {step.undo, step.probe};
    if (step.verb == "run" || step.verb == "provision") all.push_back(step.what.text);
    for (const char* key : {"run", "stop", "start"}) all.push_back(what.text(key));
    if (step.verb == "task") {
      const auto* task = plan_.task(step.what.text);
      if (task != nullptr) all.push_back(task->run);
    }
    for (const auto& command : all) {
      if (!command.empty()) add_once(out_.commands, command);
    }
  }

  const plan::Plan& plan_;
  const Script& script_;
  const Names names_;
  const ScriptStep* own_ = nullptr;
  PreflightNeeds out_;
};

}  // namespace

PreflightNeeds preflight_needs(const plan::Plan& plan, const Script& script,
                               const Variables& known) {
  return Needs(plan, script, known).go();
}

Result<ActEnd> judge_preflight(const std::vector<PreflightFinding>& findings) {
  using State = PreflightFinding::State;
  std::vector<std::string> good, told, bad, hints;
  for (const auto& finding : findings) {
    switch (finding.state) {
      case State::good:
        add_once(good, finding.text);
        break;
      case State::told:
        add_once(told, finding.text);
        break;
      case State::missing:
        add_once(bad, finding.text);
        break;
      case State::unseen:
        add_once(bad, cat(finding.text, " (could not be looked at)"));
        break;
    }
    bool fails = finding.state == State::missing || finding.state == State::unseen;
    if (fails && !finding.hint.empty()) add_once(hints, finding.hint);
  }
  std::vector<std::string> seen;
  if (!good.empty()) seen.push_back(cat("in place: ", join(good, "; ")));
  if (!told.empty()) seen.push_back(cat("to be known: ", join(told, "; ")));
  if (bad.empty() && !seen.empty()) return ActEnd{true, join(seen, ". "), Json::object(), {}};
  if (bad.empty()) bad.push_back("nothing was looked at");
  return Error(ErrorKind::unavailable, join(bad, "; "))
      .with_hint(join(hints, "; "))
      .with_left(join(seen, ". "));
}

std::vector<std::string> preflight_words(const plan::Step& step) {
  if (step.what.is_scalar()) return {step.what.text};
  std::vector<std::string> out;
  for (const auto& item : step.what.items) out.push_back(item.text);
  return out;
}

std::vector<std::uint16_t> listening_ports(const std::string& table) {
  constexpr std::size_t local = 1, state = 3;
  constexpr const char* listens = "0A";
  std::vector<std::uint16_t> out;
  for (const auto& line : split(table, '\n')) {
    std::vector<std::string> fields;
    for (const auto& field : split(line, ' ')) {
      if (!field.empty()) fields.push_back(field);
    }
    if (fields.size() <= state || fields[state] != listens) continue;
    auto colon = fields[local].rfind(':');
    if (colon == std::string::npos) continue;
    auto port = hex_port(fields[local].substr(colon + 1));
    if (port != 0) add_once(out, port);
  }
  return out;
}

UrlPlace place_of_url(const std::string& url) {
  UrlPlace out;
  auto scheme_end = url.find("://");
  if (scheme_end == std::string::npos) return out;
  auto scheme = url.substr(0, scheme_end);
  auto rest = url.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  auto at = rest.rfind('@');
  if (at != std::string::npos) rest = rest.substr(at + 1);
  auto colon = rest.rfind(':');
  bool has_port = colon != std::string::npos && rest.find(']', colon) == std::string::npos;
  out.host = has_port ? rest.substr(0, colon) : rest;
  if (out.host.starts_with('[')) out.host = out.host.substr(1, out.host.size() - 2);
  auto given = parse_uint(has_port ? rest.substr(colon + 1) : "");
  constexpr std::uint64_t port_max = 65535;
  if (has_port)
    out.port = given.ok() && *given <= port_max ? static_cast<std::uint16_t>(*given) : 0;
  if (!has_port) out.port = scheme == "https" ? 443 : scheme == "http" ? 80 : 0;
  return out;
}

}  // namespace lb::runbook
