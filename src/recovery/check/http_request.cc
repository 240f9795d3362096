#include "recovery/check/http_request.h"

#include "foundation/base/text.h"
#include "stores/seam/references.h"

namespace lb::check {

namespace {

constexpr Micros limit_without_within = Seconds(30);
// A slow answer shall be measured, not cut off the moment it is late.
constexpr Micros grace = Seconds(5);
constexpr std::string_view env_prefix = "env:";

bool absolute_url(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

Result<std::string> url_of(const plan::CheckHttp& what, const CheckContext& context,
                           const Placeholders& values) {
  auto path = LB_TRY(fill(what.path, values, Fill::url));
  if (absolute_url(path)) return path;
  if (context.base_url.empty()) {
    return Error(ErrorKind::invalid, cat("the target has no url to ask ", printable(path), " at"))
        .with_hint("give the target of the drill a url:");
  }
  auto base = context.base_url;
  while (base.ends_with('/')) base.pop_back();
  return cat(base, path.starts_with('/') ? "" : "/", path);
}

Result<std::string> reference_text(const plan::Reference& reference, const Scope& scope,
                                   const Placeholders& values) {
  if (reference.kind == plan::Reference::Kind::literal) {
    return fill(reference.value, values, Fill::plain);
  }
  References references(scope.context.world, scope.context.environment, ".");
  auto secret = LB_TRY(references.secret(reference));
  scope.redactor.add(secret.reveal());
  return std::string(secret.reveal());
}

Result<std::string> environment_value(const std::string& name, const CheckContext& context) {
  auto found = context.environment.find(name);
  if (found == context.environment.end()) {
    return Error(ErrorKind::denied, cat("env:", name, ": the environment variable is not set"));
  }
  return found->second;
}

Result<Json> fill_json(const Json& value, const Scope& scope, const Placeholders& values) {
  if (value.is_array()) {
    auto out = Json::array();
    for (const auto& item : value.items()) {
      auto filled = LB_TRY(fill_json(item, scope, values));
      out.push(std::move(filled));
    }
    return out;
  }
  if (value.is_object()) {
    auto out = Json::object();
    for (const auto& [name, member] : value.members()) {
      auto filled = LB_TRY(fill_json(member, scope, values));
      out.set(name, std::move(filled));
    }
    return out;
  }
  if (!value.is_string()) return value;
  auto text = value.string();
  if (text.starts_with(env_prefix)) {
    auto secret = LB_TRY(environment_value(text.substr(env_prefix.size()), scope.context));
    scope.redactor.add(secret);
    return Json(secret);
  }
  auto filled = LB_TRY(fill(text, values, Fill::plain));
  return Json(filled);
}

Status add_headers(const plan::CheckHttp& what, const Scope& scope, const Placeholders& values,
                   HttpRequest& request) {
  for (const auto& [name, reference] : what.headers) {
    auto value = LB_TRY(reference_text(reference, scope, values).context(cat("header ", name)));
    if (looks_secret(name)) scope.redactor.add(value);
    request.headers.emplace_back(name, std::move(value));
  }
  if (!what.bearer) return {};
  auto token = LB_TRY(reference_text(*what.bearer, scope, values).context("bearer"));
  scope.redactor.add(token);
  request.headers.emplace_back("Authorization", cat("Bearer ", token));
  return {};
}

bool has_header(const HttpRequest& request, std::string_view name) {
  for (const auto& [given, value] : request.headers) {
    if (lower(given) == name) return true;
  }
  return false;
}

std::string shown_parameter(const std::string& parameter) {
  auto equals = parameter.find('=');
  if (equals == std::string::npos) return parameter;
  auto name = parameter.substr(0, equals);
  bool secret = looks_secret(name) || lower(name) == "sig";
  return secret ? cat(name, "=", redacted_mark) : parameter;
}

void learn_json(const Json& value, const CheckContext& context, Redactor& redactor) {
  for (const auto& item : value.items()) learn_json(item, context, redactor);
  for (const auto& [name, member] : value.members()) learn_json(member, context, redactor);
  auto text = value.string();
  if (!text.starts_with(env_prefix)) return;
  auto found = environment_value(text.substr(env_prefix.size()), context);
  if (found.ok()) redactor.add(*found);
}

void learn_reference(const plan::Reference& reference, const CheckContext& context,
                     Redactor& redactor) {
  if (reference.kind != plan::Reference::Kind::env) return;
  auto found = environment_value(reference.value, context);
  if (found.ok()) redactor.add(*found);
}

}  // namespace

Result<HttpRequest> build_request(const plan::CheckHttp& what, const Scope& scope,
                                  const Placeholders& values) {
  HttpRequest request;
  request.method = what.method.empty() ? "GET" : what.method;
  request.url = LB_TRY(url_of(what, scope.context, values));
  request.limit = what.within ? *what.within + grace : limit_without_within;
  LB_TRY(add_headers(what, scope, values, request));
  if (what.json) {
    auto body = LB_TRY(fill_json(*what.json, scope, values));
    request.body = body.dump();
    if (!has_header(request, "content-type")) {
      request.headers.emplace_back("Content-Type", "application/json");
    }
  }
  return request;
}

std::string shown_url(const std::string& url) {
  auto query = url.find('?');
  auto place = url.substr(0, query);
  auto scheme = place.find("://");
  if (scheme != std::string::npos) {
    auto host = scheme + 3;
    auto at = place.rfind('@', place.find('/', host));
    if (at != std::string::npos && at >= host) place.erase(host, at - host + 1);
  }
  if (query == std::string::npos) return place;
  auto parameters = split(std::string_view(url).substr(query + 1), '&');
  for (auto& parameter : parameters) parameter = shown_parameter(parameter);
  return cat(place, "?", join(parameters, "&"));
}

std::set<std::string> credential_names(const plan::Suite& suite) {
  std::set<std::string> out;
  auto collect = [&](const plan::Reference& reference) {
    if (reference.kind == plan::Reference::Kind::literal) out.merge(names_in(reference.value));
  };
  for (const auto& check : suite.checks) {
    const auto* http = std::get_if<plan::CheckHttp>(&check.what);
    if (http == nullptr) continue;
    if (http->bearer) collect(*http->bearer);
    for (const auto& [name, reference] : http->headers) collect(reference);
  }
  return out;
}

void learn_secrets(const plan::Suite& suite, const CheckContext& context,
                   const std::map<std::string, std::string>& saved, Redactor& redactor) {
  for (const auto& secret : context.secrets) redactor.add(secret);
  for (const auto& check : suite.checks) {
    const auto* http = std::get_if<plan::CheckHttp>(&check.what);
    if (http == nullptr) continue;
    if (http->bearer) learn_reference(*http->bearer, context, redactor);
    for (const auto& [name, reference] : http->headers) {
      learn_reference(reference, context, redactor);
    }
    if (http->json) learn_json(*http->json, context, redactor);
  }
  auto names = credential_names(suite);
  for (const auto& [name, value] : saved) {
    if (looks_secret(name) || names.contains(name)) redactor.add(value);
  }
}

}  // namespace lb::check
