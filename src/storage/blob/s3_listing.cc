#include "storage/blob/s3_listing.h"

#include "foundation/base/text.h"
#include "foundation/codec/xml.h"

namespace lb {

Result<S3Listing> read_listing(std::string_view xml) {
  auto bad = [](const std::string& why) { return Error(ErrorKind::corrupt, why); };
  auto root = LB_TRY(parse_xml(xml));
  if (root.name != "ListBucketResult") {
    return bad(cat("a listing was expected, not '", printable(root.name).substr(0, 60), "'"));
  }
  S3Listing out;
  for (const auto& child : root.children) {
    if (child.name != "Contents") continue;
    auto key = child.text_of("Key");
    auto size = parse_uint(trim(child.text_of("Size")));
    if (key.empty() || !size.ok()) return bad("a listed object has no key or no size");
    auto modified = parse_time(trim(child.text_of("LastModified")));
    out.last = key;
    out.objects.push_back({std::move(key), *size, modified.ok() ? *modified : Timestamp{}});
  }
  auto truncated = std::string(trim(root.text_of("IsTruncated")));
  if (truncated != "true" && truncated != "false") {
    return bad("the listing does not say whether it is whole");
  }
  out.more = truncated == "true";
  if (out.more) out.token = root.text_of("NextContinuationToken");
  return out;
}

}  // namespace lb
