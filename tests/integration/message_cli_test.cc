// lifeboat message: a draft that is looked at, approved and sent with the real program.
#include <pwd.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "foundation/base/text.h"
#include "foundation/sys/sandbox.h"
#include "model/plan/reader.h"
#include "operations/notify/messages.h"
#include "tests/harness/lifeboat_run.h"

namespace lb::test {
namespace {

struct NoSandboxes final : Sandboxes {
  Result<std::unique_ptr<Sandbox>> create(const SandboxSpec&) override { return none(); }
  Result<UserId> unprivileged_user(const std::string&) override { return none(); }
  Result<std::vector<std::string>> sweep(const std::string&) override { return none(); }
  static Error none() { return Error(ErrorKind::unsupported, "no sandboxes in this test"); }
};

struct Bench {
  Bench() {
    // Of a shell under sudo the program would take the user who called it.
    boat.write_plan(cat(R"(stores: {media: {files: ./media}}
channels: {log: {command: "cat >> sent.txt"}, broken: {command: "exit 3"}}
people:
  boss:      {users: ")",
                        ::getpwuid(::getuid())->pw_name, R"("}
  stranger:  {users: somebody-else}
  customers: {via: [broken, log]}
templates:
  sorry: {subject: "About {impact}", body: "Lost: {data_loss}.", approve: boss}
  other: {body: "{impact}", approve: stranger}
)"));
  }
  // As a run would: the draft of one step.
  std::string draft(const std::string& name) {
    auto text = read_text(boat / "lifeboat.yaml");
    auto plan = plan::read_plan("lifeboat.yaml", text, nullptr).plan;
    const auto path = boat / "state/test/journal.sqlite";
    auto journal = state::Journal::open(world, path).take();
    auto outbox = state::Outbox::open(world, *journal, path).take();
    References references(world, {}, boat.folder());
    notify::Postman postman(world, plan, references, *journal, *outbox);
    notify::Notice notice;
    notice.template_name = name;
    notice.to = {"customers"};
    notice.values = {{"impact", "the outage"}, {"data_loss", "nothing"}};
    notice.letter.key = cat("run/", name);
    auto told = notify::tell(postman, plan, *journal, *outbox, notice);
    EXPECT_TRUE(told.ok()) << told.error().text();
    return told.ok() ? told->draft : "";
  }
  std::unique_ptr<Clock> clock = real_clock();
  std::unique_ptr<Random> random = real_random();
  std::unique_ptr<Files> files = real_files();
  std::unique_ptr<Http> http = real_http();
  std::unique_ptr<Processes> processes = real_processes();
  NoSandboxes sandboxes;
  World world{*clock, *random, *files, *http, *processes, sandboxes};
  Lifeboat boat{LIFEBOAT_BINARY};
};

TEST(Message, IsShownApprovedAndSentOnce) {
  Bench bench;
  EXPECT_NE(bench.boat.must({"message", "ls"}).out.find("no messages yet"), std::string::npos);
  const auto id = bench.draft("sorry");
  const auto end = id.substr(id.size() - 8);
  auto ran = bench.boat.must({"message", "ls"});
  EXPECT_NE(ran.out.find("draft: waits"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find(end), std::string::npos) << ran.out;
  ran = bench.boat.must({"message", "show", end});
  EXPECT_NE(ran.out.find("Subject:  About the outage"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("Lost: nothing."), std::string::npos) << ran.out;
  const auto hash = bench.boat.must({"message", "show", end, "--json"}).summary()["hash"].string();

  EXPECT_EQ(bench.boat.run({"message", "send", end}).exit_code, 5);     // not approved
  EXPECT_EQ(bench.boat.run({"message", "approve", end}).exit_code, 5);  // nobody was asked
  EXPECT_EQ(bench.boat.run({"message", "approve", end, "--hash", "000000000000"}).exit_code, 5);
  EXPECT_EQ(bench.boat.run({"message", "approve", end, "--hash", hash.substr(0, 3)}).exit_code, 5);
  ran = bench.boat.must({"message", "approve", end, "--hash", hash.substr(0, 12)});
  EXPECT_NE(ran.out.find("approved by boss"), std::string::npos) << ran.out;
  ran = bench.boat.must({"message", "send", end});
  EXPECT_NE(ran.out.find("1 delivered, 0 waiting"), std::string::npos) << ran.out;
  EXPECT_EQ(bench.boat.run({"message", "send", end}).exit_code, 5);  // once
  const auto sent = read_text(bench.boat / "sent.txt");
  EXPECT_NE(sent.find("Subject: About the outage\n"), std::string::npos) << sent;
  EXPECT_EQ(sent.find("Subject:", 9), std::string::npos) << sent;

  auto all = bench.boat.must({"message", "ls", "--json"}).summary()["messages"].items();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]["state"].string(), "sent");
  EXPECT_EQ(all[1]["state"].string(), "delivered");
  EXPECT_NE(all[1]["note"].string().find("broken: the command ended with exit code 3 (once)"),
            std::string::npos)
      << all[1].dump();
  ran = bench.boat.must({"message", "show", all[1]["id"].string()});
  EXPECT_NE(ran.out.find("State:    delivered"), std::string::npos) << ran.out;
}

TEST(Message, OnlyWhoMustApproves) {
  Bench bench;
  const auto id = bench.draft("other");
  const auto hash = bench.boat.must({"message", "show", id, "--json"}).summary()["hash"].string();
  auto ran = bench.boat.run({"message", "approve", id, "--hash", hash});
  EXPECT_EQ(ran.exit_code, 5);
  EXPECT_NE(ran.err.find("is not known as that"), std::string::npos) << ran.err;
  bench.boat.must({"message", "drop", id});
  EXPECT_EQ(bench.boat.run({"message", "drop", id}).exit_code, 1);
  EXPECT_EQ(bench.boat.run({"message", "show", "nothing"}).exit_code, 1);
  EXPECT_EQ(bench.boat.run({"message", "show"}).exit_code, 2);
}

// The stranger holds a key, and the plan says whose it is.
TEST(Message, IsApprovedUnderAKey) {
  Bench bench;
  auto& boat = bench.boat;
  const auto key = boat.must({"person", "key", boat / "stranger.key"}).out;
  boat.must({"person", "key", boat / "other.key"});
  const auto id = bench.draft("other");
  const auto hash = boat.must({"message", "show", id, "--json"}).summary()["hash"].string();
  const auto approve = [&](const std::string& file, const std::string& person) {
    return boat.run(
        {"message", "approve", id, "--hash", hash, "--key", boat / file, "--as", person});
  };
  const auto rewrite = [&](const std::string& from, const std::string& to) {
    write_text(boat / "lifeboat.yaml", replace_all(read_text(boat / "lifeboat.yaml"), from, to));
  };
  EXPECT_NE(approve("stranger.key", "stranger").err.find("the plan knows no key of 'stranger'"),
            std::string::npos);
  const auto with_key = cat("users: somebody-else, ", trim(key));
  rewrite("users: somebody-else", with_key);
  auto ran = approve("other.key", "stranger");
  EXPECT_EQ(ran.exit_code, 5);
  EXPECT_NE(ran.err.find("the signature is not that of stranger"), std::string::npos) << ran.err;
  EXPECT_EQ(boat.run({"message", "send", id}).exit_code, 5) << "nobody has approved";
  ran = approve("stranger.key", "stranger");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("approved by stranger"), std::string::npos) << ran.out;

  // What was approved is held against the plan again when it is sent.
  rewrite(with_key, "users: somebody-else");
  ran = boat.run({"message", "send", id});
  EXPECT_EQ(ran.exit_code, 5);
  EXPECT_NE(ran.err.find("is not proven: the plan knows no key"), std::string::npos) << ran.err;
  rewrite("users: somebody-else", with_key);
  EXPECT_NE(boat.must({"message", "send", id}).out.find("1 delivered"), std::string::npos);
}

// The sender is killed when the message has left and nobody has noted it: what each machine may
// know of it, and what it does.
class KilledNotify : public testing::Test {
 protected:
  KilledNotify() : boat(LIFEBOAT_BINARY) {
    boat.write_plan(R"(stores: {media: {files: ./media}}
channels: {log: {command: "cat >> sent.txt; while test -e hold; do sleep 0.05; done"}}
people: {customers: {via: log}}
templates: {sorry: {subject: "Sorry", body: "We are at it."}}
runbooks:
  main: {steps: [{notify: {template: sorry, to: customers}}, {run: "echo next >> ledger"}]}
)");
    boat.must({"init"});
    write_text(boat / "hold", "");
    auto driver = boat.start({"run", "main", "--no-wait"});
    while (driver->alive() && count() == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(driver->alive()) << driver->err_so_far();
    driver->signal(SIGKILL);
    driver->wait();
    std::filesystem::remove(boat / "hold");
  }
  std::size_t count() {
    const auto path = boat / "sent.txt";
    if (!std::filesystem::exists(path)) return 0;
    const std::string text = read_text(path), word = "We are at it.";
    std::size_t out = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++out;
    return out;
  }
  Lifeboat boat;
};

TEST_F(KilledNotify, OnAnotherMachineSomebodyIsAsked) {
  boat.environment()["LIFEBOAT_STATE"] = boat / "elsewhere";
  auto ran = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(ran.exit_code, 75) << ran.err;
  EXPECT_NE(ran.err.find("went into the outbox of"), std::string::npos) << ran.err;
  EXPECT_EQ(count(), 1U) << "nothing is repeated before somebody says so";
  EXPECT_FALSE(std::filesystem::exists(boat / "ledger")) << "and nothing is passed over";
  boat.must({"step", "done", "1", "-m", "a customer has it"});
  boat.must({"resume", "--no-wait"});
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(read_text(boat / "ledger"), "next\n");
}

TEST_F(KilledNotify, WhatDidNotArriveIsSentFromThere) {
  boat.environment()["LIFEBOAT_STATE"] = boat / "elsewhere";
  EXPECT_EQ(boat.run({"resume", "--no-wait"}).exit_code, 75);
  boat.must({"step", "retry", "1"});
  boat.must({"resume", "--no-wait"});
  EXPECT_EQ(count(), 2U);
}

// Its outbox knows the message: at least once, under the same id.
TEST_F(KilledNotify, OnTheSameMachineItGoesOn) {
  boat.must({"resume", "--no-wait"});
  const auto messages = boat.must({"message", "ls", "--json"}).summary()["messages"].items();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0]["state"].string(), "delivered");
}

// A machine of the same name and folders, whose disk is another one.
TEST_F(KilledNotify, AMachineThatLostItsOutboxAsksToo) {
  std::filesystem::remove_all(boat / "state");
  EXPECT_EQ(boat.run({"resume", "--no-wait"}).exit_code, 75);
  EXPECT_EQ(count(), 1U);
}

// A run asks for the approval, waits for it also when it is killed meanwhile, and sends once.
TEST(Message, ARunWaitsForTheApprovalOfWhoIsAskedForIt) {
  Lifeboat boat(LIFEBOAT_BINARY);
  boat.environment()["SUDO_USER"] = "ada";
  boat.write_plan(R"(stores: {media: {files: ./media}}
channels: {desk: {command: "cat >> desk.txt"}, wire: {command: "cat >> wire.txt"}}
people: {boss: {users: boss, via: desk}, authority: {via: wire}}
templates: {breach: {subject: "Notice", body: "Since {since}.", approve: boss}}
runbooks: {main: {steps: [{notify: {template: breach, to: authority}}]}}
)");
  boat.must({"init"});
  const auto in_state = [&](const std::string& state) {
    std::vector<std::string> out;
    const auto listed = boat.must({"message", "ls", "--json"}).summary()["messages"].items();
    for (const auto& one : listed) {
      if (one["state"].string() == state) out.push_back(one["id"].string());
    }
    return out;
  };
  const auto asked = [&] {
    const auto text =
        std::filesystem::exists(boat / "desk.txt") ? read_text(boat / "desk.txt") : "";
    std::size_t out = 0;
    for (auto at = text.find("a message waits for boss"); at != std::string::npos;
         at = text.find("a message waits for boss", at + 1))
      ++out;
    return out;
  };
  auto run = boat.start({"run", "main"});
  while (run->alive() && in_state("delivered").empty())
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_NE(read_text(boat / "desk.txt").find("For authority:"), std::string::npos);
  run->signal(SIGKILL);
  run->wait();
  EXPECT_FALSE(std::filesystem::exists(boat / "wire.txt"));
  const auto waiting = in_state("draft");
  ASSERT_EQ(waiting.size(), 1U);
  const auto status = boat.run({"status"}).out;
  EXPECT_NE(status.find(cat("lifeboat message approve ", waiting[0])), std::string::npos) << status;
  const auto left = boat.run({"resume", "--no-wait"});
  EXPECT_EQ(left.exit_code, 75) << left.err;
  EXPECT_NE(left.err.find("waits for boss"), std::string::npos) << left.err;
  EXPECT_EQ(in_state("draft"), waiting);
  auto again = boat.start({"resume"});
  while (again->alive() && again->err_so_far().find("waits for boss") == std::string::npos)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(in_state("draft"), waiting) << "the same draft";
  const auto hash = boat.must({"message", "show", waiting[0], "--json"}).summary()["hash"].string();
  EXPECT_EQ(boat.run({"message", "approve", waiting[0], "--hash", hash}).exit_code, 5) << "ada";
  boat.environment()["SUDO_USER"] = "boss";
  boat.must({"message", "approve", waiting[0], "--hash", hash});
  const auto end = again->wait();
  EXPECT_EQ(end.exit_code, 0) << end.err;
  const auto sent = read_text(boat / "wire.txt");
  EXPECT_EQ(sent.find("Subject: Notice"), sent.rfind("Subject: Notice")) << sent;
  EXPECT_NE(sent.find("Since 20"), std::string::npos) << sent;
  EXPECT_EQ(asked(), 1U) << "asked once";
}

}  // namespace
}  // namespace lb::test
