#include "foundation/codec/base64.h"

#include <gtest/gtest.h>

namespace lb {
namespace {

TEST(Base64, AgreesWithTheStandard) {
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : examples) EXPECT_EQ(to_base64(view_of(plain)), encoded);
  EXPECT_EQ(to_base64(Buffer{0xff, 0xfe, 0xfb}), "//77");
}

}  // namespace
}  // namespace lb
