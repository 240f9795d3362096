// CoreDbBoat: examples/core-db.yaml on throwaway servers, with a database in its form.
#pragma once

#include "tests/integration/example_boat.h"

namespace lb::test {

class CoreDbBoat : public ExampleBoat {
 protected:
  void sail() override {
    server->sql("CREATE DATABASE core");
    sql("CREATE TABLE accounts (id int PRIMARY KEY)");
    sql("CREATE TABLE orders (id int PRIMARY KEY, account int REFERENCES accounts,"
        " created_at timestamptz NOT NULL DEFAULT now())");
    sql("CREATE TABLE payments (id int PRIMARY KEY, paid int REFERENCES orders)");
    sql("INSERT INTO accounts SELECT n FROM generate_series(1, 10) n");
    sql("INSERT INTO orders SELECT n, n % 10 + 1 FROM generate_series(1, 400) n");
    sql("INSERT INTO payments SELECT n, n FROM generate_series(1, 400) n");
    auto& environment = boat.environment();
    environment["CORE_DB_URL"] = server->conninfo("core");
    environment["WEST_DB_URL"] = "host=127.0.0.1 port=1 dbname=core user=nobody";
    for (const char* script : {"provision-db.sh", "destroy-db.sh", "point-services.sh"})
      stand_in(script);
    take("core-db",
         {{"at: s3://dr-east", "at: ./repository"},
          {"key: kms:east", "key: env:LIFEBOAT_KEY"},
          {"  copies: [{at: s3://dr-west, within: 15m, key: kms:west}]\n", ""},
          {"copy: s3://dr-west", "copy: \"\""},  // without a copy: region reads the repository
          {"from: s3://dr-west", "from: ./west"},
          {"smtp: env:SMTP_SERVER", cat("smtp: env:SMTP_SERVER, ca: \"", mail->ca(), "\"")}});
    boat.must({"init"});
    boat.must({"backup"});
  }
  void sql(const std::string& text) { server->sql(text, "core"); }
  std::string ask(const std::string& text) { return server->value(text, "core"); }
};

}  // namespace lb::test
