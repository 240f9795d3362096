#include "storage/blob/fake_s3.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/base/time.h"
#include "foundation/crypto/hash.h"

namespace lb {

namespace {

std::string decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      auto byte = from_hex(text.substr(i + 1, 2));
      out += static_cast<char>(byte.ok() ? byte->at(0) : '?');
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string http_date(Timestamp time) {
  auto text = format_time_seconds(time);  // 2026-01-13T02:14:00Z
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  auto month = static_cast<std::size_t>(std::stoi(text.substr(5, 2))) - 1;
  return cat("Thu, ", text.substr(8, 2), " ", months[month], " ", text.substr(0, 4), " ",
             text.substr(11, 8), " GMT");
}

std::string xml_text(const std::string& raw) {
  return replace_all(replace_all(raw, "&", "&amp;"), "<", "&lt;");
}

}  // namespace

FakeS3::Parts FakeS3::take_apart(const HttpRequest& request) {
  Parts out;
  auto start = request.url.find('/', request.url.find("://") + 3);
  auto mark = std::min(request.url.find('?'), request.url.size());
  out.path = decode(request.url.substr(start, mark - start));
  auto slash = out.path.find('/', 1);  // path style: /bucket/key
  out.key = slash == std::string::npos ? std::string() : out.path.substr(slash + 1);
  auto query = mark < request.url.size() ? request.url.substr(mark + 1) : std::string();
  for (const auto& part : split(query, '&')) {
    auto equals = std::min(part.find('='), part.size());
    if (!part.empty())
      out.query[decode(part.substr(0, equals))] =
          decode(part.substr(std::min(equals + 1, part.size())));
  }
  for (const auto& [name, value] : request.headers) out.headers[name] = value;
  return out;
}

Timestamp FakeS3::now() const {
  return flaw_ == S3Flaw::skewed ? clock_.now() + Seconds(2400) : clock_.now();
}

HttpAnswer FakeS3::answer(int status, std::string body) const {
  HttpAnswer out;
  out.status = status;
  out.headers = {{"date", http_date(now())}};
  out.body = std::move(body);
  return out;
}

std::string FakeS3::error_xml(const std::string& code, const std::string& message) {
  return cat("<?xml version=\"1.0\"?><Error><Code>", code, "</Code><Message>", xml_text(message),
             "</Message></Error>");
}

Result<HttpAnswer> FakeS3::send(const HttpRequest& request) {
  std::lock_guard lock(mutex_);
  ++counts_[request.method];
  ++counts_[""];
  urls_.push_back(request.url);
  bool matches =
      trouble_.count > 0 && (trouble_.method.empty() || trouble_.method == request.method);
  int nth = matches ? matched_++ : 0;
  bool troubled = matches && nth >= trouble_.from && nth < trouble_.from + trouble_.count;
  if (troubled && trouble_.unreached) {
    return Error(ErrorKind::unavailable, "connection refused").with_native("curl 7");
  }
  if (troubled && trouble_.status != 0)
    return answer(trouble_.status, error_xml(trouble_.code, ""));
  if (refusal_.status != 0) {
    auto out = answer(refusal_.status, refusal_.body);
    if (request.method == "HEAD") out.body.clear();
    return out;
  }
  auto parts = take_apart(request);
  auto out = act(request, parts);
  if (troubled && trouble_.lost) {
    return Error(ErrorKind::unavailable, "the connection was closed").with_native("curl 52");
  }
  if (out.body.size() > request.body_max) return Error(ErrorKind::invalid, "the answer is larger");
  return out;
}

HttpAnswer FakeS3::act(const HttpRequest& request, const Parts& parts) {
  // "20260113T021400Z" of the request against our own time.
  auto signed_at = parts.headers.contains("x-amz-date") ? parts.headers.at("x-amz-date") : "";
  if (signed_at.size() == 16) {
    auto text =
        cat(signed_at.substr(0, 4), "-", signed_at.substr(4, 2), "-", signed_at.substr(6, 2), "T",
            signed_at.substr(9, 2), ":", signed_at.substr(11, 2), ":", signed_at.substr(13, 3));
    auto time = parse_time(text);
    bool off = !time.ok() || std::chrono::abs(*time - now()) > Seconds(900);
    if (off) {
      auto body = request.method == "HEAD" ? "" : error_xml("RequestTimeTooSkewed", "too far");
      return answer(403, body);
    }
  }
  auto content = parts.headers.find("x-amz-content-sha256");
  if (content != parts.headers.end()) {
    contents_.push_back(content->second);
    bool fits = content->second == "UNSIGNED-PAYLOAD" ||
                content->second == to_hex(sha256(view_of(request.body)));
    if (!fits) return answer(400, error_xml("XAmzContentSHA256Mismatch", "another body"));
  }
  if (request.method == "PUT") return put(request, parts);
  if (request.method == "DELETE") return remove(parts);
  if (parts.query.contains("list-type")) return list(parts);
  return get(request, parts);
}

bool FakeS3::locked(const Object& object) const {
  auto until = parse_time(object.lock_until);
  return until.ok() && *until > clock_.now() && flaw_ != S3Flaw::ignores_locks;
}

HttpAnswer FakeS3::put(const HttpRequest& request, const Parts& parts) {
  if (parts.query.contains("retention")) {
    auto from = request.body.find("<RetainUntilDate>");
    if (!objects_.contains(parts.key)) return answer(404, error_xml("NoSuchKey", ""));
    if (from == std::string::npos) return answer(400, error_xml("MalformedXML", ""));
    objects_[parts.key].lock_until = request.body.substr(from + 17, 20);
    return answer(200);
  }
  bool conditional = parts.headers.contains("if-none-match");
  if (conditional && flaw_ == S3Flaw::no_conditions) {
    return answer(501, error_xml("NotImplemented", "A header you provided implies functionality"));
  }
  if (conditional && objects_.contains(parts.key) && flaw_ != S3Flaw::overwrites) {
    return answer(412, error_xml("PreconditionFailed", ""));
  }
  Object object;
  object.body = request.body;
  auto mark = parts.headers.find("x-amz-meta-lifeboat-put");
  if (mark != parts.headers.end() && flaw_ != S3Flaw::forgets_marks) object.mark = mark->second;
  auto lock = parts.headers.find("x-amz-object-lock-retain-until-date");
  if (lock != parts.headers.end()) {
    object.version = cat("v", urls_.size());
    if (flaw_ != S3Flaw::forgets_locks) object.lock_until = lock->second;
    if (flaw_ == S3Flaw::shortens_locks) object.lock_until = format_time_seconds(clock_.now());
  }
  objects_[parts.key] = std::move(object);
  return answer(200);
}

HttpAnswer FakeS3::get(const HttpRequest& request, const Parts& parts) {
  auto found = objects_.find(parts.key);
  bool head = request.method == "HEAD";
  if (found == objects_.end()) return answer(404, head ? "" : error_xml("NoSuchKey", ""));
  const auto& object = found->second;
  auto out = answer(200, object.body);
  out.headers.emplace_back("content-length", std::to_string(object.body.size()));
  out.headers.emplace_back("x-amz-meta-lifeboat-put", object.mark);
  if (!object.version.empty()) out.headers.emplace_back("x-amz-version-id", object.version);
  if (parts.key == held_) out.headers.emplace_back("x-amz-object-lock-legal-hold", "ON");
  if (!object.lock_until.empty())
    out.headers.emplace_back("x-amz-object-lock-retain-until-date", object.lock_until);
  if (head) out.body.clear();
  auto range = parts.headers.find("range");
  if (head || range == parts.headers.end() || flaw_ == S3Flaw::ignores_ranges) return out;
  auto dash = range->second.find('-');
  auto last = std::stoull(range->second.substr(dash + 1));
  bool from_end = dash == 6;
  if (from_end && flaw_ == S3Flaw::no_end_ranges) return out;
  auto size = object.body.size();
  auto first = from_end ? size - std::min<std::size_t>(last, size)
                        : std::stoull(range->second.substr(6, dash - 6));
  if (from_end) last = size - 1;
  if (first >= object.body.size()) return answer(416, error_xml("InvalidRange", ""));
  if (flaw_ == S3Flaw::shifted_ranges) ++first, ++last;
  if (flaw_ == S3Flaw::short_ranges) --last;
  out.status = 206;
  out.body = object.body.substr(first, last - first + 1);
  out.headers.emplace_back("content-range",
                           cat("bytes ", first, "-", last, "/", object.body.size()));
  return out;
}

HttpAnswer FakeS3::list(const Parts& parts) {
  if (flaw_ == S3Flaw::page_for_list) return answer(200, "<html><body>Welcome</body></html>");
  auto value = [&](const char* name) {
    auto found = parts.query.find(name);
    return found == parts.query.end() ? std::string() : found->second;
  };
  auto prefix = value("prefix");
  auto after = value("start-after");
  if (parts.query.contains("continuation-token")) after = value("continuation-token");
  if (flaw_ == S3Flaw::endless_lists) after.clear();
  std::vector<std::pair<std::string, std::size_t>> page;
  bool more = false;
  for (const auto& [key, object] : objects_) {
    bool wanted = key.starts_with(prefix) || flaw_ == S3Flaw::foreign_lists;
    if (!wanted || key <= after) continue;
    if (page.size() == page_keys) {
      more = true;
      break;
    }
    page.emplace_back(key, object.body.size());
  }
  if (flaw_ == S3Flaw::unsorted_lists) std::reverse(page.begin(), page.end());
  if (flaw_ == S3Flaw::endless_lists) more = true;
  std::string body =
      cat("<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>", more, "</IsTruncated>");
  for (const auto& [key, size] : page) {
    body += cat("<Contents><Key>", xml_text(key), "</Key><Size>", size, "</Size></Contents>");
  }
  if (more) body += cat("<NextContinuationToken>", page.back().first, "</NextContinuationToken>");
  body += "</ListBucketResult>";
  if (flaw_ == S3Flaw::broken_xml) body.resize(body.size() / 2);
  return answer(200, body);
}

HttpAnswer FakeS3::remove(const Parts& parts) {
  auto found = objects_.find(parts.key);
  if (found == objects_.end()) return answer(204);
  if (locked(found->second) || parts.key == held_)
    return answer(403, error_xml("AccessDenied", "object is locked"));
  objects_.erase(found);
  return answer(204);
}

void FakeS3::set_trouble(S3Trouble trouble) {
  std::lock_guard lock(mutex_);
  trouble_ = std::move(trouble);
  matched_ = 0;
}

void FakeS3::refuse(int status, std::string code, std::string message) {
  std::lock_guard lock(mutex_);
  refusal_.status = status;
  refusal_.body = error_xml(code, message);
}

int FakeS3::asked(const std::string& method) const {
  std::lock_guard lock(mutex_);
  auto found = counts_.find(method);
  return found == counts_.end() ? 0 : found->second;
}

std::string FakeS3::last_content() const {
  std::lock_guard lock(mutex_);
  return contents_.empty() ? "" : contents_.back();
}

std::vector<std::string> FakeS3::urls() const {
  std::lock_guard lock(mutex_);
  return urls_;
}

}  // namespace lb
