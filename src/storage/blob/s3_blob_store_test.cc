// The S3 store against a service that behaves, and against those that do not.
#include "storage/blob/s3_blob_store.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "storage/blob/fake_s3.h"
#include "storage/blob/store_probe.h"

namespace lb {
namespace {

class S3Store : public testing::Test {
 protected:
  static S3Settings plain() {
    S3Settings out;
    out.endpoint = "https://s3.example.org";
    out.bucket = "vault";
    out.prefix = "app";
    out.credentials.access_key = "key-id";
    out.credentials.secret_key = Secret(std::string_view("sesame"));
    return out;
  }
  S3Store() { open(plain()); }
  void open(S3Settings settings) {
    settings.notice = [this](const std::string& line) { notices.push_back(line); };
    store = std::make_unique<S3BlobStore>(service, clock, *random, std::move(settings));
  }
  std::string text(const std::string& key) {
    auto got = store->get(key);
    return got.ok() ? std::string(text_of(*got)) : got.error().text();
  }

  SimClock clock{parse_time("2026-11-26T12:00:00Z").take()};
  std::unique_ptr<Random> random = seeded_random(7);
  FakeS3 service{clock};
  std::vector<std::string> notices;
  std::unique_ptr<S3BlobStore> store;
};

ErrorKind kind_of(const Status& status) {
  return status.ok() ? ErrorKind::internal : status.error().kind();
}

TEST_F(S3Store, TalksInPathOrHostStyle) {
  ASSERT_TRUE(store->put("a/b=1", view_of("x")).ok());
  EXPECT_EQ(service.urls().back(), "https://s3.example.org/vault/app/a/b%3D1");
  ASSERT_TRUE(store->list("a/").ok());
  EXPECT_EQ(service.urls().back(),
            "https://s3.example.org/vault?list-type=2&prefix=app%2Fa%2F&start-after=");
  auto settings = plain();
  settings.bucket_in_host = true;
  settings.prefix.clear();
  open(std::move(settings));
  (void)store->put("a", view_of("x"));
  EXPECT_EQ(service.urls().back(), "https://vault.s3.example.org/a");
}

// Where nothing protects the way, and for small objects everywhere, the signature speaks for the
// body; packs over TLS or without a way are not hashed for it.
TEST_F(S3Store, SignsTheBodyWhereTheWayIsOpen) {
  std::string large(2 << 20, 'x'), small(1000, 'x');
  struct Case {
    const char* endpoint;
    bool safe;
  };
  int number = 0;
  for (auto [endpoint, safe] :
       {Case{"https://s3.example.org", true}, Case{"http://127.0.0.1:7480", true},
        Case{"http://[::1]:7480", true}, Case{"http://s3.example.org", false},
        Case{"http://127.0.0.1.example.org", false}, Case{"http://localhost:7480", false},
        Case{"http://10.0.0.1:7480", false}}) {
    SCOPED_TRACE(endpoint);
    auto settings = plain();
    settings.endpoint = endpoint;
    open(std::move(settings));
    ASSERT_TRUE(store->put(cat("large", ++number), view_of(large)).ok());
    EXPECT_EQ(service.last_content(), safe ? "UNSIGNED-PAYLOAD" : to_hex(sha256(view_of(large))));
    ASSERT_TRUE(store->put(cat("small", number), view_of(small)).ok());
    EXPECT_EQ(service.last_content(), to_hex(sha256(view_of(small))));
  }
}

TEST_F(S3Store, RepeatsWhatPasses) {
  for (int status : {500, 502, 503, 504, 429}) {
    service.set_trouble({.count = 3, .status = status});
    EXPECT_TRUE(store->put(cat("k", status), view_of("x")).ok()) << status;
  }
  // Two conditional puts met: neither is refused for good, and one of them wins.
  service.set_trouble({.count = 2, .status = 409, .code = "ConditionalRequestConflict"});
  EXPECT_TRUE(store->put("k409", view_of("x")).ok());
  service.set_trouble({.method = "GET", .count = 2, .unreached = true});
  EXPECT_EQ(text("k500"), "x");
  service.set_trouble({.method = "GET", .count = 2, .lost = true});
  EXPECT_EQ(text("k500"), "x");
}

TEST_F(S3Store, KnowsItsOwnPutAfterALostAnswer) {
  service.set_trouble({.method = "PUT", .count = 1, .lost = true});
  EXPECT_TRUE(store->put("k", view_of("mine")).ok());
  EXPECT_EQ(service.asked("PUT"), 2);
  EXPECT_EQ(service.asked("HEAD"), 1) << "looked before it said whose the object is";
  EXPECT_EQ(text("k"), "mine");
}

TEST_F(S3Store, AnotherWritersObjectIsAConflictAlsoWhenItIsEqual) {
  S3BlobStore other(service, clock, *random, plain());
  ASSERT_TRUE(other.put("k", view_of("same")).ok());
  service.set_trouble({.method = "PUT", .count = 1, .unreached = true});
  EXPECT_EQ(kind_of(store->put("k", view_of("same"))), ErrorKind::conflict);
}

TEST_F(S3Store, SaysTimeoutWhenItMayHaveLandedAndUnavailableWhenNot) {
  service.set_trouble({.method = "PUT", .count = 1000, .lost = true});
  // Its first try landed and every later one is refused, all unheard.
  auto lost = store->put("k", view_of("x"));
  EXPECT_EQ(kind_of(lost), ErrorKind::timeout);
  EXPECT_EQ(lost.error().exit_code(), ExitCode::store_unreachable);
  service.set_trouble({.count = 1000, .unreached = true});
  EXPECT_EQ(kind_of(store->put("l", view_of("x"))), ErrorKind::unavailable);
}

TEST_F(S3Store, GivesUpInTimeAndAsksADeadServiceOnlyOnceThen) {
  service.set_trouble({.count = 100000, .unreached = true});
  auto start = clock.steady();
  ASSERT_FALSE(store->get("k").ok());
  EXPECT_LE(clock.steady() - start, Seconds(10)) << "the address may simply be wrong";
  service.set_trouble({});
  EXPECT_TRUE(store->list("").ok());
  service.set_trouble({.count = 100000, .unreached = true});
  start = clock.steady();
  auto down = store->get("k");
  ASSERT_FALSE(down.ok());
  auto took = clock.steady() - start;
  EXPECT_GT(took, Seconds(50));
  EXPECT_LE(took, Seconds(60));
  EXPECT_NE(down.error().text().find("s3://vault/app at https://s3.example.org does not answer"),
            std::string::npos)
      << down.error().text();
  EXPECT_FALSE(down.error().hint().empty());
  auto asked = service.asked("");
  EXPECT_FALSE(store->put("k", view_of("x")).ok());
  EXPECT_EQ(service.asked(""), asked + 1);
  service.set_trouble({});
  EXPECT_TRUE(store->put("k", view_of("x")).ok()) << "back at once";
  service.set_trouble({.count = 2, .unreached = true});
  EXPECT_EQ(text("k"), "x") << "and patient again";
}

TEST_F(S3Store, AsksForTheEndOfAnObjectOnce) {
  std::string big(300'000, 'x');
  big += "the end";
  ASSERT_TRUE(store->put("big", view_of(big)).ok());
  auto before = service.asked("");
  EXPECT_EQ(text_of(store->get_tail("big", 7).take()), "the end");
  EXPECT_EQ(service.asked(""), before + 1);
  for (auto flaw : {S3Flaw::no_end_ranges, S3Flaw::short_ranges, S3Flaw::shifted_ranges}) {
    service.set_flaw(flaw);
    auto end = store->get_tail("big", 7);
    // Never other bytes: the size is asked and then the range, which tells a lie by itself.
    EXPECT_EQ(end.ok(), flaw == S3Flaw::no_end_ranges) << static_cast<int>(flaw);
    if (end.ok()) {
      EXPECT_EQ(text_of(*end), "the end");
    }
  }
}

TEST_F(S3Store, AStopEndsTheWaiting) {
  std::stop_source stop;
  auto settings = plain();
  settings.stop = stop.get_token();
  open(std::move(settings));
  service.set_trouble({.count = 1000, .unreached = true});
  stop.request_stop();
  EXPECT_EQ(kind_of(store->get("k").status()), ErrorKind::cancelled);
}

TEST_F(S3Store, FollowsTheStoresClockAndSaysSoOnce) {
  service.set_flaw(S3Flaw::skewed);
  EXPECT_TRUE(store->put("k", view_of("x")).ok());
  EXPECT_EQ(text("k"), "x");
  EXPECT_TRUE(store->info("k").ok());
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_NE(notices[0].find("40 min"), std::string::npos) << notices[0];
  EXPECT_NE(notices[0].find("behind"), std::string::npos) << notices[0];
  EXPECT_EQ(store->skew(), Seconds(2400));
}

TEST_F(S3Store, FollowsTheStoresClockAlsoWhenOnlyAHeadIsRefused) {
  service.set_flaw(S3Flaw::skewed);
  EXPECT_EQ(kind_of(store->info("nope").status()), ErrorKind::not_found);
  EXPECT_EQ(notices.size(), 1u);
}

TEST_F(S3Store, ExplainsRefusals) {
  struct Case {
    int status;
    const char *code, *message;
    ErrorKind kind;
    ExitCode exit;
    const char *text, *hint;
  };
  const Case cases[] = {
      {404, "NoSuchBucket", "", ErrorKind::not_found, ExitCode::no_repository, "no such bucket",
       "make the bucket"},
      {403, "InvalidAccessKeyId", "", ErrorKind::denied, ExitCode::store_unreachable, "access key",
       "AWS_ACCESS_KEY_ID"},
      {403, "SignatureDoesNotMatch", "", ErrorKind::denied, ExitCode::store_unreachable,
       "secret key", "one pair"},
      {403, "AccessDenied", "no", ErrorKind::denied, ExitCode::failed, "not allowed",
       "s3:PutObject"},
      {301, "PermanentRedirect", "", ErrorKind::invalid, ExitCode::store_unreachable,
       "not in region", "region"},
      {400, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong; expecting 'eu-9'",
       ErrorKind::invalid, ExitCode::store_unreachable, "but in eu-9", "set s3: {region: eu-9}"},
      {403, "QuotaExceeded", "", ErrorKind::exhausted, ExitCode::no_space, "quota", "raise"},
      {418, "Odd", "tea", ErrorKind::unavailable, ExitCode::store_unreachable, "HTTP 418 Odd, tea",
       "endpoint"},
  };
  for (const auto& one : cases) {
    service.refuse(one.status, one.code, one.message);
    auto put = store->put("k", view_of("x"));
    ASSERT_FALSE(put.ok()) << one.code;
    EXPECT_EQ(put.error().kind(), one.kind) << one.code;
    EXPECT_EQ(put.error().exit_code(), one.exit) << one.code;
    EXPECT_NE(put.error().text().find(one.text), std::string::npos) << put.error().text();
    EXPECT_NE(put.error().hint().find(one.hint), std::string::npos) << put.error().hint();
    EXPECT_EQ(put.error().text().find("sesame"), std::string::npos);
    EXPECT_FALSE(store->get("k").ok());
    EXPECT_FALSE(store->info("k").ok());
    EXPECT_FALSE(store->list("").ok());
  }
}

TEST_F(S3Store, DoesNotBelieveBadLists) {
  for (const char* key : {"a/1", "a/2", "b"}) ASSERT_TRUE(store->put(key, view_of("x")).ok());
  S3BlobStore other(service, clock, *random, [] {
    auto settings = plain();
    settings.prefix = "another";
    return settings;
  }());
  ASSERT_TRUE(other.put("c", view_of("x")).ok());
  ASSERT_EQ(store->list("")->size(), 3u);
  for (auto flaw : {S3Flaw::unsorted_lists, S3Flaw::endless_lists, S3Flaw::foreign_lists,
                    S3Flaw::broken_xml, S3Flaw::page_for_list}) {
    service.set_flaw(flaw);
    EXPECT_EQ(kind_of(store->list("").status()), ErrorKind::corrupt) << static_cast<int>(flaw);
  }
}

TEST_F(S3Store, ReadsListsOfManyPages) {
  service.page_keys = 7;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(store->put(cat("n/", 100 + i), view_of("x")).ok());
  }
  EXPECT_EQ(store->list("n/")->size(), 50u);
  EXPECT_EQ(store->list("n/", "n/139")->size(), 10u);
}

TEST_F(S3Store, DoesNotBelieveBadRanges) {
  ASSERT_TRUE(store->put("k", view_of("0123456789")).ok());
  EXPECT_EQ(text_of(store->get_range("k", 3, 4).take()), "3456");
  for (auto flaw : {S3Flaw::shifted_ranges, S3Flaw::short_ranges}) {
    service.set_flaw(flaw);
    EXPECT_EQ(kind_of(store->get_range("k", 3, 4).status()), ErrorKind::corrupt);
  }
  service.set_flaw(S3Flaw::ignores_ranges);
  EXPECT_FALSE(store->get_range("k", 3, 4).ok());
}

TEST_F(S3Store, SelfTestTellsGoodServicesFromBad) {
  EXPECT_TRUE(probe_store(*store, clock, *random).ok());
  for (auto flaw : {S3Flaw::overwrites, S3Flaw::no_conditions, S3Flaw::shifted_ranges,
                    S3Flaw::short_ranges, S3Flaw::ignores_ranges}) {
    service.set_flaw(flaw);
    auto tested = probe_store(*store, clock, *random);
    ASSERT_FALSE(tested.ok()) << static_cast<int>(flaw);
    EXPECT_EQ(tested.error().kind(), ErrorKind::unsupported) << tested.error().text();
    EXPECT_FALSE(tested.error().hint().empty());
  }
  service.set_flaw(S3Flaw::none);
  EXPECT_TRUE(store->list("")->empty()) << "no probe is left";
}

TEST_F(S3Store, LocksWhatIsImmutable) {
  auto settings = plain();
  settings.immutable = Seconds(3600);
  open(std::move(settings));
  ASSERT_TRUE(store->put("k", view_of("x")).ok());
  EXPECT_EQ(format_time(*store->retained_until("k").take()), "2026-11-26T13:00:00Z");
  EXPECT_EQ(kind_of(store->remove("k")), ErrorKind::denied);
  auto later = clock.now() + Seconds(7200);
  ASSERT_TRUE(store->retain("k", later).ok());
  EXPECT_EQ(*store->retained_until("k").take(), later);
  ASSERT_TRUE(store->retain("k", clock.now()).ok()) << "never shortened";
  EXPECT_EQ(*store->retained_until("k").take(), later);
  EXPECT_EQ(kind_of(store->retain("nope", later)), ErrorKind::not_found);
  clock.advance(Seconds(7201));
  EXPECT_TRUE(store->remove("k").ok());
  EXPECT_TRUE(store->remove("k").ok()) << "missing is ok";
  EXPECT_TRUE(probe_store(*store, clock, *random).ok());
  EXPECT_TRUE(store->list("")->empty()) << "a probe is not locked";
}

TEST_F(S3Store, ALegalHoldIsALockThatIsLookedAtAgain) {
  auto settings = plain();
  settings.immutable = Seconds(10);
  open(std::move(settings));
  ASSERT_TRUE(store->put("k", view_of("x")).ok());
  clock.advance(Seconds(60));
  EXPECT_FALSE(store->locked_until("k").take().has_value());
  service.hold("app/k");
  auto until = store->locked_until("k").take();
  ASSERT_TRUE(until.has_value());
  EXPECT_LE(*until, clock.now() + Seconds(90'000));
  EXPECT_EQ(kind_of(store->remove("k")), ErrorKind::denied);
  service.hold("");
  EXPECT_TRUE(store->remove("k").ok());
}

TEST_F(S3Store, ProvesTheLockByARefusedDelete) {
  auto settings = plain();
  settings.immutable = Seconds(3600);
  open(std::move(settings));
  auto proven = store->prove_lock();
  EXPECT_TRUE(proven.ok()) << proven.error().text();
  for (auto flaw : {S3Flaw::ignores_locks, S3Flaw::forgets_locks, S3Flaw::shortens_locks}) {
    service.set_flaw(flaw);
    EXPECT_EQ(kind_of(store->prove_lock()), ErrorKind::unsupported) << static_cast<int>(flaw);
  }
  service.set_flaw(S3Flaw::none);
  EXPECT_TRUE(store->list("")->empty()) << "no probe is left";
}

TEST(S3Address, IsParsedOnce) {
  auto good = parse_s3_address("s3://my.bucket/a/b c/");
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good->bucket, "my.bucket");
  EXPECT_EQ(good->prefix, "a/b c");
  EXPECT_EQ(parse_s3_address("s3://bucket")->prefix, "");
  for (const char* text : {"", "s3:/x", "s3://", "s3://ab", "s3://a b c", "s3://bucket/../x",
                           "s3://bucket/a//b", "gs://bucket", "s3://bucket/a\nb", "s3://b@d/x"}) {
    EXPECT_FALSE(parse_s3_address(text).ok()) << text;
  }
}

TEST(S3Endpoint, IsParsedOnce) {
  EXPECT_EQ(parse_s3_endpoint("s3.example.org").take(), "https://s3.example.org");
  EXPECT_EQ(parse_s3_endpoint("HTTP://127.0.0.1:7480/").take(), "http://127.0.0.1:7480");
  for (const char* text :
       {"", "https://", "ftp://x", "https://x/path", "https://u:p@x", "a b", "https://x?y"}) {
    EXPECT_FALSE(parse_s3_endpoint(text).ok()) << text;
  }
}

}  // namespace
}  // namespace lb
