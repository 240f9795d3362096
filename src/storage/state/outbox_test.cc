#include "storage/state/outbox.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "foundation/base/text.h"
#include "storage/state/test_world.h"

namespace lb::state {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr auto lease = Micros(Seconds(60));
const Timestamp start = from_micros(1'768'269'600'000'000);

struct Bench {
  TestWorld test;
  SimClock clock{start};
  World world{clock, *test.random, *test.files, test.http, test.processes, test.sandboxes};
  std::unique_ptr<Journal> journal = open_journal();
  std::unique_ptr<Outbox> outbox = open();

  std::unique_ptr<Journal> open_journal() {
    auto out = Journal::open(world, test.path);
    EXPECT_TRUE(out.ok());
    return std::move(out).take();
  }
  std::unique_ptr<Outbox> open() {
    auto out = Outbox::open(world, *journal, test.path);
    if (!out.ok()) ADD_FAILURE() << out.error().text();
    return std::move(out).take();
  }
};

OutboxItem item(const std::string& key, const std::string& to, Timestamp next = start) {
  OutboxItem out;
  out.key = key;
  out.to = to;
  out.next = next;
  out.expires = next + hours(1);
  out.letter = Json::object().set("text", cat("hello ", to));
  out.progress = Json::array();
  return out;
}

std::string claimed(Outbox& outbox) {
  auto got = outbox.claim(lease);
  if (!got.ok()) return got.error().text();
  return *got ? cat((*got)->key, "/", (*got)->to) : "none";
}

TEST(Outbox, KnowsWhichOneItIs) {
  Bench one, two;
  const auto id = one.outbox->identity().take();
  EXPECT_EQ(id.size(), 26U);
  EXPECT_EQ(one.open()->identity().take(), id) << "however often it is opened";
  EXPECT_NE(two.outbox->identity().take(), id);
}

TEST(Outbox, AKeyIsStoredOnceForEachPerson) {
  Bench bench;
  EXPECT_EQ(bench.outbox->put({item("k", "ada"), item("k", "bob"), item("k", "ada")}).take().size(),
            2U);
  EXPECT_EQ(bench.outbox->put({item("k", "ada"), item("k", "cto")}).take().size(), 1U);
  auto second = bench.open();
  EXPECT_TRUE(second->put({item("k", "bob")}).take().empty());
  auto all = second->items(10).take();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2].to, "cto");
  EXPECT_EQ(all[0].letter["text"].string(), "hello ada");
  EXPECT_EQ(all[0].made, start);
  EXPECT_EQ(second->items(1).take().at(0).to, "cto");
}

TEST(Outbox, ARowIsWorkedOnByOneUntilItsLeaseEnds) {
  Bench bench;
  auto second = bench.open();
  ASSERT_TRUE(bench.outbox->put({item("k", "ada"), item("later", "ada", start + minutes(5))}).ok());
  auto got = bench.outbox->claim(lease).take();
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->key, "k");
  EXPECT_FALSE(got->clock_went_back);
  EXPECT_EQ(claimed(*second), "none");
  EXPECT_EQ(second->next_due().take(), start + lease);
  bench.clock.advance(lease);
  EXPECT_EQ(claimed(*second), "k/ada");
  // The first was too slow: what failed is not written over what the other does.
  got->note = "HTTP 500";
  EXPECT_EQ(bench.outbox->settle(*got).error().kind(), ErrorKind::conflict);
  // That it arrived is.
  got->state = OutboxItem::State::delivered;
  EXPECT_TRUE(bench.outbox->settle(*got).ok());
  EXPECT_EQ(bench.outbox->settle(*got).error().kind(), ErrorKind::conflict);
  EXPECT_EQ(claimed(*second), "none");
  EXPECT_EQ(bench.outbox->waiting().take(), 1U);
  bench.clock.advance(minutes(5));
  EXPECT_EQ(claimed(*second), "later/ada");
}

TEST(Outbox, WhatIsSettledComesBackWhenItIsDue) {
  Bench bench;
  ASSERT_TRUE(bench.outbox->put({item("k", "ada")}).ok());
  auto got = bench.outbox->claim(lease).take();
  got->next = start + minutes(2);
  got->progress.push(Json::object().set("tries", 1));
  got->note = "HTTP 500";
  ASSERT_TRUE(bench.outbox->settle(*got, {item("about", "bob")}).ok());
  EXPECT_EQ(claimed(*bench.outbox), "about/bob");
  EXPECT_EQ(claimed(*bench.outbox), "none");
  bench.clock.advance(minutes(2));
  auto again = bench.outbox->claim(lease).take();
  // The lease of the other has ended too; the one that is longer due comes first.
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->key, "about");
  again = bench.outbox->claim(lease).take();
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->key, "k");
  EXPECT_EQ(again->progress.items().at(0)["tries"].integer(), 1);
  EXPECT_EQ(again->note, "HTTP 500");
}

// A settle that fails must not leave the alert about it behind, nor the other way round.
TEST(Outbox, SettlingAndWhatFollowsAreOneAct) {
  Bench bench;
  ASSERT_TRUE(bench.outbox->put({item("k", "ada")}).ok());
  auto got = bench.outbox->claim(lease).take();
  got->lease = "another";
  EXPECT_FALSE(bench.outbox->settle(*got, {item("about", "bob")}).ok());
  EXPECT_EQ(bench.outbox->items(10).take().size(), 1U);
}

TEST(Outbox, AClockThatGoesBackMakesEveryRowDueOnce) {
  Bench bench;
  bench.clock.set_wall(start + hours(24 * 365));
  const auto then = bench.clock.now();
  ASSERT_TRUE(bench.outbox->put({item("k", "ada", then), item("l", "ada", then + hours(1))}).ok());
  auto leased = bench.outbox->claim(lease).take();
  ASSERT_TRUE(leased.has_value());
  bench.clock.set_wall(start);
  EXPECT_EQ(bench.outbox->next_due().take(), start);
  for (int i = 0; i < 2; ++i) {  // the lease from the future holds nobody up either
    auto got = bench.outbox->claim(lease).take();
    ASSERT_TRUE(got.has_value());
    EXPECT_TRUE(got->clock_went_back);
    got->next = start + minutes(1);
    ASSERT_TRUE(bench.outbox->settle(*got).ok());
  }
  EXPECT_EQ(claimed(*bench.outbox), "none");
  bench.clock.set_wall(start + hours(24 * 365));
  auto got = bench.outbox->claim(lease).take();
  ASSERT_TRUE(got.has_value());
  EXPECT_FALSE(got->clock_went_back);
}

TEST(Outbox, TwoProcessesGetEachRowOnce) {
  Bench bench;
  std::vector<OutboxItem> many;
  for (int i = 0; i < 60; ++i) many.push_back(item(cat("k", i), "ada"));
  ASSERT_TRUE(bench.outbox->put(many).ok());
  std::set<std::string> seen[2];
  {
    std::jthread workers[2];
    for (int w = 0; w < 2; ++w) {
      workers[w] = std::jthread([&, w] {
        auto own = bench.open();
        for (;;) {
          auto got = own->claim(lease);
          ASSERT_TRUE(got.ok()) << got.error().text();
          if (!*got) return;
          seen[w].insert((*got)->key);
          (*got)->state = OutboxItem::State::delivered;
          ASSERT_TRUE(own->settle(**got).ok());
        }
      });
    }
  }
  EXPECT_EQ(seen[0].size() + seen[1].size(), 60U);
  for (const auto& key : seen[0]) EXPECT_FALSE(seen[1].contains(key));
}

TEST(Outbox, TheLeaseOfAKilledProcessEndsWithIt) {
  Bench bench;
  ASSERT_TRUE(bench.outbox->put({item("k", "ada")}).ok());
  bench.outbox.reset();  // no connection is carried through the fork
  bench.journal.reset();
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto journal = Journal::open(bench.world, bench.test.path).take();
    auto own = Outbox::open(bench.world, *journal, bench.test.path).take();
    auto got = own->claim(lease).take();
    if (!got) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  bench.journal = bench.open_journal();
  bench.outbox = bench.open();
  EXPECT_EQ(claimed(*bench.outbox), "k/ada");  // no time has passed
}

TEST(Outbox, ADamagedFileIsSetAsideAndTheJournalSaysSo) {
  Bench bench;
  bench.outbox.reset();
  bench.journal.reset();
  ASSERT_TRUE(write_durably(*bench.test.files, bench.test.path, view_of("no database")).ok());
  for (const char* rest : {"-wal", "-shm"})
    (void)bench.test.files->remove(bench.test.path + rest).ok();
  bench.journal = bench.open_journal();
  bench.outbox = bench.open();
  EXPECT_TRUE(bench.outbox->put({item("k", "ada")}).ok());
  auto entries = bench.journal->entries(10).take();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_NE(entries[0].text.find("messages that were not delivered yet"), std::string::npos);
}

Draft draft(const std::string& key) {
  Draft out;
  out.key = key;
  out.body = Json::object().set("text", "first");
  return out;
}

TEST(Drafts, AreSentOnceAndOnlyAsApproved) {
  Bench bench;
  auto& box = *bench.outbox;
  const auto id = box.put_draft(draft("k")).take().id;
  EXPECT_EQ(box.put_draft(draft("k")).take().id, id);
  EXPECT_EQ(box.send_draft(id, "h1", {item("k", "ada")}).error().kind(), ErrorKind::conflict);
  ASSERT_TRUE(box.approve_draft(id, "h1", "lead").ok());
  EXPECT_EQ(box.approve_draft(id, "h1", "lead").error().kind(), ErrorKind::conflict);
  EXPECT_EQ(box.send_draft(id, "h2", {item("k", "ada")}).error().text(),
            cat("draft ", id, " is not sent: it is approved with another text"));
  ASSERT_TRUE(box.rewrite_draft(id, Json::object().set("text", "second")).ok());
  EXPECT_EQ(box.draft(id).take().approved_by, "");
  EXPECT_FALSE(box.send_draft(id, "h1", {item("k", "ada")}).ok());  // the approval is void
  EXPECT_TRUE(box.items(10).take().empty());
  ASSERT_TRUE(box.approve_draft(id, "h2", "lead").ok());
  EXPECT_EQ(box.send_draft(id, "h2", {item("k", "ada"), item("k", "bob")}).take().size(), 2U);
  EXPECT_FALSE(box.send_draft(id, "h2", {item("k", "ada")}).ok());
  EXPECT_FALSE(box.rewrite_draft(id, Json::object()).ok());
  EXPECT_FALSE(box.drop_draft(id).ok());
  auto kept = box.drafts(5).take();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(name_of(kept[0].state), "sent");
  EXPECT_EQ(kept[0].body["text"].string(), "second");
  EXPECT_EQ(kept[0].approved_by, "lead");
}

TEST(Drafts, DroppedOnesAreNeverSent) {
  Bench bench;
  auto& box = *bench.outbox;
  const auto id = box.put_draft(draft("k")).take().id;
  ASSERT_TRUE(box.approve_draft(id, "h", "lead").ok());
  ASSERT_TRUE(box.drop_draft(id).ok());
  EXPECT_FALSE(box.send_draft(id, "h", {item("k", "ada")}).ok());
  EXPECT_EQ(box.draft("nothing").error().kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace lb::state
