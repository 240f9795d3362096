#include "model/plan/template_text.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "model/plan/language.h"

namespace lb::plan {
namespace {

std::string filled(const std::string& text, const TemplateValues& values) {
  auto out = fill_template(text, values);
  return out.ok() ? *out : cat("refused: ", out.error().text());
}

TEST(TemplateText, PutsValuesInPlace) {
  const TemplateValues values = {{"impact", "no orders"}, {"since", "{system} 02:14"}};
  EXPECT_EQ(filled("{impact} since {since}.", values), "no orders since {system} 02:14.");
  EXPECT_EQ(filled("{{impact}} }}{{ {impact}", values), "{impact} }{ no orders");
  EXPECT_EQ(filled("", values), "");
}

TEST(TemplateText, AMessageWithAGapIsRefused) {
  EXPECT_EQ(filled("{impact} {since} {impact} {affected}", {{"since", "now"}, {"impact", " \n"}}),
            "refused: the message has no value for {impact}, {affected}");
}

TEST(TemplateText, RefusesWhatIsNoVariable) {
  EXPECT_EQ(filled("{impct}", {}), "refused: unknown placeholder '{impct}'");
  EXPECT_EQ(fill_template("{impct}", {}).error().hint(), "did you mean 'impact'?");
  EXPECT_EQ(filled("{}", {}), "refused: unknown placeholder '{}'");
  EXPECT_EQ(filled("a { b", {}), "refused: a '{' stands alone in the template");
  EXPECT_EQ(filled("a } b", {}), "refused: a '}' stands alone in the template");
  EXPECT_EQ(filled("{impact", {}), "refused: a '{' stands alone in the template");
}

TEST(TemplateText, BuiltInOnesCanBeFilled) {
  TemplateValues values;
  for (const auto& one : template_variables()) values[std::string(one.name)] = "x";
  for (const auto& name : built_in_templates()) {
    const auto* built = built_in_template(name);
    if (name == "post-mortem") {
      EXPECT_EQ(built, nullptr);
      continue;
    }
    ASSERT_NE(built, nullptr) << name;
    EXPECT_TRUE(fill_template(built->subject, values).ok()) << name;
    EXPECT_TRUE(fill_template(built->body, values).ok()) << name;
    EXPECT_EQ(built->subject.find('\n'), std::string_view::npos) << name;
  }
  EXPECT_EQ(built_in_template("hello"), nullptr);
}

}  // namespace
}  // namespace lb::plan
