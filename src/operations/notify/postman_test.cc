#include "operations/notify/postman.h"

#include <sys/wait.h>
#include <unistd.h>

#include <mutex>
#include <thread>

#include "foundation/sys/test_server.h"
#include "operations/notify/notify_testing.h"
#include "tests/harness/lifeboat_run.h"

namespace lb::notify {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const Timestamp start = from_micros(1'768'269'600'000'000);
constexpr const char* fine = "HTTP/1.1 200 OK\r\n\r\n";
constexpr const char* broken = "HTTP/1.1 500 Oops\r\n\r\nno";
constexpr const char* never = "HTTP/1.1 403 No\r\n\r\nno";

// People with a hook each, "/NAME" of one server; the clock is the test's.
struct Bench {
  explicit Bench(const std::string& plan_text, std::function<std::string(std::string)> answer)
      : server([this, answer = std::move(answer)](const std::string& request) {
          const std::lock_guard lock(mutex);
          auto name = request.substr(6, request.find(' ', 6) - 6);
          requests.push_back(request);
          names.push_back(name.substr(0, name.find('?')));
          return answer(names.back());
        }),
        plan(plan_of(plan_text)) {}

  std::map<std::string, std::string> environment() const {
    std::map<std::string, std::string> out;
    for (const char* name : {"ada", "bob", "cto", "spare"})
      out[name] = server.url(cat("/", name, "?token=T0K3N-", name));
    return out;
  }
  Posted post(const Letter& what, const std::vector<std::string>& to) {
    auto out = postman.post(what, to);
    if (!out.ok()) ADD_FAILURE() << out.error().text();
    return out.ok() ? *out : Posted{};
  }
  std::string carried(Result<Carried> result) {
    if (!result.ok()) return result.error().text();
    return cat(result->delivered, " delivered, ", result->failed, " failed, ", result->undelivered,
               " undelivered");
  }
  std::string states() {
    std::string out;
    auto items = outbox->items(100).take();
    for (const auto& item : items)
      out += cat(out.empty() ? "" : " ", item.to, ":", name_of(item.state));
    return out;
  }
  std::string called() {
    const std::lock_guard lock(mutex);
    return join(names, " ");
  }

  std::mutex mutex;
  std::vector<std::string> requests, names;
  RealWorld real;
  SimClock clock{start};
  World world{clock, *real.random, *real.files, *real.http, *real.processes, real.sandboxes};
  std::string path = real.folder / "state/journal.sqlite";
  std::unique_ptr<state::Journal> journal = state::Journal::open(world, path).take();
  std::unique_ptr<state::Outbox> outbox = state::Outbox::open(world, *journal, path).take();
  TestServer server;
  plan::Plan plan;
  References references{world, environment(), "/"};
  Postman postman{world, plan, references, *journal, *outbox};
};

const std::string hooks = R"(channels:
  ada:   {webhook: env:ada, limit: 2s}
  bob:   {webhook: env:bob, limit: 2s}
  cto:   {webhook: env:cto, limit: 2s}
  spare: {webhook: env:spare, limit: 2s}
)";

TEST(Postman, TellsEachPersonOnceForEachChange) {
  Bench bench(hooks + "people: {ada: {via: ada}, bob: {via: bob}}\n",
              [](const std::string&) { return fine; });
  EXPECT_EQ(bench.post(letter("k"), {"all"}).people, (std::vector<std::string>{"ada", "bob"}));
  EXPECT_EQ(bench.post(letter("k"), {"ada", "bob"}).known, 2U);
  EXPECT_EQ(bench.called(), "");  // stored, not sent
  EXPECT_EQ(bench.carried(bench.postman.deliver_due({})), "2 delivered, 0 failed, 0 undelivered");
  EXPECT_EQ(bench.carried(bench.postman.deliver_due({})), "0 delivered, 0 failed, 0 undelivered");
  EXPECT_TRUE(bench.post(letter("k"), {"ada"}).people.empty());
  EXPECT_EQ(bench.carried(bench.postman.drain(hours(48), {})),
            "0 delivered, 0 failed, 0 undelivered");
  EXPECT_EQ(bench.requests.size(), 2U);
  std::vector<std::string> told;
  for (const auto& entry : bench.journal->entries(10).take()) told.push_back(entry.text);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0], "Message \"shop: recovery started\" for ada, bob");
  EXPECT_EQ(bench.postman.post(letter("l"), {"nobody"}).error().kind(), ErrorKind::invalid);
}

TEST(Postman, TheSecondChannelCarriesWhatTheFirstCannot) {
  Bench bench(hooks + "people: {ada: {via: [ada, spare]}}\n",
              [](const std::string& name) { return name == "ada" ? broken : fine; });
  bench.post(letter("k"), {"ada"});
  EXPECT_EQ(bench.carried(bench.postman.deliver_due({})), "1 delivered, 1 failed, 0 undelivered");
  EXPECT_EQ(bench.called(), "ada spare");
  EXPECT_EQ(bench.outbox->items(1).take().at(0).note,
            "by spare: ada: HTTP 500: no (once); spare: HTTP 200 (once)");
}

TEST(Postman, AServiceThatFailsForAWhileGetsItInTheEnd) {
  int left = 6;
  Bench bench(hooks + "people: {ada: {via: ada}}\n",
              [&](const std::string&) { return left-- > 0 ? broken : fine; });
  bench.post(letter("k"), {"ada"});
  EXPECT_EQ(bench.carried(bench.postman.drain(hours(1), {})),
            "1 delivered, 6 failed, 0 undelivered");
  EXPECT_EQ(bench.requests.size(), 7U);
  EXPECT_GT(bench.clock.now(), start + minutes(2));
  EXPECT_LT(bench.clock.now(), start + minutes(10));
}

TEST(Postman, UndeliveredIsAnAlertToTheNextAndNeverALoop) {
  Bench bench(hooks + R"(people:
  ada: {via: ada, deputy: bob}
  bob: {via: bob, escalate: cto}
  cto: {via: cto, deputy: ada}
)",
              [](const std::string&) { return never; });
  bench.post(letter("k"), {"ada"});
  EXPECT_EQ(bench.carried(bench.postman.drain(hours(48), {})),
            "0 delivered, 0 failed, 3 undelivered");
  EXPECT_EQ(bench.called(), "ada bob cto");
  EXPECT_EQ(bench.states(), "ada:undelivered bob:undelivered cto:undelivered");
  EXPECT_NE(bench.requests[1].find("Not delivered to ada: shop: recovery started"),
            std::string::npos);
  EXPECT_NE(bench.requests[2].find("did not reach bob. Tried: bob: HTTP 403: no (once)"),
            std::string::npos);
  EXPECT_NE(bench.requests[2].find("No orders since 02:14"), std::string::npos);
  auto last = bench.journal->entries(1).take().at(0);
  EXPECT_FALSE(last.ok);
  EXPECT_NE(
      last.text.find("did not reach cto: cto: HTTP 403: no (once); nobody is left to be told"),
      std::string::npos)
      << last.text;
}

// A link that decides is for one person: neither the journal nor whoever is told next gets it.
TEST(Postman, WhatIsForOnePersonAloneStaysWithThem) {
  Bench bench(hooks + "people: {ada: {via: ada, deputy: bob}, bob: {via: bob}, cto: {via: cto}}\n",
              [](const std::string& name) { return name == "ada" ? never : fine; });
  auto link = letter("k");
  link.shareable = false;
  link.text = "lifeboat approve L1NK";
  bench.post(link, {"ada", "cto"});
  bench.postman.deliver_due({}).take();
  EXPECT_EQ(bench.states(), "ada:undelivered cto:delivered bob:delivered");
  for (const auto& request : bench.requests) {
    const bool to_bob = request.starts_with("POST /bob");
    EXPECT_EQ(request.find("L1NK") == std::string::npos, to_bob) << request;
    EXPECT_EQ(request.find("Its text is for ada alone.") != std::string::npos, to_bob);
  }
  for (const auto& entry : bench.journal->entries(20).take())
    EXPECT_EQ(record::encode(entry).dump().find("L1NK"), std::string::npos);
  for (const auto& item : bench.outbox->items(10).take())
    EXPECT_EQ(item.letter.dump().find("L1NK"), std::string::npos);
}

TEST(Postman, TheTimeOfAMessageEndsAndTheNextIsTold) {
  Bench bench(hooks + "people: {ada: {via: ada, deputy: bob}, bob: {via: bob}}\n",
              [](const std::string& name) { return name == "ada" ? broken : fine; });
  auto urgent = letter("k");
  urgent.severity = Severity::critical;
  bench.post(urgent, {"ada"});
  bench.postman.drain(hours(48), {}).take();
  EXPECT_EQ(bench.states(), "ada:undelivered bob:delivered");
  EXPECT_GE(bench.clock.now(), start + minutes(30));
  EXPECT_LE(bench.clock.now(), start + minutes(41));
}

TEST(Postman, SomebodyWithoutAChannelIsUndeliveredAtOnce) {
  Bench bench(hooks + "people: {ada: {phone: \"+1\", escalate: bob}, bob: {via: bob}}\n",
              [](const std::string&) { return fine; });
  bench.post(letter("k"), {"ada"});
  EXPECT_EQ(bench.carried(bench.postman.deliver_due({})), "1 delivered, 0 failed, 1 undelivered");
  EXPECT_EQ(bench.outbox->items(2).take().at(0).note,
            "no channel of the plan reaches ada: nothing");
}

TEST(Postman, AClockThatJumpsLosesNothingAndRepeatsNothing) {
  int left = 1;
  Bench bench(hooks + "people: {ada: {via: ada}}\n",
              [&](const std::string&) { return left-- > 0 ? broken : fine; });
  bench.clock.set_wall(start + hours(24 * 365));
  bench.post(letter("k"), {"ada"});
  bench.postman.deliver_due({}).take();
  bench.clock.set_wall(start);  // the next attempt would be in a year
  EXPECT_EQ(bench.carried(bench.postman.drain(minutes(1), {})),
            "1 delivered, 0 failed, 0 undelivered");
  left = 1000;
  bench.post(letter("l"), {"ada"});
  for (int i = 0; i < 20; ++i) {  // back and forth without end
    bench.clock.set_wall(start + hours(24 * 365 * (i % 2)));
    bench.postman.deliver_due({}).take();
  }
  EXPECT_LE(bench.requests.size(), 24U);
  bench.clock.set_wall(start + hours(24 * 700));  // forward: tried once more before it is given up
  bench.post(letter("m"), {"ada"});
  bench.clock.set_wall(start + hours(24 * 1500));
  left = 0;
  bench.postman.deliver_due({}).take();
  EXPECT_NE(bench.states().find("ada:delivered", 15), std::string::npos) << bench.states();
}

TEST(Postman, TwoAtOnceDeliverOnce) {
  Bench bench(hooks + "people: {ada: {via: ada}, bob: {via: bob}}\n",
              [](const std::string&) { return fine; });
  for (int i = 0; i < 15; ++i) bench.post(letter(cat("k", i)), {"ada", "bob"});
  {
    std::jthread both[2];
    for (auto& one : both) {
      one = std::jthread([&] {
        auto journal = state::Journal::open(bench.world, bench.path).take();
        auto outbox = state::Outbox::open(bench.world, *journal, bench.path).take();
        Postman other(bench.world, bench.plan, bench.references, *journal, *outbox);
        auto done = other.deliver_due({});
        EXPECT_TRUE(done.ok()) << done.error().text();
      });
    }
  }
  EXPECT_EQ(bench.requests.size(), 30U);
  EXPECT_EQ(bench.outbox->waiting().take(), 0U);
}

// Ends the process when the service has answered, before anybody has noted it.
struct KillAfterAnswer final : Http {
  explicit KillAfterAnswer(Http& inner) : inner_(inner) {}
  Result<HttpAnswer> send(const HttpRequest& request) override {
    auto answer = inner_.send(request);
    ::kill(::getpid(), SIGKILL);
    return answer;
  }
  Http& inner_;
};

TEST(Postman, KilledBetweenAnswerAndNoteItIsSentAgainWithTheSameName) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer ends a fork that starts threads";
#endif
  Bench bench(hooks + "people: {ada: {via: ada}}\n", [](const std::string&) { return fine; });
  bench.post(letter("k"), {"ada"});
  bench.outbox.reset();  // no connection is carried through the fork
  bench.journal.reset();
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    KillAfterAnswer deadly(*bench.real.http);
    World world{bench.clock, *bench.real.random,    *bench.real.files,
                deadly,      *bench.real.processes, bench.real.sandboxes};
    auto journal = state::Journal::open(world, bench.path).take();
    auto outbox = state::Outbox::open(world, *journal, bench.path).take();
    Postman other(world, bench.plan, bench.references, *journal, *outbox);
    (void)other.deliver_due({}).ok();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  bench.journal = state::Journal::open(bench.world, bench.path).take();
  bench.outbox = state::Outbox::open(bench.world, *bench.journal, bench.path).take();
  Postman postman(bench.world, bench.plan, bench.references, *bench.journal, *bench.outbox);
  EXPECT_EQ(bench.carried(postman.deliver_due({})), "1 delivered, 0 failed, 0 undelivered");
  ASSERT_EQ(bench.requests.size(), 2U);
  const auto name = [](const std::string& request) {
    const auto at = request.find("Idempotency-Key: ");
    return request.substr(at, 17 + 32);
  };
  EXPECT_EQ(name(bench.requests[0]), name(bench.requests[1]));
  EXPECT_EQ(bench.carried(postman.deliver_due({})), "0 delivered, 0 failed, 0 undelivered");
}

// Verbs that are short, one after another: each must give the service its time to answer.
TEST(Postman, WhoStopsLetsWhatIsBeingSentComeToItsEnd) {
  std::stop_source stop;
  Bench bench(hooks + "people: {ada: {via: ada}}\n", [&](const std::string&) {
    stop.request_stop();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return fine;
  });
  bench.post(letter("one"), {"ada"});
  EXPECT_EQ(bench.carried(bench.postman.deliver_due(stop.get_token(), {})),
            "1 delivered, 0 failed, 0 undelivered");
  bench.post(letter("two"), {"ada"});
  EXPECT_EQ(bench.carried(bench.postman.deliver_due(stop.get_token(), {})),
            "0 delivered, 0 failed, 0 undelivered");
  EXPECT_EQ(bench.states(), "ada:delivered ada:waiting");
}

TEST(Postman, WhatIsCutOffIsTriedAgain) {
  Bench bench("channels: {slow: {command: \"sleep 600\"}}\npeople: {ada: {via: slow}}\n",
              [](const std::string&) { return fine; });
  bench.post(letter("one"), {"ada"});
  std::stop_source cut;
  std::jthread cutter([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    cut.request_stop();
  });
  EXPECT_EQ(bench.carried(bench.postman.deliver_due({}, cut.get_token())),
            "0 delivered, 1 failed, 0 undelivered");
  EXPECT_EQ(bench.states(), "ada:waiting");
}

TEST(Postman, NoSecretIsOnTheDisk) {
  Bench bench(hooks + "people: {ada: {via: [ada, spare], deputy: bob}, bob: {via: bob}}\n",
              [](const std::string& name) {
                return cat("HTTP/1.1 403 No\r\n\r\nno hook /", name, "?token=T0K3N-", name);
              });
  bench.post(letter("k"), {"ada"});
  bench.postman.deliver_due({}).take();
  EXPECT_EQ(bench.states(), "ada:undelivered bob:undelivered");
  for (const auto& path : test::files_below(bench.real.folder / "state")) {
    const auto bytes = test::read_text(path);
    EXPECT_EQ(bytes.find("T0K3N"), std::string::npos) << path;
  }
}

}  // namespace
}  // namespace lb::notify
