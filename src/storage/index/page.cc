#include "storage/index/page.h"

#include <algorithm>

namespace lb::index {

namespace {

constexpr std::size_t check_bytes = 16;

// The check stands where salt and number stand while it is made.
Digest digest_of(const Seal& seal, const Salt& salt, std::uint64_t number, Page page) {
  std::copy(salt.begin(), salt.end(), page.begin());
  for (std::size_t i = 0; i < 8; ++i) page[8 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return seal.mac.of(page);
}

}  // namespace

void seal_page(const Seal& seal, const Salt& salt, std::uint64_t number, Page& page) {
  auto digest = digest_of(seal, salt, number, page);
  std::copy_n(digest.begin(), check_bytes, page.begin());
}

bool page_is_good(const Seal& seal, const Salt& salt, std::uint64_t number, const Page& page) {
  auto digest = digest_of(seal, salt, number, page);
  return equal_constant_time(ByteView(digest).first(check_bytes),
                             ByteView(page).first(check_bytes));
}

}  // namespace lb::index
