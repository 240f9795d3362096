// ExampleBoat: one of the plans of examples/, carried out with the real program against a real
// PostgreSQL. The example is taken as it stands but for the addresses a test must not go to; each
// such substitution is listed by the test that makes it, and one that finds nothing is an error.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include "foundation/base/text.h"
#include "foundation/base/time.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"
#include "tests/harness/smtp_server.h"
#include "tests/harness/web_stand_in.h"

namespace lb::test {

struct Substitution {
  std::string from, to;
};
// What the services of the examples do, as far as their checks ask.
inline constexpr const char* app = R"(
import http.server, os, sys
class Api(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body=b'{}'):
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)
    def do_GET(self):
        if self.path.startswith('/v1/storage/'):
            try:
                name = os.environ['LIFEBOAT_MEDIA_PATH'] + self.path[len('/v1/storage'):]
                return self.answer(200, open(name, 'rb').read())
            except OSError:
                return self.answer(404)
        self.answer(200)
    do_HEAD = do_GET
    def do_POST(self):
        got = self.rfile.read(int(self.headers.get('Content-Length', '0')))
        if self.path.endswith('/auth/login'):
            return self.answer(200 if b'a test password' in got else 401, b'{"access_token": "t1"}')
        good = self.headers.get('Authorization') == 'Bearer t1'
        self.answer(201 if good else 401)
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[2])), Api).serve_forever()
)";

class ExampleBoat : public testing::Test {
 protected:
  ExampleBoat() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
    if (const auto reason = SmtpServer::missing()) GTEST_SKIP() << *reason;
    server = PostgresServer::start();
    SmtpBehaviour behaviour;
    behaviour.user = "a mail user";
    behaviour.password = "mail password";
    mail = std::make_unique<SmtpServer>(behaviour);
    auto& environment = boat.environment();
    environment["SMTP_SERVER"] = mail_address();
    environment["SMTP_USER"] = "a mail user";
    environment["SMTP_PASSWORD"] = "mail password";
    environment["SLACK_HOOK"] = slack.url("/hook");
    environment["LEDGER"] = boat / "ledger";
    environment["PATH"] = boat / "bin:/usr/local/bin:/usr/bin:/bin";
    as("ada");
    sail();
  }
  // Makes the databases, the files and the plan.
  virtual void sail() = 0;

  std::string mail_address() const { return cat("localhost:", mail->port()); }

  // `more`: sections that the plan has beside the example.
  void take(const std::string& example, const std::vector<Substitution>& substitutions,
            const std::string& more = "") {
    auto text = read_text(std::string(LIFEBOAT_EXAMPLES) + "/" + example + ".yaml");
    for (const auto& [from, to] : substitutions) {
      if (text.find(from) == std::string::npos)
        throw std::runtime_error(cat("the example ", example, " does not say ", from));
      text = replace_all(text, from, to);
    }
    write_text(boat / "example.yaml", text);
    write_text(boat / "lifeboat.yaml", cat("version: 1\ninclude: example.yaml\n", more));
  }
  void replace_in_plan(const std::string& from, const std::string& to) {
    auto text = read_text(boat / "example.yaml");
    EXPECT_NE(text.find(from), std::string::npos) << from;
    write_text(boat / "example.yaml", replace_all(text, from, to));
  }
  // A program of that name: it writes how it was called into the ledger, then does `then`.
  void stand_in(const std::string& path, const std::string& then = "") {
    auto name = std::filesystem::path(path).filename().string();
    write_text(boat / path, cat("#!/bin/sh\necho \"", name, " $*\" >> \"$LEDGER\"\n", then, "\n"));
    std::filesystem::permissions(boat / path, std::filesystem::perms(0755));
  }
  std::string ledger() const { return read_text(boat / "ledger"); }

  static std::string utc_now() {
    return format_time(std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now()));
  }
  void as(const std::string& user) { boat.environment()["SUDO_USER"] = user; }
  void say(const std::vector<std::string>& words) {
    auto ran = boat.run(words);
    EXPECT_EQ(ran.exit_code, 0) << join(words, " ") << "\n" << ran.err << shown();
  }
  // The runbook, as far as it goes without people.
  Ran begin(const std::string& runbook, const std::vector<std::string>& given = {}) {
    std::vector<std::string> words = {"run", runbook, "--no-wait"};
    words.insert(words.end(), given.begin(), given.end());
    last = boat.run(words);
    return last;
  }
  Ran go_on() {
    last = boat.run({"resume", "--no-wait"});
    return last;
  }
  void say_and_go_on(const std::vector<std::string>& words) {
    say(words);
    go_on();
  }
  Json steps() {
    auto ran = boat.run({"run", "show", "--json"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran.exit_code == 0 ? ran.lines().back()["steps"] : Json();
  }
  // The step of that title: "asks", "done: told team", "failed: not supported yet …".
  std::string at(const std::string& title) {
    const auto all = steps();
    for (const auto& step : all.items()) {
      if (step["title"].string() != title) continue;
      return cat(step["state"].string(), step["text"].string().empty() ? "" : ": ",
                 step["text"].string());
    }
    return "no such step";
  }
  // Where the run stands: the first step that asks or failed.
  std::string waits_at() {
    const auto all = steps();
    for (const auto& step : all.items()) {
      auto state = step["state"].string();
      if (state == "asks" || state == "failed") return step["title"].string();
    }
    return "nothing";
  }
  std::string shown() {
    std::string out = last.err;
    const auto all = steps();
    for (const auto& step : all.items()) {
      out += cat(step["step"].dump(), " ", step["title"].string(), ": ", step["state"].string(),
                 " ", step["text"].string(), "\n");
    }
    return out;
  }
  // What is in front of the run cannot work, says why, and a person leaves it out.
  void leave_out(const std::string& title, const std::string& because) {
    EXPECT_EQ(waits_at(), title) << shown();
    auto state = at(title);
    EXPECT_TRUE(state.starts_with("failed: ")) << state;
    EXPECT_NE(state.find(because), std::string::npos) << state;
    EXPECT_EQ(last.exit_code, 75) << "left so that it can be resumed";
    say_and_go_on({"step", "skip", "-m", cat("by hand: ", because)});
  }
  void do_by_hand(const std::string& title) {
    EXPECT_EQ(waits_at(), title) << shown();
    say_and_go_on({"step", "done", "-m", "done by hand"});
  }
  void tick_all(const std::string& title, const std::vector<std::string>& items) {
    EXPECT_EQ(waits_at(), title) << shown();
    for (const auto& item : items) say({"step", "tick", item});
    go_on();
  }
  // Nothing is left to do, and the run says so.
  void ends() {
    EXPECT_EQ(last.exit_code, 0) << shown();
    EXPECT_EQ(boat.must({"run", "show", "--json"}).lines().back()["state"].string(), "done");
  }
  std::string mail_told() const {
    std::string out;
    for (const auto& one : mail->taken()) out += cat(one.to, "\n", one.data, "\n");
    return out;
  }
  // The log of a store flows into the repository from now on, as it would in life.
  void follow(const std::string& store) {
    stream = boat.start({"backup", store, "--follow", "--verbose"});
    ASSERT_TRUE(eventually([&] {
      return stream->err_so_far().find("durable to ") != std::string::npos;
    })) << stream->err_so_far();
  }
  // All that was committed is in the repository.
  void wait_until_durable() {
    const auto lsn = server->value("SELECT pg_current_wal_flush_lsn()");
    ASSERT_TRUE(eventually([&] {
      const auto text = stream->err_so_far();
      const auto from = text.rfind("durable to ") + std::string("durable to ").size();
      const auto durable = text.substr(from, text.find_first_of(",\n", from) - from);
      return server->value(cat("SELECT '", durable, "'::pg_lsn >= '", lsn, "'::pg_lsn")) == "t";
    })) << stream->err_so_far();
  }
  // A drill that passes; the states of its steps by their titles.
  std::map<std::string, std::string> passes(const std::string& drill) {
    auto ran = boat.run({"drill", drill, "--json"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    std::map<std::string, std::string> out;
    if (ran.out.empty()) return out;
    auto record = ran.summary()["record"];
    EXPECT_EQ(record["verdict"].string(), "PASS") << ran.err << record["reason"].string();
    for (const auto& step : record["steps"].items())
      out[step["title"].string()] = step["state"].string();
    return out;
  }
  // The tabletop of all runbooks. "deletion, outage": those of which nothing but what is not built
  // yet would stop a run; other reasons are failures.
  std::string stop_at_what_is_not_built() {
    auto ran = boat.run({"runbook", "test", "--json"});
    std::vector<std::string> out;
    const auto summary = ran.summary();
    for (const auto& runbook : summary["runbooks"].items()) {
      EXPECT_GT(runbook["steps"].integer(), 0);
      for (const auto& finding : runbook["findings"].items()) {
        if (!finding["fails"].boolean()) continue;
        EXPECT_NE(finding["text"].string().find("not supported yet"), std::string::npos)
            << runbook["runbook"].string() << ": " << finding["text"].string();
      }
      if (!runbook["works"].boolean()) out.push_back(runbook["runbook"].string());
    }
    EXPECT_EQ(ran.exit_code, out.empty() ? 0 : 4) << ran.err;
    return join(out, ", ");
  }
  // A mail to `to` whose text has `part`; it is waited for.
  bool mailed(const std::string& to, const std::string& part) {
    return eventually([&] {
      for (const auto& one : mail->taken()) {
        if (one.to == to && one.data.find(part) != std::string::npos) return one.tls;
      }
      return false;
    });
  }
  template <typename Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 3000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }

  Lifeboat boat;
  std::unique_ptr<PostgresServer> server;
  std::unique_ptr<SmtpServer> mail;
  WebStandIn slack{[](const WebRequest&) { return WebAnswer{200, "ok"}; }};
  std::unique_ptr<Running> stream;
  Ran last;
};

}  // namespace lb::test
