// Fuzz target of everything the repository decodes once a seal has been opened. The first byte
// picks the decoder; seals would hide the inside from the fuzzer. What decodes must encode to the
// same again.
#include <cstddef>
#include <cstdint>

#include "storage/repo/decode_any.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  lb::repo::decode_any(data[0], lb::ByteView(data + 1, size - 1));
  return 0;
}
