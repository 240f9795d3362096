// Every kind of step, killed at work again and again and gone on with here and on other machines:
// nothing is done twice, nothing is lost.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "foundation/base/text.h"
#include "foundation/base/time.h"
#include "tests/harness/kill_moments.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Words = std::vector<std::string>;

// One kind of step, as step 2 between two commands that leave a line each.
struct Kind {
  std::string name, steps;
  Words ledger = {};             // lines that it leaves, once each
  std::vector<Words> said = {};  // when it asks, in this order
  bool instant = false;          // over at once: it is killed anywhere in the run
  std::string shows = {};        // in the events of the run, when it has ended
  bool database = false;         // the plan has a store db too
};

std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

constexpr const char* everything_else = R"(stores:
  media: {files: ./media, every: hourly, objective: {rpo: 1h}}
targets:
  production: {protect: true}
  west: {stores: {media: ./west}}
checks:
  tree:
    - {name: files are there, files: {count: 2}}
channels: {paper: {command: "cat >> sent.txt; echo >> sent.txt"}}
people:
  operator: {users: [ada]}
  lead: {users: [boss], via: [paper]}
tasks: {clean: {run: "sleep 0.1; echo task >> $LEDGER; sleep 0.1"}}
templates: {half: {subject: "Half of it", body: "Nothing else."}}
probes: {provider: {http: "http://127.0.0.1:1/"}}
runbooks:
  inner: {parameters: {word: text}, steps: [
    {run: "sleep 0.1; echo $word >> $LEDGER; sleep 0.1", probe: "grep -qx $word $LEDGER"}]}
)";

std::string slow(const std::string& word) {
  return "{run: \"sleep 0.1; echo " + word + " >> $LEDGER; sleep 0.1\", probe: \"grep -qx " + word +
         " $LEDGER\"}";
}

constexpr const char* switched =
    "- {switch: {to: west, write: \"file:./active\",\n"
    "           run: \"sleep 0.1; echo switched >> $LEDGER; sleep 0.1\"},\n"
    "         probe: \"grep -qx switched $LEDGER\"}";

const std::vector<Kind>& done_by_machines() {
  static const std::vector<Kind> all = {
      {"run", "- " + slow("x"), {"x"}},
      {"provision",
       R"(- {provision: "sleep 0.1; echo x >> $LEDGER; echo HOST=h1; sleep 0.1", save: {host: HOST},
         probe: "grep -qx x $LEDGER && echo HOST=h1"}
      - {run: "echo on $host >> $LEDGER", probe: "grep -qx 'on h1' $LEDGER"})",
       {"x", "on h1"}},
      {"switch", switched, {"switched"}},
      {"task", R"(- {task: clean, probe: "grep -qx task $LEDGER"})", {"task"}},
      {"use", "- {use: inner, with: {word: inside}}", {"inside"}},
      {"parallel", "- {parallel: [" + slow("a") + ", " + slow("b") + "]}", {"a", "b"}},
      {"wait-for", "- wait: {for: 400ms}", {}, {}, false, "waited 400 ms"},
      {"wait-run", R"(- wait: {run: "sleep 0.3; test -e $LEDGER"})"},
      {"watch",
       "- choose: {store: media}\n      - watch: {check: files are there, for: 400ms}",
       {},
       {},
       false,
       "looked"},
      {"restore",
       "- restore: {store: media, to: production, mode: exact}",
       {},
       {{"step", "confirm", "production"}},
       true,
       "media to "},
      {"timer", "- timer: start", {}, {}, true, "the clock starts at"},
      // Elsewhere somebody is asked whether it arrived; said no, it is sent from there.
      {"notify",
       "- notify: {template: half, to: lead}",
       {},
       {{"step", "retry", "2"}},
       false,
       "told lead"},
      {"banner", "- banner: half of it", {}, {}, true, "half of it"},
      {"postmortem", "- postmortem: post-mortem", {}, {}, true, "draft in"},
  };
  return all;
}

const std::vector<Kind>& done_by_looking() {
  static const std::vector<Kind> all = {
      {"choose", "- choose: {store: media}", {}, {}, true, "proven by no drill"},
      {"assess",
       "- assess: {store: media}\n      - {run: 'test -n \"$damage\" && echo told >> $LEDGER',\n"
       "         probe: 'grep -qx told $LEDGER'}",
       {"told"},
       {},
       true,
       "0 missing, 0 changed, 0 extra"},
      {"query",
       "- query: {store: db, sql: \"SELECT pg_sleep(0.3)::text || 'seen'\", save: word}\n"
       "      - {run: \"echo $word >> $LEDGER\", probe: \"grep -qx seen $LEDGER\"}",
       {"seen"},
       {},
       false,
       "1 row",
       true},
      {"assess-database",
       "- assess: {store: db}\n      - {run: 'test -n \"$damage\" && echo told >> $LEDGER',\n"
       "         probe: 'grep -qx told $LEDGER'}",
       {"told"},
       {},
       true,
       "as many rows as at the point in all 1 table",
       true},
      {"verify",
       "- choose: {store: media}\n      - verify: [tree]",
       {},
       {},
       true,
       "1 of 1 check passed"},
      {"check",
       "- choose: {store: media}\n      - check: files are there",
       {},
       {},
       true,
       "1 of 1 check passed"},
      {"bisect", "- bisect: {store: media, check: files are there}", {}, {}, false, "clean at"},
      {"preflight", "- preflight: [disk, repository, credentials]", {}, {}, true, "free"},
      {"status", "- status: provider", {}, {}, true, "provider: "},
  };
  return all;
}

const std::vector<Kind>& done_by_people() {
  static const std::vector<Kind> all = {
      {"ask",
       R"(- ask: {where: text}
      - {run: "echo at $where >> $LEDGER", probe: "grep -qx 'at home' $LEDGER"})",
       {"at home"},
       {{"answer", "where=home"}}},
      {"checklist",
       "- checklist: [one thing, another thing]",
       {},
       {{"step", "tick", "one thing"}, {"step", "tick", "another thing"}}},
      {"manual", "- manual: look", {}, {{"step", "done", "-m", "looked"}}},
      {"document", "- document: what was seen", {}, {{"step", "done", "-m", "written"}}},
      {"rotate", "- rotate: all", {}, {{"step", "done", "-m", "rotated"}}},
      {"free", "- free: [logs]", {}, {{"step", "done", "-m", "freed"}}},
      {"gate", "- gate: {approve: lead}", {}, {{"approve"}}, false, "go"},
  };
  return all;
}

Words lines_of(const std::string& path) {
  if (!fs::exists(path)) return {};
  auto lines = split(read_text(path), '\n');
  std::erase(lines, "");
  std::sort(lines.begin(), lines.end());
  return lines;
}

class RunbookKills : public testing::Test {
 protected:
  RunbookKills() : boat(LIFEBOAT_BINARY) {
    write_text(boat / "media/a.txt", "one");
    write_text(boat / "media/b.txt", "two");
    fs::create_directories(boat / "west");
    boat.environment()["LEDGER"] = boat / "ledger";
    on_machine(0);
  }
  void plan(const std::string& steps, bool database = false) {
    std::string head = everything_else;
    if (database) {
      server = PostgresServer::start();
      server->sql("CREATE TABLE orders AS SELECT n FROM generate_series(1, 100) n");
      boat.environment()["DB"] = server->conninfo();
      head =
          replace_all(head, "targets:\n",
                      "  db: {postgres: env:DB, every: hourly, objective: {rpo: 1h}}\ntargets:\n");
    }
    boat.write_plan(head + "  main:\n    steps:\n" + steps);
    boat.must({"init"});
    boat.must({"backup"});
  }
  // Another machine: the same repository and plan, nothing else.
  void on_machine(int number) {
    boat.environment()["LIFEBOAT_STATE"] = boat / ("machine-" + std::to_string(number));
  }
  // Another machine, unless only this one knows of the run: killed before it was mirrored.
  void go_to(int number) {
    bool here = is_open();
    on_machine(number);
    if (here && !is_open())
      on_machine(machine_);
    else
      machine_ = number;
  }
  void as(const std::string& user) { boat.environment()["SUDO_USER"] = user; }
  Json shown() {
    auto ran = boat.run({"run", "show", "--json"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran.exit_code == 0 ? ran.lines().back() : Json();
  }
  std::string state_of(const Json& run, std::size_t step) const {
    return run["steps"].items().at(step - 1)["state"].string();
  }
  bool is_open() {
    auto runs = boat.must({"run", "ls", "--json"}).lines().back()["runs"].items();
    return !runs.empty() && runs.back()["state"].string() == "open";
  }
  // Drives until the step is at work, and a while longer, and kills it. Whether the kill hit.
  bool killed_at_work(const Kind& kind, std::chrono::microseconds longer) {
    auto running = boat.start(is_open() ? Words{"resume"} : Words{"run", "main"});
    auto says = [&](const std::string& word) {
      return running->err_so_far().find(word) != std::string::npos;
    };
    auto at_work = [&] {
      return kind.instant || says("▶ 2/") || says("? 2/") || says("step 2 goes on") ||
             says("▶ 3/") || says("step 2 had not happened");
    };
    while (running->alive() && !at_work()) std::this_thread::sleep_for(milliseconds(1));
    std::this_thread::sleep_for(longer);
    bool hit = running->alive() && (kind.instant || !says("▶ 4/"));
    running->signal(SIGKILL);
    running->wait();
    return hit;
  }
  // To the end, saying what is asked for; a step that nobody asks of goes on by itself.
  void finish(const Kind& kind) {
    std::size_t said = 0;
    for (int turn = 0; turn < 20; ++turn) {
      auto resumed = boat.run({"resume", "--no-wait"});
      ASSERT_TRUE(resumed.exit_code == 0 || resumed.exit_code == 75)
          << resumed.exit_code << resumed.err;
      if (resumed.exit_code == 0) return;
      if (said >= kind.said.size()) continue;
      as(kind.name == "gate" ? "boss" : "ada");
      auto ran = boat.run(kind.said[said]);
      ASSERT_EQ(ran.exit_code, 0) << ran.err;
      ++said;
      as("ada");
    }
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> server;
  int machine_ = 0;
};

class EveryKind : public RunbookKills, public testing::WithParamInterface<Kind> {};

TEST_P(EveryKind, KilledAtWorkIsNeitherDoneTwiceNorLost) {
  const auto& kind = GetParam();
  const auto missing = kind.database ? PostgresServer::missing() : std::nullopt;
  if (missing) GTEST_SKIP() << *missing;
  plan("      - {run: \"echo before >> $LEDGER\", probe: \"grep -qx before $LEDGER\"}\n      " +
           kind.steps +
           "\n      - {run: \"echo after >> $LEDGER\", probe: \"grep -qx after $LEDGER\"}\n",
       kind.database);
  as("ada");
  auto wanted = kind.ledger;
  for (const char* word : {"before", "after"}) wanted.emplace_back(word);
  std::sort(wanted.begin(), wanted.end());
  KillMoments moments(milliseconds(500), 4);
  int turn = 0;
  while (moments.more()) {
    fs::remove(boat / "ledger");
    write_text(boat / "media/a.txt", "one");
    for (int kills = 0; kills < 4 && moments.more(); ++kills) {
      go_to(turn++ % 3);
      moments.killed(killed_at_work(kind, moments.next()));
      if (!is_open()) break;  // it came to its end, or was killed before it began
    }
    go_to(turn++ % 3);
    if (is_open()) finish(kind);
    if (!fs::exists(boat / "ledger")) continue;  // killed before it began
    auto run = shown();
    ASSERT_EQ(run["state"].string(), "done") << run.dump();
    EXPECT_EQ(lines_of(boat / "ledger"), wanted);
    EXPECT_NE(run["events"].dump().find(kind.shows), std::string::npos) << run.dump();
  }
  EXPECT_TRUE(moments.enough()) << moments.hits();
  EXPECT_EQ(files_below(boat / "media").size(), 2u);
}

std::string name_of(const testing::TestParamInfo<Kind>& each) {
  return replace_all(each.param.name, "-", "_");
}
INSTANTIATE_TEST_SUITE_P(Machines, EveryKind, testing::ValuesIn(done_by_machines()), name_of);
INSTANTIATE_TEST_SUITE_P(Looks, EveryKind, testing::ValuesIn(done_by_looking()), name_of);
INSTANTIATE_TEST_SUITE_P(People, EveryKind, testing::ValuesIn(done_by_people()), name_of);

}  // namespace
}  // namespace lb::test
