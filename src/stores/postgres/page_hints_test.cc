#include "stores/postgres/page_hints.h"

#include <gtest/gtest.h>

namespace lb::pg {
namespace {

void put16(Buffer& page, std::size_t at, unsigned value) {
  page[at] = static_cast<std::uint8_t>(value);
  page[at + 1] = static_cast<std::uint8_t>(value >> 8);
}

// Two entries, at 8000 and 8096, of a table or of an index with a special space of 16 bytes.
Buffer page_of(bool heap) {
  Buffer page(8192);
  page[0] = 7;  // LSN
  put16(page, 12, 32);
  put16(page, 14, 8000);
  put16(page, 16, heap ? 8192 : 8176);
  put16(page, 18, 8192 | 4);
  const std::size_t places[] = {8096, 8000};
  for (std::size_t n = 0; n < 2; ++n) {
    const auto pointer = static_cast<unsigned>(places[n]) | 1u << 15 | 64u << 17;
    put16(page, 24 + 4 * n, pointer & 0xFFFF);
    put16(page, 26 + 4 * n, pointer >> 16);
    for (std::size_t i = 0; i < 64; ++i)
      page[places[n] + i] = static_cast<std::uint8_t>(n * 64 + i);
  }
  return page;
}

bool same_with(const Buffer& page, std::size_t at, std::uint8_t flip) {
  auto other = page;
  other[at] ^= flip;
  return differ_in_hints_alone(page, other) && differ_in_hints_alone(other, page);
}

TEST(PageHints, OfATable) {
  const auto page = page_of(true);
  EXPECT_TRUE(differ_in_hints_alone(page, page));
  for (std::size_t at : {8u, 9u, 20u, 23u, 32u, 4000u, 7999u})
    EXPECT_TRUE(same_with(page, at, 0xFF)) << at;
  EXPECT_TRUE(same_with(page, 10, 0x07));
  for (std::size_t tuple : {8000u, 8096u}) {
    EXPECT_TRUE(same_with(page, tuple + 21, 0x0F));
    EXPECT_TRUE(same_with(page, tuple + 8, 0xFF)) << "command numbers";
    EXPECT_TRUE(same_with(page, tuple + 20, 0x20)) << "a command number that stands for two";
    EXPECT_FALSE(same_with(page, tuple + 21, 0x10));
    for (std::size_t at : {0u, 4u, 7u, 12u, 18u, 20u, 22u, 23u, 63u})
      EXPECT_FALSE(same_with(page, tuple + at, 0x01)) << at;
  }
  // An entry that became dead in a table is logged.
  EXPECT_FALSE(same_with(page, 25, 0x80));
  EXPECT_FALSE(same_with(page, 26, 0x01));
}

// Rows begin at multiples of eight; what was there before lies between them.
TEST(PageHints, WhatLiesBetweenRows) {
  auto page = page_of(true);
  const auto pointer = 8096u | 1u << 15 | 61u << 17;
  put16(page, 24, pointer & 0xFFFF);
  put16(page, 26, pointer >> 16);
  for (std::size_t at : {61u, 63u}) EXPECT_TRUE(same_with(page, 8096 + at, 0xFF)) << at;
  EXPECT_FALSE(same_with(page, 8096 + 60, 0x01));
  EXPECT_FALSE(same_with(page, 8096 - 33, 0x01)) << "the end of the row before";
}

TEST(PageHints, OfAnIndex) {
  const auto page = page_of(false);
  EXPECT_TRUE(same_with(page, 25, 0x80));
  EXPECT_TRUE(same_with(page, 26, 0x01));
  EXPECT_TRUE(same_with(page, 8176 + 12, 0x40));
  EXPECT_TRUE(same_with(page, 8176 + 14, 0xFF));
  for (std::size_t at : {8000u, 8021u, 8096u, 8176u, 8187u})
    EXPECT_FALSE(same_with(page, at, 1)) << at;
}

TEST(PageHints, NothingElseIsOne) {
  const auto page = page_of(true);
  for (std::size_t at : {0u, 7u, 12u, 13u, 14u, 16u, 18u, 24u})
    EXPECT_FALSE(same_with(page, at, 1)) << at;
  EXPECT_FALSE(same_with(page, 10, 0x08));
  const Buffer zeros(8192), part(100);
  EXPECT_FALSE(differ_in_hints_alone(zeros, zeros)) << "no LSN to tell by";
  EXPECT_FALSE(differ_in_hints_alone(part, part));
  auto odd = page;
  put16(odd, 12, 9000);
  EXPECT_FALSE(differ_in_hints_alone(odd, odd));
}

}  // namespace
}  // namespace lb::pg
