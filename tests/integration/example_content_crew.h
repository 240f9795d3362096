// ContentCrewBoat: examples/content-crew.yaml on a throwaway server, with a database, files and an
// API in their form.
#pragma once

#include <functional>

#include "tests/integration/example_boat.h"

namespace lb::test {

class ContentCrewBoat : public ExampleBoat {
 protected:
  void sail() override {
    server->sql("CREATE DATABASE crew");
    sql("CREATE TABLE organizations (id int PRIMARY KEY)");
    sql("CREATE TABLE users (id int PRIMARY KEY, organization int REFERENCES organizations)");
    sql("CREATE TABLE content_jobs (id int PRIMARY KEY, user_id int REFERENCES users,"
        " created_at timestamptz NOT NULL DEFAULT now())");
    sql("CREATE TABLE content_artifacts (id int PRIMARY KEY, job int REFERENCES content_jobs,"
        " artifact_type text, storage_key text, storage_url text)");
    sql("CREATE TABLE billing_events (id int PRIMARY KEY, event_id text)");
    sql("INSERT INTO organizations VALUES (1)");
    sql("INSERT INTO users SELECT n, 1 FROM generate_series(1, 20) n");
    sql("INSERT INTO content_jobs SELECT n, n % 20 + 1 FROM generate_series(1, 200) n");
    sql("INSERT INTO content_artifacts SELECT n, n, 'voiceover_audio', 'voiceovers/' || n || "
        "'.wav', '/v1/storage/voiceovers/' || n || '.wav' FROM generate_series(1, 20) n");
    sql("INSERT INTO billing_events VALUES (1, 'a'), (2, 'b'), (3, 'b')");
    for (int n = 1; n <= 20; ++n)
      write_text(boat / cat("storage/voiceovers/", n, ".wav"), cat("sound ", n));
    write_text(boat / "storage/voiceovers/test.wav", "a test");
    write_text(boat / "storage/videos/1.mp4", "a film");
    write_text(boat / "storage/artifacts/1.txt", "a text");
    write_text(boat / "app/__main__.py", app);
    auto& environment = boat.environment();
    environment["DATABASE_URL"] = server->conninfo("crew");
    environment["REDIS_URL"] = "redis://127.0.0.1:1";
    environment["TEST_PASSWORD"] = "a test password";
    environment["LIFEBOAT_SIGNING_KEY"] = std::string(64, '5');
    stand_in("bin/docker");
    take("content-crew",
         {// A directory works the same, as the example says.
          {"at: s3://backups-bucket/content-crew", "at: ./repository"},
          {"smtp: \"mail.example.com:587\"",
           cat("smtp: \"", mail_address(), "\", ca: \"", mail->ca(), "\"")},
          // Where the API answers in production; in the sandbox it has the port to itself.
          {"protect: true, url: \"http://localhost:8000\"",
           cat("protect: true, url: \"", api.url(""), "\"")},
          {"python -m app", "python3 -m app"},  // Debian's name of it
          {"at: s3://offsite/content-crew, within: 24h, immutable: 30d", "at: ./offsite"},
          {"from: s3://offsite/content-crew", "from: ./offsite"},
          {"https://health.aws.amazon.com/health/status", status.url("/health/status")}},
         R"(groups:
  built: {stores: [db, media], authority: db}
drills:
  both: {every: monthly, restore: built, into: sandbox, checks: [db, files, api, log]}
  full-disk: {every: monthly, runbook: disk-full, into: sandbox, checks: [db]}
checks: {alive: [{connect: api}, {connect: db}, {connect: media}, {logs: api}]}
runbooks: {look: {steps: [{verify: [alive]}]}}
)");
    boat.must({"init"});
    boat.must({"backup", "db", "media"});
  }
  void sql(const std::string& text) { server->sql(text, "crew"); }
  std::string ask(const std::string& text) { return server->value(text, "crew"); }
  static WebAnswer answer(const WebRequest& request) {
    if (request.path == "/v1/auth/login") return {200, "{\"access_token\": \"t1\"}"};
    if (request.path == "/v1/jobs") return {201, "{}"};
    return {};
  }

  // The runbook that most others begin with: what it cannot do is said and left out by people.
  void before_restore() {
    EXPECT_EQ(waits_at(), "ask failed_component, failed_at, affected_data") << shown();
    say_and_go_on(
        {"answer", "failed_component=database", "failed_at=" + utc_now(), "affected_data=jobs"});
    auto chosen = at("choose app");
    EXPECT_TRUE(chosen.starts_with("done: db: ")) << shown();
    EXPECT_NE(chosen.find("bucket: none, a bucket store is not supported yet"), std::string::npos);
    leave_out("preflight disk, credentials, network, repository", "a redis store (cache)");
    EXPECT_TRUE(at("tell team, stakeholders (recovery-started)").starts_with("done: told"))
        << shown();
    EXPECT_TRUE(mailed("all@example.com", "content-crew")) << mail_told();
    EXPECT_EQ(slack.count("/hook", "content-crew"), 1u) << slack.told();
    do_by_hand("write down: what failed, when it was seen, how long it may take");
  }

  // With the group of what is built: only the preflight looks at every store of the plan.
  void before_restore_of_what_is_built(const std::string& failed, const std::string& failed_at) {
    EXPECT_EQ(waits_at(), "ask failed_component, failed_at, affected_data") << shown();
    say_and_go_on({"answer", "failed_component=" + failed, "failed_at=" + failed_at,
                   "affected_data=all of it"});
    leave_out("preflight disk, credentials, network, repository", "a redis store (cache)");
    do_by_hand("write down: what failed, when it was seen, how long it may take");
  }

  // The group without the stores that are not built, and without what the plan does to them.
  void leave_what_is_not_built() {
    replace_in_plan("{stores: [db, cache, media, bucket], authority: db}",
                    "{stores: [db, media], authority: db}");
    replace_in_plan("      - assess: {store: bucket}\n", "");
    replace_in_plan(
        "      - gate: {approve: lead, show: [point, data_loss, diff]}      # exact deletes what "
        "came "
        "later\n        when: the whole bucket is affected\n",
        "");
    replace_in_plan(
        "      - restore: {store: bucket, to: production, only: [\"voiceovers/*\"], mode: merge}\n"
        "        when: only some objects are affected\n",
        "");
    replace_in_plan(
        "      - restore: {store: bucket, to: production, mode: exact}\n"
        "        when: the whole bucket is affected\n",
        "");
  }
  void write_letters(const std::function<std::string(std::uint64_t)>& content) {
    for (std::uint64_t n = 0; n < 20; ++n)
      write_text(boat / cat("storage/artifacts/t", n, ".txt"), content(n));
    boat.must({"backup", "media"});
    sql("INSERT INTO billing_events SELECT max(id) + 1, 'x' FROM billing_events");
    wait_until_durable();
  }

  const std::string database_swap = "restore db to production at latest (beside-then-swap)";
  WebStandIn api{answer}, status;
};

}  // namespace lb::test
