#include "recovery/check/log_line.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "foundation/sys/random.h"

namespace lb::check {
namespace {

constexpr auto none = LineLevel::none, warning = LineLevel::warning, error = LineLevel::error;

struct Row {
  std::string line;
  LineLevel level;
};

const Row forms[] = {
    {"ERROR:    Exception in ASGI application", error},
    {"INFO:     127.0.0.1:41234 - \"GET /health HTTP/1.1\" 200 OK", none},
    {"INFO:     127.0.0.1:41234 - \"GET /error HTTP/1.1\" 500 Internal Server Error", none},
    {"WARNING:  Invalid HTTP request received.", warning},
    {"[2026-01-13 02:00:00 +0000] [12] [ERROR] Worker timed out", error},
    {"[2026-01-13 02:00:00 +0000] [12] [INFO] Booting worker", none},
    {"2026/01/13 02:00:00 [error] 12#12: *1 connect() failed", error},
    {"2026/01/13 02:00:00 [warn] 12#12: conflicting server name", warning},
    {"[Tue Jan 13 02:00:00 2026] [core:error] [pid 12] AH00082: an unknown accept", error},
    {"2026-01-13 02:00:00.000 UTC [12] ERROR:  relation \"x\" does not exist", error},
    {"2026-01-13 02:00:00.000 UTC [12] STATEMENT:  SELECT 'ERROR: x'", none},
    {"2026-01-13 02:00:00.000 UTC [12] LOG:  statement: SELECT 'FATAL'", none},
    {"2026-01-13 02:00:00.000 UTC [12] FATAL:  the database system is starting up", error},
    {"2026-01-13 02:00:00.000 UTC [12] PANIC:  could not write", error},
    {"2026-01-13 02:00:00,123 CRITICAL app.jobs: queue is gone", error},
    {"2026-01-13T02:00:00Z ERROR payments::charge: refused", error},
    {"2026-01-13T02:00:00Z error connecting to the database", error},
    {"api-1  | ERROR no route", error},
    {"[worker] error connecting", error},
    {"[2026-01-13 02:00:00] production.ERROR: Undefined index", error},
    {"[2026-01-13 02:00:00] production.INFO: all ERROR handlers are set", none},
    {"E, [2026-01-13T02:00:00.000000 #12] ERROR -- : boom", error},
    {"E0113 02:00:00.123456 12 file.cc:34] refused", error},
    {"W0113 02:00:00.123456 12 file.cc:34] slow", warning},
    {"I0113 02:00:00.123456 12 file.cc:34] ERROR is a word here", none},
    {"\x1b[31mERROR\x1b[0m coloured", error},
    {"\x1b[1;33mwarning\x1b[0m: coloured", warning},
    {"level=error msg=\"refused\"", error},
    {"time=\"2026-01-13T02:00:00Z\" level=info msg=\"retry\" error=\"ERROR: refused\"", none},
    {"ts=1 lvl=warn msg=slow", warning},
    {"ERROR cannot read {level=info}", error},
    {"2026-01-13 WARNING payload: \"severity\": \"error\"", warning},
    {"CONTEXT: job 7 ERROR refused", error},
    {"127.0.0.1 - - \"GET /?level=error HTTP/1.1\" 200 -", none},
    {"127.0.0.1 - - \"GET /ERROR HTTP/1.1\" 404 -", none},
    {R"({"level":"error","msg":"refused"})", error},
    {R"({"level":"info","msg":"ERROR 0 of 3"})", none},
    {R"({"msg":"ERROR","severity":"WARNING"})", warning},
    {R"({"level":50,"msg":"refused"})", error},
    {R"({"level":40,"msg":"slow"})", warning},
    {R"({"level":30,"msg":"ERROR"})", none},
    {R"({"log":{"level":"fatal"},"msg":"x"})", error},
    {R"({"msg":"a","level":"error","rest":"cut of)", error},
    {R"({"msg":"ERROR: without a level"})", error},
    {"error: could not open", error},
    {"psql: error: connection refused", error},
    {"npm ERR! code ELIFECYCLE", error},
    {"warning: deprecated", warning},
    {"(node:12) [DEP0040] DeprecationWarning: punycode", warning},
    {"Traceback (most recent call last):", error},
    {"ValueError: invalid literal", error},
    {"KeyboardInterrupt", none},
    {"java.sql.SQLException: closed", error},
    {"Exception in thread \"main\" java.lang.NullPointerException", error},
    {"    at com.shop.ErrorHandler.handle(ErrorHandler.java:12)", none},
    {"thread 'main' panicked at src/main.rs:4:5:", error},
    {"panic: runtime error: index out of range", error},
    {"Unhandled rejection in job 7", error},
    {"Segmentation fault (core dumped)", error},
};

TEST(LogLine, FormsThatServicesWrite) {
  for (const auto& row : forms) EXPECT_EQ(level_of(row.line), row.level) << row.line;
}

TEST(LogLine, WordsThatTellNoError) {
  for (const char* line : {"0 errors",
                           "0 ERRORS, 0 WARNINGS",
                           "finished with 0 errors and 0 warnings",
                           "errors: 0",
                           "no error",
                           "No errors found",
                           "NO ERROR",
                           "0 error(s)",
                           "0 ERROR, 0 WARNING",
                           "without error: done",
                           "ERRORS_MAX=5",
                           "terror and mirrors",
                           "MY_ERROR_CODE is set",
                           "the error page is served",
                           "listening on error-handler",
                           "INFO log level is ERROR",
                           "DEBUG panic: is a word",
                           "/var/log/error: opened",
                           "",
                           "   "}) {
    EXPECT_EQ(level_of(line), none) << line;
  }
  // Not taken for a summary: a level that follows a number of something else.
  EXPECT_EQ(level_of("worker 0 ERROR refused"), error);
  EXPECT_EQ(level_of("ERROR: 0 rows came back"), error);
}

// A service may write anything, and what is shown goes into a report.
TEST(LogLine, AnyBytesAreTextInTheEnd) {
  const std::string pieces[] = {"error", "level", "=",  ":", "\"",   "://",     "@",   "eyJ", ".",
                                "\x1b[", "\xff",  "\0", "{", "pass", "bearer ", " 0 ", "[",   "é"};
  auto random = seeded_random(11);
  for (int round = 0; round < 20000; ++round) {
    std::string line;
    for (std::uint64_t n = random->below(30); n > 0; --n)
      line += pieces[random->below(std::size(pieces))];
    EXPECT_EQ(level_of(line), level_of(cat("  ", line, " \r"))) << printable(line);
    EXPECT_TRUE(valid_utf8(shown_line(line))) << printable(line);
  }
}

TEST(LogLine, ShowsNoSecret) {
  struct Case {
    std::string line, shown;
  };
  const Case cases[] = {
      {"ERROR: postgresql://app:hunter2@db/x is away", "ERROR: postgresql://[secret]@db/x is away"},
      {"GET https://shop.example.com/a@b", "GET https://shop.example.com/a@b"},
      {"password=hunter2 user=ada", "password=[secret] user=ada"},
      {R"({"token": "abc def", "id": 7})", R"({"token": "[secret]", "id": 7})"},
      {"Authorization: Bearer abcdefgh12", "Authorization: [secret] [secret]"},
      {"sent bearer abcdefgh12, refused", "sent bearer [secret], refused"},
      {"a basic setup", "a basic setup"},
      {"user eyJhbGciOi.eyJzdWIi.c2ln refused", "user [secret] refused"},
      {"\x1b[31mERROR\x1b[0m x\x07y\r", "ERROR x\\x07y"},
      {"the password was wrong", "the password was wrong"},
  };
  for (const auto& c : cases) EXPECT_EQ(shown_line(c.line), c.shown);
}

}  // namespace
}  // namespace lb::check
