#include "recovery/drill/evidence.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "storage/state/journal.h"
#include "storage/state/record_shelf.h"

namespace lb::drill {
namespace {

class EvidenceTest : public testing::Test {
 protected:
  record::DrillRecord record(const std::string& id) const {
    record::DrillRecord out;
    out.id = id;
    out.system = "shop";
    out.drill = "full";
    out.started = out.ended = from_micros(1'800'000'000'000'000);
    out.verdict = record::Verdict::pass;
    out.reason = "all of it";
    return out;
  }
  void hold(const std::string& id, bool with_evidence = true) {
    auto one = record(id);
    ASSERT_TRUE(state::put_drill(shelf, one).ok());
    if (!with_evidence) return;
    auto known = read_evidence(shelf).take();
    ASSERT_TRUE(put_evidence(shelf, sign_drill(seed, one, shelf.name, known)).ok());
  }
  std::vector<std::string> found(const std::string& trusted) {
    std::vector<std::string> out;
    for (const auto& each : judge_evidence(shelf, trusted).take())
      out.push_back(cat(each.good ? "good " : "BAD ", each.id, " ", each.text));
    return out;
  }
  void spoil(const std::string& kind, const std::string& id, const std::string& from,
             const std::string& to) {
    auto& bytes = shelf.held.at({kind, id});
    std::string before(text_of(bytes));
    auto text = replace_all(before, from, to);
    ASSERT_NE(text, before);
    bytes.assign(text.begin(), text.end());
  }

  state::RecordShelf shelf;
  Secret seed{ByteView(Buffer(32, 7))};
  std::string key = to_hex(signing_public_key_of(seed));
};

using Lines = std::vector<std::string>;

TEST_F(EvidenceTest, WhatWasSignedIsProvenAndWhatWasNotIsSaid) {
  hold("a0", false);
  hold("a1");
  hold("a2");
  EXPECT_EQ(found(key), (Lines{"good a0 from before the first signed one", "good a1 PASS, signed",
                               "good a2 PASS, signed"}));
  auto all = read_evidence(shelf).take();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].count, 2u);
  EXPECT_EQ(all[1].previous, "a1");
  auto statement = parse_json(all[0].statement).take();
  EXPECT_EQ(statement["system"].string(), "shop");
  hold("a3", false);
  EXPECT_EQ(found(key).back(), "BAD a3 nobody signed it");
}

TEST_F(EvidenceTest, AnotherKeyProvesNothing) {
  hold("a1");
  auto other = to_hex(signing_public_key_of(Secret{ByteView(Buffer(32, 8))}));
  EXPECT_EQ(found(other), (Lines{cat("BAD a1 signed by another key: ", key)}));
}

TEST_F(EvidenceTest, ARecordThatChangedIsNotTheOneThatWasSigned) {
  hold("a1");
  spoil("drill", "a1", "all of it", "most of it");
  EXPECT_EQ(found(key), (Lines{"BAD a1 the record of the drill is not the one that was signed"}));
}

TEST_F(EvidenceTest, AStatementThatChangedIsForged) {
  hold("a1");
  spoil("evidence", "a1", "PASS", "FAIL");
  EXPECT_EQ(found(key), (Lines{"BAD a1 the signature does not fit the statement"}));
}

TEST_F(EvidenceTest, WhatIsTakenOutOfTheMiddleShows) {
  for (const char* id : {"a1", "a2", "a3"}) hold(id);
  shelf.held.erase({"evidence", "a2"});
  shelf.held.erase({"drill", "a2"});
  EXPECT_EQ(found(key),
            (Lines{"good a1 PASS, signed", "BAD a3 the statement before it, a2, is gone"}));
}

TEST_F(EvidenceTest, ARecordThatIsGoneAndAStatementThatIsNoneAreSaid) {
  hold("a1");
  hold("a2");
  shelf.held.erase({"drill", "a1"});
  shelf.held.at({"evidence", "a2"}) = Buffer{'{'};
  auto lines = found(key);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[0].starts_with("BAD a1 the record of the drill is gone")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("BAD a2 its statement cannot be read")) << lines[1];
}

TEST_F(EvidenceTest, AKeyThatIsNoneIsRefused) {
  for (const char* text : {"", "xyz", "00"}) {
    auto seed_of_it = signing_seed(Secret{std::string_view(text)});
    ASSERT_FALSE(seed_of_it.ok());
    EXPECT_EQ(seed_of_it.error().kind(), ErrorKind::invalid);
  }
  EXPECT_TRUE(signing_seed(Secret{std::string_view(cat(std::string(64, 'a'), "\n"))}).ok());
}

}  // namespace
}  // namespace lb::drill
