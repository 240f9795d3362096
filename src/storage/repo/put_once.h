// Putting objects whose answer may be lost. Thread-safe as the store is.
#pragma once

#include <string>

#include "storage/blob/blob_store.h"

namespace lb::repo {

// A put that timed out may have landed, so it looks before it puts again; an object that is there
// with exactly these bytes is ours. conflict: it is there with others.
Status put_once(BlobStore& blobs, const std::string& key, ByteView bytes);

}  // namespace lb::repo
