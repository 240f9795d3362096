#include "operations/notify/delivery.h"

#include "operations/notify/notify_testing.h"

namespace lb::notify {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const Timestamp start = from_micros(1'768'269'600'000'000);
const Timestamp far = start + hours(1000);

Sent sent(Sent::How how, const std::string& text = "HTTP 500") {
  Sent out;
  out.how = how;
  out.text = text;
  return out;
}

Progress fresh(const std::vector<std::string>& channels) { return fitted({}, channels); }

TEST(Delivery, TheSecondChannelIsTriedAtOnce) {
  auto first = after_attempt(fresh({"ops", "mail"}), 0, sent(Sent::How::again), start, far, 1.0);
  EXPECT_EQ(first.state, After::State::waiting);
  EXPECT_EQ(first.next, start);
  EXPECT_EQ(choose(first.progress, start, false).route, 1U);
  auto second = after_attempt(first.progress, 1, sent(Sent::How::again), start, far, 1.0);
  EXPECT_EQ(second.next, start + Seconds(5));
  EXPECT_FALSE(choose(second.progress, start + Seconds(4), false).route.has_value());
  EXPECT_EQ(choose(second.progress, start + Seconds(4), false).next, start + Seconds(5));
  EXPECT_EQ(choose(second.progress, start + Seconds(5), false).route, 0U);
  auto done = after_attempt(second.progress, 0, sent(Sent::How::delivered, "ok"), start, far, 1.0);
  EXPECT_EQ(done.state, After::State::delivered);
  EXPECT_EQ(what_was_tried(done.progress), "ops: ok (2 times); mail: HTTP 500 (once)");
}

TEST(Delivery, WaitsGrowUpToTenMinutes) {
  auto progress = fresh({"ops"});
  Timestamp now = start;
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 10; ++i) {
    auto after = after_attempt(progress, 0, sent(Sent::How::again), now, far, 1.0);
    ASSERT_EQ(after.state, After::State::waiting);
    waits.push_back(std::chrono::floor<Seconds>(after.next - now).count());
    now = after.next;
    progress = after.progress;
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{5, 10, 20, 40, 80, 160, 320, 600, 600, 600}));
  EXPECT_EQ(after_attempt(fresh({"ops"}), 0, sent(Sent::How::again), start, far, 0.0).next,
            start + Micros(2'500'000));
}

TEST(Delivery, RetryAfterIsObeyed) {
  auto busy = sent(Sent::How::again, "HTTP 429");
  busy.retry_after = Micros(minutes(3));
  auto after = after_attempt(fresh({"ops"}), 0, busy, start, far, 1.0);
  EXPECT_EQ(after.next, start + minutes(3));
  busy.retry_after = Micros(Seconds(1));  // our own wait is the longer one
  EXPECT_EQ(after_attempt(fresh({"ops"}), 0, busy, start, far, 1.0).next, start + Seconds(5));
}

TEST(Delivery, WhenEveryChannelRefusesItHasFailed) {
  auto first = after_attempt(fresh({"ops", "mail"}), 0, sent(Sent::How::refused), start, far, 1.0);
  EXPECT_EQ(first.state, After::State::waiting);
  EXPECT_EQ(choose(first.progress, start + hours(5), false).route, 1U);
  auto second = after_attempt(first.progress, 1, sent(Sent::How::refused), start, far, 1.0);
  EXPECT_EQ(second.state, After::State::undelivered);
  EXPECT_FALSE(choose(second.progress, far, true).route.has_value());
}

TEST(Delivery, TheTimeIsOverOnlyAfterAFailedAttemptByEachChannel) {
  const auto late = start + hours(24 * 365);  // the clock jumped
  auto first = after_attempt(fresh({"ops", "mail"}), 0, sent(Sent::How::again), late, start, 1.0);
  EXPECT_EQ(first.state, After::State::waiting);
  EXPECT_EQ(first.next, late);
  EXPECT_EQ(after_attempt(first.progress, 1, sent(Sent::How::again), late, start, 1.0).state,
            After::State::undelivered);
  EXPECT_EQ(after_attempt(first.progress, 1, sent(Sent::How::delivered), late, start, 1.0).state,
            After::State::delivered);
}

TEST(Delivery, AClockThatWentBackMakesNobodyWait) {
  auto after =
      after_attempt(fresh({"ops"}), 0, sent(Sent::How::again), start + hours(9999), far, 1);
  EXPECT_FALSE(choose(after.progress, start, false).route.has_value());
  EXPECT_EQ(choose(after.progress, start, true).route, 0U);
}

// Whatever the clock does, a message is not sent without end.
TEST(Delivery, TriesHaveABound) {
  auto progress = fresh({"ops"});
  int tries = 0;
  for (; tries < 1000; ++tries) {
    auto after = after_attempt(progress, 0, sent(Sent::How::again), start, far, 1.0);
    progress = after.progress;
    if (after.state == After::State::undelivered) break;
  }
  EXPECT_EQ(tries, 99);
}

TEST(Delivery, ProgressIsKeptByTheNameOfTheChannel) {
  auto after = after_attempt(fresh({"ops", "mail"}), 0, sent(Sent::How::refused), start, far, 1.0);
  auto read = decode_progress(parse_json(encode(after.progress).dump()).take()).take();
  EXPECT_EQ(encode(read).dump(), encode(after.progress).dump());
  auto changed = fitted(read, {"duty", "mail", "ops"});
  EXPECT_EQ(choose(changed, start, false).route, 0U);
  EXPECT_TRUE(changed.routes[2].refused);
  EXPECT_FALSE(decode_progress(parse_json(R"([{"tries":1}])").take()).ok());
  EXPECT_FALSE(decode_progress(parse_json(R"([{"channel":"a","tries":-1}])").take()).ok());
}

TEST(Letters, AreReadBackAsTheyWere) {
  auto one = letter("k");
  one.severity = Severity::critical;
  one.event = Event::resolve;
  one.tried = {"ada", "bob"};
  one.limit = Micros(minutes(7));
  one.run = "0run";
  one.about = "incident/7";
  auto read = decode_letter(parse_json(encode(one).dump()).take()).take();
  EXPECT_EQ(encode(read).dump(), encode(one).dump());
  auto wrong = encode(one);
  wrong.set("severity", "loud");
  EXPECT_EQ(decode_letter(wrong).error().kind(), ErrorKind::corrupt);
  EXPECT_NE(message_id(one, "ada"), message_id(one, "bob"));
  EXPECT_EQ(message_id(one, "ada"), message_id(read, "ada"));
  EXPECT_EQ(message_id(one, "ada").size(), 32U);
}

}  // namespace
}  // namespace lb::notify
