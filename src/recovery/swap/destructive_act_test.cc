#include "recovery/swap/destructive_act.h"

#include <gtest/gtest.h>

namespace lb::swap {
namespace {

Timestamp at(const char* text) { return parse_time(text).take(); }

DestructiveAct act() {
  DestructiveAct out;
  out.host = "db1";
  out.target = "production";
  out.place = "database shop on db1:5432";
  out.store = "db";
  out.point = "06FQ0KZ4";
  out.as_of = at("2026-01-13T02:14:00Z");
  out.now = at("2026-01-13T05:26:00Z");
  out.overwritten = {{"database shop", 3'221'225'472}, {"settings", std::nullopt}};
  out.kept = std::chrono::hours(24 * 7);
  return out;
}

TEST(DestructiveAct, ShowsWhatAPersonMustKnow) {
  EXPECT_EQ(shown(act()),
            "host     db1\n"
            "target   production: database shop on db1:5432\n"
            "store    db\n"
            "point    06FQ0KZ4, as of 2026-01-13T02:14:00Z\n"
            "loses    all that was written after 2026-01-13T02:14:00Z, up to 3 h 12 min\n"
            "replaces database shop (3.0 GiB)\n"
            "replaces settings (size unknown)\n"
            "keeps    the old one for 7d");
  auto bare = act();
  bare.as_of.reset();
  bare.kept.reset();
  bare.notes = {"the log moves"};
  auto text = shown(bare);
  EXPECT_NE(text.find("loses    all that was written after the point; how much"), text.npos)
      << text;
  EXPECT_NE(text.find("keeps    nothing of it"), text.npos) << text;
  EXPECT_NE(text.find("note     the log moves"), text.npos) << text;
}

TEST(DestructiveAct, LossIsMeasuredAgainstTheLastWriteWhenThatIsKnown) {
  auto known = act();
  known.last_write = at("2026-01-13T02:20:00Z");
  EXPECT_EQ(
      data_loss(known),
      "all that was written after 2026-01-13T02:14:00Z, up to 2026-01-13T02:20:00Z: 6 min 00 s");
  known.last_write = at("2026-01-13T02:14:00Z");
  EXPECT_EQ(data_loss(known), "none: nothing was written after the point");
}

TEST(DestructiveAct, OnlyTheTargetsNameConfirmsIt) {
  EXPECT_TRUE(check_typed_name(act(), "production").ok());
  for (const char* typed : {"", "Production", "production ", "yes", "y"}) {
    auto checked = check_typed_name(act(), typed);
    ASSERT_FALSE(checked.ok()) << typed;
    EXPECT_EQ(checked.error().exit_code(), ExitCode::refused);
  }
  auto nameless = act();
  nameless.target.clear();
  EXPECT_FALSE(check_typed_name(nameless, "").ok());
}

}  // namespace
}  // namespace lb::swap
