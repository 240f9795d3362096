#include "model/record/journal_entry.h"

#include <gtest/gtest.h>

namespace lb::record {
namespace {

JournalEntry full_entry() {
  JournalEntry entry;
  entry.id = "01jh";
  entry.run = "01jg";
  entry.at = from_micros(1'768'269'600'000'001);
  entry.host = "db1";
  entry.actor = "root";
  entry.act = "backup db";
  entry.phase = JournalEntry::Phase::outcome;
  entry.ok = false;
  entry.store = "db";
  entry.text = "backup of db failed: \"disk full\"\nnothing visible was left";
  entry.details.set("bytes", 12).set("ids", Json::array().push("a"));
  return entry;
}

TEST(JournalEntry, EveryFieldSurvivesAsOneLine) {
  const auto entry = full_entry();
  [[maybe_unused]] const auto& [id, run, time, host, actor, act, phase, ok, store, text, details] =
      entry;
  const Json json = encode(entry);
  EXPECT_EQ(json.members().size(), 12u);  // the eleven and the schema
  const Json plain = encode(JournalEntry{});
  for (const auto& [name, value] : json.members()) {
    if (name != "schema") {
      EXPECT_NE(value, plain[name]) << name;
    }
  }
  const std::string line = json.dump();
  EXPECT_EQ(line.find('\n'), std::string::npos);
  auto parsed = parse_json(line);
  ASSERT_TRUE(parsed.ok()) << parsed.error().text();
  auto back = decode_entry(*parsed);
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(encode(*back), json);
  EXPECT_EQ(back->phase, JournalEntry::Phase::outcome);
  EXPECT_EQ(back->details["bytes"].integer(), 12);
}

TEST(JournalEntry, WrongSchemaAndWrongTypesAreCorrupt) {
  for (const auto& [member, value] : Json::Object{{"schema", "lifeboat.drill/1"},
                                                  {"phase", "later"},
                                                  {"at", "2026-01-13T02:00:00"},
                                                  {"ok", "yes"},
                                                  {"act", Json()}}) {
    Json json = encode(full_entry());
    json.set(member, value);
    auto back = decode_entry(json);
    ASSERT_FALSE(back.ok()) << member;
    EXPECT_EQ(back.error().kind(), ErrorKind::corrupt) << member;
  }
}

TEST(JournalEntry, PhasesHaveNames) {
  EXPECT_EQ(name_of(JournalEntry::Phase::intent), "intent");
  EXPECT_EQ(name_of(JournalEntry::Phase::outcome), "outcome");
  EXPECT_EQ(name_of(JournalEntry::Phase::note), "note");
}

}  // namespace
}  // namespace lb::record
