// Pages: the unit a table is read and checked in. Every page carries a keyed check over its bytes,
// its number and the table it belongs to, so that a page that was damaged, moved, or made by
// somebody without the key is never believed.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "foundation/base/bytes.h"
#include "foundation/crypto/block_mac.h"
#include "foundation/crypto/hash.h"

namespace lb::index {

// A look-up copies and proves one page: small ones are quicker, until what each page costs by
// itself counts more. A whole number of them in each page of memory.
inline constexpr std::size_t page_bytes = 1024;
inline constexpr std::size_t page_head_bytes = 32;
// A page: check (16 bytes), u16 records, u8 kind, u8 1 when the next page continues it, 12 zeros,
// records.
using Page = std::array<std::uint8_t, page_bytes>;

enum class PageKind : std::uint8_t { header = 1, packs = 2, sources = 3, entries = 4 };

// What proves pages: a key that only the repository's users have, and whose tables they are.
struct Seal {
  Hmac mac;
  std::string owner;  // the repository's id
};
// Shared by the tables of a cache, which outlive the call that made them.
using SharedSeal = std::shared_ptr<const Seal>;

using Salt = std::array<std::uint8_t, 8>;  // one a table, random

// The first page, which tells the salt, is proven by the seal itself.
void seal_header(const Seal& seal, Page& page);
bool header_is_good(const Seal& seal, const Page& page);

// Proves the other pages of one table under a key of the seal and the table's salt, each with its
// number. Thread-safe.
class PageSeal {
 public:
  PageSeal(const Seal& seal, const Salt& salt);
  // Fills in the check; everything else is in place.
  void seal(std::uint64_t number, Page& page) const;
  bool is_good(std::uint64_t number, const Page& page) const;

 private:
  const BlockMac mac_;
};

inline void set_head(Page& page, PageKind kind, std::size_t records, bool continued) {
  page[16] = static_cast<std::uint8_t>(records & 0xFF);
  page[17] = static_cast<std::uint8_t>(records >> 8);
  page[18] = static_cast<std::uint8_t>(kind);
  page[19] = continued ? 1 : 0;
}
inline std::size_t records_of(const Page& page) {
  return static_cast<std::size_t>(page[16] | page[17] << 8);
}
inline bool is_continued(const Page& page) { return page[19] != 0; }
inline bool is_kind(const Page& page, PageKind kind) {
  return page[18] == static_cast<std::uint8_t>(kind);
}

}  // namespace lb::index
