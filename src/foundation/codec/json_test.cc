#include "foundation/codec/json.h"
#include "foundation/codec/json_items.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lb {
namespace {

Json parsed(std::string_view text) {
  auto result = parse_json(text);
  EXPECT_TRUE(result.ok()) << text << ": " << (result.ok() ? "" : result.error().text());
  return result.ok() ? *result : Json();
}

std::string refused(std::string_view text) {
  auto result = parse_json(text);
  EXPECT_FALSE(result.ok()) << text;
  if (result.ok()) return "";
  EXPECT_EQ(result.error().kind(), ErrorKind::invalid);
  return result.error().message();
}

TEST(Json, KeepsTypesAndOrder) {
  auto json = parsed(R"({"b": 1, "a": [true, null, 1.5, "x"], "n": -7, "o": {}})");
  EXPECT_EQ(json.dump(), R"({"b":1,"a":[true,null,1.5,"x"],"n":-7,"o":{}})");
  EXPECT_TRUE(json["b"].is_int());
  EXPECT_EQ(json["n"].integer(), -7);
  EXPECT_TRUE(json["a"].items()[0].boolean());
  EXPECT_TRUE(json["a"].items()[1].is_null());
  EXPECT_DOUBLE_EQ(json["a"].items()[2].number(), 1.5);
  EXPECT_EQ(json["a"].items()[3].string(), "x");
  EXPECT_TRUE(json["missing"]["deeper"].is_null());
  EXPECT_EQ(json.find("missing"), nullptr);
}

TEST(Json, ReadsWithAFallbackWhenTheTypeDiffers) {
  Json text("7");
  EXPECT_EQ(text.integer(3), 3);
  EXPECT_EQ(text.boolean(true), true);
  EXPECT_DOUBLE_EQ(text.number(2.5), 2.5);
  EXPECT_TRUE(text.items().empty());
  EXPECT_TRUE(text.members().empty());
  EXPECT_EQ(Json(1).string("other"), "other");
  EXPECT_DOUBLE_EQ(Json(4).number(), 4.0);
}

TEST(Json, SetReplacesAndPushAppends) {
  Json json;
  json.set("a", 1).set("b", 2).set("a", "new");
  EXPECT_EQ(json.dump(), R"({"a":"new","b":2})");
  Json list;
  list.push(1).push(Json::object());
  EXPECT_EQ(list.dump(), "[1,{}]");
}

TEST(Json, DumpsPretty) {
  auto json = parsed(R"({"a":[1,2],"e":[],"o":{"x":null}})");
  EXPECT_EQ(
      json.dump(2),
      "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"e\": [],\n  \"o\": {\n    \"x\": null\n  }\n}");
}

TEST(Json, EscapesWhatMustBeEscaped) {
  Json json("q\" b\\ n\n r\r t\t \b\f \x01 \x1f \x7f \xC3\xA9");
  EXPECT_EQ(json.dump(), "\"q\\\" b\\\\ n\\n r\\r t\\t \\b\\f \\u0001 \\u001f \x7f \xC3\xA9\"");
  EXPECT_EQ(parsed(json.dump()), json);
  EXPECT_EQ(Json(std::string("a\0b", 3)).dump(), "\"a\\u0000b\"");
  EXPECT_EQ(parsed("\"a\\u0000b\"").string().size(), 3U);
  EXPECT_EQ(parsed(R"("\ud83d\ude00")").string(), "\xF0\x9F\x98\x80");
}

TEST(Json, ReplacesInvalidUtf8) {
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(Json("a\xFFz").dump(), "\"a" + mark + "z\"");
  EXPECT_EQ(Json("\xC3").dump(), "\"" + mark + "\"");
  EXPECT_EQ(Json("\xE2\x82").dump(), "\"" + mark + mark + "\"");
  EXPECT_EQ(Json("\xED\xA0\x80").dump(), "\"" + mark + mark + mark + "\"");
  EXPECT_EQ(Json("\xC3\"").dump(), "\"" + mark + "\\\"\"");
}

TEST(Json, DoublesRoundTrip) {
  for (double value : {0.1, 1.0, -0.0, 1e22, 1e-300, 123456789.125, 5e-324,
                       std::numeric_limits<double>::max(), 2.0 / 3.0}) {
    auto back = parsed(Json(value).dump());
    EXPECT_FALSE(back.is_int()) << value;
    EXPECT_EQ(back.number(), value);
    EXPECT_EQ(std::signbit(back.number()), std::signbit(value));
  }
  EXPECT_EQ(Json(std::nan("")).dump(), "null");
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
}

TEST(Json, IntegersKeepAllDigits) {
  EXPECT_EQ(parsed("9223372036854775807").integer(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parsed("-9223372036854775808").integer(), std::numeric_limits<std::int64_t>::min());
  auto big = parsed("18446744073709551615");
  EXPECT_FALSE(big.is_int());
  EXPECT_DOUBLE_EQ(big.number(), 18446744073709551615.0);
  EXPECT_FALSE(Json(std::uint64_t{1} << 63).is_int());
  EXPECT_TRUE(Json(std::uint64_t{7}).is_int());
}

TEST(Json, NamesThePlaceOfAMistake) {
  EXPECT_TRUE(refused("{\"a\": 1,\n \"b\" 2}").starts_with("line 2 column 6: syntax error"));
  EXPECT_EQ(refused("{\"a\": 1,\n \"a\": 2}"), "line 2 column 4: duplicate member 'a'");
  EXPECT_TRUE(refused("").starts_with("line 1 column 1: syntax error"));
  EXPECT_EQ(refused(std::string_view("1\0x", 3)), "line 1 column 2: a NUL byte is not JSON");
}

TEST(Json, RefusesWhatIsNotJson) {
  for (std::string_view text :
       {"{", "[1,]", "{\"a\":1,}", "nul", "01", "1 2", "'a'", "// c\n1", "NaN", "1e999", "\"\x01\"",
        "\"\xFF\"", "\"\\ud800\"", "[1", "\"open"}) {
    refused(text);
  }
}

TEST(Json, LimitsTheDepth) {
  std::string fine(100, '['), deep(101, '[');
  fine += std::string(100, ']');
  deep += std::string(101, ']');
  EXPECT_EQ(parsed(fine).dump(), fine);
  EXPECT_EQ(refused(deep), "line 1 column 101: nested deeper than 100");
  refused(std::string(1000000, '['));
}

TEST(Json, EscapesHtml) {
  EXPECT_EQ(escape_html("<a href=\"x\" title='y'>&</a>"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;&lt;/a&gt;");
  EXPECT_EQ(escape_html(""), "");
}

TEST(JsonItems, AreHandedOverOneByOneAndNotKept) {
  const auto text =
      R"({"tables":[0],"d":[{"n":"a","x":{"tables":7},"tables":[{"tables":[1,2]},[3]],"z":1}]})";
  std::vector<std::string> seen;
  const auto each = [&](const Json::Object& around, const Json& item) -> Status {
    seen.push_back(std::to_string(around.size()) + item.dump());
    return {};
  };
  const auto rest = parse_json_items(text, "tables", each);
  ASSERT_TRUE(rest.ok()) << rest.error().text();
  EXPECT_EQ(rest->dump(), R"({"tables":[],"d":[{"n":"a","x":{"tables":7},"tables":[],"z":1}]})");
  EXPECT_EQ(seen, (std::vector<std::string>{"00", "01", "02", R"(2{"tables":[]})", "2[3]"}));
  EXPECT_EQ(parse_json_items(text, "other", each)->dump(), text);
}

// What parse_json_items makes of a text that comes in pieces of so many bytes.
std::string in_pieces(std::string_view text, std::size_t bytes, std::string& seen) {
  seen.clear();
  const auto each = [&](const Json::Object&, const Json& item) -> Status {
    seen += item.dump() + " ";
    return {};
  };
  const auto next = [&]() -> Result<std::string_view> {
    const auto piece = text.substr(0, bytes);
    text.remove_prefix(piece.size());
    return piece;
  };
  const auto rest = parse_json_items(NextPiece(next), "t", each);
  return rest.ok() ? rest->dump() : rest.error().message();
}

TEST(JsonItems, ComeOutOfPiecesOfAnyLength) {
  const std::string_view text =
      R"({"n":-12.5,"t":[{"a\u00e9\"":"\ud83d\ude00 Zürich"},17,[true]],"z":null})";
  std::string seen;
  for (std::size_t bytes = 1; bytes <= text.size(); ++bytes) {
    EXPECT_EQ(in_pieces(text, bytes, seen), R"({"n":-12.5,"t":[],"z":null})") << bytes;
    EXPECT_EQ(seen, "{\"aé\\\"\":\"😀 Zürich\"} 17 [true] ") << bytes;
  }
}

TEST(JsonItems, OfPiecesThatAreNoJsonTheByteIsNamed) {
  std::string seen;
  for (const std::size_t bytes : {1u, 3u, 100u}) {
    const auto read = [&](std::string_view text) { return in_pieces(text, bytes, seen); };
    EXPECT_TRUE(read(R"({"t":[1,x]})").starts_with("byte 8: ")) << read(R"({"t":[1,x]})");
    EXPECT_EQ(read(R"({"a":1,"a":2})"), "byte 9: duplicate member 'a'");
    EXPECT_TRUE(read(R"({"t":[1)").starts_with("byte 7: ")) << "it ends too early";
    EXPECT_TRUE(read("").starts_with("byte 0: "));
    EXPECT_EQ(read(std::string_view("{\"t\":[1]}\0x", 11)), "byte 9: a NUL byte is not JSON");
  }
}

TEST(JsonItems, ATextThatCannotBeReadToItsEndIsItsReadersError) {
  int calls = 0;
  const auto next = [&]() -> Result<std::string_view> {
    if (++calls == 1) return std::string_view(R"({"t":[1,2)");
    return Error(ErrorKind::unavailable, "the store is away");
  };
  const auto take = [](const Json::Object&, const Json&) -> Status { return {}; };
  const auto read = parse_json_items(NextPiece(next), "t", take);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(calls, 2) << "it is not asked again";
}

TEST(JsonItems, EndAtTheFirstErrorOfEither) {
  const auto no = [](const Json::Object&, const Json&) -> Status {
    return Error(ErrorKind::conflict, "not this one");
  };
  const auto refused = parse_json_items(R"({"t":[1,2]})", "t", no);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), ErrorKind::conflict);
  const auto yes = [](const Json::Object&, const Json&) -> Status { return {}; };
  for (const auto* bad : {R"({"t":[1,2})", R"({"t":[{"a":1,"a":2}]})", R"({"t":[1])"}) {
    const auto broken = parse_json_items(bad, "t", yes);
    ASSERT_FALSE(broken.ok()) << bad;
    EXPECT_EQ(broken.error().kind(), ErrorKind::invalid) << bad;
  }
}

}  // namespace
}  // namespace lb
