// lifeboat alert test, against servers that answer, hang and refuse.
#include "foundation/base/text.h"
#include "foundation/sys/test_server.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/smtp_server.h"

namespace lb::test {
namespace {

constexpr const char* fine = "HTTP/1.1 200 OK\r\n\r\nok";

struct Bench {
  Bench() : boat(LIFEBOAT_BINARY) {}
  // `answers`: what the server answers below a path.
  void serve(std::map<std::string, std::string> answers) {
    server = std::make_unique<TestServer>([this, answers](const std::string& request) {
      const std::lock_guard lock(mutex);
      requests.push_back(request);
      for (const auto& [path, answer] : answers) {
        if (request.starts_with("POST " + path)) return answer;
      }
      return std::string("HTTP/1.1 404 None\r\n\r\n");
    });
    for (const char* name : {"SLACK", "HOOK", "HANG", "DENY"})
      boat.environment()[name] = server->url("/" + lower(name) + "/T0K3N?secret=V4LUE");
    boat.environment()["ROUTING"] = "R0UT1NG";
    boat.environment()["SIGN"] = "s1gning";
  }
  void expect_no_secret(const Ran& ran) {
    for (const char* secret : {"T0K3N", "V4LUE", "R0UT1NG", "s1gning", "p4ssw0rd"}) {
      EXPECT_EQ(ran.out.find(secret), std::string::npos) << ran.out;
      EXPECT_EQ(ran.err.find(secret), std::string::npos) << ran.err;
      for (const auto& path : files_below(boat / "state"))
        EXPECT_EQ(read_text(path).find(secret), std::string::npos) << path;
    }
  }
  Lifeboat boat;
  std::mutex mutex;
  std::vector<std::string> requests;
  std::unique_ptr<TestServer> server;
};

std::string head() { return "stores: {media: {files: ./media}}\n"; }

TEST(AlertTest, EveryChannelWithARealMessage) {
  if (auto why = SmtpServer::missing()) GTEST_SKIP() << *why;
  SmtpBehaviour behaviour;
  behaviour.user = "lifeboat";
  behaviour.password = "p4ssw0rd";
  SmtpServer mail(behaviour);
  Bench bench;
  bench.serve({{"/slack", fine},
               {"/hook", "HTTP/1.1 200 OK\r\n\r\n{\"ok\":true}"},
               {"/v2", "HTTP/1.1 202 Accepted\r\n\r\n{\"status\":\"success\"}"}});
  bench.boat.environment()["MAIL_USER"] = "lifeboat";
  bench.boat.environment()["MAIL_PASSWORD"] = "p4ssw0rd";
  bench.boat.write_plan(
      head() +
      cat(R"(channels:
  ops:  {slack: env:SLACK}
  mail: {smtp: "localhost:)",
          mail.port(),
          R"(", from: dr@example.com, user: env:MAIL_USER, password: env:MAIL_PASSWORD, ca: )",
          mail.ca(), R"(}
  hook: {webhook: env:HOOK, sign: env:SIGN}
  duty: {pagerduty: env:ROUTING, at: ")",
          bench.server->url("/v2/enqueue"), R"("}
  page: {command: "cat > page.txt"}
people:
  customers: {email: customers@example.com}
  ada: {email: ada@example.com, slack: "@ada"}
alerts: {critical: {on: [backup failed], send: ada}}
)"));
  auto ran = bench.boat.run({"alert", "test"});
  EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  auto mails = mail.taken();
  ASSERT_EQ(mails.size(), 1U);
  EXPECT_EQ(mails[0].to, "ada@example.com");  // no customer
  EXPECT_TRUE(mails[0].tls);
  EXPECT_NE(read_text(bench.boat / "page.txt").find("Subject: test: test of channel page"),
            std::string::npos);
  EXPECT_EQ(bench.requests.size(), 4U);  // an event that is opened is closed again
  bench.expect_no_secret(ran);
  ran = bench.boat.run({"alert", "test", "customers", "hook", "--json"});
  EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  auto results = ran.summary()["results"].items();
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0]["to"].string(), "customers");
  EXPECT_GT(results[1]["took_us"].integer(), 0);
  EXPECT_EQ(mail.taken().size(), 2U);
}

TEST(AlertTest, WhatFailsIsNamedWithItsReason) {
  Bench bench;
  bench.serve({{"/slack", "HTTP/1.1 200 OK\r\n\r\ninvalid_token"},
               {"/hook", "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"error\"}"},
               {"/deny", "HTTP/1.1 403 Forbidden\r\n\r\nno /deny/T0K3N?secret=V4LUE here"}});
  TestServer hangs([](const std::string&) { return "silence"; });
  bench.boat.write_plan(head() + cat(R"(channels:
  ops:   {slack: env:SLACK}
  hook:  {webhook: env:HOOK}
  deny:  {webhook: env:DENY}
  unset: {webhook: env:UNSET}
  slow:  {smtp: "127.0.0.1:)",
                                     hangs.port(), R"(", from: dr@example.com, tls: none, limit: 1s}
  mail:  {smtp: "127.0.0.1:1", from: dr@example.com}
people:
  ada: {email: ada@example.com, via: slow}
alerts: {critical: {on: [backup failed], send: ada}}
)"));
  auto ran = bench.boat.run({"alert", "test", "--json"});
  EXPECT_EQ(ran.exit_code, 1) << ran.out << ran.err;
  auto results = ran.summary()["results"].items();
  ASSERT_EQ(results.size(), 6U);
  const std::vector<std::string> texts = {
      "invalid_token", "\"status\":\"error\"",
      "HTTP 403",      "env:UNSET: the environment variable is not set",
      "timed out",     "nobody whom alerts:"};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_FALSE(results[i]["ok"].boolean(true));
    EXPECT_NE(results[i]["text"].string().find(texts[i]), std::string::npos)
        << results[i]["text"].string();
  }
  bench.expect_no_secret(ran);
  auto people = bench.boat.run({"alert", "test"});
  EXPECT_EQ(people.exit_code, 1);
  EXPECT_NE(people.out.find("FAIL"), std::string::npos) << people.out;
  bench.expect_no_secret(people);
}

TEST(AlertTest, UnknownNamesAndPlansWithoutChannels) {
  Bench bench;
  bench.boat.write_plan(head() + "people: {ada: {phone: \"+1\"}}\n");
  auto ran = bench.boat.run({"alert", "test"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_NE(ran.err.find("the plan has no channels:"), std::string::npos) << ran.err;
  ran = bench.boat.run({"alert", "test", "adda"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_NE(ran.err.find("did you mean 'ada'?"), std::string::npos) << ran.err;
  ran = bench.boat.run({"alert", "test", "ada"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.out.find("no channel of the plan reaches them"), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace lb::test
