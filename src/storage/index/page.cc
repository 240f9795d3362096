#include "storage/index/page.h"

#include <algorithm>

namespace lb::index {

namespace {

constexpr std::size_t check_bytes = sizeof(BlockTag);
static_assert(page_bytes - check_bytes <= BlockMac::message_bytes_max);

// What is proven: everything behind the check.
ByteView proven(const Page& page) { return ByteView(page).subspan(check_bytes); }

Secret table_key(const Seal& seal, const Salt& salt) {
  Buffer text;
  ByteWriter writer(text);
  writer.text("pages of a table");
  writer.text(seal.owner);
  writer.raw(salt);
  auto key = seal.mac.of(text);
  Secret out{ByteView(key)};
  wipe(key);
  return out;
}

Digest header_digest(const Seal& seal, const Page& page) {
  auto blank = page;
  std::fill_n(blank.begin(), check_bytes, std::uint8_t{0});
  return seal.mac.of(blank);
}

}  // namespace

void seal_header(const Seal& seal, Page& page) {
  auto digest = header_digest(seal, page);
  std::copy_n(digest.begin(), check_bytes, page.begin());
}

bool header_is_good(const Seal& seal, const Page& page) {
  auto digest = header_digest(seal, page);
  return equal_constant_time(ByteView(digest).first(check_bytes),
                             ByteView(page).first(check_bytes));
}

PageSeal::PageSeal(const Seal& seal, const Salt& salt) : mac_(table_key(seal, salt)) {}

void PageSeal::seal(std::uint64_t number, Page& page) const {
  auto tag = mac_.of(number, proven(page));
  std::copy_n(tag.begin(), check_bytes, page.begin());
}

bool PageSeal::is_good(std::uint64_t number, const Page& page) const {
  return equal_constant_time(mac_.of(number, proven(page)), ByteView(page).first(check_bytes));
}

}  // namespace lb::index
