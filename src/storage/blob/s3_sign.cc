#include "storage/blob/s3_sign.h"

#include <algorithm>
#include <array>

#include "foundation/base/text.h"

namespace lb {

namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// "20260113T021400Z"
std::string compact_time(Timestamp time) {
  std::string out;
  for (char c : format_time_seconds(time)) {
    if (c != '-' && c != ':') out += c;
  }
  return out;
}

std::string hex(const Digest& digest) { return to_hex(digest); }

Digest signing_key(const Secret& secret, std::string_view day, std::string_view region) {
  Buffer start(4 + secret.size());
  std::copy_n("AWS4", 4, start.begin());
  std::copy(secret.bytes().begin(), secret.bytes().end(), start.begin() + 4);
  auto key = hmac_sha256(start, view_of(day));
  wipe(start);
  key = hmac_sha256(key, view_of(region));
  key = hmac_sha256(key, view_of("s3"));
  return hmac_sha256(key, view_of("aws4_request"));
}

struct Canonical {
  std::string headers;  // "name:value\n" each
  std::string names;    // "a;b"
};

Canonical canonical_headers(NamedTexts headers) {
  std::sort(headers.begin(), headers.end());
  Canonical out;
  for (const auto& [name, value] : headers) {
    out.headers += cat(name, ":", trim(value), "\n");
    out.names += cat(out.names.empty() ? "" : ";", name);
  }
  return out;
}

}  // namespace

std::string s3_encode(std::string_view text, bool keep_slash) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    if (unreserved(c) || (c == '/' && keep_slash)) {
      out += c;
    } else {
      auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

std::string s3_query(const NamedTexts& query) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : query) {
    parts.push_back(cat(s3_encode(name, false), "=", s3_encode(value, false)));
  }
  std::sort(parts.begin(), parts.end());
  return join(parts, "&");
}

NamedTexts s3_sign(const S3Request& request, const std::optional<Digest>& body,
                   const S3Credentials& credentials, std::string_view region, Timestamp now) {
  auto content = body ? hex(*body) : std::string("UNSIGNED-PAYLOAD");
  auto time = compact_time(now);
  auto day = time.substr(0, 8);
  auto headers = request.headers;
  headers.emplace_back("x-amz-date", time);
  headers.emplace_back("x-amz-content-sha256", content);
  if (!credentials.session_token.empty()) {
    headers.emplace_back("x-amz-security-token", std::string(credentials.session_token.reveal()));
  }
  auto with_host = headers;
  with_host.emplace_back("host", request.host);
  auto canonical = canonical_headers(std::move(with_host));
  auto text =
      cat(request.method, "\n", s3_encode(request.path, true), "\n", s3_query(request.query), "\n",
          canonical.headers, "\n", canonical.names, "\n", content);
  auto scope = cat(day, "/", region, "/s3/aws4_request");
  auto to_sign = cat(algorithm, "\n", time, "\n", scope, "\n", hex(sha256(view_of(text))));
  auto key = signing_key(credentials.secret_key, day, region);
  auto signature = hex(hmac_sha256(key, view_of(to_sign)));
  wipe(key);
  headers.emplace_back("authorization",
                       cat(algorithm, " Credential=", credentials.access_key, "/", scope,
                           ",SignedHeaders=", canonical.names, ",Signature=", signature));
  return headers;
}

Result<Timestamp> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> months = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  auto words = split(trim(text), ' ');
  Error bad(ErrorKind::invalid, "not the date of an HTTP answer");
  if (words.size() != 6 || words[5] != "GMT" || words[1].size() != 2) return bad;
  auto month = std::find(months.begin(), months.end(), words[2]);
  if (month == months.end()) return bad;
  auto number = static_cast<int>(month - months.begin()) + 1;
  return parse_time(
      cat(words[3], number < 10 ? "-0" : "-", number, "-", words[1], "T", words[4], "Z"));
}

}  // namespace lb
