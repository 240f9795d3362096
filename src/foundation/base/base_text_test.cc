#include <gtest/gtest.h>

#include "foundation/base/text.h"

namespace lb {
namespace {

using Texts = std::vector<std::string>;

TEST(Text, CatJoinsTextAndNumbers) {
  EXPECT_EQ(cat("a", 1, 'c', std::string("d"), true, std::uint64_t{18446744073709551615U}),
            "a1cdtrue18446744073709551615");
  EXPECT_EQ(cat(), "");
  EXPECT_EQ(cat(-5), "-5");
}

TEST(Text, SplitKeepsEmptyPartsAndJoinUndoesIt) {
  EXPECT_EQ(split("a,,b,", ','), (Texts{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), Texts{""});
  EXPECT_EQ(join({"a", "", "b", ""}, ","), "a,,b,");
  EXPECT_EQ(join({}, ","), "");
}

TEST(Text, TrimLowerReplace) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(lower("ÀBc-1"), "Àbc-1");
  EXPECT_EQ(replace_all("aaa", "a", "aa"), "aaaaaa");
  EXPECT_EQ(replace_all("abcabc", "bc", ""), "aa");
  EXPECT_EQ(replace_all("abc", "", "x"), "abc");
}

TEST(Text, Utf8IsJudgedStrictly) {
  EXPECT_TRUE(valid_utf8(""));
  EXPECT_TRUE(valid_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x9b\xb6"));
  EXPECT_TRUE(valid_utf8("\xf4\x8f\xbf\xbf"));
  for (std::string bad :
       {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff", "\xe2\x82", "\xe2\x28\xa1"}) {
    EXPECT_FALSE(valid_utf8(bad)) << printable(bad);
  }
}

TEST(Text, NumbersMustBeTheWholeText) {
  EXPECT_EQ(parse_int("-42").value(), -42);
  EXPECT_EQ(parse_int("9223372036854775807").value(), INT64_MAX);
  EXPECT_EQ(parse_uint("18446744073709551615").value(), UINT64_MAX);
  EXPECT_EQ(parse_double("-1.5e3").value(), -1500.0);
  for (std::string bad : {"", " 1", "1 ", "+1", "1x", "0x10", "9223372036854775808", "--1"}) {
    auto result = parse_int(bad);
    ASSERT_FALSE(result.ok()) << bad;
    EXPECT_EQ(result.error().kind(), ErrorKind::invalid);
  }
  for (std::string bad : {"", "-1", "18446744073709551616", "1.0"}) {
    EXPECT_FALSE(parse_uint(bad).ok()) << bad;
  }
  for (std::string bad : {"", "nan", "inf", "-inf", "1e999", "1,5"}) {
    EXPECT_FALSE(parse_double(bad).ok()) << bad;
  }
}

TEST(Text, SizesHaveUnits) {
  EXPECT_EQ(parse_size("4096").value(), 4096u);
  EXPECT_EQ(parse_size("100MiB").value(), 100u << 20);
  EXPECT_EQ(parse_size("1.5GB").value(), 1500000000u);
  EXPECT_EQ(parse_size("2 KiB").value(), 2048u);
  EXPECT_EQ(parse_size("7B").value(), 7u);
  EXPECT_EQ(parse_size("0").value(), 0u);
  for (std::string bad : {"", "MiB", "-1", "1XB", "1e30TiB", "10 M", "nan", "100mib"}) {
    auto result = parse_size(bad);
    ASSERT_FALSE(result.ok()) << bad;
    EXPECT_FALSE(result.error().hint().empty());
  }
}

// Whole numbers beyond 2^53 do not survive a detour over double.
TEST(Text, LargeWholeSizesAreExact) {
  EXPECT_EQ(parse_size("9007199254740993").value(), 9007199254740993u);
  EXPECT_EQ(parse_size("8796093022207KiB").value(), 8796093022207u * 1024);
}

TEST(Text, HumanForms) {
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(1023), "1023 B");
  EXPECT_EQ(human_size(1536), "1.5 KiB");
  EXPECT_EQ(human_size(std::uint64_t{5} << 50), "5.0 PiB");
  EXPECT_EQ(human_size((1 << 20) - 1), "1.0 MiB");  // not "1024.0 KiB"
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1,000");
  EXPECT_EQ(human_count(1234567), "1,234,567");
  EXPECT_EQ(fixed(3.14159, 2), "3.14");
  EXPECT_EQ(fixed(-0.5, 0), "-0");
  EXPECT_EQ(fixed(1e300, 2).size(), 304u);
}

TEST(Text, PrintableEscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a\n\x1b[2J\x7f\xff\xc3\xa9"), "a\\x0a\\x1b[2J\\x7f\\xff\xc3\xa9");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  // The second set of control characters, encoded in two bytes, moves terminals too.
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J"),
            "\\xc2\\x9b"
            "2J");
}

TEST(Text, NearestSuggestsOnlyWhatIsClose) {
  Texts words = {"postgres", "files", "redis"};
  EXPECT_EQ(nearest("postgers", words), "postgres");
  EXPECT_EQ(nearest("file", words), "files");
  EXPECT_EQ(nearest("elephant", words), "");
  EXPECT_EQ(nearest("x", {}), "");
}

}  // namespace
}  // namespace lb
