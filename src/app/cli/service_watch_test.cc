#include "app/cli/service_watch.h"

#include <gtest/gtest.h>

#include <cmath>

#include "foundation/base/text.h"
#include "model/plan/reader.h"

namespace lb::cli {
namespace {

// Answers as the test says, by the number of the request; time is that of the clock.
class Scripted final : public Http {
 public:
  using Answer = std::function<Result<HttpAnswer>(std::size_t)>;
  Scripted(SimClock& clock, Answer answer) : clock_(clock), answer_(std::move(answer)) {}
  Result<HttpAnswer> send(const HttpRequest& request) override {
    urls.push_back(cat(request.method, " ", request.url));
    auto out = answer_(urls.size());
    clock_.advance(out.ok() ? out->took : request.limit);
    return out;
  }
  std::vector<std::string> urls;

 private:
  SimClock& clock_;
  Answer answer_;
};

HttpAnswer answered(int status, Micros took) {
  HttpAnswer out;
  out.status = status;
  out.took = took;
  return out;
}

struct Looked {
  ServiceLook look;
  std::vector<std::string> urls;
};
Looked look_at(const Scripted::Answer& answer, std::size_t requests = 1) {
  SimClock clock(from_micros(1'800'000'000'000'000));
  Scripted http(clock, answer);
  std::vector<ServiceRequest> asked;
  for (std::size_t i = 0; i < requests; ++i) asked.push_back({"GET", cat("http://h/", i)});
  auto look = look_at_service(http, clock, asked, {});
  return {look, http.urls};
}

double measured(const ServiceLook& look, const std::string& event) {
  for (const auto& finding : findings_of(look, "live", "h1")) {
    if (finding.event == event && finding.measured) return *finding.measured;
  }
  return -1;
}
bool away(const ServiceLook& look) {
  const auto findings = findings_of(look, "live", "h1");
  EXPECT_EQ(findings.at(0).event, "target unreachable");
  return findings.at(0).wrong;
}

constexpr Micros quick = std::chrono::milliseconds(20);

TEST(ServiceWatch, EachRequestIsMadeSeveralTimes) {
  const auto seen = look_at([](auto) { return answered(200, quick); }, 2);
  EXPECT_EQ(seen.urls.size(), 10U);
  EXPECT_EQ(seen.urls[1], "GET http://h/1");
  EXPECT_EQ(seen.look.failed, 0U);
  EXPECT_DOUBLE_EQ(measured(seen.look, "response_time"), 0.02);
  EXPECT_DOUBLE_EQ(measured(seen.look, "error_rate"), 0);
  EXPECT_FALSE(away(seen.look));
}

TEST(ServiceWatch, OneSlowAnswerIsNoSlowServiceAndThreeOfFiveAre) {
  const auto one = [](std::size_t n) { return answered(200, n == 1 ? Micros(Seconds(4)) : quick); };
  EXPECT_DOUBLE_EQ(measured(look_at(one).look, "response_time"), 0.02);
  const auto three = [](std::size_t n) {
    return answered(200, n < 4 ? Micros(Seconds(4)) : quick);
  };
  EXPECT_DOUBLE_EQ(measured(look_at(three).look, "response_time"), 4);
}

// A refusal that is the client's matter is an answer of a service that works.
TEST(ServiceWatch, ErrorsOfTheServiceCountAndThoseOfTheClientDoNot) {
  const auto seen = look_at([](std::size_t n) {
                      return answered(n == 2 ? 503 : n == 3 ? 404 : 401, quick);
                    }).look;
  EXPECT_EQ(seen.failed, 1U);
  EXPECT_DOUBLE_EQ(measured(seen, "error_rate"), 0.2);
  EXPECT_FALSE(away(seen));
  EXPECT_NE(text_of(seen).find("1 of 5 failed, the last one: http://h/0: HTTP 503"),
            std::string::npos)
      << text_of(seen);
}

TEST(ServiceWatch, WhatDoesNotAnswerIsAboveEveryBoundAndAway) {
  const auto none = look_at([](auto) -> Result<HttpAnswer> {
                      return Error(ErrorKind::unavailable, "connection refused");
                    }).look;
  EXPECT_TRUE(away(none));
  EXPECT_TRUE(std::isinf(measured(none, "response_time")));
  EXPECT_DOUBLE_EQ(measured(none, "error_rate"), 1);
  EXPECT_NE(text_of(none).find("none of "), std::string::npos) << text_of(none);
  EXPECT_NE(text_of(none).find("connection refused"), std::string::npos) << text_of(none);
}

TEST(ServiceWatch, WhatHangsHoldsNobodyForLong) {
  const auto seen = look_at(
      [](auto) -> Result<HttpAnswer> { return Error(ErrorKind::timeout, "no answer"); }, 10);
  EXPECT_LE(seen.urls.size(), 4U);
  EXPECT_TRUE(away(seen.look));
}

TEST(ServiceWatch, NothingAskedIsNothingFound) { EXPECT_TRUE(findings_of({}, "t", "h").empty()); }

// Nothing that changes anything, and nothing that needs a secret or an answer before it.
TEST(ServiceWatch, AsksWhatThePlanReadsAndNothingElse) {
  const auto plan_of = [](const std::string& checks) {
    auto out = plan::read_plan(
        "plan.yaml",
        cat("version: 1\nsystem: shop\nrepository: {at: /b, key: env:KEY}\n"
            "stores: {db: {postgres: env:DB}}\n"
            "targets: {live: {protect: true, url: \"http://live:8000/\"}}\nchecks: {api: [",
            checks, "]}\n"),
        nullptr);
    EXPECT_EQ(plan::format_mistakes(out.mistakes, false), "");
    return out.plan;
  };
  const auto urls = [&](const std::string& checks) {
    const auto plan = plan_of(checks);
    std::vector<std::string> out;
    for (const auto& one : requests_to(plan, plan.targets.at(0)))
      out.push_back(cat(one.method, " ", one.url));
    return out;
  };
  using Lines = std::vector<std::string>;
  EXPECT_EQ(urls("{http: GET /health}, {http: HEAD /static/a.css}, {http: GET /health}"),
            (Lines{"GET http://live:8000/health", "HEAD http://live:8000/static/a.css"}));
  EXPECT_EQ(urls("{http: POST /jobs, json: {a: b}}, {http: GET /me, bearer: env:TOKEN}, "
                 "{http: GET /x, headers: {key: env:KEY}}, {http: DELETE /y}, "
                 "{http: GET /login, save: {id: $.id}}, {http: GET /jobs/$id}"),
            Lines{"GET http://live:8000/login"});
  EXPECT_EQ(urls("{http: GET $u, rows: {store: db, sql: select u}}"),
            Lines{"GET http://live:8000/"})
      << "the url itself";
}

}  // namespace
}  // namespace lb::cli
