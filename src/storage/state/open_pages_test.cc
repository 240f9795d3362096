// Open pages in a real repository, sealed records and all, whose store is tampered with, locked,
// or fails at every call in turn.
#include "storage/state/open_pages.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "storage/blob/fault_blob_store.h"
#include "storage/blob/memory_blob_store.h"
#include "storage/state/test_world.h"

namespace lb::state {
namespace {

// Hands every call on to the store it points at; what `locked` names cannot be removed.
class Switch final : public BlobStore {
 public:
  BlobStore* to = nullptr;
  std::set<std::string> locked;
  Status put(const std::string& key, ByteView bytes) override { return to->put(key, bytes); }
  Status flush() override { return to->flush(); }
  Result<Buffer> get(const std::string& key) override { return to->get(key); }
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override {
    return to->get_range(key, offset, size);
  }
  Result<BlobInfo> info(const std::string& key) override { return to->info(key); }
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override {
    return to->list(prefix, after);
  }
  Status remove(const std::string& key) override {
    if (locked.contains(key)) return Error(ErrorKind::denied, "locked");
    return to->remove(key);
  }
  Result<std::optional<Timestamp>> locked_until(const std::string& key) override {
    if (!locked.contains(key)) return std::optional<Timestamp>();
    return std::optional(from_micros(1));
  }
  std::string describe() const override { return "a switch"; }
};

class OpenPages : public testing::Test {
 protected:
  void SetUp() override {
    const Secret key{std::string_view("correct horse battery staple")};
    store_.to = &memory_;
    auto made = repo::init_repository(store_, *test_.clock, *test_.random, key,
                                      {.passes = 1, .memory_bytes = 8 << 10});
    ASSERT_TRUE(made.ok()) << made.error().text();
    auto opened = repo::open_repository(store_, *test_.clock, *test_.random, key);
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    repository_ = std::move(opened).take();
  }

  // Number n, made in minute n; "fire" is sealed when it is said.
  PageSet set_number(int n, bool fire_open = true) {
    PageSet out{"shop", "abc", from_micros(n * 60'000'000LL), {}, "<p>index", "# index", {}};
    out.pages = {{"loss", cat("<p>loss ", n), cat("# loss ", n), true},
                 {"fire", cat("<p>fire ", n), cat("# fire ", n), fire_open}};
    out.says = cat("0000000000000", n / 100, n / 10 % 10, n % 10);
    return out;
  }
  PageSet put(PageSet pages) {
    EXPECT_TRUE(put_pages(*repository_, pages).ok());
    EXPECT_TRUE(put_open_pages(*repository_, pages).ok());
    return pages;
  }
  PageCheck check(PageLook look, Timestamp now = from_micros(86'400'000'000)) {
    auto done = check_open_pages(*repository_, look, now);
    EXPECT_TRUE(done.ok()) << done.error().text();
    return std::move(done).take();
  }
  std::string text_at(const std::string& key) {
    auto bytes = memory_.get(key);
    return bytes.ok() ? std::string(text_of(*bytes)) : std::string();
  }
  std::vector<std::string> open_keys() {
    std::vector<std::string> out;
    for (const auto& object : memory_.list(open_pages_prefix, "").take()) out.push_back(object.key);
    return out;
  }
  void tamper(const std::string& key, const std::string& text) {
    memory_.tamper(key, Buffer(text.begin(), text.end()));
  }

  TestWorld test_;
  MemoryBlobStore memory_;
  Switch store_;
  std::unique_ptr<repo::Repository> repository_;
};

TEST_F(OpenPages, LiePlainBesideTheirIndex) {
  auto pages = put(set_number(1, false));
  const auto folder = cat("runbooks/", pages.id, "/");
  EXPECT_EQ(open_keys(), (std::vector<std::string>{folder + "INDEX.html", folder + "INDEX.md",
                                                   folder + "loss.html", folder + "loss.md"}))
      << "fire is sealed only";
  EXPECT_EQ(text_at(folder + "loss.html"), "<p>loss 1");
  auto clean = check(PageLook::reading);
  EXPECT_TRUE(clean.clean());
  EXPECT_EQ(clean.objects, 4U);
  EXPECT_EQ(presence_of(*repository_, pages).take(), Presence::whole);
  EXPECT_TRUE(put_open_pages(*repository_, pages).ok()) << "once more does no harm";
}

TEST_F(OpenPages, WhatWasChangedIsToldAndPutBack) {
  auto pages = put(set_number(1));
  const auto key = cat("runbooks/", pages.id, "/loss.html");
  tamper(key, "<p>loss 9");
  EXPECT_TRUE(check(PageLook::listing).clean()) << "a listing cannot see it";
  auto found = check(PageLook::reading);
  ASSERT_EQ(found.troubles.size(), 1U);
  EXPECT_EQ(found.troubles[0].object, key);
  EXPECT_NE(found.troubles[0].problem.find("somebody changed it"), std::string::npos);
  EXPECT_FALSE(found.mended());
  tamper(key, "<p>loss, and more");
  EXPECT_EQ(check(PageLook::listing).troubles.size(), 1U);
  EXPECT_EQ(presence_of(*repository_, pages).take(), Presence::changed);
  EXPECT_EQ(put_open_pages(*repository_, pages).error().kind(), ErrorKind::conflict);
  auto mended = check(PageLook::mending);
  EXPECT_EQ(mended.troubles.size(), 1U);
  EXPECT_TRUE(mended.mended());
  EXPECT_EQ(text_at(key), "<p>loss 1");
  EXPECT_TRUE(check(PageLook::reading).clean());
}

TEST_F(OpenPages, WhatIsLockedCannotBePutBackAndThatIsSaid) {
  auto pages = put(set_number(1));
  const auto key = cat("runbooks/", pages.id, "/loss.md");
  tamper(key, "x");
  store_.locked = {key};
  auto tried = check(PageLook::mending);
  ASSERT_EQ(tried.troubles.size(), 1U);
  EXPECT_FALSE(tried.mended());
  EXPECT_NE(tried.troubles[0].problem.find("not put back: locked"), std::string::npos);
}

TEST_F(OpenPages, LostOnesAreToldOnceTheyHadTheTimeToCome) {
  auto pages = put(set_number(1));
  const auto key = cat("runbooks/", pages.id, "/fire.md");
  ASSERT_TRUE(memory_.remove(key).ok());
  EXPECT_EQ(presence_of(*repository_, pages).take(), Presence::lacking);
  EXPECT_TRUE(check(PageLook::reading, pages.made + std::chrono::minutes(59)).clean());
  EXPECT_EQ(check(PageLook::listing).troubles.size(), 1U);
  EXPECT_EQ(check(PageLook::reading).troubles[0].problem, "is lost");
  EXPECT_TRUE(check(PageLook::mending).mended());
  EXPECT_EQ(text_at(key), "# fire 1");
  for (const auto& each : open_keys()) ASSERT_TRUE(memory_.remove(each).ok());
  EXPECT_EQ(check(PageLook::reading).troubles.size(), 6U) << "the whole folder";
  // Of an older set nothing is missed: prune removes those.
  put(set_number(2));
  EXPECT_TRUE(check(PageLook::reading).clean());
}

TEST_F(OpenPages, WhatNobodyWithAKeyPutThereIsToldAndLeftAlone) {
  auto pages = put(set_number(1));
  const std::vector<std::string> planted = {cat("runbooks/", pages.id, "/zz.html"),
                                            "runbooks/29990101-000000-0123456789abcdef/loss.html",
                                            "runbooks/loss.html"};
  for (const auto& key : planted) ASSERT_TRUE(memory_.put(key, view_of("pay them")).ok());
  for (auto look : {PageLook::listing, PageLook::reading, PageLook::mending}) {
    auto found = check(look);
    ASSERT_EQ(found.troubles.size(), planted.size());
    for (const auto& trouble : found.troubles) {
      EXPECT_NE(trouble.problem.find("ollow it"), std::string::npos) << trouble.problem;
      EXPECT_FALSE(trouble.mended);
    }
  }
  ASSERT_TRUE(prune_open_pages(*repository_).ok());
  for (const auto& key : planted) EXPECT_EQ(text_at(key), "pay them") << key;
  // A record that a stranger wrote vouches for nothing.
  const auto forged = std::string("r/runbook-pages/29990101-000000-0123456789abcdef");
  ASSERT_TRUE(memory_.put(forged, view_of("not sealed by anybody")).ok());
  EXPECT_EQ(check(PageLook::reading).troubles.size(), planted.size());
}

TEST_F(OpenPages, TheNewestFewAreKept) {
  std::vector<PageSet> sets;
  sets.reserve(8);
  for (int n = 1; n <= 8; ++n) sets.push_back(put(set_number(n)));
  store_.locked = {cat("runbooks/", sets[0].id, "/loss.md")};
  auto done = prune_open_pages(*repository_);
  ASSERT_TRUE(done.ok()) << done.error().text();
  EXPECT_EQ(done->removed, 3U * 6 - 1);
  EXPECT_EQ(done->locked, 1U);
  EXPECT_EQ(done->kept.size(), open_sets_kept * 6);
  EXPECT_TRUE(done->kept.contains(cat("runbooks/", sets[7].id, "/INDEX.html")));
  EXPECT_EQ(open_keys().size(), open_sets_kept * 6 + 1);
  EXPECT_TRUE(check(PageLook::reading).clean()) << "what is left of older sets is no trouble";
  store_.locked.clear();
  EXPECT_EQ(prune_open_pages(*repository_)->removed, 1U);
  EXPECT_EQ(prune_open_pages(*repository_)->removed, 0U);
}

TEST_F(OpenPages, WhatIsSealedNowDoesNotStayOpenInOlderSets) {
  put(set_number(1));
  auto sealed = put(set_number(2, false));
  ASSERT_TRUE(prune_open_pages(*repository_).ok());
  for (const auto& key : open_keys()) EXPECT_NE(key.find(sealed.id), std::string::npos) << key;
  auto closed = set_number(3, false);
  closed.pages[0].open = false;
  closed.index_html.clear();
  put(closed);
  EXPECT_EQ(open_keys().size(), 4U);
  ASSERT_TRUE(prune_open_pages(*repository_).ok());
  EXPECT_TRUE(open_keys().empty());
  EXPECT_TRUE(check(PageLook::reading).clean());
}

// Whatever fails, and wherever: it is said, and once more brings everything.
TEST_F(OpenPages, EveryCallOfTheStoreMayFail) {
  int number = 0;
  for (auto fault :
       {BlobFault::fail, BlobFault::full, BlobFault::timed_out_applied, BlobFault::timed_out}) {
    bool fired = true;
    for (std::uint64_t nth = 0; fired; ++nth) {
      auto pages = set_number(++number);
      FaultBlobStore faulty(memory_, {.nth = nth, .fault = fault});
      store_.to = &faulty;
      auto first = put_pages(*repository_, pages);
      if (first.ok()) first = put_open_pages(*repository_, pages);
      store_.to = &memory_;
      fired = faulty.fired();
      EXPECT_TRUE(first.ok() || fired);
      if (first.ok()) {
        EXPECT_EQ(presence_of(*repository_, pages).take(), Presence::whole);
      }
      EXPECT_TRUE(put_pages(*repository_, pages).ok());
      EXPECT_TRUE(put_open_pages(*repository_, pages).ok());
      EXPECT_EQ(presence_of(*repository_, pages).take(), Presence::whole);
      EXPECT_TRUE(check(PageLook::reading).clean());
    }
  }
  EXPECT_GT(number, 30) << "each call failed in each way";
}

}  // namespace
}  // namespace lb::state
