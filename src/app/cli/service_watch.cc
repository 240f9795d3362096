#include "app/cli/service_watch.h"

#include <algorithm>
#include <limits>

#include "foundation/base/text.h"

namespace lb::cli {

namespace {

constexpr std::size_t requests_max = 10, rounds = 5;
constexpr Micros request_limit = Seconds(10), look_limit = Seconds(30);

// What is sent to a service in earnest by itself must change nothing and carry no secret.
bool harmless(const plan::CheckHttp& check) {
  const bool reads = check.method == "GET" || check.method == "HEAD";
  const bool bare = check.headers.empty() && !check.bearer && !check.json;
  return reads && bare && check.path.starts_with('/') &&
         check.path.find('$') == std::string::npos && check.rows_sql.empty();
}

std::string joined(std::string_view base, const std::string& path) {
  while (base.ends_with('/')) base.remove_suffix(1);
  return cat(base, path);
}

}  // namespace

std::vector<ServiceRequest> requests_to(const plan::Plan& plan, const plan::Target& target) {
  std::vector<ServiceRequest> out;
  for (const auto& suite : plan.suites) {
    for (const auto& check : suite.checks) {
      const auto* http = std::get_if<plan::CheckHttp>(&check.what);
      if (http == nullptr || !harmless(*http) || out.size() == requests_max) continue;
      const auto url = joined(target.url, http->path);
      const bool known =
          std::any_of(out.begin(), out.end(), [&](const auto& one) { return one.url == url; });
      if (!known) out.push_back({http->method, url});
    }
  }
  if (out.empty()) out.push_back({"GET", target.url});
  return out;
}

ServiceLook look_at_service(Http& http, const Clock& clock,
                            const std::vector<ServiceRequest>& requests, std::stop_token stop) {
  ServiceLook out;
  std::vector<Micros> took;
  const auto end = clock.steady() + look_limit;
  for (std::size_t i = 0; i < rounds * requests.size(); ++i) {
    if (stop.stop_requested() || clock.steady() > end) break;
    const auto& asked = requests[i % requests.size()];
    HttpRequest request;
    request.method = asked.method;
    request.url = asked.url;
    request.limit = request_limit;
    const auto answer = http.send(request);
    ++out.asked;
    if (answer.ok()) took.push_back(answer->took);
    if (answer.ok() && answer->status < 500) continue;
    ++out.failed;
    // Errors name the address themselves.
    out.trouble = answer.ok() ? cat(asked.url, ": HTTP ", answer->status) : answer.error().text();
  }
  out.answered = took.size();
  const auto half = out.asked / 2;
  std::sort(took.begin(), took.end());
  if (half < took.size()) out.typical = took[half];
  return out;
}

std::string text_of(const ServiceLook& look) {
  if (look.answered == 0)
    return cat("none of ", look.asked, " requests was answered: ", printable(look.trouble));
  auto text = look.typical ? cat("half of ", look.asked, " requests were answered within ",
                                 human_duration(*look.typical))
                           : cat(look.answered, " of ", look.asked, " requests were answered");
  if (look.failed > 0)
    text += cat("; ", look.failed, " of ", look.asked,
                " failed, the last one: ", printable(look.trouble));
  return text;
}

std::vector<watch::Finding> findings_of(const ServiceLook& look, const std::string& target,
                                        const std::string& host) {
  if (look.asked == 0) return {};  // stopped before it began
  const auto subject = cat("service of ", target, ", from ", host);
  const auto text = cat(text_of(look), ".");
  const auto seconds = look.typical ? static_cast<double>(look.typical->count()) / 1e6
                                    : std::numeric_limits<double>::infinity();
  return {{"target unreachable", subject, look.answered == 0, text},
          {"response_time", subject, false, text, seconds},
          {"error_rate", subject, false, text,
           static_cast<double>(look.failed) / static_cast<double>(look.asked)}};
}

}  // namespace lb::cli
