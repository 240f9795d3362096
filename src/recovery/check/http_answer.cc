#include "recovery/check/http_answer.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "recovery/check/comparison.h"
#include "recovery/check/finding.h"
#include "recovery/check/json_path.h"
#include "recovery/check/redactor.h"

namespace lb::check {

namespace {

constexpr std::size_t body_shown_bytes = 200;

bool status_fits(const plan::CheckHttp& what, int status) {
  if (what.status) return status == *what.status;
  if (!what.statuses.empty()) {
    return std::find(what.statuses.begin(), what.statuses.end(), status) != what.statuses.end();
  }
  return status >= 200 && status <= 399;
}

std::string status_text(const plan::CheckHttp& what) {
  if (what.status) return cat("status ", *what.status);
  if (what.statuses.empty()) return "status 200 to 399";
  std::vector<std::string> accepted;
  for (int status : what.statuses) accepted.push_back(std::to_string(status));
  return cat("status ", join(accepted, " or "));
}

const std::string* header_of(const HttpAnswer& answer, const std::string& name) {
  auto wanted = lower(name);
  for (const auto& [given, value] : answer.headers) {
    if (lower(given) == wanted) return &value;
  }
  return nullptr;
}

// A HEAD answer has no body; its length is what the header says.
std::string body_bytes(const plan::CheckHttp& what, const HttpAnswer& answer) {
  const auto* length = what.method == "HEAD" ? header_of(answer, "content-length") : nullptr;
  return length != nullptr ? *length : std::to_string(answer.body.size());
}

Json without_secrets(const Json& value, std::string_view name) {
  if (value.is_object()) {
    auto out = Json::object();
    for (const auto& [member, content] : value.members()) {
      out.set(member, without_secrets(content, member));
    }
    return out;
  }
  if (value.is_array()) {
    auto out = Json::array();
    for (const auto& item : value.items()) out.push(without_secrets(item, name));
    return out;
  }
  bool hide = looks_secret(name) && !value.is_null() && !value.is_bool();
  return hide ? Json(redacted_mark) : value;
}

using Problems = std::vector<std::string>;

Status check_json(const plan::CheckHttp& what, const HttpAnswer& answer, Problems& out) {
  if (what.expect_json.empty()) return {};
  auto document = parse_json(answer.body);
  if (!document.ok()) {
    out.push_back(cat("the answer is not JSON: ", document.error().message()));
    return {};
  }
  for (const auto& [path, expect] : what.expect_json) {
    const auto* value = LB_TRY(at_path(*document, path));
    if (value == nullptr) {
      out.push_back(cat(path, " is not in the answer"));
      continue;
    }
    auto text = scalar_text(*value);
    bool meets = LB_TRY(holds(expect, text).context(path));
    if (meets) continue;
    auto got = looks_secret(path) ? std::string(redacted_mark)
                                  : shortened(printable(text.value_or("null")), 100);
    out.push_back(cat(path, " is ", got, ", expected ", text_of(expect)));
  }
  return {};
}

void check_headers(const plan::CheckHttp& what, const HttpAnswer& answer, Problems& out) {
  for (const auto& [name, text] : what.expect_headers) {
    const auto* value = header_of(answer, name);
    if (value == nullptr) {
      out.push_back(cat("header ", name, " is missing"));
    } else if (value->find(text) == std::string::npos) {
      auto got = looks_secret(name) ? std::string(redacted_mark) : printable(*value);
      out.push_back(cat("header ", name, " is '", got, "', expected '", text, "' in it"));
    }
  }
}

Status check_body(const plan::CheckHttp& what, const HttpAnswer& answer, Problems& out) {
  if (what.expect_bytes) {
    auto bytes = body_bytes(what, answer);
    bool meets = LB_TRY(holds(*what.expect_bytes, bytes).context("bytes"));
    if (!meets) out.push_back(cat(bytes, " bytes, expected ", text_of(*what.expect_bytes)));
  }
  if (!what.expect_text.empty() && answer.body.find(what.expect_text) == std::string::npos) {
    out.push_back(cat("the answer does not contain '", what.expect_text, "'"));
  }
  return {};
}

}  // namespace

std::string expected_text(const plan::CheckHttp& what) {
  std::vector<std::string> out{status_text(what)};
  if (what.within) out.push_back(cat("within ", format_duration(*what.within)));
  for (const auto& [path, expect] : what.expect_json) {
    bool equal = expect.op == plan::Comparison::Op::equal;
    out.push_back(cat(path, equal ? " = " : " ", text_of(expect)));
  }
  for (const auto& [name, text] : what.expect_headers) out.push_back(cat(name, ": ", text));
  if (what.expect_bytes) out.push_back(cat("bytes ", text_of(*what.expect_bytes)));
  if (!what.expect_text.empty()) out.push_back(cat("text '", what.expect_text, "'"));
  return join(out, ", ");
}

std::string answer_text(const HttpAnswer& answer) {
  return cat("status ", answer.status, " in ", human_duration(answer.took), ", ",
             answer.body.size(), " bytes");
}

Result<std::vector<std::string>> unmet(const plan::CheckHttp& what, const HttpAnswer& answer) {
  Problems out;
  if (!status_fits(what, answer.status)) {
    out.push_back(cat("status ", answer.status, ", expected ", status_text(what)));
  }
  if (what.within && answer.took > *what.within) {
    out.push_back(cat("the answer took ", human_duration(answer.took), ", allowed are ",
                      format_duration(*what.within)));
  }
  LB_TRY(check_json(what, answer, out));
  check_headers(what, answer, out);
  LB_TRY(check_body(what, answer, out));
  return out;
}

Result<std::map<std::string, std::string>> values_to_save(const plan::CheckHttp& what,
                                                          const HttpAnswer& answer) {
  std::map<std::string, std::string> out;
  if (what.save.empty()) return out;
  auto document = parse_json(answer.body);
  if (!document.ok()) {
    return Error(ErrorKind::not_found, "the answer to save from is not JSON");
  }
  for (const auto& [name, path] : what.save) {
    const auto* value = LB_TRY(at_path(*document, path));
    auto text = value == nullptr ? std::nullopt : scalar_text(*value);
    if (!text) {
      return Error(ErrorKind::not_found,
                   cat("the answer has nothing at ", path, " to save as ", name));
    }
    out[name] = *text;
  }
  return out;
}

std::string shown_body(const std::string& body) {
  auto document = parse_json(body);
  bool structured = document.ok() && (document->is_object() || document->is_array());
  auto text = structured ? without_secrets(*document, "").dump() : body;
  return shortened(printable(text.substr(0, 16 * body_shown_bytes)), body_shown_bytes);
}

}  // namespace lb::check
