#include "operations/runbook/command.h"

#include "foundation/base/bytes.h"
#include "foundation/base/text.h"
#include "foundation/sys/process.h"
#include "operations/runbook/run_testing.h"

namespace lb::runbook {
namespace {

class Commands : public testing::RunbookTest {
 protected:
  Commands() { use("runbooks:\n  main:\n    steps: [{run: a}]\n", "main"); }
  Act act(Variables seen = {}) {
    return {plan, script, script.at(1), run_id, "earnest", 1, {}, std::move(seen)};
  }
  ActEnd run(const std::string& text, Micros limit = std::chrono::seconds(20)) {
    CommandWish wish;
    wish.text = text;
    wish.environment = environment_of(act(variables), own);
    wish.limit = limit;
    return run_command(world, wish, redactor_of(plan, own), stop.get_token());
  }

  state::TestWorld test;
  // Its commands are found by it, on the whole machine: other tests may run beside this one.
  const std::string run_id = cat("r", to_hex(test.random->bytes(8)));
  std::unique_ptr<Processes> processes = real_processes();
  World world{*test.clock, *test.random, *test.files, test.http, *processes, test.sandboxes};
  std::map<std::string, std::string> own = {{"PATH", "/usr/bin:/bin"},
                                            {"KEY", "open-the-boat"},
                                            {"URL", "postgres://u:hunter22@h/db"},
                                            {"API_TOKEN", "tok-4711"}};
  Variables variables;
  std::stop_source stop;
};

TEST_F(Commands, KeepsOutputCodeAndTime) {
  auto end = run("echo out; echo err >&2; exit 3");
  EXPECT_FALSE(end.ok);
  EXPECT_EQ(end.data["code"].integer(), 3);
  EXPECT_EQ(end.data["output"].string(), "out\n");
  EXPECT_EQ(end.text, "exit code 3: err");
  EXPECT_GT(end.data["took_us"].integer(), 0);
}

TEST_F(Commands, AnswersOfPeopleAreNeverCommands) {
  variables = {{"target", "x; touch /tmp/lifeboat-injected; echo \"$(id)\""}};
  auto end = run("printf '%s' \"$target\"");
  EXPECT_TRUE(end.ok);
  EXPECT_EQ(end.data["output"].string(), variables["target"]);
}

TEST_F(Commands, SecretsAreNeitherGivenNorKept) {
  auto end = run("echo \"key=$KEY url=$URL token=$API_TOKEN run=$LIFEBOAT_RUN\"");
  auto text = end.data.dump() + end.text;
  EXPECT_EQ(text.find("open-the-boat"), std::string::npos);
  EXPECT_EQ(text.find("hunter22"), std::string::npos);
  EXPECT_EQ(text.find("tok-4711"), std::string::npos);
  EXPECT_NE(text.find("key= url=[secret] token=[secret] run=" + run_id), std::string::npos)
      << "the repository's key is not even there: " << text;
}

// An output that is nothing but the secret: wherever it is cut, nothing of it is kept.
TEST_F(Commands, NoPartOfASecretIsKeptWhereAnOutputIsCut) {
  own["API_TOKEN"] =
      "tok\t4711\xff"
      "abcdefg";
  for (int more = 0; more < 16; ++more) {
    auto end = run(cat("i=0; while [ $i -lt 5000 ]; do printf '%s' \"$API_TOKEN\"; i=$((i+1)); ",
                       "done; head -c ", more, " /dev/zero | tr '\\0' x"));
    auto output = end.data["output"].string();
    EXPECT_TRUE(end.ok) << end.text;
    EXPECT_EQ(output.find("4711"), std::string::npos) << output.substr(0, 100);
    EXPECT_EQ(replace_all(output, "[secret]", ""), std::string(static_cast<std::size_t>(more), 'x'))
        << output.substr(0, 100);
    EXPECT_EQ(end.text.find("4711"), std::string::npos) << end.text;
  }
}

TEST_F(Commands, AStepThatCallsLifeboatIsGivenTheKeyAndReportsHideIt) {
  use("runbooks:\n  main:\n    steps: [{run: a, key: true}]\n", "main");
  auto end = run("test \"$KEY\" = open-the-boat && echo \"it is $KEY\"");
  EXPECT_TRUE(end.ok) << end.text;
  EXPECT_EQ(end.data["output"].string(), "it is [secret]\n");
}

TEST_F(Commands, ALongOutputKeepsItsEnd) {
  auto end = run("head -c 100000000 /dev/zero | tr '\\0' x; echo; echo the end");
  EXPECT_TRUE(end.ok);
  EXPECT_LE(end.data["output"].string().size(), 40'000u);
  EXPECT_TRUE(end.data["output"].string().ends_with("the end\n"));
}

// What is said of it is a sentence, also when all of it is one line.
TEST_F(Commands, OfALongLineTheEndIsSaid) {
  auto end =
      run("head -c 99999 /dev/zero | tr '\\0' x; i=0; while [ $i -lt 200 ]; do printf ü; "
          "i=$((i+1)); done; echo the end");
  EXPECT_TRUE(end.text.starts_with("exit code 0: …ü")) << end.text;
  EXPECT_TRUE(end.text.ends_with("üthe end")) << end.text;
  EXPECT_LT(end.text.size(), 350u);
}

TEST_F(Commands, WhatHangsIsKilledWithAllItForked) {
  auto mark = test.folder / "alive";
  auto end = run(cat("echo begun; (while :; do touch ", mark, "; sleep 0.05; done) & sleep 1000"),
                 std::chrono::milliseconds(600));
  EXPECT_FALSE(end.ok);
  EXPECT_TRUE(end.data["limit"].boolean());
  EXPECT_EQ(end.data["output"].string(), "begun\n");
  EXPECT_NE(end.text.find("did not end within"), std::string::npos);
  ASSERT_TRUE(test.files->remove(mark).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_FALSE(path_exists(*test.files, mark).value());
}

TEST_F(Commands, BinaryOutputIsShownAsText) {
  auto end = run("printf 'a\\001\\377b'");
  EXPECT_EQ(end.data["output"].string(), "a\\x01\\xffb");
}

// Its program was killed, what it had started goes on: it is found by its mark.
TEST_F(Commands, SurvivorsOfACrashAreEnded) {
  auto mark = test.folder / "alive";
  auto end = run(cat("setsid sh -c 'while :; do touch ", mark,
                     "; sleep 0.05; done' >/dev/null 2>&1 & while ! test -e ", mark,
                     "; do sleep 0.01; done"));
  EXPECT_TRUE(end.ok) << end.text;
  EXPECT_TRUE(end_survivors(world, cat(run_id, "/1/2")).empty()) << "of another try";
  EXPECT_FALSE(end_survivors(world, marker_of(act())).empty());
  EXPECT_TRUE(end_survivors(world, marker_of(act())).empty()) << "they are gone when it returns";
  ASSERT_TRUE(test.files->remove(mark).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_FALSE(path_exists(*test.files, mark).value());
}

}  // namespace
}  // namespace lb::runbook
