// Fuzz target of what is read before a seal is opened: headers, frame walks, trailers, text objects
// and keys of log objects, with keys the fuzzer does not know.
#include <cstddef>
#include <cstdint>

#include "storage/repo/decode_any.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lb::repo::open_any(lb::ByteView(data, size));
  return 0;
}
