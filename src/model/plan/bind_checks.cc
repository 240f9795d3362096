#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/bind.h"
#include "model/plan/language.h"
#include "model/plan/values.h"

namespace lb::plan {

namespace {

using What = decltype(Check::what);

Comparison compared(const View& from, std::string_view key, const char* fallback) {
  if (auto found = from.comparison(key)) return *found;
  auto out = parse_comparison(fallback).take();
  out.place = from.place();
  return out;
}

bool says_all(const View& value) { return value.node().is_scalar() && value.text() == "all"; }

std::vector<std::string> listed(const View& from, std::string_view key) {
  return says_all(from.at(key)) ? std::vector<std::string>() : from.texts(key);
}

What bind_fresh(const View& from) {
  auto column = from.text("fresh");
  auto dot = column.rfind('.');
  CheckFresh out;
  out.table = column.substr(0, dot);
  if (dot != std::string::npos) out.column = column.substr(dot + 1);
  out.within = from.duration("within");
  return out;
}

What bind_equal(const View& from) {
  auto pair = from.at("equal");
  if (pair.at("left").node().is_mapping() || pair.at("right").node().is_mapping()) {
    return CheckUnsupported{"equal between collections"};
  }
  return CheckEqual{pair.text("left"), pair.text("right")};
}

What bind_group(const View& from) {
  if (from.at("group").node().is_mapping()) return CheckUnsupported{"group of a collection"};
  return CheckGroup{from.text("group"), compared(from, "expect", "recorded"),
                    from.percent("tolerance")};
}

What bind_files(const View& from) {
  auto files = from.at("files");
  return CheckFiles{files.text("store"),       files.texts("in"),
                    files.comparison("count"), files.comparison("zero_bytes"),
                    files.comparison("modes"), files.comparison("hashes")};
}

What bind_references(const View& from) {
  auto references = from.at("references");
  auto source = references.at("from");
  if (references.at("to").node().is_mapping() || source.has("collection")) {
    return CheckUnsupported{"references between collections"};
  }
  return CheckReferences{source.text("store"), source.text("sql"), references.text("to"),
                         source.text("strip_prefix"), compared(references, "missing", "0")};
}

void bind_answer(const View& expect, CheckHttp& out) {
  out.within = expect.duration("within");
  for (const auto& item : expect.at("status").items()) {
    if (auto status = item.node().integer()) out.statuses.push_back(static_cast<int>(*status));
  }
  if (out.statuses.size() == 1) {
    out.status = out.statuses[0];
    out.statuses.clear();
  }
  for (const auto& [path, value] : expect.at("json").entries()) {
    if (auto comparison = value.comparison()) out.expect_json.emplace_back(path, *comparison);
  }
  out.expect_headers = expect.text_map("headers");
  out.expect_bytes = expect.comparison("bytes");
  out.expect_text = expect.text("text");
}

What bind_http(const View& from) {
  CheckHttp out;
  if (auto request = parse_request(from.text("http")); request.ok()) {
    out.method = request->method;
    out.path = request->path;
  }
  out.headers = from.reference_map("headers");
  if (from.has("bearer")) out.bearer = from.reference("bearer");
  if (from.has("json")) out.json = to_json(from.at("json").node());
  bind_answer(from.at("expect"), out);
  out.save = from.text_map("save");
  out.rows_store = from.at("rows").text("store");
  out.rows_sql = from.at("rows").text("sql");
  return out;
}

What bind_cron(const View& from) {
  return CheckCron{listed(from, "cron"), says_all(from.at("cron"))};
}

What bind_logs(const View& from) {
  return CheckLogs{from.text("logs"), from.comparison("errors"), from.comparison("warnings")};
}

What bind_entropy(const View& from) {
  return CheckEntropy{listed(from, "entropy"), says_all(from.at("entropy")), from.percent("rise")};
}

What bind_what(const View& from) {
  using Binder = What (*)(const View&);
  struct Row {
    std::string_view verb;
    Binder bind;
  };
  static constexpr Row rows[] = {
      {"tables", [](const View& v) -> What { return CheckTables{v.texts("tables")}; }},
      {"count",
       [](const View& v) -> What {
         return CheckCount{listed(v, "count"), compared(v, "expect", "recorded"),
                           says_all(v.at("count"))};
       }},
      {"fresh", bind_fresh},
      {"foreign_keys",
       [](const View& v) -> What {
         return CheckForeignKeys{listed(v, "foreign_keys"), says_all(v.at("foreign_keys"))};
       }},
      {"amcheck",
       [](const View& v) -> What {
         return CheckAmcheck{listed(v, "amcheck"), says_all(v.at("amcheck")),
                             v.boolean("heap", true)};
       }},
      {"sql",
       [](const View& v) -> What {
         return CheckSql{v.text("sql"), compared(v, "expect", "0")};
       }},
      {"equal", bind_equal},
      {"group", bind_group},
      {"files", bind_files},
      {"references", bind_references},
      {"http", bind_http},
      {"connect", [](const View& v) -> What { return CheckConnect{v.text("connect")}; }},
      {"cron", bind_cron},
      {"logs", bind_logs},
      {"entropy", bind_entropy},
      {"manual", [](const View& v) -> What { return CheckManual{v.text("manual")}; }},
  };
  for (const auto& row : rows) {
    if (from.has(row.verb)) return row.bind(from);
  }
  for (const auto& verb : checks_not_built()) {
    if (from.has(verb)) return CheckUnsupported{verb};
  }
  return CheckUnsupported{""};
}

// A name for reports when the plan gives none: the verb and the start of what it looks at.
std::string derived_name(const View& from) {
  static constexpr std::string_view common[] = {"name", "store", "critical"};
  for (const auto& [key, value] : from.entries()) {
    if (std::find(std::begin(common), std::end(common), key) != std::end(common)) continue;
    if (key == "http") return value.text();
    if (key == "references") return cat("references to ", value.at("to").text());
    if (key == "equal" || key == "files") return key;
    auto what = value.node().is_sequence() ? join(from.texts(key), ", ") : value.text();
    constexpr std::size_t shown_max = 60;
    auto flat = replace_all(std::string(trim(what)), "\n", " ");
    if (flat.size() > shown_max) flat = printable(flat.substr(0, shown_max)) + "…";
    return key == "manual" ? flat : cat(key, " ", flat);
  }
  return "check";
}

// One entry of a suite; a manual list becomes one check for each of its lines.
void bind_check(const View& from, std::vector<Check>& out) {
  Check check;
  check.name = from.has("name") ? from.text("name") : derived_name(from);
  check.store = from.text("store");
  check.critical = from.boolean("critical", false);
  check.place = from.place();
  if (from.at("manual").node().is_sequence()) {
    for (const auto& item : from.at("manual").items()) {
      check.name = item.text();
      check.place = item.place();
      check.what = CheckManual{item.text()};
      out.push_back(check);
    }
    return;
  }
  check.what = bind_what(from);
  if (auto* files = std::get_if<CheckFiles>(&check.what)) {
    if (files->store.empty()) files->store = check.store;
    check.store = files->store;
  }
  out.push_back(std::move(check));
}

void fill_defaults(const View& defaults, Check& check) {
  if (check.store.empty()) check.store = defaults.text("store");
  auto* http = std::get_if<CheckHttp>(&check.what);
  if (http == nullptr) return;
  CheckHttp from_defaults;
  bind_answer(defaults, from_defaults);
  if (!http->within) http->within = from_defaults.within;
  if (http->status || !http->statuses.empty()) return;
  http->status = from_defaults.status;
  http->statuses = from_defaults.statuses;
}

}  // namespace

std::vector<Suite> bind_checks(const View& section) {
  std::vector<Suite> out;
  for (const auto& [name, value] : section.entries()) {
    Suite suite;
    suite.name = name;
    suite.place = value.place();
    auto checks = value.node().is_mapping() ? value.at("checks") : value;
    for (const auto& item : checks.items()) bind_check(item, suite.checks);
    for (auto& check : suite.checks) fill_defaults(value.at("defaults"), check);
    out.push_back(std::move(suite));
  }
  return out;
}

}  // namespace lb::plan
