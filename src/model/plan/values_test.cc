#include "model/plan/values.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "model/plan/secrets.h"

namespace lb::plan {
namespace {

TEST(Values, References) {
  using Kind = Reference::Kind;
  struct Row {
    std::string_view text;
    Kind kind;
    std::string_view value;
  };
  const Row rows[] = {{"env:DATABASE_URL", Kind::env, "DATABASE_URL"},
                      {"file:/etc/key", Kind::file, "/etc/key"},
                      {"command:pass show db", Kind::command, "pass show db"},
                      {"kms:west", Kind::kms, "west"},
                      {"./storage", Kind::literal, "./storage"},
                      {"s3://bucket/a", Kind::literal, "s3://bucket/a"}};
  for (const auto& row : rows) {
    auto reference = parse_reference(row.text).take();
    EXPECT_EQ(reference.kind, row.kind) << row.text;
    EXPECT_EQ(reference.value, row.value);
    EXPECT_EQ(reference.text(), row.text);
    EXPECT_FALSE(reference.empty());
  }
  EXPECT_TRUE(Reference().empty());
  EXPECT_EQ(parse_reference("env:").error().message(), "nothing follows 'env:'");
  EXPECT_EQ(parse_reference("env:MY VAR").error().message(),
            "'MY VAR' is not a name of an environment variable");
}

TEST(Values, Comparisons) {
  using Op = Comparison::Op;
  struct Row {
    std::string_view text;
    Op op;
    std::string_view value;
  };
  const Row rows[] = {{"0", Op::equal, "0"},
                      {">= 1", Op::greater_equal, "1"},
                      {"<=2s", Op::less_equal, "2s"},
                      {"> 100MiB", Op::greater, "100MiB"},
                      {"< 5%", Op::less, "5%"},
                      {"!= done", Op::not_equal, "done"},
                      {"= >", Op::equal, ">"},
                      {"==1", Op::equal, "1"},
                      {"recorded", Op::recorded, ""},
                      {"some text", Op::equal, "some text"},
                      {"", Op::equal, ""}};
  for (const auto& row : rows) {
    auto comparison = parse_comparison(row.text);
    ASSERT_TRUE(comparison.ok()) << row.text;
    EXPECT_EQ(comparison->op, row.op) << row.text;
    EXPECT_EQ(comparison->value, row.value) << row.text;
  }
  for (std::string_view text : {">", ">= ", "> many", "< a lot"}) {
    EXPECT_FALSE(parse_comparison(text).ok()) << text;
  }
}

TEST(Values, AddressesOfTcp) {
  EXPECT_EQ(parse_tcp("tcp://cache:6379").value().host, "cache");
  EXPECT_EQ(parse_tcp("tcp://cache:6379").value().port, 6379);
  EXPECT_EQ(parse_tcp("tcp://[::1]:1").value().host, "::1");
  for (const char* wrong : {"tcp://", "tcp://cache", "tcp://:1", "tcp://cache:0", "tcp://cache:x",
                            "tcp://cache:65536", "tcp://a/b:1", "tcp://a@b:1", "tcp://::1:1",
                            "tcp://cache:1/x", "cache:1", "http://cache:1"}) {
    EXPECT_FALSE(parse_tcp(wrong).ok()) << wrong;
  }
}

TEST(Values, PercentagesPointsAddressesRequests) {
  EXPECT_DOUBLE_EQ(parse_percent("10%").take(), 0.1);
  EXPECT_DOUBLE_EQ(parse_percent("0.5 %").take(), 0.005);
  for (std::string_view text : {"10", "%", "101%", "-1%", "x%"})
    EXPECT_FALSE(parse_percent(text).ok()) << text;
  for (std::string_view text :
       {"latest", "before-loss", "2026-01-13T02:00:00Z", "2026-01-13 02:00:00+02:00"}) {
    EXPECT_TRUE(check_point(text).ok()) << text;
  }
  EXPECT_EQ(check_point("2026-01-13T02:00:00").error().message(),
            "'2026-01-13T02:00:00' has no time zone");
  EXPECT_EQ(check_point("yesterday").error().message(), "'yesterday' is not a point in time");
  EXPECT_TRUE(check_url("http://localhost:8000").ok());
  for (std::string_view text : {"localhost", "http://", "http:///x", "ftp://h", "http://a b"}) {
    EXPECT_FALSE(check_url(text).ok()) << text;
  }
  auto request = parse_request("GET  /health").take();
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/health");
  EXPECT_EQ(parse_request("GET $url").take().path, "$url");
  for (std::string_view text : {"GET", "get /x", "GET x", "GET /a b", "/x", "GET "}) {
    EXPECT_FALSE(parse_request(text).ok()) << text;
  }
}

TEST(Secrets, FindsLiteralsThatLookLikeOne) {
  struct Row {
    std::string_view key, value;
    bool secret;
  };
  const Row rows[] = {
      {"postgres", "postgresql://app:hunter2@db:5432/app", true},
      {"postgres", "postgresql://app@db:5432/app", false},
      {"postgres", "postgresql://app:${PW}@db/app", false},
      {"postgres", "host=db user=app password=hunter2", true},
      {"postgres", "host=db user=app password=$PW", false},
      {"postgres", "postgresql://db/app?password=hunter2", true},
      {"run", "PGPASSWORD=hunter2 psql", true},
      {"run", "PGPASSWORD=$PW psql", false},
      {"sql", "SELECT count(*) FROM users WHERE password='x'", false},
      {"password", "hunter2", true},
      {"password", "env:TEST_PASSWORD", false},
      {"password", "$saved", false},
      {"db_password", "x", true},
      {"api_key", "f3a9c1d27b604e58", true},
      {"api_key", "storage_key", false},
      {"token", "staging-{id}", false},
      {"token", "a9F3kd02mZq81LxP", true},
      {"why", "the password is kept elsewhere", false},
      {"command", "aws --key AKIAIOSFODNN7EXAMPLE", true},
      {"webhook", "https://hooks.slack.com/services/T000/B000/XXXXXXXX", true},
      {"sign", "-----BEGIN PRIVATE KEY-----\nMII", true},
      {"url", "http://localhost:8000/a@b", false},
      {"to", "s3://bucket/a:b@c", false},
      {"x", "", false},
  };
  for (const auto& row : rows)
    EXPECT_EQ(looks_like_secret(row.key, row.value), row.secret) << row.key << " " << row.value;
}

TEST(Secrets, AreHiddenInLines) {
  EXPECT_EQ(hide_secrets("  db: postgres://u:pw@h/x  # postgres://u:p2@h"),
            "  db: postgres://u:****@h/x  # postgres://u:****@h");
  EXPECT_EQ(hide_secrets("  password: hunter2"), "  password: ****");
  EXPECT_EQ(hide_secrets("{\"password\": \"hunter2\", a: b}"), "{\"password\": \"****\", a: b}");
  EXPECT_EQ(hide_secrets("password: env:PW"), "password: env:PW");
  EXPECT_EQ(hide_secrets("run: x password=abc y"), "run: x password=**** y");
  EXPECT_EQ(hide_secrets("k: AKIAIOSFODNN7EXAMPLE"), "k: ****");
  EXPECT_EQ(hide_secrets("key: storage_key"), "key: storage_key");
}

TEST(Secrets, SearchIsLinearInHostileTexts) {
  std::string many;
  for (int i = 0; i < 200'000; ++i) many += "://=:";
  EXPECT_FALSE(looks_like_secret("x", many));
  EXPECT_FALSE(looks_like_secret("x", std::string(2'000'000, '=')));
  EXPECT_TRUE(looks_like_secret("x", many + "://u:p@h"));
}

}  // namespace
}  // namespace lb::plan
