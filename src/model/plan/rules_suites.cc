#include <algorithm>
#include <set>

#include "foundation/base/text.h"
#include "model/plan/rules.h"
#include "model/plan/scalar_form.h"
#include "model/plan/values.h"

namespace lb::plan {

namespace {

constexpr std::string_view sql_verbs[] = {"tables",  "count", "fresh", "sql", "foreign_keys",
                                          "amcheck", "equal", "group", "cron"};

class SuiteRules {
 public:
  SuiteRules(const Plan& plan, const View& root, MistakeList& mistakes)
      : plan_(plan), root_(root), mistakes_(mistakes) {}

  void run() {
    auto suites = root_.at("checks");
    for (const auto& suite : suites.entries()) each_check(suite.second, &SuiteRules::collect_saved);
    for (const auto& suite : suites.entries()) {
      each_check(suite.second, &SuiteRules::check_one);
      check_names_once(suite.second);
    }
  }

 private:
  using Rule = void (SuiteRules::*)(const View&);

  void each_check(const View& suite, Rule rule) {
    auto checks = suite.node().is_mapping() ? suite.at("checks") : suite;
    for (const auto& check : checks.items()) (this->*rule)(check);
  }

  void collect_saved(const View& check) {
    for (const auto& saved : check.at("save").entries()) saved_.insert(saved.first);
  }

  void check_one(const View& check) {
    for (auto verb : sql_verbs) {
      if (check.has(verb))
        must_be(check.at("store"), {StoreKind::postgres, StoreKind::firestore}, verb);
    }
    must_be(check.at("files").at("store"), {StoreKind::files, StoreKind::bucket}, "files");
    must_be(check.at("rows").at("store"), {StoreKind::postgres}, "rows");
    check_references(check.at("references"));
    check_variables(check);
    check_order(check);
    check_connect(check.at("connect"));
    check_logs(check);
  }

  void must_be(const View& store, std::vector<StoreKind> kinds, std::string_view what) {
    const auto* found = store.node().is_scalar() ? plan_.store(store.text()) : nullptr;
    if (found == nullptr || std::find(kinds.begin(), kinds.end(), found->kind) != kinds.end())
      return;
    std::vector<std::string> fitting;
    for (const auto& one : plan_.stores) {
      if (std::find(kinds.begin(), kinds.end(), one.kind) != kinds.end())
        fitting.push_back(one.name);
    }
    mistakes_.add(store.node(),
                  cat("'", what, "' cannot ask store '", found->name, "', which is of kind ",
                      name_of(found->kind)),
                  fitting.empty() ? "" : cat("stores that fit: ", join(fitting, ", ")));
  }

  void check_references(const View& references) {
    if (!references.node().is_mapping()) return;
    auto from = references.at("from");
    must_be(from.at("store"), {StoreKind::postgres, StoreKind::firestore}, "references");
    if (!references.at("to").node().is_mapping()) {
      must_be(references.at("to"), {StoreKind::files, StoreKind::bucket}, "references");
    }
    bool documents = from.has("collection") && from.has("field");
    if (from.node().is_mapping() && from.has("sql") == documents) {
      mistakes_.add(from.node(), "from: needs either 'sql' or 'collection' and 'field'",
                    "sql: SELECT key FROM table");
    }
  }

  // "$token" must have been saved by some check; columns of `rows` are known only to the database.
  void check_variables(const View& check) {
    if (!check.has("http") || check.has("rows")) return;
    std::vector<const YamlNode*> texts = {&check.at("http").node(), &check.at("bearer").node()};
    for (const auto& header : check.at("headers").entries()) texts.push_back(&header.second.node());
    gather(check.at("json").node(), texts);
    for (const auto* text : texts) check_text(*text);
  }

  static void gather(const YamlNode& node, std::vector<const YamlNode*>& out) {
    if (node.is_scalar()) out.push_back(&node);
    for (const auto& item : node.items) gather(item, out);
    for (const auto& entry : node.entries) gather(entry.value, out);
  }

  void check_text(const YamlNode& node) {
    const auto& text = node.text;
    auto part = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    for (auto at = text.find('$'); at != std::string::npos; at = text.find('$', at + 1)) {
      auto end = at + 1;
      while (end < text.size() && part(text[end])) ++end;
      auto name = text.substr(at + 1, end - at - 1);
      if (name.empty() || saved_.contains(name)) continue;
      mistakes_.add(node, cat("nothing saves '$", shown(name), "'"),
                    saved_.empty() ? "an earlier http check saves it with save: {name: $.path}"
                                   : suggest(name, {saved_.begin(), saved_.end()}));
    }
  }

  // Only numbers have an order; `recorded` needs something that a backup counts.
  void check_order(const View& check) {
    auto expect = check.comparison("expect");
    if (check.has("sql") && expect && expect->op == Comparison::Op::recorded) {
      mistakes_.add(check.at("expect").node(), "expect: a free query has no recorded value",
                    "use count or group, or write the value");
    }
    for (const auto& status : check.at("expect").at("status").items()) {
      auto value = status.node().integer();
      if (value && (*value < 100 || *value > 599)) {
        mistakes_.add(status.node(), cat("status: ", *value, " is no status of HTTP"),
                      "write 200, 404 and so on");
      }
    }
  }

  std::vector<std::string> services() const {
    std::set<std::string> out;
    for (const auto& target : plan_.targets) {
      for (const auto& service : target.start) out.insert(service.name);
    }
    return {out.begin(), out.end()};
  }

  void check_connect(const View& connect) {
    if (!connect.node().is_scalar()) return;
    const auto& to = connect.text();
    if (to.find("://") != std::string::npos) {
      auto good = to.starts_with("tcp://") ? parse_tcp(to).status() : check_url(to);
      if (!good.ok()) mistakes_.add(connect.node(), good.error(), "connect");
      return;
    }
    auto names = services();
    bool service = std::find(names.begin(), names.end(), to) != names.end();
    bool store = plan_.store(to) != nullptr;
    if (store && service) {
      mistakes_.add(connect.node(), cat("connect: '", to, "' is a store and a service too"),
                    "give one of them another name, or write the URL of the service");
    } else if (service) {
      for (const auto& target : plan_.targets) check_reached(target, connect);
    } else if (!store) {
      for (const auto& one : plan_.stores) names.push_back(one.name);
      mistakes_.add(connect.node(),
                    cat("connect: '", shown(to), "' is no store, no service and no URL"),
                    suggest(to, names));
    }
  }

  // A service answers at the url of its target, which says nothing once there are two of them.
  void check_reached(const Target& target, const View& connect) {
    bool starts = std::any_of(target.start.begin(), target.start.end(),
                              [&](const auto& service) { return service.name == connect.text(); });
    if (!starts || (!target.url.empty() && target.start.size() == 1)) return;
    mistakes_.add(connect.node(),
                  cat("connect: where '", connect.text(), "' of target '", target.name,
                      "' listens is not known: the target ",
                      target.url.empty() ? "has no url" : "starts several services"),
                  "write the URL: http://localhost:PORT or tcp://localhost:PORT");
  }

  void check_logs(const View& check) {
    auto logs = check.at("logs");
    if (!logs.node().is_scalar()) return;
    auto names = services();
    if (std::find(names.begin(), names.end(), logs.text()) == names.end()) {
      mistakes_.add(
          logs.node(), cat("logs: no target starts a service '", shown(logs.text()), "'"),
          names.empty() ? "services stand in start: of a target" : suggest(logs.text(), names));
    }
    for (const char* key : {"errors", "warnings"}) {
      auto limit = check.comparison(key);
      if (!limit || parse_uint(limit->value).ok()) continue;
      mistakes_.add(check.at(key).node(), cat(key, ": lines are compared with a number"),
                    "write 0 or \"<= 20\"");
    }
  }

  // Two checks of one name could not be told apart in a report.
  void check_names_once(const View& suite) {
    std::set<std::string> names;
    auto checks = suite.node().is_mapping() ? suite.at("checks") : suite;
    for (const auto& check : checks.items()) {
      if (!check.has("name") || names.insert(check.text("name")).second) continue;
      mistakes_.add(check.at("name").node(),
                    cat("check '", shown(check.text("name")), "' is in the suite twice"));
    }
  }

  const Plan& plan_;
  const View& root_;
  MistakeList& mistakes_;
  std::set<std::string> saved_;
};

}  // namespace

void check_suite_rules(const Plan& plan, const View& root, MistakeList& mistakes) {
  SuiteRules(plan, root, mistakes).run();
}

}  // namespace lb::plan
