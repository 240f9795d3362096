// The signature that S3 requests carry (AWS Signature Version 4, one chunk). Pure: time comes in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/secret.h"
#include "foundation/base/time.h"
#include "foundation/crypto/hash.h"

namespace lb {

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

struct S3Credentials {
  std::string access_key;
  Secret secret_key;
  Secret session_token;  // empty: none
};

struct S3Request {
  std::string method;
  std::string host;    // as the Host header will say it, with a port that is not the default
  std::string path;    // not encoded yet, "/bucket/a b"
  NamedTexts query;    // not encoded yet
  NamedTexts headers;  // names in lower case; all of them are signed
};

// Everything but letters, digits and -._~ as %XX; '/' too unless it is kept.
std::string s3_encode(std::string_view text, bool keep_slash);
// "a=1&b=", encoded and sorted as the signature wants it.
std::string s3_query(const NamedTexts& query);

// The headers to send, ready: those of the request and x-amz-date, x-amz-content-sha256,
// x-amz-security-token, authorization. Holds the token, never the secret key. Without `body`, the
// digest of what is sent, the signature does not speak for it.
NamedTexts s3_sign(const S3Request& request, const std::optional<Digest>& body,
                   const S3Credentials& credentials, std::string_view region, Timestamp now);

// "Thu, 26 Nov 2026 17:19:25 GMT", as servers date their answers; invalid for anything else.
Result<Timestamp> parse_http_date(std::string_view text);

}  // namespace lb
