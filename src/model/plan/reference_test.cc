// docs/plan.md is what the program says of its own language. After a change of the language:
// LIFEBOAT_WRITE_DOCS=1 build/fast/src/model_plan_test --gtest_filter='Reference*'
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "model/plan/language.h"
#include "model/plan/reader.h"

namespace lb::plan {
namespace {

TEST(Reference, NamesEveryKeyOfTheLanguage) {
  const auto text = language_reference();
  for (const auto& field : plan_shape().fields)
    EXPECT_NE(text.find("\n## " + field.key + "\n"), std::string::npos) << field.key;
  for (const char* part :
       {"- `postgres:` ", "  - `log:` ", "`how:` `in-place`, `beside-then-swap`",
        "`parallel:` list, each one step", "- `critical:` ", "(not built yet)",
        "`masked:` a name of `masks` – no original value is left anywhere (not built yet)"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
}

TEST(Reference, IsWhatTheDocumentSays) {
  const std::string path = LIFEBOAT_DOCS "/plan.md";
  if (std::getenv("LIFEBOAT_WRITE_DOCS") != nullptr) std::ofstream(path) << language_reference();
  std::ostringstream written;
  written << std::ifstream(path).rdbuf();
  EXPECT_EQ(written.str(), language_reference()) << "./dev docs writes it anew";
}

}  // namespace
}  // namespace lb::plan
