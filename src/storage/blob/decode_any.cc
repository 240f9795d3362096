#include "storage/blob/decode_any.h"

#include "foundation/base/assert.h"
#include "foundation/base/text.h"
#include "foundation/codec/xml.h"
#include "storage/blob/s3_listing.h"
#include "storage/blob/s3_refusal.h"
#include "storage/blob/s3_sign.h"

namespace lb {

namespace {

void listing(ByteView bytes) {
  auto page = read_listing(text_of(bytes));
  if (!page.ok()) return;
  LB_ASSERT(parse_xml(text_of(bytes)).ok());
  LB_ASSERT(page->objects.empty() == page->last.empty());
  for (const auto& object : page->objects) LB_ASSERT(!object.key.empty());
}

void refusal(ByteView bytes) {
  S3Settings settings;
  settings.bucket = "vault";
  settings.endpoint = "https://s3.example.org";
  for (int status : {301, 400, 403, 404, 409, 412, 500, 501, 503}) {
    S3Answer answer;
    answer.status = status;
    answer.body.assign(bytes.begin(), bytes.end());
    read_refusal(answer);
    LB_ASSERT(valid_utf8(answer.code) && valid_utf8(answer.message));
    auto text = explain_refusal(settings, answer, "put p/1").text();
    LB_ASSERT(text.find("put p/1") != std::string::npos && text.size() < 2000);
  }
}

void date(ByteView bytes) {
  auto read = parse_http_date(text_of(bytes));
  if (read.ok()) LB_ASSERT(parse_time(format_time(*read)).ok());
}

}  // namespace

void decode_any_answer(unsigned decoder, ByteView bytes) {
  switch (decoder % answer_decoder_count) {
    case 0:
      return listing(bytes);
    case 1:
      return refusal(bytes);
    default:
      return date(bytes);
  }
}

}  // namespace lb
