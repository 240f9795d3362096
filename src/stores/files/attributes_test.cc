#include <gtest/gtest.h>

#include "stores/files/store.h"

namespace lb::files {
namespace {

Attributes everything() {
  Attributes out;
  out.kind = FileKind::block;
  out.mode = 06755;
  out.uid = 4'000'000'000;
  out.gid = 7;
  out.user = "böse\n";
  out.group = "g";
  out.mtime_ns = -1'500'000'001;  // before 1970
  out.ctime_ns = 1'700'000'000'123'456'789;
  out.inode = UINT64_MAX;
  out.device = 0xfd01;
  out.special = 0x801;
  out.link_target = std::string("\xff/..", 4);
  out.hard_link_to = "a/b";
  out.links = 300;
  out.xattrs = {{"user.x", Buffer{0, 1, 2}}, {"system.posix_acl_access", Buffer(40, 3)}};
  out.complete = false;
  return out;
}

void expect_equal(const Attributes& a, const Attributes& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.mode, b.mode);
  EXPECT_EQ(a.uid, b.uid);
  EXPECT_EQ(a.gid, b.gid);
  EXPECT_EQ(a.user, b.user);
  EXPECT_EQ(a.group, b.group);
  EXPECT_EQ(a.mtime_ns, b.mtime_ns);
  EXPECT_EQ(a.ctime_ns, b.ctime_ns);
  EXPECT_EQ(a.inode, b.inode);
  EXPECT_EQ(a.device, b.device);
  EXPECT_EQ(a.special, b.special);
  EXPECT_EQ(a.link_target, b.link_target);
  EXPECT_EQ(a.hard_link_to, b.hard_link_to);
  EXPECT_EQ(a.links, b.links);
  EXPECT_EQ(a.xattrs, b.xattrs);
  EXPECT_EQ(a.complete, b.complete);
}

TEST(Attributes, ComeBackAsTheyWere) {
  auto full = decode_attributes(encode(everything()));
  ASSERT_TRUE(full.ok()) << full.error().text();
  expect_equal(*full, everything());
  auto plain = decode_attributes(encode(Attributes{}));
  ASSERT_TRUE(plain.ok());
  expect_equal(*plain, Attributes{});
}

TEST(Attributes, EveryTruncationAndStrangeHeadIsCorrupt) {
  auto bytes = encode(everything());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    auto decoded = decode_attributes(ByteView(bytes).first(size));
    ASSERT_FALSE(decoded.ok()) << size;
    EXPECT_EQ(decoded.error().kind(), ErrorKind::corrupt);
  }
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(decode_attributes(longer).ok());
  auto other_format = bytes;
  other_format[0] = 9;
  EXPECT_FALSE(decode_attributes(other_format).ok());
  auto other_kind = bytes;
  other_kind[1] = 0x0f;
  EXPECT_FALSE(decode_attributes(other_kind).ok());
}

TEST(Attributes, PlainFilesStaySmall) {
  Attributes plain;
  plain.mode = 0644;
  plain.user = plain.group = "root";
  plain.mtime_ns = plain.ctime_ns = 1'700'000'000'123'456'789;
  plain.inode = 12'345'678;
  plain.device = 0xfd01;
  EXPECT_LE(encode(plain).size(), 48u);
}

TEST(Keys, SortAsTheWalkGoes) {
  EXPECT_LT(key_of("a/b"), key_of("a-b"));
  EXPECT_LT(key_of("a"), key_of("a/b"));
  EXPECT_LT(key_of(""), key_of("a"));
  EXPECT_LT(key_of("a/\xff"), key_of("a\x01"));
  EXPECT_EQ(path_of(key_of("a/b\nc/d")), "a/b\nc/d");
}

}  // namespace
}  // namespace lb::files
