#include "recovery/check/placeholders.h"

#include <gtest/gtest.h>

#include "recovery/check/http_request.h"
#include "recovery/check/json_path.h"
#include "recovery/check/url.h"

namespace lb::check {
namespace {

const std::map<std::string, std::string> saved = {
    {"id", "42"}, {"url", "http://h/a b?x=1%20"}, {"odd", "a/b?c#d%e é"}};

std::string filled(const std::string& text, Fill how = Fill::plain) {
  auto out = fill(text, Placeholders{saved, nullptr}, how);
  return out.ok() ? *out : "error: " + out.error().message();
}

TEST(Placeholders, AreFilledIn) {
  EXPECT_EQ(filled("/jobs/$id"), "/jobs/42");
  EXPECT_EQ(filled("${id}x$id."), "42x42.");
  EXPECT_EQ(filled("costs $$5 and $ 7 and 1$"), "costs $5 and $ 7 and 1$");
  EXPECT_EQ(filled("$$id"), "$id");
  EXPECT_EQ(filled("${id"), "${id");
  EXPECT_EQ(filled("$idx"), "error: $idx was not saved by an earlier check");
}

TEST(Placeholders, AreEscapedInsideAPathButNotAsAWholeUrl) {
  EXPECT_EQ(filled("$url", Fill::url), "http://h/a%20b?x=1%20");
  EXPECT_EQ(filled("/f/$odd", Fill::url), "/f/a/b%3Fc%23d%25e%20%C3%A9");
}

TEST(Placeholders, TakeTheRowBeforeSavedValuesAndRefuseNull) {
  RowValues row = {{"id", "7"}, {"url", std::nullopt}};
  Placeholders values{saved, &row};
  EXPECT_EQ(*fill("$id", values, Fill::plain), "7");
  auto null = fill("$url", values, Fill::plain);
  ASSERT_FALSE(null.ok());
  EXPECT_EQ(null.error().kind(), ErrorKind::not_found);
}

TEST(Placeholders, NamesAreListed) {
  EXPECT_EQ(names_in("Bearer $token and ${other} $$no"), (std::set<std::string>{"other", "token"}));
}

TEST(JsonPath, FollowsMembersAndIndexes) {
  auto document =
      *parse_json(R"({"a":{"b":[{"c":1},{"c":"x"}]},"n":null,"t":true,"odd.name":2.5})");
  auto text = [&](const std::string& path) -> std::string {
    auto value = at_path(document, path);
    if (!value.ok()) return "invalid";
    return *value == nullptr ? "absent" : scalar_text(**value).value_or("null");
  };
  EXPECT_EQ(text("$.a.b[0].c"), "1");
  EXPECT_EQ(text("$.a.b[1].c"), "x");
  EXPECT_EQ(text("$[\"odd.name\"]"), "2.5");
  EXPECT_EQ(text("$.n"), "null");
  EXPECT_EQ(text("$.t"), "true");
  EXPECT_EQ(text("$.a.b[2].c"), "absent");
  EXPECT_EQ(text("$.a.x.y"), "absent");
  EXPECT_EQ(text("$.a.b[0]"), R"({"c":1})");
  for (auto path : {"", "a.b", "$.", "$.a[", "$.a[x]", "$x"})
    EXPECT_EQ(text(path), "invalid") << path;
}

TEST(ShownUrl, HidesUserPasswordAndSecretParameters) {
  EXPECT_EQ(shown_url("http://user:pw@h:80/p?a=1&token=abc&X-Amz-Signature=ff"),
            "http://h:80/p?a=1&token=[secret]&X-Amz-Signature=[secret]");
  EXPECT_EQ(shown_url("http://h/p@q"), "http://h/p@q");
  EXPECT_EQ(shown_url("http://user:pw@h"), "http://h");
}

TEST(Url, IsPercentEncoded) {
  EXPECT_EQ(percent_encoded("a b/ü"), "a%20b%2F%C3%BC");
  EXPECT_EQ(url_safe("http://h/%20?a=\"b\""), "http://h/%20?a=%22b%22");
  EXPECT_EQ(path_safe("a/b c?d"), "a/b%20c%3Fd");
}

}  // namespace
}  // namespace lb::check
