// The outer shape of an object, which needs no key: text objects carry their digest, packs a
// trailer that finds their parts, sealed objects the sizes of their frames. What is cut short,
// grown or empty is told from what is whole; a changed bit inside a frame is not. Pure, but for
// may_be_of_repacking().
#pragma once

#include <string>

#include "foundation/base/bytes.h"
#include "storage/blob/blob_store.h"

namespace lb::copy {

// Of the kinds that are one sealed object each: all but `repo`, slots and packs.
bool is_sealed(const std::string& key);
// corrupt, with what is wrong. Objects of a kind unknown here are taken as they are.
Status check_shape(const std::string& key, ByteView object);
// Whether a verdict says what a repacking moved: it alone has two frames. True also where that
// cannot be told. Reads ten bytes of it.
bool may_be_of_repacking(BlobStore& store, const std::string& verdict_key);

}  // namespace lb::copy
