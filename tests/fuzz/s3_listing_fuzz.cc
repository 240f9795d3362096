// Any bytes as the answer of an object store: a listing or a reason, never a crash, and what is
// read is read the same way again.
#include <cstddef>
#include <cstdint>

#include "foundation/base/assert.h"
#include "foundation/codec/xml.h"
#include "storage/blob/s3_listing.h"
#include "storage/blob/s3_sign.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto text = lb::text_of({data, size});
  auto page = lb::read_listing(text);
  if (page.ok()) {
    LB_ASSERT(lb::parse_xml(text).ok());
    LB_ASSERT(page->objects.empty() == page->last.empty());
    for (const auto& object : page->objects) LB_ASSERT(!object.key.empty());
  }
  auto date = lb::parse_http_date(text);
  if (date.ok()) LB_ASSERT(lb::parse_time(lb::format_time(*date)).ok());
  return 0;
}
