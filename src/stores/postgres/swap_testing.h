// A live database of a throwaway server, one that is to replace it, and processes that are killed
// while they exchange them. For tests only.
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "stores/postgres/database_swap.h"
#include "stores/postgres/kept_databases.h"
#include "tests/harness/postgres_server.h"

namespace lb::pg {

// Kills its process before the n-th query.
class KilledConnection final : public Connection {
 public:
  KilledConnection(Connection& inner, int queries) : inner_(inner), left_(queries) {}
  Result<QueryResult> query(const std::string& sql, std::size_t rows_max) override {
    count();
    return inner_.query(sql, rows_max);
  }
  Result<QueryResult> query(const std::string& sql,
                            const std::vector<std::string>& parameters) override {
    count();
    return inner_.query(sql, parameters);
  }
  Status each_row(const std::string& sql, const std::vector<std::string>& parameters,
                  const TakeRow& take) override {
    count();
    return inner_.each_row(sql, parameters, take);
  }
  Result<QueryResult> query_binary(const std::string& sql,
                                   const std::vector<std::string>& parameters) override {
    count();
    return inner_.query_binary(sql, parameters);
  }
  int server_version() const override { return inner_.server_version(); }
  void* native() override { return inner_.native(); }

 private:
  void count() {
    if (left_-- == 0) ::kill(::getpid(), SIGKILL);
  }
  Connection& inner_;
  int left_;
};

class SwapTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
    server_ = test::PostgresServer::start({.settings = {{"max_prepared_transactions", "2"}}});
    server_->make_role("keeper", "keeper-pw");
    server_->make_role("clerk", "clerk-pw");
    make_live();
    connection_ = open();
    second_ = open();
  }
  std::unique_ptr<Connection> open(const std::string& database = "postgres") const {
    return Connection::open(Secret(server_->conninfo(database))).take();
  }
  void make_live() const {
    server_->sql("CREATE DATABASE shop OWNER keeper CONNECTION LIMIT 40");
    server_->sql("COMMENT ON DATABASE shop IS 'it''s the shop'");
    server_->sql("REVOKE ALL ON DATABASE shop FROM PUBLIC");
    server_->sql("GRANT CONNECT ON DATABASE shop TO clerk WITH GRANT OPTION");
    server_->sql(R"(ALTER DATABASE shop SET search_path TO "$user", public, "a, ""b")");
    server_->sql("ALTER DATABASE shop SET work_mem TO '7MB'");
    server_->sql(R"(ALTER ROLE clerk IN DATABASE shop SET app.words TO 'it''s \ "two"')");
    fill_rows("shop", "old");
  }
  void fill_rows(const std::string& database, const std::string& word) const {
    server_->sql(
        cat("CREATE TABLE public.said AS SELECT '", word, "' AS word FROM generate_series(1, 500)"),
        database);
    server_->sql("GRANT SELECT ON public.said TO clerk", database);
  }
  void remove_all() const {
    for (const auto& row :
         server_->rows("SELECT datname FROM pg_database WHERE datname LIKE 'shop%'"))
      server_->sql(cat("DROP DATABASE ", quote_name(row[0]), " WITH (FORCE)"));
  }
  // As move_database does it: the last name comes last.
  SwapActs acts() const {
    SwapActs out;
    out.fill = [this](const std::string& name, const std::string&) -> Status {
      server_->sql(cat("CREATE DATABASE ", quote_name(name + "_unfinished")));
      fill_rows(name + "_unfinished", "new");
      server_->sql(cat("ALTER DATABASE ", quote_name(name + "_unfinished"), " RENAME TO ",
                       quote_name(name)));
      return {};
    };
    out.verify = [this](const std::string& name) -> Status {
      if (server_->value("SELECT count(*) FROM public.said", name) == "500") return {};
      return Error(ErrorKind::invalid, "rows are missing");
    };
    return out;
  }
  SwapServer hands(Connection& connection) const { return {connection, *second_, *clock_}; }
  Result<SwapState> advance(Connection& connection) const {
    return advance_swap(hands(connection), wish_, acts(), {});
  }
  // Until there is nothing more to do.
  Status finish(Connection& connection) const {
    for (;;) {
      auto state = advance(connection);
      if (!state.ok()) return state.status();
      if (state->stage == SwapStage::swapped) return {};
    }
  }
  SwapStage stage() const { return look_at_swap(*connection_, wish_).take().stage; }
  // What a client finds in the live database: the word and how often.
  std::string found() const {
    return server_->value("SELECT string_agg(DISTINCT word, '+') || ' ' || count(*) FROM said",
                          "shop");
  }

  std::unique_ptr<Clock> clock_ = real_clock();
  std::unique_ptr<test::PostgresServer> server_;
  std::unique_ptr<Connection> connection_, second_;
  SwapWish wish_{"shop", "06FQ0KZ4", std::chrono::hours(24 * 7)};
};

}  // namespace lb::pg
