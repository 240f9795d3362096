// A plan, a repository in memory and acts that are only counted: what the tests of this folder run
// runbooks with.
#pragma once

#include <gtest/gtest.h>

#include <atomic>

#include "model/plan/reader.h"
#include "operations/runbook/driver.h"
#include "storage/state/record_shelf.h"
#include "storage/state/test_world.h"

namespace lb::runbook::testing {

inline plan::Plan plan_with(const std::string& rest) {
  auto out =
      plan::read_plan("plan.yaml",
                      "version: 1\nsystem: shop\n"
                      "repository: {at: /tmp/r, key: env:KEY}\n"
                      "stores:\n  db: {postgres: env:URL}\n"
                      "targets:\n  production: {protect: true}\n  staging: {isolate: network}\n"
                      "people:\n"
                      "  lead: {users: [ada, bob]}\n"
                      "  dba: {users: eve}\n"
                      "  management: {users: [max]}\n"
                      "  team: {members: [lead, dba]}\n" +
                          rest,
                      nullptr);
  EXPECT_EQ(plan::format_mistakes(out.mistakes, false), "");
  return std::move(out.plan);
}

// Does nothing but remember it; what happens is said by the test, by the title of the step.
class CountedActs final : public Acts {
 public:
  std::map<std::string, int> done, undone, probed;
  std::map<std::string, int> fails;                           // so many times
  std::map<std::string, bool> happened_;                      // answers of probes
  std::map<std::string, std::string> gives;                   // "step title" -> value of $out
  std::vector<std::pair<std::string, std::string>> invited;   // person, token
  std::vector<std::pair<std::string, std::string>> informed;  // person, text
  std::vector<std::string> alarmed, reviews;                  // people; texts
  bool keeps_invitations = true;                              // of an earlier driver
  std::atomic<bool> hang{false};
  std::string hang_at;  // what hangs; empty: everything
  Json facts = Json::object().set("point", "p1");
  bool safe = false;
  Variables pins;                 // what the next step that begins is pinned to
  std::vector<Variables> pinned;  // as each act had it

  // How often it was begun, also while a driver is at work on another thread.
  int count(const std::string& title) {
    const std::lock_guard lock(mutex_);
    return done[title];
  }

  Result<Variables> pin(const Act&) override { return pins; }
  ActEnd act(const Act& act, std::stop_token stop) override {
    auto title = title_of(act.step());
    {
      const std::lock_guard lock(mutex_);
      ++done[title];
      pinned.push_back(act.pinned);
    }
    while (hang && (hang_at.empty() || hang_at == title) && !stop.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (stop.stop_requested()) return {false, "stopped", Json::object(), {}};
    const std::lock_guard lock(mutex_);
    if (fails[title] > 0) {
      --fails[title];
      return {false, "it failed", Json::object().set("code", 1), {}};
    }
    Variables set;
    if (gives.contains(title)) set["out"] = gives[title];
    return {true, "done", Json::object(), set};
  }
  Result<Trace> happened(const Act& act, std::stop_token) override {
    auto title = title_of(act.step());
    const std::lock_guard lock(mutex_);
    ++probed[title];
    auto found = happened_.find(title);
    if (found == happened_.end()) return Trace{};
    Variables set;
    if (found->second && gives.contains(title)) set["out"] = gives[title];
    return Trace{found->second, set};
  }
  bool repeats_safely(const Act&) const override { return safe; }
  ActEnd undo(const Act& act, std::stop_token) override {
    const std::lock_guard lock(mutex_);
    ++undone[title_of(act.step())];
    return {true, "taken back", Json::object(), {}};
  }
  Result<Json> show(const Act&) override { return facts; }
  std::string word_to_type(const Act& act) override {
    return act.verb() == "restore" ? "production" : "";
  }
  Status invite(const Act&, const std::string& person, const std::string& token,
                const Json&) override {
    invited.emplace_back(person, token);
    return {};
  }
  Status inform(const Act&, const std::string& person, const std::string& text) override {
    informed.emplace_back(person, text);
    return {};
  }
  Status alarm(const Act& act, const std::string& person, const std::string& text) override {
    alarmed.push_back(person);
    return inform(act, person, text);
  }
  bool invited_before(const Act&, const std::string&, const std::string&) override {
    return keeps_invitations;
  }
  Status review_later(const Act&, const std::string& text) override {
    reviews.push_back(text);
    return {};
  }

 private:
  std::mutex mutex_;
};

struct SilentLog final : Log {
  std::vector<std::string> lines;
  void note(const std::string& line) override { lines.push_back(line); }
  void warn(const std::string& line) override { lines.push_back(line); }
};

// One run on one machine; copies of it with other journals are other machines.
struct Machine {
  explicit Machine(repo::Repository* repository)
      : journal(state::Journal::open(test.world, test.path).take()), log(*journal, repository) {}
  state::TestWorld test;
  SimClock clock{from_micros(1'800'000'000'000'000)};
  World world{clock, *test.random, *test.files, test.http, test.processes, test.sandboxes};
  std::unique_ptr<state::Journal> journal;
  state::RunLog log;
};

class RunbookTest : public ::testing::Test {
 protected:
  void use(const std::string& rest, const std::string& runbook,
           const std::map<std::string, std::string>& given = {}) {
    plan = plan_with(rest);
    auto made = make_script(plan, runbook, given);
    ASSERT_TRUE(made.ok()) << made.error().text();
    script = std::move(made).take();
    given_ = given;
  }

  std::unique_ptr<Driver> driver(Machine& machine, const std::string& user = "ada") {
    DriverOptions options;
    options.user = user;
    options.host = host;
    options.wait = false;
    options.attended = attended;
    options.typed = typed;
    return std::make_unique<Driver>(DriverTools{machine.world, machine.log, acts, console}, options,
                                    plan, script, "r1");
  }

  // Opens the run and drives it as far as it goes without people.
  std::unique_ptr<Driver> start(Machine& machine) {
    auto out = driver(machine);
    NewRun fresh;
    fresh.given = given_;
    fresh.mode = attended ? "earnest" : "drill";
    auto opened = out->open(fresh);
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    go(*out);
    return out;
  }

  Driver::End go(Driver& driver) {
    auto end = driver.drive({});
    EXPECT_TRUE(end.ok()) << (end.ok() ? "" : end.error().text());
    return end.ok() ? *end : Driver::End::stopped;
  }

  void say(Machine& machine, const std::string& user, record::RunInputKind kind,
           const std::string& text = "", Json data = Json::object(), std::uint64_t step = 0) {
    record::RunInput input;
    input.kind = kind;
    input.user = user;
    input.host = "h1";
    input.at = machine.clock.now();
    input.text = text;
    input.data = std::move(data);
    input.step = step;
    auto put = machine.log.put("r1", "run x", input);
    ASSERT_TRUE(put.ok()) << put.error().text();
  }

  std::string last_refusal(Machine& machine) {
    std::string out;
    for (const auto& event : machine.log.events("r1").take()) {
      if (event.kind == record::RunEventKind::refused) out = event.text;
    }
    return out;
  }

  plan::Plan plan;
  Script script;
  CountedActs acts;
  SilentLog console;
  state::RecordShelf shelf;
  bool attended = true;
  std::string host = "h1";
  std::function<std::optional<record::RunInput>(const RunState&)> typed;
  std::map<std::string, std::string> given_;
};

}  // namespace lb::runbook::testing
