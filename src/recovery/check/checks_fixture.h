// CheckBench: what the tests of this folder need to run checks: a world, a context, and a throwaway
// PostgreSQL that plays the restored copy. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "foundation/base/text.h"
#include "foundation/sys/scripted_http.h"
#include "foundation/sys/scripted_process.h"
#include "recovery/check/check.h"
#include "tests/harness/postgres_server.h"

namespace lb::check {

class NoSandboxes final : public Sandboxes {
 public:
  Result<std::unique_ptr<Sandbox>> create(const SandboxSpec&) override { return none(); }
  Result<UserId> unprivileged_user(const std::string&) override { return none(); }
  Result<std::vector<std::string>> sweep(const std::string&) override { return none(); }

 private:
  static Error none() { return Error(ErrorKind::unsupported, "no sandbox in this test"); }
};

inline HttpAnswer answer_of(int status, const std::string& body, Micros took = Micros(1000)) {
  HttpAnswer out;
  out.status = status;
  out.headers = {{"content-type", "application/json"}};
  out.body = body;
  out.took = took;
  return out;
}

class CheckBench {
 public:
  CheckBench() : CheckBench([](const HttpRequest&) { return answer_of(200, "{}"); }) {}
  explicit CheckBench(ScriptedHttp::Answer answer) : http(std::move(answer)) {}

  std::vector<record::CheckResult> run(const plan::Suite& suite) {
    return run_suite(suite, context, saved);
  }

  record::CheckResult run(const plan::Check& check) {
    plan::Suite suite;
    suite.name = "suite";
    suite.checks.push_back(check);
    return run(suite).at(0);
  }

  template <typename What>
  record::CheckResult run_what(What what) {
    plan::Check check;
    check.name = "check";
    check.place = {"lifeboat.yaml", 12, 5};
    check.what = std::move(what);
    return run(check);
  }

  SimClock clock{*parse_time("2026-01-13T02:00:00Z")};
  std::unique_ptr<Random> random = seeded_random(7);
  std::unique_ptr<Files> files = real_files();
  std::unique_ptr<Processes> processes = real_processes();
  ScriptedHttp http;
  NoSandboxes sandboxes;
  World world{clock, *random, *files, http, *processes, sandboxes};
  CheckContext context{world, http, "http://127.0.0.1:8000", {}, {}, {}, {}, Seconds(60)};
  std::map<std::string, std::string> saved;
};

inline plan::Comparison expecting(plan::Comparison::Op op, const std::string& value) {
  plan::Comparison out;
  out.op = op;
  out.value = value;
  return out;
}
inline plan::Comparison equal_to(const std::string& value) {
  return expecting(plan::Comparison::Op::equal, value);
}
inline plan::Comparison as_recorded() { return expecting(plan::Comparison::Op::recorded, ""); }

inline std::string all_text(const record::CheckResult& result) {
  return cat(record::name_of(result.state), "\nexpected: ", result.expected, "\ngot: ", result.got,
             "\nreason: ", result.reason, "\n", join(result.evidence, "\n"));
}

inline constexpr const char* run_marker = "run-4711";

// One server for all tests of the program that need no other; a fresh database for each.
inline test::PostgresServer& shared_server() {
  static auto server = [] {
    test::PostgresOptions options;
    options.settings = {{"lifeboat.run", run_marker}};
    return test::PostgresServer::start(options);
  }();
  return *server;
}

// A database of the shared server, asked as the restored store "db".
class CopyBench : public CheckBench {
 public:
  CopyBench() : CopyBench(shared_server()) {}
  explicit CopyBench(test::PostgresServer& chosen) : server(chosen) { make(); }
  explicit CopyBench(ScriptedHttp::Answer answer)
      : CheckBench(std::move(answer)), server(shared_server()) {
    make();
  }

  void sql(const std::string& text) const { server.sql(text, database); }
  std::string value(const std::string& text) const { return server.value(text, database); }
  CheckedStore& store() { return context.stores.at(0); }

  test::PostgresServer& server;
  std::string database;

 private:
  void make() {
    static int number = 0;
    database = cat("copy", ++number);
    server.sql(cat("CREATE DATABASE ", database));
    CheckedStore copy;
    copy.name = "db";
    copy.kind = plan::StoreKind::postgres;
    copy.connection = server.conninfo(database);
    copy.run_marker = run_marker;
    context.stores.push_back(std::move(copy));
  }
};

// For tests that start servers: skipped, with the reason, where PostgreSQL is not installed.
class PostgresTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
  }
};

}  // namespace lb::check
