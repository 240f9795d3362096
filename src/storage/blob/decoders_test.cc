// Odd answers of object stores through every decoder: real ones changed, cut and joined at random,
// and plain noise. What the fuzzer in tests/fuzz does for hours, this does for a second in every
// build.
#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "foundation/sys/random.h"
#include "storage/blob/decode_any.h"
#include "storage/blob/s3_listing.h"
#include "storage/blob/s3_refusal.h"

namespace lb {
namespace {

struct Seed {
  unsigned decoder;
  std::string text;
};

// As Ceph, moto, AWS and proxies answer.
const std::vector<Seed>& seeds() {
  static const std::vector<Seed> all = {
      {0, R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>vault</Name>
<Prefix>app/</Prefix><MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated>
<NextContinuationToken>app/p/b&amp;c</NextContinuationToken><KeyCount>2</KeyCount>
<Contents><Key>app/e/06dra5</Key><LastModified>2026-01-13T02:00:00.000Z</LastModified>
<ETag>&quot;9a0364b9e99bb480dd25e1f0284c8555&quot;</ETag><Size>1234</Size>
<StorageClass>STANDARD</StorageClass></Contents>
<Contents><Key>app/p/06dra5/00000000</Key><LastModified>2026-01-13T02:00:01Z</LastModified>
<Size>33554432</Size></Contents></ListBucketResult>)"},
      {0, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"},
      {0,
       "<ListBucketResult><Contents><Key>&#x1F6A2;&lt;</Key><Size>0</Size></Contents>"
       "<IsTruncated>false</IsTruncated></ListBucketResult>"},
      {1, R"(<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message>
<RequestId>4442587FB7D0A2F9</RequestId></Error>)"},
      {1,
       "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is "
       "malformed; the region 'us-east-1' is wrong; expecting 'eu-central-1'</Message>"
       "<Region>eu-central-1</Region></Error>"},
      {1, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>expecting '</Message></Error>"},
      {1, "<html><body><h1>503 Service Unavailable</h1></body></html>"},
      {1, ""},
      {2, "Thu, 26 Nov 2026 17:19:25 GMT"},
      {2, "Thu, 29 Feb 2024 23:59:60 GMT"}};
  return all;
}

std::string mutate(std::string text, Random& random) {
  static const std::vector<std::string> parts = {"<",
                                                 ">",
                                                 "</",
                                                 "&",
                                                 "&#x",
                                                 "&amp;",
                                                 "]]>",
                                                 "<![CDATA[",
                                                 "<!--",
                                                 "\"",
                                                 "<Contents>",
                                                 "<Key></Key>",
                                                 "<Size>-1</Size>",
                                                 "\xFF",
                                                 "'",
                                                 "99999999999999999999"};
  for (std::uint64_t i = 0; i < 1 + random.below(4) && !text.empty(); ++i) {
    auto at = random.below(text.size());
    switch (random.below(5)) {
      case 0:
        text[at] = static_cast<char>(text[at] ^ (1 << random.below(8)));
        break;
      case 1:
        text.resize(at);
        break;
      case 2:
        text.insert(at, parts[random.below(parts.size())]);
        break;
      case 3:
        text.erase(at, 1 + random.below(20));
        break;
      default:
        text.insert(at, text.substr(random.below(text.size()), random.below(60)));
        break;
    }
  }
  return text;
}

TEST(StoreAnswers, OddBytesNeverCrash) {
  auto random = seeded_random(21);
  for (int round = 0; round < 1500; ++round) {
    for (const auto& seed : seeds()) {
      decode_any_answer(seed.decoder, view_of(mutate(seed.text, *random)));
    }
    for (unsigned decoder = 0; decoder < answer_decoder_count; ++decoder) {
      decode_any_answer(decoder, random->bytes(random->below(100)));
    }
  }
}

TEST(StoreAnswers, AreReadAsTheyAre) {
  for (const auto& seed : seeds()) decode_any_answer(seed.decoder, view_of(seed.text));
  auto page = read_listing(seeds()[0].text).take();
  ASSERT_EQ(page.objects.size(), 2u);
  EXPECT_EQ(page.objects[1].size, 33554432u);
  EXPECT_EQ(page.token, "app/p/b&c");
  S3Answer answer;
  answer.status = 400;
  auto body = view_of(seeds()[4].text);
  answer.body.assign(body.begin(), body.end());
  read_refusal(answer);
  auto error = explain_refusal({}, answer, "put p/1");
  EXPECT_NE(error.text().find("not in region"), std::string::npos);
  EXPECT_NE(error.hint().find("eu-central-1"), std::string::npos);
}

// Every way of cutting an answer short: never a page that claims to be whole.
TEST(StoreAnswers, ACutListingIsRefused) {
  const auto& whole = seeds()[0].text;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_listing(std::string_view(whole).substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace lb
