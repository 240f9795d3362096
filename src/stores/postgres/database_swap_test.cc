#include "stores/postgres/database_swap.h"

#include "stores/postgres/swap_testing.h"

namespace lb::pg {
namespace {

TEST_F(SwapTest, TheNewOneTakesTheNameAndAllThatBelongsToIt) {
  auto before = read_dress(*connection_, "shop").take();
  EXPECT_EQ(before.settings.size(), 3U);
  EXPECT_EQ(before.settings[0].name, "search_path");
  EXPECT_EQ(stage(), SwapStage::none);
  wish_.point = "06FQ0AAA";
  EXPECT_EQ(advance(*connection_).take().stage, SwapStage::filled);
  wish_.point = "06FQ0BBB";  // who goes on may wish for another one: it is filled already
  EXPECT_EQ(advance(*connection_).take().stage, SwapStage::verified);
  EXPECT_EQ(found(), "old 500");
  auto swapped = advance(*connection_).take();
  EXPECT_EQ(swapped.stage, SwapStage::swapped);
  EXPECT_EQ(swapped.beside, "shop_old_06fq0kz4");
  EXPECT_EQ(swapped.point, "06FQ0AAA");
  EXPECT_GT(swapped.until.value(), clock_->now() + std::chrono::hours(167));
  EXPECT_EQ(found(), "new 500");
  auto after = read_dress(*connection_, "shop").take();
  EXPECT_EQ(dress_difference(before, after), "");
  EXPECT_EQ(server_->value("SHOW search_path", "shop"), R"("$user", public, "a, ""b")");
  EXPECT_EQ(server_->value("SELECT word FROM said LIMIT 1", "shop_old_06fq0kz4"), "old");
  auto clerk = Connection::open(Secret(server_->conninfo_as("clerk", "clerk-pw", "shop"))).take();
  EXPECT_EQ(clerk->query("SHOW app.words").take().rows[0][0], R"(it's \ "two")");
  EXPECT_FALSE(
      Connection::open(Secret(server_->conninfo_as("clerk", "clerk-pw", "shop_old_06fq0kz4"))).ok())
      << "the old one takes no more sessions";
  EXPECT_EQ(advance(*connection_).take().stage, SwapStage::swapped) << "nothing is done twice";
}

TEST_F(SwapTest, UndoneTheOldOneIsBackAsItWas) {
  auto before = read_dress(*connection_, "shop").take();
  ASSERT_TRUE(finish(*connection_).ok());
  server_->sql("INSERT INTO said VALUES ('since')", "shop");
  auto undone = undo_swap(hands(*connection_), wish_, {}).take();
  EXPECT_EQ(undone.stage, SwapStage::undone);
  EXPECT_EQ(found(), "old 500");
  EXPECT_EQ(dress_difference(before, read_dress(*connection_, "shop").take()), "");
  EXPECT_EQ(server_->value("SELECT count(*) FROM said", undone.beside), "501");
  EXPECT_GT(undone.until.value(), clock_->now() + std::chrono::hours(167));
  EXPECT_EQ(undo_swap(hands(*connection_), wish_, {}).take().stage, SwapStage::undone);
  auto again = advance(*connection_);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().exit_code(), ExitCode::refused);
}

TEST_F(SwapTest, UndoBeforeTheSwapRemovesWhatWasMade) {
  server_->sql("CREATE DATABASE shop_lifeboat_06fq0kz4_unfinished");
  EXPECT_EQ(stage(), SwapStage::unfinished);
  server_->sql("CREATE DATABASE shop_unfinished");
  auto kept = kept_databases(*connection_).take();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_TRUE(kept[0].unfinished);
  EXPECT_EQ(kept[0].mark.live + " " + kept[0].mark.id, "shop 06fq0kz4");
  EXPECT_NE(reason_to_keep(kept[0], clock_->now() + std::chrono::hours(10000)), "");
  server_->sql("DROP DATABASE shop_unfinished");
  EXPECT_EQ(undo_swap(hands(*connection_), wish_, {}).take().stage, SwapStage::none);
  ASSERT_TRUE(advance(*connection_).ok());
  EXPECT_EQ(undo_swap(hands(*connection_), wish_, {}).take().stage, SwapStage::none);
  EXPECT_EQ(server_->value("SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"), "1");
}

TEST_F(SwapTest, AFailedCheckLeavesTheLiveOneAlone) {
  auto failing = acts();
  failing.verify = [](const std::string&) { return Error(ErrorKind::invalid, "balances differ"); };
  ASSERT_TRUE(advance(*connection_).ok());
  auto done = advance_swap(hands(*connection_), wish_, failing, {});
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message(), "balances differ");
  EXPECT_EQ(stage(), SwapStage::filled);
  EXPECT_EQ(found(), "old 500");
}

TEST_F(SwapTest, OtherDatabasesOfThoseNamesAreNotTouched) {
  server_->sql("CREATE DATABASE shop_old_06fq0kz4");
  auto looked = look_at_swap(*connection_, wish_);
  ASSERT_FALSE(looked.ok());
  EXPECT_EQ(looked.error().kind(), ErrorKind::conflict);
  EXPECT_FALSE(undo_swap(hands(*connection_), wish_, {}).ok());
  server_->sql("DROP DATABASE shop_old_06fq0kz4");
  server_->sql("CREATE DATABASE shop_lifeboat_06fq0kz4");
  server_->sql("COMMENT ON DATABASE shop_lifeboat_06fq0kz4 IS 'mine'");
  EXPECT_FALSE(undo_swap(hands(*connection_), wish_, {}).ok());
  EXPECT_EQ(server_->value("SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"), "2");
}

TEST_F(SwapTest, WhatWouldBeLostIsRefusedBeforehand) {
  auto refusal = [&](SwapWish wish) {
    auto checked = check_swap(*connection_, wish);
    return checked.ok() ? std::string() : checked.error().message();
  };
  EXPECT_EQ(refusal(wish_), "");
  EXPECT_NE(refusal({"postgres", "abcd", {}}), "");
  EXPECT_NE(refusal({"template1", "abcd", {}}), "");
  EXPECT_NE(refusal({"gone", "abcd", {}}), "");
  server_->sql("BEGIN; INSERT INTO said VALUES ('p'); PREPARE TRANSACTION 'two'", "shop");
  EXPECT_NE(refusal(wish_).find("prepared transactions: two"), std::string::npos);
  server_->sql("ROLLBACK PREPARED 'two'", "shop");
  server_->sql(
      "CREATE SUBSCRIPTION sub CONNECTION 'dbname=postgres' PUBLICATION p"
      " WITH (connect = false)",
      "shop");
  auto preview = check_swap(*connection_, wish_);
  ASSERT_TRUE(preview.ok());
  ASSERT_EQ(preview->notes.size(), 1U);
  EXPECT_EQ(preview->notes[0], "disabled subscription sub stays with the old database");
  server_->sql("ALTER SUBSCRIPTION sub ENABLE", "shop");
  EXPECT_NE(refusal(wish_).find("active subscriptions"), std::string::npos);
  server_->sql("ALTER SUBSCRIPTION sub DISABLE", "shop");
  server_->sql("ALTER DATABASE shop IS_TEMPLATE true");
  EXPECT_NE(refusal(wish_).find("template"), std::string::npos);
}

TEST_F(SwapTest, WeakUsersAreToldWhatTheyLack) {
  auto hint = [&] {
    auto clerk = Connection::open(Secret(server_->conninfo_as("clerk", "clerk-pw"))).take();
    auto checked = check_swap(*clerk, wish_);
    return checked.ok() ? std::string() : checked.error().hint();
  };
  EXPECT_NE(hint().find("CREATEDB"), std::string::npos);
  server_->sql("ALTER ROLE clerk CREATEDB");
  EXPECT_NE(hint().find("owns the database"), std::string::npos);
  server_->sql("GRANT keeper TO clerk");
  EXPECT_NE(hint().find("pg_signal_backend"), std::string::npos);
  server_->sql("GRANT pg_signal_backend TO clerk");
  EXPECT_EQ(hint(), "");
}

TEST_F(SwapTest, ASlotOfLogicalReplicationIsRefused) {
  server_->set("wal_level", "logical");
  connection_.reset();
  second_.reset();
  server_->restart();
  connection_ = open();
  second_ = open();
  server_->sql("SELECT pg_create_logical_replication_slot('cdc', 'test_decoding')", "shop");
  auto checked = check_swap(*connection_, wish_);
  ASSERT_FALSE(checked.ok());
  EXPECT_NE(checked.error().message().find("slots"), std::string::npos);
  EXPECT_EQ(checked.error().exit_code(), ExitCode::refused);
}

TEST_F(SwapTest, TheKeptGoWhenTheirTimeIsOverAndNoOthers) {
  ASSERT_TRUE(finish(*connection_).ok());
  server_->sql("CREATE DATABASE shop_copy");
  auto copied = server_->value(
      "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
      " WHERE datname = 'shop_old_06fq0kz4'");
  server_->sql(cat("COMMENT ON DATABASE shop_copy IS ", quote_literal(copied)));
  auto kept = kept_databases(*connection_).take();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].name, "shop_old_06fq0kz4");
  EXPECT_GT(kept[0].bytes, 1000000U);
  auto now = clock_->now();
  auto later = now + std::chrono::hours(24 * 8);
  EXPECT_NE(reason_to_keep(kept[0], now), "");
  EXPECT_EQ(reason_to_keep(kept[0], later), "");
  EXPECT_TRUE(remove_kept_databases(*connection_, now).take().removed.empty());
  {
    auto reader = open("shop_old_06fq0kz4");
    auto cleaned = remove_kept_databases(*connection_, later).take();
    EXPECT_TRUE(cleaned.removed.empty());
    EXPECT_EQ(cleaned.left.size(), 1U) << "somebody looks into it";
  }
  server_->sql("ALTER DATABASE shop RENAME TO store");
  EXPECT_TRUE(remove_kept_databases(*connection_, later).take().removed.empty())
      << "it may be the last one";
  server_->sql("ALTER DATABASE store RENAME TO shop");
  auto cleaned = remove_kept_databases(*connection_, later).take();
  EXPECT_EQ(cleaned.removed, std::vector<std::string>{"shop_old_06fq0kz4"});
  EXPECT_EQ(server_->value("SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"), "2");
}

}  // namespace
}  // namespace lb::pg
