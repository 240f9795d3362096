// Fuzz target of key slots, key files and shares of recovery kits. The first byte picks the
// decoder.
#include <cstddef>
#include <cstdint>

#include "storage/keys/decode_any.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  lb::keys::decode_any(data[0], lb::ByteView(data + 1, size - 1));
  return 0;
}
