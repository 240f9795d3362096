#include "stores/postgres/swap_mark.h"

#include <gtest/gtest.h>

namespace lb::pg {
namespace {

const Timestamp noon = parse_time("2026-01-13T12:00:00Z").take();

SwapMark old_mark() {
  SwapMark mark;
  mark.id = "06FQ0KZ4";
  mark.live = "shop";
  mark.role = SwapMark::Role::old;
  mark.since = noon;
  mark.until = noon + std::chrono::hours(24 * 7);
  mark.point = "06FQ0AAA";
  mark.as_of = noon - Seconds(1);
  mark.comment = "the shop's own words\nlifeboat.swap/1 {\"role\":\"old\"}";
  mark.connections_max = 40;
  return mark;
}

TEST(SwapMark, ComesBackAsItWasWritten) {
  auto text = write_swap_mark(old_mark());
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "shop as it was before run 06FQ0KZ4 of lifeboat, kept until 2026-01-20T12:00:00Z");
  auto read = read_swap_mark(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, "06FQ0KZ4");
  EXPECT_EQ(read->live, "shop");
  EXPECT_EQ(read->role, SwapMark::Role::old);
  EXPECT_EQ(read->since, noon);
  EXPECT_EQ(read->until, old_mark().until);
  EXPECT_EQ(read->comment, old_mark().comment);
  EXPECT_EQ(read->connections_max, 40);
  EXPECT_EQ(read->point, "06FQ0AAA");
  EXPECT_EQ(read->as_of, noon - Seconds(1));
  auto fresh = old_mark();
  fresh.role = SwapMark::Role::verified;
  fresh.until.reset();
  read = read_swap_mark(write_swap_mark(fresh));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->role, SwapMark::Role::verified);
  EXPECT_FALSE(read->until);
}

TEST(SwapMark, OnlyAWholeOneIsOne) {
  auto text = write_swap_mark(old_mark());
  EXPECT_FALSE(read_swap_mark(""));
  EXPECT_FALSE(read_swap_mark("the orders of the shop"));
  EXPECT_FALSE(read_swap_mark(text + " and more"));
  EXPECT_FALSE(read_swap_mark(text.substr(0, text.size() - 2)));
  EXPECT_FALSE(read_swap_mark(text.substr(text.find('\n') + 1))) << "the words are gone";
  for (const char* member : {"\"role\":\"old\"", "\"until\":", "\"since\":", "\"live\":\"shop\"",
                             "\"id\":\"06FQ0KZ4\""}) {
    auto broken = text;
    auto at = broken.rfind(member);
    ASSERT_NE(at, std::string::npos) << member;
    broken.replace(at + 1, 2, "xx");
    EXPECT_FALSE(read_swap_mark(broken)) << member;
  }
}

TEST(SwapMark, NamesFitAndTellTheirKind) {
  SwapWish wish{"shop", "06FQ0KZ4", {}};
  EXPECT_EQ(swap_new_name(wish), "shop_lifeboat_06fq0kz4");
  EXPECT_EQ(swap_unfinished_name(wish), "shop_lifeboat_06fq0kz4_unfinished");
  EXPECT_EQ(swap_old_name(wish), "shop_old_06fq0kz4");
  wish = {std::string(60, 'x') + "é", std::string(26, 'A'), {}};
  EXPECT_TRUE(check_swap_wish(wish).ok());
  EXPECT_EQ(swap_unfinished_name(wish).size(), 63U);
  EXPECT_EQ(swap_old_name(wish).size(), 63U);
  auto mark = old_mark();
  EXPECT_EQ(name_of_marked(mark), "shop_old_06fq0kz4");
  mark.role = SwapMark::Role::undone;
  EXPECT_EQ(name_of_marked(mark), "shop_lifeboat_06fq0kz4");
}

TEST(SwapMark, WhatCannotNameASwapIsRefused) {
  auto fits = [](const SwapWish& wish) { return check_swap_wish(wish).ok(); };
  EXPECT_TRUE(fits({"Kunden \"1\"", "abcd", {}}));
  EXPECT_FALSE(fits({"", "abcd", {}}));
  EXPECT_FALSE(fits({std::string(64, 'x'), "abcd", {}}));
  EXPECT_FALSE(fits({"bad\xff", "abcd", {}}));
  EXPECT_FALSE(fits({"shop", "abc", {}}));
  EXPECT_FALSE(fits({"shop", "ab-cd", {}}));
  EXPECT_FALSE(fits({"shop", std::string(27, 'a'), {}}));
  EXPECT_FALSE(fits({"shop", "abcd", Micros(-1)}));
}

}  // namespace
}  // namespace lb::pg
