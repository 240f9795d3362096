// Fuzz target of what object stores answer: listings, refusals, dates. The first byte picks the
// decoder.
#include <cstddef>
#include <cstdint>

#include "storage/blob/decode_any.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  lb::decode_any_answer(data[0], lb::ByteView(data + 1, size - 1));
  return 0;
}
