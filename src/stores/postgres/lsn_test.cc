#include "stores/postgres/lsn.h"

#include <gtest/gtest.h>

namespace lb::pg {
namespace {

TEST(Lsn, ReadsAndWrites) {
  EXPECT_EQ(*parse_lsn("0/16B3748"), 0x16B3748u);
  EXPECT_EQ(*parse_lsn("1a/ff"), (Lsn{0x1a} << 32) + 0xff);
  EXPECT_EQ(format_lsn(0x16B3748), "0/16B3748");
  EXPECT_EQ(format_lsn((Lsn{0x1a} << 32) + 0xff), "1A/FF");
  EXPECT_EQ(format_lsn(0), "0/0");
  EXPECT_EQ(*parse_lsn(format_lsn(~Lsn{0})), ~Lsn{0});
}

TEST(Lsn, RefusesWhatIsNoPosition) {
  for (const auto* text :
       {"", "/", "1", "1/", "/1", "g/1", "1/123456789", "1/2/3", " 1/2", "-1/2"}) {
    auto result = parse_lsn(text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().kind(), ErrorKind::invalid);
  }
}

TEST(Lsn, NamesSegmentsOfAnySize) {
  EXPECT_EQ(segment_name(1, 3, 16 << 20), "000000010000000000000003");
  EXPECT_EQ(segment_name(0x1f, 256, 16 << 20), "0000001F0000000100000000");
  EXPECT_EQ(segment_name(2, 4097, 1 << 20), "000000020000000100000001");
  EXPECT_EQ(segment_name(2, 7, 1 << 30), "000000020000000100000003");
}

}  // namespace
}  // namespace lb::pg
