#include "model/plan/values.h"

#include <algorithm>
#include <array>

#include "foundation/base/text.h"

namespace lb::plan {

namespace {

Error bad(std::string_view text, std::string_view what, std::string_view hint) {
  return Error(ErrorKind::invalid, cat("'", printable(text), "' is not ", what))
      .with_hint(std::string(hint));
}

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

bool valid_variable_name(std::string_view name) {
  return !name.empty() && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) { return letter(c) || digit(c); });
}

// What "<" and its like can order.
bool has_order(std::string_view text) {
  return parse_double(text).ok() || parse_size(text).ok() || parse_duration(text).ok() ||
         parse_percent(text).ok() || parse_time(text).ok();
}

}  // namespace

Result<Reference> parse_reference(std::string_view text) {
  struct Prefix {
    std::string_view text;
    Reference::Kind kind;
  };
  static constexpr Prefix prefixes[] = {{"env:", Reference::Kind::env},
                                        {"file:", Reference::Kind::file},
                                        {"command:", Reference::Kind::command},
                                        {"kms:", Reference::Kind::kms}};
  Reference out;
  out.value = std::string(text);
  for (const auto& prefix : prefixes) {
    if (!text.starts_with(prefix.text)) continue;
    out.kind = prefix.kind;
    out.value = std::string(trim(text.substr(prefix.text.size())));
    if (out.value.empty()) {
      return Error(ErrorKind::invalid, cat("nothing follows '", prefix.text, "'"))
          .with_hint("write env:NAME, file:PATH, command:… or kms:…");
    }
  }
  if (out.kind == Reference::Kind::env && !valid_variable_name(out.value)) {
    return bad(out.value, "a name of an environment variable",
               "write env:NAME, such as env:DATABASE_URL");
  }
  return out;
}

Result<Comparison> parse_comparison(std::string_view text) {
  using Op = Comparison::Op;
  struct Sign {
    std::string_view text;
    Op op;
  };
  static constexpr Sign signs[] = {
      {">=", Op::greater_equal}, {"<=", Op::less_equal}, {"!=", Op::not_equal}, {"==", Op::equal},
      {">", Op::greater},        {"<", Op::less},        {"=", Op::equal}};
  Comparison out;
  auto rest = trim(text);
  if (rest == "recorded") {
    out.op = Op::recorded;
    return out;
  }
  bool signed_text = false;
  for (const auto& sign : signs) {
    if (!rest.starts_with(sign.text)) continue;
    out.op = sign.op;
    rest = trim(rest.substr(sign.text.size()));
    signed_text = true;
    break;
  }
  out.value = std::string(rest);
  constexpr std::string_view hint = "write 0, \">= 1\", \"< 5%\", recorded, or a text";
  if (signed_text && rest.empty()) return bad(text, "a comparison: nothing follows the sign", hint);
  bool ordered = out.op != Op::equal && out.op != Op::not_equal;
  if (ordered && !has_order(rest)) {
    return bad(text,
               "a comparison: only numbers, sizes, durations, percentages and times have an order",
               hint);
  }
  return out;
}

Result<double> parse_percent(std::string_view text) {
  constexpr std::string_view hint = "write a percentage such as 10%";
  if (!text.ends_with('%')) return bad(text, "a percentage", hint);
  auto number = parse_double(trim(text.substr(0, text.size() - 1)));
  if (!number.ok() || *number < 0 || *number > 100)
    return bad(text, "a percentage from 0% to 100%", hint);
  return *number / 100;
}

Status check_point(std::string_view text) {
  if (text == "latest" || text == "before-loss") return {};
  auto time = parse_time(text);
  if (time.ok()) return {};
  if (time.error().message().ends_with("no time zone")) return time.status();
  return bad(text, "a point in time",
             "write latest, before-loss, or a time such as 2026-01-13T02:00:00Z");
}

Status check_url(std::string_view text) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme) && text.size() > scheme.size() && text[scheme.size()] != '/' &&
        text.find(' ') == std::string_view::npos) {
      return {};
    }
  }
  return bad(text, "an address", "write http://host:port or https://host/path");
}

Result<TcpAddress> parse_tcp(std::string_view text) {
  constexpr std::string_view scheme = "tcp://", hint = "write tcp://host:port";
  auto rest = text.starts_with(scheme) ? text.substr(scheme.size()) : std::string_view();
  auto colon = rest.rfind(':');
  if (colon == std::string_view::npos) return bad(text, "a host and a port", hint);
  auto host = rest.substr(0, colon);
  bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  auto known = [&](char c) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return plain || c == '.' || c == '-' || c == '_' || (bracketed && c == ':');
  };
  auto port = parse_uint(rest.substr(colon + 1));
  bool good = !host.empty() && std::all_of(host.begin(), host.end(), known) && port.ok() &&
              *port >= 1 && *port <= 65535;
  if (!good) return bad(text, "a host and a port", hint);
  return TcpAddress{std::string(host), static_cast<std::uint16_t>(*port)};
}

Result<HttpRequest> parse_request(std::string_view text) {
  static constexpr std::array<std::string_view, 7> methods = {"GET",   "HEAD",   "POST",   "PUT",
                                                              "PATCH", "DELETE", "OPTIONS"};
  constexpr std::string_view hint = "write a method and a path, such as GET /health";
  auto space = text.find(' ');
  if (space == std::string_view::npos) return bad(text, "a request", hint);
  HttpRequest out{std::string(text.substr(0, space)), std::string(trim(text.substr(space)))};
  if (std::find(methods.begin(), methods.end(), out.method) == methods.end()) {
    return bad(out.method, "a method of HTTP", hint);
  }
  bool place = out.path.starts_with('/') || out.path.starts_with('$') || check_url(out.path).ok();
  if (!place || out.path.find(' ') != std::string::npos) {
    return bad(out.path, "a path: it begins with /, $ or http://", hint);
  }
  return out;
}

}  // namespace lb::plan
