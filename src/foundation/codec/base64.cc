#include "foundation/codec/base64.h"

namespace lb {

std::string to_base64(ByteView bytes) {
  static constexpr char letters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    auto left = bytes.size() - i;
    std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16;
    if (left > 1) group |= static_cast<std::uint32_t>(bytes[i + 1]) << 8;
    if (left > 2) group |= bytes[i + 2];
    out += letters[group >> 18];
    out += letters[(group >> 12) & 63];
    out += left > 1 ? letters[(group >> 6) & 63] : '=';
    out += left > 2 ? letters[group & 63] : '=';
  }
  return out;
}

}  // namespace lb
