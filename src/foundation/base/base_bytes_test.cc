#include <gtest/gtest.h>

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

namespace lb {
namespace {

TEST(Hex, GoesThereAndBack) {
  Buffer bytes = {0x00, 0x7f, 0x80, 0xff};
  EXPECT_EQ(to_hex(bytes), "007f80ff");
  EXPECT_EQ(from_hex("007F80ff").value(), bytes);
  EXPECT_TRUE(from_hex("").value().empty());
  EXPECT_EQ(from_hex("0").error().kind(), ErrorKind::invalid);
  EXPECT_EQ(from_hex("0g").error().kind(), ErrorKind::invalid);
}

TEST(EqualConstantTime, ComparesContentAndSize) {
  EXPECT_TRUE(equal_constant_time(view_of("abc"), view_of("abc")));
  EXPECT_FALSE(equal_constant_time(view_of("abc"), view_of("abd")));
  EXPECT_FALSE(equal_constant_time(view_of("abc"), view_of("ab")));
  EXPECT_TRUE(equal_constant_time({}, {}));
}

TEST(Bytes, EveryKindOfNumberReadsBack) {
  Buffer out;
  ByteWriter writer(out);
  writer.u8(0xab);
  writer.u16(0x1234);
  writer.u32(0x12345678);
  writer.u64(0x123456789abcdef0);
  writer.text("hello");
  writer.raw(view_of("xy"));
  EXPECT_EQ(to_hex(ByteView(out).subspan(1, 2)), "3412");  // little-endian
  ByteReader reader(out);
  EXPECT_EQ(reader.u8().value(), 0xab);
  EXPECT_EQ(reader.u16().value(), 0x1234);
  EXPECT_EQ(reader.u32().value(), 0x12345678u);
  EXPECT_EQ(reader.u64().value(), 0x123456789abcdef0u);
  EXPECT_EQ(reader.text().value(), "hello");
  EXPECT_FALSE(reader.done());
  EXPECT_EQ(text_of(reader.raw(2).value()), "xy");
  EXPECT_TRUE(reader.done());
}

TEST(Bytes, VarintsReadBackAtEveryEdge) {
  for (std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, std::uint64_t{16383},
        std::uint64_t{16384}, UINT64_MAX - 1, UINT64_MAX}) {
    Buffer out;
    ByteWriter(out).varint(value);
    ByteReader reader(out);
    EXPECT_EQ(reader.varint().value(), value);
    EXPECT_TRUE(reader.done());
  }
  for (std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1}, std::int64_t{-64},
                             INT64_MAX, INT64_MIN}) {
    Buffer out;
    ByteWriter(out).signed_varint(value);
    ByteReader reader(out);
    EXPECT_EQ(reader.signed_varint().value(), value);
  }
}

TEST(Bytes, DamagedInputIsCorruptNeverRead) {
  auto kind_of_varint = [](const Buffer& bytes) {
    ByteReader reader(bytes);
    auto value = reader.varint();
    return value.ok() ? ErrorKind::internal : value.error().kind();
  };
  EXPECT_EQ(kind_of_varint({}), ErrorKind::corrupt);
  EXPECT_EQ(kind_of_varint({0x80}), ErrorKind::corrupt);
  EXPECT_EQ(kind_of_varint(Buffer(10, 0xff)), ErrorKind::corrupt);
  EXPECT_EQ(kind_of_varint(Buffer(11, 0x80)), ErrorKind::corrupt);
  Buffer two = {1, 2};
  ByteReader reader(two);
  EXPECT_EQ(reader.u32().error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(reader.raw(3).error().kind(), ErrorKind::corrupt);
  EXPECT_EQ(reader.left(), 2u);  // a refused read takes nothing
  Buffer long_text;
  ByteWriter(long_text).text("12345");
  EXPECT_EQ(ByteReader(long_text).text(4).error().kind(), ErrorKind::corrupt);
  Buffer lying = {0xff, 0xff, 0xff, 0xff, 0x0f, 'a'};
  EXPECT_EQ(ByteReader(lying).text(UINT64_MAX).error().kind(), ErrorKind::corrupt);
}

TEST(Secret, MovesLeaveNothingBehind) {
  Secret first("sesame");
  const auto* where = first.bytes().data();
  Secret second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the promise
  EXPECT_EQ(second.reveal(), "sesame");
  EXPECT_EQ(second.bytes().data(), where);  // moved, not copied
  Secret third("old");
  third = std::move(second);
  EXPECT_EQ(third.reveal(), "sesame");
  auto& itself = third;
  third = std::move(itself);
  EXPECT_EQ(third.reveal(), "sesame");
  Secret copy = third.clone();
  copy.bytes()[0] = 'S';
  EXPECT_EQ(third.reveal(), "sesame");
  EXPECT_EQ(copy.size(), 6u);
}

TEST(Secret, WipeOverwrites) {
  Buffer bytes = {1, 2, 3};
  wipe(bytes);
  EXPECT_EQ(bytes, (Buffer{0, 0, 0}));
  wipe({});
}

}  // namespace
}  // namespace lb
