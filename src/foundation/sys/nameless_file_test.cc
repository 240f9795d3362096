#include "foundation/sys/nameless_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "foundation/sys/test_folder.h"

namespace lb {
namespace {

namespace fs = std::filesystem;

TEST(NamelessFile, IsNotSeenUntilItTakesAPlaceAndLeavesNothingWhenItDoesNot) {
  TestFolder folder;
  const std::string text(100'000, 'x');
  std::ofstream(folder / "target") << "old";
  {
    auto dropped = NamelessFile::write(folder.path(), view_of(text));
    if (!dropped.ok() && dropped.error().kind() == ErrorKind::unsupported)
      GTEST_SKIP() << dropped.error().text();
    ASSERT_TRUE(dropped.ok()) << dropped.error().text();
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
  }
  auto file = NamelessFile::write(folder.path(), view_of(text));
  ASSERT_TRUE(file.ok());
  std::ofstream(folder / "target.new") << "left by a crash";
  ASSERT_TRUE((*file)->replace(folder / "target").ok());
  std::ifstream in(folder / "target");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
  EXPECT_EQ(fs::status(folder / "target").permissions(), fs::perms(0600));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
  auto nowhere = NamelessFile::write(folder.path(), view_of(text));
  EXPECT_FALSE((*nowhere)->replace(folder / "none/target").ok());
  EXPECT_FALSE(NamelessFile::write(folder / "none", view_of(text)).ok());
}

}  // namespace
}  // namespace lb
