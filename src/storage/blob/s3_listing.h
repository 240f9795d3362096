// One page of a bucket's listing (ListObjectsV2), read from what the service sends. Pure, bounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/blob/blob_store.h"

namespace lb {

struct S3Listing {
  std::vector<BlobInfo> objects;  // keys whole, with the prefix
  std::string last;               // key on this page; empty when there is none
  bool more = false;
  std::string token;  // for the next page; may be empty
};

// corrupt when it is anything but a listing.
Result<S3Listing> read_listing(std::string_view xml);

}  // namespace lb
