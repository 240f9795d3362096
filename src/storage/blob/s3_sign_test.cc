#include "storage/blob/s3_sign.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"

namespace lb {
namespace {

// The worked examples of the service's own documentation.
S3Credentials example_credentials() {
  S3Credentials out;
  out.access_key = "AKIAIOSFODNN7EXAMPLE";
  out.secret_key = Secret(std::string_view("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
  return out;
}

std::string signature_of(const S3Request& request, std::string_view body = {}) {
  auto headers = s3_sign(request, sha256(view_of(body)), example_credentials(), "us-east-1",
                         parse_time("2013-05-24T00:00:00Z").take());
  for (const auto& [name, value] : headers) {
    if (name == "authorization") return value.substr(value.find("Signature=") + 10);
  }
  return "";
}

constexpr const char* example_host = "examplebucket.s3.amazonaws.com";

TEST(S3Sign, AgreesWithThePublishedExamples) {
  EXPECT_EQ(signature_of({"GET", example_host, "/test.txt", {}, {{"range", "bytes=0-9"}}}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(signature_of({"PUT",
                          example_host,
                          "/test$file.text",
                          {},
                          {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                           {"x-amz-storage-class", "REDUCED_REDUNDANCY"}}},
                         "Welcome to Amazon S3."),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(signature_of({"GET", example_host, "/", {{"lifecycle", ""}}, {}}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(signature_of({"GET", example_host, "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(S3Sign, EncodesEveryAwkwardCharacter) {
  EXPECT_EQ(s3_encode("/a b+c%d/\xC3\xA9~*'()=&", true),
            "/a%20b%2Bc%25d/%C3%A9~%2A%27%28%29%3D%26");
  EXPECT_EQ(s3_encode("a/b", false), "a%2Fb");
  EXPECT_EQ(s3_query({{"prefix", "a/b c"}, {"list-type", "2"}, {"delimiter", ""}}),
            "delimiter=&list-type=2&prefix=a%2Fb%20c");
}

TEST(S3Sign, SendsTheTokenAndNeverTheSecret) {
  auto credentials = example_credentials();
  credentials.session_token = Secret(std::string_view("token-1"));
  auto headers = s3_sign({"GET", "h", "/", {}, {}}, sha256({}), credentials, "r",
                         parse_time("2013-05-24T00:00:00Z").take());
  bool token = false;
  for (const auto& [name, value] : headers) {
    EXPECT_EQ(value.find("wJalr"), std::string::npos) << name;
    token = token || (name == "x-amz-security-token" && value == "token-1");
  }
  EXPECT_TRUE(token);
}

TEST(S3Sign, ReadsTheDatesOfServers) {
  EXPECT_EQ(format_time(parse_http_date("Thu, 26 Nov 2026 17:19:25 GMT").take()),
            "2026-11-26T17:19:25Z");
  EXPECT_EQ(format_time(parse_http_date(" Sun, 01 Feb 2026 00:00:00 GMT ").take()),
            "2026-02-01T00:00:00Z");
  for (const char* text : {"", "Thu, 26 Nov 2026 17:19:25", "Thu, 26 Nov 2026 25:19:25 GMT",
                           "Thu, 6 Nov 2026 17:19:25 GMT", "Thu, 26 Xyz 2026 17:19:25 GMT",
                           "2026-11-26T17:19:25Z", "Thu, 31 Feb 2026 17:19:25 GMT"}) {
    EXPECT_FALSE(parse_http_date(text).ok()) << text;
  }
}

}  // namespace
}  // namespace lb
