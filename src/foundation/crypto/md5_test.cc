#include "foundation/crypto/md5.h"

#include <gtest/gtest.h>

namespace lb {
namespace {

TEST(Md5, AgreesWithTheStandard) {
  EXPECT_EQ(to_hex(md5({}).take()), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(to_hex(md5(view_of("message digest")).take()), "f96b697d7cb7938d525a2f31aaf161d0");
}

}  // namespace
}  // namespace lb
