// Steps that wait, look and tell.
#include <algorithm>

#include "app/cli/run_acts.h"
#include "app/cli/run_preflight.h"
#include "foundation/base/text.h"
#include "model/plan/view.h"
#include "operations/runbook/command.h"
#include "operations/runbook/forecast.h"

namespace lb::cli {

using runbook::Act;
using runbook::ActEnd;

namespace {

const std::vector<std::string> no_files;

constexpr Micros wait_limit = std::chrono::minutes(10);
constexpr Micros look_interval = std::chrono::seconds(1);
constexpr Micros request_limit = std::chrono::seconds(10);

struct Request {
  std::string method, url;
};

// "GET /health" below `base`.
Result<Request> request_of(const std::string& words, const std::string& base) {
  auto space = words.find(' ');
  Request out{words.substr(0, space), space == std::string::npos ? "" : words.substr(space + 1)};
  if (!out.url.starts_with('/')) return out;
  if (base.empty()) {
    return Error(ErrorKind::invalid, cat("no target of the plan has a url: for ", out.url));
  }
  out.url = base + out.url;
  return out;
}

std::vector<std::string> words_of(const YamlNode& node) {
  if (node.is_scalar()) return {node.text};
  std::vector<std::string> out;
  for (const auto& item : node.items) out.push_back(item.text);
  return out;
}

}  // namespace

Result<ActEnd> RunActs::wait(const Act& act, std::stop_token stop) {
  plan::View what(act.step().what, no_files);
  auto& clock = shell_.world.clock;
  if (what.has("for")) {
    auto whole = what.duration("for").value_or(Micros(0));
    if (act.mode == "drill")
      return ActEnd{
          true, cat("held: waiting ", human_duration(whole)), Json::object().set("held", true), {}};
    if (!clock.sleep(runbook::left_of(act.began, whole, clock.now()), stop))
      return Error(ErrorKind::cancelled, "stopped while waiting");
    return ActEnd{true, cat("waited ", human_duration(whole)), Json::object(), {}};
  }
  auto limit = what.duration("limit").value_or(act.step().limit.value_or(wait_limit));
  auto end = clock.steady() + runbook::left_of(act.began, limit, clock.now());
  std::string last = "nothing was tried";
  if (what.has("run")) end_left_running(act);
  do {
    if (what.has("run")) {
      auto tried = LB_TRY(command(act, what.text("run"), stop));
      if (tried.ok) return tried;
      last = tried.text;
    } else {
      auto words = LB_TRY(act.expand(what.text("http")));
      auto request = LB_TRY(request_of(words, base_url(act)));
      HttpRequest asked;
      asked.method = request.method;
      asked.url = request.url;
      asked.limit = request_limit;
      auto answer = shell_.world.http.send(asked);
      bool good = answer.ok() && answer->status >= 200 && answer->status < 400;
      last = answer.ok() ? cat("HTTP ", answer->status) : answer.error().text();
      if (good)
        return ActEnd{true,
                      cat(request.method, " ", request.url, ": ", last),
                      Json::object().set("status", answer->status),
                      {}};
    }
    if (!clock.sleep(look_interval, stop))
      return Error(ErrorKind::cancelled, "stopped while waiting");
  } while (clock.steady() < end);
  return Error(ErrorKind::timeout, cat("not so within ", human_duration(limit), ": ", last));
}

// Once a minute, to the end of the time; the first failure ends it.
Result<ActEnd> RunActs::watch(const Act& act, std::stop_token stop) {
  plan::View what(act.step().what, no_files);
  auto& clock = shell_.world.clock;
  auto whole = what.duration("for").value_or(Micros(0));
  auto end = clock.steady() + runbook::left_of(act.began, whole, clock.now());
  int looked = 0;
  for (;;) {
    auto now = LB_TRY(one_check(act, what.text("check"), stop));
    if (!now.ok) return now;
    ++looked;
    auto left = end - clock.steady();
    if (left <= Micros(0) || act.mode == "drill") {
      return ActEnd{true, cat("looked ", looked, " times: ", now.text), Json::object(), {}};
    }
    if (!clock.sleep(std::min<Micros>(left, std::chrono::minutes(1)), stop))
      return Error(ErrorKind::cancelled, "stopped while watching");
  }
}

// What the providers say of themselves; a page that does not answer is a fact too, not a failure.
Result<ActEnd> RunActs::status(const Act& act) {
  std::vector<std::string> lines;
  for (const auto& name : words_of(act.step().what)) {
    const auto* probe = plan_.probe(name);
    if (probe == nullptr) return Error(ErrorKind::invalid, cat("no probe ", name));
    if (act.mode == "drill") {
      lines.push_back(cat(name, ": held"));
      continue;
    }
    HttpRequest request;
    request.url = probe->url;
    request.limit = request_limit;
    auto answer = shell_.world.http.send(request);
    if (!answer.ok()) {
      lines.push_back(cat(name, ": ", answer.error().text()));
      continue;
    }
    bool well = answer->status < 400 &&
                (probe->expect.empty() || answer->body.find(probe->expect) != std::string::npos);
    lines.push_back(cat(name, ": HTTP ", answer->status, well ? "" : ", not as expected"));
  }
  auto text = join(lines, "; ");
  shell_.console.note(text);
  return ActEnd{true, text, Json::object(), {{"status", text}}};
}

Result<ActEnd> RunActs::preflight(const Act& act, std::stop_token stop) {
  return runbook::judge_preflight(Preflight(shell_, session_, act, stop).look());
}

}  // namespace lb::cli
