// http with a scripted service: statuses, times, JSON, headers, chains, rows; and that no secret is
// ever shown.
#include <gtest/gtest.h>

#include "foundation/sys/test_server.h"
#include "recovery/check/checks_fixture.h"

namespace lb::check {
namespace {

using record::CheckState;
using Op = plan::Comparison::Op;

plan::CheckHttp request(const std::string& method, const std::string& path) {
  plan::CheckHttp out;
  out.method = method;
  out.path = path;
  return out;
}

plan::Check named(const std::string& name, plan::CheckHttp what) {
  plan::Check out;
  out.name = name;
  out.what = std::move(what);
  return out;
}

plan::Reference literal(const std::string& text) {
  plan::Reference out;
  out.value = text;
  return out;
}

plan::Reference from_environment(const std::string& name) {
  plan::Reference out;
  out.kind = plan::Reference::Kind::env;
  out.value = name;
  return out;
}

struct AnswerCase {
  std::string name;
  std::function<void(plan::CheckHttp&)> expect;
  HttpAnswer answer;
  CheckState state;
  std::string says;
};

const std::string document = R"({"ok":true,"n":7,"items":[{"id":"a1"}],"none":null})";

std::vector<AnswerCase> answer_cases() {
  auto nothing = [](plan::CheckHttp&) {};
  auto status = [](int wanted) { return [=](plan::CheckHttp& what) { what.status = wanted; }; };
  auto any_of = [](plan::CheckHttp& what) { what.statuses = {401, 403}; };
  auto within = [](plan::CheckHttp& what) { what.within = Seconds(2); };
  auto json = [](const std::string& path, plan::Comparison expect) {
    return [=](plan::CheckHttp& what) { what.expect_json = {{path, expect}}; };
  };
  auto header = [](const std::string& name, const std::string& text) {
    return [=](plan::CheckHttp& what) { what.expect_headers = {{name, text}}; };
  };
  auto bytes = [](plan::CheckHttp& what) { what.expect_bytes = expecting(Op::greater_equal, "1"); };
  auto text = [](plan::CheckHttp& what) { what.expect_text = "healthy"; };
  return {
      {"default status", nothing, answer_of(200, ""), CheckState::pass, "status 200 to 399"},
      {"redirect is fine", nothing, answer_of(302, ""), CheckState::pass, ""},
      {"not found", nothing, answer_of(404, "gone"), CheckState::fail, "answer: gone"},
      {"server error", nothing, answer_of(500, ""), CheckState::fail, "status 500, expected"},
      {"exact", status(201), answer_of(201, ""), CheckState::pass, ""},
      {"not exact", status(201), answer_of(200, ""), CheckState::fail, "expected status 201"},
      {"one of", any_of, answer_of(403, ""), CheckState::pass, "status 401 or 403"},
      {"none of", any_of, answer_of(200, ""), CheckState::fail, ""},
      {"in time", within, answer_of(200, "", Seconds(2)), CheckState::pass, ""},
      {"late", within, answer_of(200, "", Micros(2'000'001)), CheckState::fail, "allowed are 2s"},
      {"json", json("$.ok", equal_to("true")), answer_of(200, document), CheckState::pass, ""},
      {"json number", json("$.n", expecting(Op::greater, "6")), answer_of(200, document),
       CheckState::pass, ""},
      {"json deep", json("$.items[0].id", equal_to("a1")), answer_of(200, document),
       CheckState::pass, ""},
      {"json null", json("$.none", equal_to("null")), answer_of(200, document), CheckState::pass,
       ""},
      {"json other", json("$.ok", equal_to("false")), answer_of(200, document), CheckState::fail,
       "$.ok is true, expected false"},
      {"json absent", json("$.items[1].id", equal_to("a1")), answer_of(200, document),
       CheckState::fail, "$.items[1].id is not in the answer"},
      {"not json", json("$.ok", equal_to("true")), answer_of(200, "<html>"), CheckState::fail,
       "the answer is not JSON"},
      {"no order", json("$.items", expecting(Op::less, "3")), answer_of(200, document),
       CheckState::error, ""},
      {"bad path", json("ok", equal_to("true")), answer_of(200, document), CheckState::error,
       "no JSON path"},
      {"header", header("Content-Type", "json"), answer_of(200, ""), CheckState::pass, ""},
      {"other header", header("Content-Type", "csv"), answer_of(200, ""), CheckState::fail,
       "expected 'csv' in it"},
      {"no header", header("X-Rows", "1"), answer_of(200, ""), CheckState::fail,
       "header X-Rows is missing"},
      {"bytes", bytes, answer_of(200, "x"), CheckState::pass, ""},
      {"no bytes", bytes, answer_of(200, ""), CheckState::fail, "0 bytes, expected >= 1"},
      {"text", text, answer_of(200, "all healthy here"), CheckState::pass, ""},
      {"other text", text, answer_of(200, "sick"), CheckState::fail, "does not contain 'healthy'"},
  };
}

TEST(HttpCheck, JudgesTheAnswer) {
  for (const auto& c : answer_cases()) {
    CheckBench bench([&](const HttpRequest&) { return c.answer; });
    auto what = request("GET", "/health");
    c.expect(what);
    auto result = bench.run_what(what);
    EXPECT_EQ(result.state, c.state) << c.name << "\n" << all_text(result);
    EXPECT_NE(all_text(result).find(c.says), std::string::npos) << c.name << "\n"
                                                                << all_text(result);
    EXPECT_EQ(bench.http.requests().at(0).url, "http://127.0.0.1:8000/health");
  }
}

TEST(HttpCheck, HeadCountsTheBytesAnnounced) {
  CheckBench bench([](const HttpRequest&) {
    auto out = answer_of(200, "");
    out.headers.emplace_back("content-length", "4096");
    return out;
  });
  auto what = request("HEAD", "/static/logo.png");
  what.expect_bytes = expecting(Op::greater_equal, "4KiB");
  EXPECT_EQ(bench.run_what(what).state, CheckState::pass);
  what.expect_bytes = expecting(Op::greater, "4KiB");
  EXPECT_EQ(bench.run_what(what).state, CheckState::fail);
}

TEST(HttpCheck, UnreachableIsAnErrorAndTooSlowIsAFailure) {
  CheckBench gone(
      [](const HttpRequest&) { return Error(ErrorKind::unavailable, "connection refused"); });
  auto refused = gone.run_what(request("GET", "/health"));
  EXPECT_EQ(refused.state, CheckState::error);
  EXPECT_NE(refused.reason.find("connection refused"), std::string::npos);

  CheckBench slow([](const HttpRequest&) { return Error(ErrorKind::timeout, "no answer"); });
  EXPECT_EQ(slow.run_what(request("GET", "/health")).state, CheckState::error);
  auto limited = request("GET", "/health");
  limited.within = Seconds(2);
  auto late = slow.run_what(limited);
  EXPECT_EQ(late.state, CheckState::fail) << all_text(late);
  EXPECT_NE(late.reason.find("no answer within 2s"), std::string::npos);
  EXPECT_GT(slow.http.requests().at(1).limit, Seconds(2));

  CheckBench nowhere;
  nowhere.context.base_url = "";
  EXPECT_EQ(nowhere.run_what(request("GET", "/health")).state, CheckState::error);
}

// What real_http does with a service at `base_url`.
record::CheckResult ask_really(const std::string& base_url, const plan::CheckHttp& what) {
  auto http = real_http();
  CheckBench bench;
  CheckContext context{bench.world, *http, base_url, {}, {}, {}, {}, Seconds(5)};
  plan::Suite suite;
  suite.checks.push_back(named("service", what));
  return run_suite(suite, context, bench.saved).at(0);
}

TEST(HttpCheck, ARealServiceIsMeasuredAndJudged) {
  TestServer server([](const std::string& asked) -> std::string {
    if (asked.starts_with("GET /slow")) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    if (asked.starts_with("GET /sick")) return "HTTP/1.1 503 Sick\r\nContent-Length: 4\r\n\r\ndown";
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
           "11\r\n\r\n{\"ok\":true}";
  });
  auto healthy = request("GET", "/health");
  healthy.within = Seconds(60);
  healthy.expect_json = {{"$.ok", equal_to("true")}};
  healthy.expect_headers = {{"content-type", "json"}};
  auto right = ask_really(server.url("/"), healthy);
  EXPECT_EQ(right.state, CheckState::pass) << all_text(right);

  auto slow = request("GET", "/slow");
  slow.within = std::chrono::milliseconds(250);
  auto late = ask_really(server.url(""), slow);
  EXPECT_EQ(late.state, CheckState::fail) << all_text(late);
  EXPECT_NE(late.reason.find("allowed are 250ms"), std::string::npos) << late.reason;

  auto sick = ask_really(server.url(""), request("GET", "/sick"));
  EXPECT_EQ(sick.state, CheckState::fail) << all_text(sick);
  EXPECT_NE(all_text(sick).find("answer: down"), std::string::npos);
}

TEST(HttpCheck, ARealServiceThatIsNotThereIsAnError) {
  auto result = ask_really("http://127.0.0.1:1", request("GET", "/health"));
  EXPECT_EQ(result.state, CheckState::error) << all_text(result);
  EXPECT_EQ(judge({result}).verdict, record::Verdict::inconclusive);
}

// A login that hands out a token, and a page that wants it.
HttpAnswer login_service(const HttpRequest& asked) {
  std::string token = "tok-5f3a9c";
  if (asked.url.ends_with("/login")) {
    auto body = *parse_json(asked.body);
    if (body["password"].string() != "hunter22") return answer_of(401, R"({"sent":"hunter22"})");
    return answer_of(200, cat(R"({"access_token":")", token, R"(","user":{"id":42}})"));
  }
  for (const auto& [name, value] : asked.headers) {
    if (name == "Authorization" && value == cat("Bearer ", token)) {
      return answer_of(asked.url.ends_with("/users/42/jobs") ? 201 : 404,
                       cat(R"({"echo":")", value, R"(","password":"inner","id":5})"));
    }
  }
  return answer_of(401, "{}");
}

plan::Suite login_suite() {
  auto login = request("POST", "/login");
  login.json = Json::object().set("email", "test@example.com").set("password", "env:TEST_PASSWORD");
  login.status = 200;
  login.save = {{"credential", "$.access_token"}, {"user", "$.user.id"}};
  auto job = request("POST", "/users/$user/jobs");
  job.bearer = literal("$credential");
  job.json = Json::object().set("title", "drill of $user");
  job.status = 201;
  job.expect_json = {{"$.id", equal_to("5")}};
  plan::Suite suite;
  suite.name = "api";
  suite.checks = {named("log in", login), named("make a job", job)};
  return suite;
}

TEST(HttpCheck, ChainsRequestsBySavedValues) {
  CheckBench bench(login_service);
  bench.context.environment = {{"TEST_PASSWORD", "hunter22"}, {"HOME", "/root"}};
  auto results = bench.run(login_suite());
  EXPECT_EQ(results.at(0).state, CheckState::pass) << all_text(results[0]);
  EXPECT_EQ(results.at(1).state, CheckState::pass) << all_text(results[1]);
  EXPECT_EQ(bench.saved.at("user"), "42");
  EXPECT_EQ(bench.http.requests().at(1).body, R"({"title":"drill of 42"})");
  // Carried on to the next suite.
  plan::Suite next;
  next.checks = {login_suite().checks[1]};
  EXPECT_EQ(bench.run(next).at(0).state, CheckState::pass);
}

TEST(HttpCheck, AFailedLoginFailsAndWhatNeedsItCannotRun) {
  CheckBench bench(login_service);
  bench.context.environment = {{"TEST_PASSWORD", "wrong-one"}};
  auto results = bench.run(login_suite());
  EXPECT_EQ(results.at(0).state, CheckState::fail);
  EXPECT_EQ(results.at(1).state, CheckState::error);
  EXPECT_NE(results[1].reason.find("$user was not saved"), std::string::npos) << results[1].reason;
  EXPECT_EQ(judge(results).verdict, record::Verdict::fail);

  bench.context.environment.clear();
  auto unset = bench.run(login_suite());
  EXPECT_EQ(unset.at(0).state, CheckState::error);
  EXPECT_NE(unset[0].reason.find("TEST_PASSWORD"), std::string::npos);
}

TEST(HttpCheck, NeverShowsASecret) {
  CheckBench bench(login_service);
  bench.context.environment = {{"TEST_PASSWORD", "hunter22"}};
  auto suite = login_suite();
  // Everything goes wrong, so that everything is shown.
  auto& login = std::get<plan::CheckHttp>(suite.checks[0].what);
  login.expect_text = "hunter22";
  auto failed_login = bench.run(suite);
  EXPECT_EQ(failed_login.at(0).state, CheckState::fail);
  login.expect_text.clear();
  auto& job = std::get<plan::CheckHttp>(suite.checks[1].what);
  job.status = 202;
  job.expect_json = {{"$.echo", equal_to("x")}, {"$.password", equal_to("y")}};
  job.expect_headers = {{"Set-Cookie", "z"}};
  auto results = bench.run(suite);
  EXPECT_EQ(results.at(1).state, CheckState::fail);
  results.insert(results.end(), failed_login.begin(), failed_login.end());
  for (const auto& result : results) {
    for (auto secret : {"hunter22", "tok-5f3a9c", "inner"}) {
      EXPECT_EQ(all_text(result).find(secret), std::string::npos) << all_text(result);
    }
  }
  EXPECT_NE(all_text(results[1]).find("$.echo is Bearer [secret]"), std::string::npos)
      << all_text(results[1]);
}

TEST(HttpCheck, SecretsOfHeadersAndFilesAreSentButNotShown) {
  CheckBench bench(
      [](const HttpRequest& asked) { return answer_of(500, asked.headers.at(0).second); });
  bench.context.environment = {{"API_KEY", "key-77aa"}};
  auto what = request("GET", "/metrics?token=query-9");
  what.headers = {{"X-Auth", from_environment("API_KEY")}};
  auto result = bench.run_what(what);
  EXPECT_EQ(bench.http.requests().at(0).headers.at(0).second, "key-77aa");
  EXPECT_EQ(all_text(result).find("key-77aa"), std::string::npos) << all_text(result);
  EXPECT_EQ(all_text(result).find("query-9"), std::string::npos) << all_text(result);
  EXPECT_NE(all_text(result).find("answer: [secret]"), std::string::npos) << all_text(result);
}

TEST(HttpCheck, NothingToSaveFails) {
  CheckBench bench([](const HttpRequest&) { return answer_of(200, R"({"token":null})"); });
  auto what = request("POST", "/login");
  what.save = {{"token", "$.token"}};
  auto result = bench.run_what(what);
  EXPECT_EQ(result.state, CheckState::fail);
  EXPECT_NE(result.reason.find("nothing at $.token"), std::string::npos) << result.reason;
  EXPECT_TRUE(bench.saved.empty());
}

class HttpRows : public PostgresTest {};

TEST_F(HttpRows, AskOnceForEachRow) {
  CopyBench bench(ScriptedHttp::Answer([](const HttpRequest& asked) {
    return answer_of(asked.url.ends_with("/b") ? 404 : 200, "x");
  }));
  bench.sql(
      "CREATE TABLE artifacts (url text, kind text); INSERT INTO artifacts VALUES"
      " ('http://127.0.0.1:9/a', 'audio'), ('http://127.0.0.1:9/c', 'audio')");
  auto what = request("GET", "$url");
  what.rows_store = "db";
  what.rows_sql = "SELECT url FROM artifacts ORDER BY url;";
  auto right = bench.run_what(what);
  EXPECT_EQ(right.state, CheckState::pass) << all_text(right);
  EXPECT_EQ(right.examined, 2u);
  EXPECT_EQ(right.got, "2 of 2 rows as expected");
  EXPECT_EQ(bench.http.requests().at(0).url, "http://127.0.0.1:9/a");

  bench.sql("INSERT INTO artifacts VALUES ('http://127.0.0.1:9/b', 'audio')");
  auto wrong = bench.run_what(what);
  EXPECT_EQ(wrong.state, CheckState::fail);
  EXPECT_EQ(wrong.got, "2 of 3 rows as expected");
  EXPECT_NE(wrong.reason.find("http://127.0.0.1:9/b"), std::string::npos);

  bench.sql("UPDATE artifacts SET url = NULL WHERE url LIKE '%b'");
  auto null = bench.run_what(what);
  EXPECT_EQ(null.state, CheckState::fail) << all_text(null);
  EXPECT_EQ(null.reason, "row 3: url is NULL in this row");

  bench.sql("DELETE FROM artifacts");
  auto none = bench.run_what(what);
  EXPECT_EQ(none.state, CheckState::fail);
  EXPECT_EQ(none.examined, 0u);

  what.rows_sql = "SELECT url FROM gone";
  EXPECT_EQ(bench.run_what(what).state, CheckState::error);
}

TEST_F(HttpRows, StopAskingAServiceThatIsGone) {
  CopyBench bench(ScriptedHttp::Answer(
      [](const HttpRequest&) { return Error(ErrorKind::unavailable, "connection refused"); }));
  auto what = request("GET", "/items/$id");
  what.rows_store = "db";
  what.rows_sql = "SELECT id FROM generate_series(1, 1000) AS id";
  auto result = bench.run_what(what);
  EXPECT_EQ(result.state, CheckState::error) << all_text(result);
  EXPECT_EQ(bench.http.requests().size(), 3u);
  EXPECT_EQ(bench.http.requests().at(1).url, "http://127.0.0.1:8000/items/2");
}

}  // namespace
}  // namespace lb::check
