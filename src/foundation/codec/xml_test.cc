#include "foundation/codec/xml.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"

namespace lb {
namespace {

TEST(Xml, ReadsWhatObjectStoresSend) {
  auto root = parse_xml(
      "\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- x --><a:List xmlns=\"http://x/>\">\n <Key>p/&lt;1"
      "&amp;&#65;&#x20ac;</Key><Key/><Empty a='1' />\n<Owner><ID>7</ID></Owner>"
      "<C><![CDATA[<raw>&]]></C></a:List>\n");
  ASSERT_TRUE(root.ok()) << root.error().text();
  EXPECT_EQ(root->name, "List");
  ASSERT_EQ(root->children.size(), 5u);
  EXPECT_EQ(root->text_of("Key"), "p/<1&A\xE2\x82\xAC");
  EXPECT_EQ(root->child("Owner")->text_of("ID"), "7");
  EXPECT_EQ(root->text_of("C"), "<raw>&");
  EXPECT_EQ(root->text_of("Nothing"), "");
  EXPECT_EQ(root->child("Nothing"), nullptr);
}

TEST(Xml, RefusesWhatIsBroken) {
  for (const char* text : {"",
                           "   ",
                           "text",
                           "<",
                           "<a",
                           "<a>",
                           "<a></b>",
                           "<a><b></a></b>",
                           "<a/><b/>",
                           "<a>&nope;</a>",
                           "<a>&#0;</a>",
                           "<a>&#xD800;</a>",
                           "<a>&#99999999999;</a>",
                           "<a>&#;</a>",
                           "<a>&</a>",
                           "<>x</>",
                           "<a b='></a>",
                           "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
                           "<a><!-- </a>",
                           "<a></a/>",
                           "<a><![CDATA[x</a>",
                           "<a>text",
                           "<a <b></a>"}) {
    auto parsed = parse_xml(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::corrupt) << text;
  }
}

TEST(Xml, IsBoundedInDepthAndNumber) {
  std::string deep, shallow;
  for (int i = 0; i < 10000; ++i) deep += "<a>";
  EXPECT_FALSE(parse_xml(deep).ok());
  for (int i = 0; i < 200000; ++i) shallow += "<a/>";
  EXPECT_FALSE(parse_xml(cat("<r>", shallow, "</r>")).ok());
}

TEST(Xml, EveryCutIsRefused) {
  const std::string whole = "<?xml version=\"1.0\"?><a><b>1&gt;2</b><!-- c --><d/></a>";
  ASSERT_TRUE(parse_xml(whole).ok());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_xml(whole.substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace lb
