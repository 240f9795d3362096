#include "model/plan/mistakes.h"

#include <gtest/gtest.h>

#include "model/plan/plan_testing.h"

namespace lb::plan {
namespace {

using testing::lines;
using testing::read;
using testing::small_plan;

struct Row {
  std::string added;    // below the small plan, from line 13
  std::string mistake;  // the only one
  std::string suggestion;
};

void expect_rows(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    auto out = read(small_plan + row.added);
    EXPECT_EQ(lines(out.mistakes), std::vector<std::string>{row.mistake}) << row.added;
    if (!out.mistakes.empty()) {
      EXPECT_EQ(out.mistakes[0].suggestion, row.suggestion) << row.added;
    }
  }
}

TEST(Mistakes, OfShape) {
  expect_rows({
      {"stroes: {}\n", "13:1: unknown key 'stroes'", "did you mean 'stores'?"},
      {"system: again\n", "13:1: duplicate key 'system'", "it is already given in line 2"},
      {"drills:\n", "13:8: drills: has no value", "write a map, or leave it out"},
      {"drills: []\n", "13:9: drills: must be a map, not a list", ""},
      {"drills: {}\n", "13:9: drills: is empty", "fill it or leave it out"},
      {"drills: text\n", "13:9: drills: must be a map, not a text", ""},
      {"drills: {My-Drill: {verify: 10%}}\n", "13:10: 'My-Drill' cannot be a name",
       "names are lower-case letters, digits, - and _, at most 63 of them"},
      {"groups: {g: {authority: db}}\n", "13:13: g: key 'stores' is missing",
       "stores: restored together"},
      {"groups: {g: {stores: db}}\n", "13:22: stores: must be a list, not a text", "write [db]"},
      {"groups: {g: {stores: []}}\n", "13:22: stores: is empty", "fill it or leave it out"},
      {"include: {a: b}\n", "13:10: include: must be a text or a list, not a map", ""},
      {"drills: {d: {verify: 10%, verfiy: 5%}}\n", "13:27: unknown key 'verfiy'",
       "did you mean 'verify'?"},
      {"evidence: {formats: [pdf]}\n", "13:22: formats: 'pdf' is not one of the choices",
       "known are: html, json, markdown"},
      {"evidence: {formats: [htlm]}\n", "13:22: formats: 'htlm' is not one of the choices",
       "did you mean 'html'?"},
  });
}

TEST(Mistakes, OfValues) {
  expect_rows({
      {"objectives: {rpo: 1 hour}\n", "13:19: rpo: '1 hour' is not a duration",
       "write durations such as 90s, 15m, 24h, 7d, 6mo or 1h30m"},
      {"objectives: {rpo: 0s}\n", "13:19: rpo: no schedule and no restore takes no time at all",
       ""},
      {"objectives: {rpo: 1h, goal: 2h}\n", "13:29: objectives: the goal is looser than the target",
       "a goal is a stretch target: make it shorter"},
      {"objectives: {clock: never}\n", "13:21: clock: 'never' is not one of the choices",
       "known are: declared-to-restored, declared-to-verified, declared-to-switched, "
       "detected-to-restored, "
       "detected-to-verified, detected-to-switched, artifact-to-restored, artifact-to-verified, "
       "artifact-to-switched"},
      {"drills: {d: {verify: 10}}\n", "13:22: verify: '10' is not a percentage",
       "write a percentage such as 10%"},
      {"drills: {d: {every: sometimes, verify: 1%}}\n",
       "13:21: every: 'sometimes' is not a schedule",
       "write hourly, 30m, daily 02:00, sunday 02:00, month day 1 03:00, quarterly, yearly, or "
       "cron such as "
       "0 2 * * *"},
      {"drills: {d: {every: 0 0 31 2 *, verify: 1%}}\n", "13:21: every: '0 0 31 2 *' never comes",
       "write hourly, 30m, daily 02:00, sunday 02:00, month day 1 03:00, quarterly, yearly, or "
       "cron such as "
       "0 2 * * *"},
      {"drills: {d: {verify: 1%, at: 2026-01-13T02:00:00}}\n",
       "13:30: at: '2026-01-13T02:00:00' has no time zone",
       "add Z for UTC or an offset such as +02:00: 2026-01-13T02:00:00Z"},
      {"drills: {d: {into: sandbox, pitr: {window: 30d, samples: many}}}\n",
       "13:58: samples: 'many' is not a whole number", "write 0, 1, 2 and so on, without quotes"},
      {"evidence: {sign: my-signing-secret}\n", "13:18: sign: a secret must not stand in the plan",
       "write a reference: env:NAME, file:PATH, command:… or kms:…"},
      {"evidence: {sign: \"env:\"}\n", "13:18: sign: nothing follows 'env:'",
       "write env:NAME, file:PATH, command:… or kms:…"},
      {"probes: {p: status.example.com}\n", "13:13: p: 'status.example.com' is not an address",
       "write http://host:port or https://host/path"},
      {"templates: {t: \"{impct}\"}\n", "13:16: unknown placeholder '{impct}'",
       "did you mean 'impact'?"},
  });
}

TEST(Mistakes, OfStoresAndTargets) {
  auto with_store = [](const std::string& store) {
    return read(replace_all(small_plan, "  media: {files: /srv/media, every: hourly}\n",
                            "  media: " + store + "\n"));
  };
  auto only = [&](const std::string& store) { return lines(with_store(store).mistakes); };
  using Lines = std::vector<std::string>;
  EXPECT_EQ(only("{files: /a, redis: env:R}"),
            Lines{"6:22: 'files' and 'redis' cannot stand in one store"});
  EXPECT_EQ(only("{every: hourly}"), Lines{"6:10: media: this store does not say what it is"});
  EXPECT_EQ(only("{fiels: /a}"), Lines{"6:11: unknown key 'fiels'"});
  EXPECT_EQ(only("{postgres: env:P, every: hourly, spool: /s}"),
            Lines{"6:50: store 'media' has a spool but no log to receive"});
  EXPECT_EQ(only("{postgres: env:P, log: continuous, every: hourly, spool: {at: /s, most: 1MiB}}"),
            Lines{"6:82: most: a spool takes 64MiB at least"});
  EXPECT_EQ(only("{postgres: env:P, log: continuous, every: hourly, data: /d, spool: /d/s}"),
            Lines{"6:77: the spool is in the data directory of the database"});
  EXPECT_EQ(only("{files: /a, log: continuous}"),
            Lines{"6:22: key 'log' does not go with 'files'"});
  EXPECT_EQ(only("{files: /a, objective: {rpo: 1h}}"),
            Lines{"6:33: store 'media' has an RPO but no schedule"});
  EXPECT_EQ(only("{files: /a, optional: yes}"),
            Lines{"6:32: optional: 'yes' is not true or false"});
  EXPECT_EQ(only("{files: ''}"), Lines{"6:18: files: '' is not an address or a reference"});
  EXPECT_EQ(only("{files: /a, expect: {bytes: many}}"), Lines{"6:38: bytes: a size is compared"});
  EXPECT_EQ(only("{files: [a]}"),
            Lines{"6:18: files: must be an address or a reference, not a list"});
  expect_rows({
      {"groups: {g: {stores: [db, medai]}}\n", "13:27: stores: unknown store 'medai'",
       "did you mean 'media'?"},
      {"groups: {g: {stores: [db, db]}}\n", "13:27: store 'db' is in the group twice", ""},
      {"groups: {g: {stores: [db], authority: media}}\n",
       "13:39: authority 'media' is not in the group", "stores of the group: db"},
      {"groups: {db: {stores: [db, media]}}\n", "13:14: 'db' is both a store and a group",
       "rename the group"},
  });
  auto target = [&](const std::string& text) {
    return lines(read(replace_all(small_plan, "production: {protect: true}", "production: " + text))
                     .mistakes);
  };
  EXPECT_EQ(target("{first: production}"),
            Lines{"8:23: target 'production' must pass in itself first"});
  EXPECT_EQ(target("{first: nowhere}"), Lines{"8:23: first: unknown target 'nowhere'"});
  EXPECT_EQ(target("{mask: pii}"), Lines{"8:22: mask: unknown mask 'pii'"});
  EXPECT_EQ(target("{isolate: net}"),
            Lines{"8:25: isolate: 'net' is not 'network', the only choice"});
  EXPECT_EQ(target("{memory: lots}"), Lines{"8:24: memory: 'lots' is not a size"});
  EXPECT_EQ(target("{cpus: 0}"), Lines{"8:22: cpus: nothing runs without a processor"});
  EXPECT_EQ(target("{stores: {dbb: env:X}}"), Lines{"8:30: unknown store 'dbb'"});
  EXPECT_EQ(
      target("{environment: {API_TOKEN: a9F3kd02mZq81LxP}}"),
      Lines{"8:41: API_TOKEN: this looks like a secret, and secrets must not stand in the plan"});
  EXPECT_EQ(target("{url: localhost}"), Lines{"8:21: url: 'localhost' is not an address"});
}

TEST(Mistakes, OfChecks) {
  auto check = [](const std::string& text) {
    return lines(read(replace_all(small_plan, "{tables: [users]}", text)).mistakes);
  };
  using Lines = std::vector<std::string>;
  EXPECT_EQ(check("{coutn: [users]}"), Lines{"11:9: unknown key 'coutn'"});
  EXPECT_EQ(check("{name: x}"), Lines{"11:8: db: this check does not say what it is"});
  EXPECT_EQ(check("{tables: [a], sql: b}"),
            Lines{"11:22: 'tables' and 'sql' cannot stand in one check"});
  EXPECT_EQ(check("{sql: SELECT 1}"), Lines{"11:8: sql: key 'expect' is missing"});
  EXPECT_EQ(check("{sql: SELECT 1, expect: '> many'}").size(), 1U);
  EXPECT_EQ(check("{sql: SELECT 1, expect: recorded}"),
            Lines{"11:32: expect: a free query has no recorded value"});
  EXPECT_EQ(check("{sql: SELECT 1, expect: 0, json: {}}"),
            Lines{"11:35: key 'json' does not go with 'sql'"});
  EXPECT_EQ(check("{sql: SELECT 1, expect: 0, store: media}"),
            Lines{"11:42: 'sql' cannot ask store 'media', which is of kind files"});
  EXPECT_EQ(check("{fresh: created_at}"), Lines{"11:16: fresh: 'created_at' is not a column"});
  EXPECT_EQ(check("{foreign_keys: some}"),
            Lines{"11:23: foreign_keys: 'some' is not 'all', the only choice"});
  EXPECT_EQ(check("{http: FETCH /x}"), Lines{"11:15: http: 'FETCH' is not a method of HTTP"});
  EXPECT_EQ(check("{http: GET /x, expect: {status: 999}}"),
            Lines{"11:40: status: 999 is no status of HTTP"});
  EXPECT_EQ(check("{http: GET /x, bearer: $token}"), Lines{"11:31: nothing saves '$token'"});
  EXPECT_EQ(
      check("{http: POST /x, json: {password: hunter2}}"),
      Lines{"11:41: password: this looks like a secret, and secrets must not stand in the plan"});
  EXPECT_EQ(check("{references: {from: {store: db}, to: media}}"),
            Lines{"11:28: from: needs either 'sql' or 'collection' and 'field'"});
  EXPECT_EQ(check("{references: {from: {store: db, sql: s}, to: db}}"),
            Lines{"11:53: 'references' cannot ask store 'db', which is of kind postgres"});
  EXPECT_EQ(check("{files: {store: db}}"),
            Lines{"11:24: 'files' cannot ask store 'db', which is of kind postgres"});
  EXPECT_EQ(check("{equal: {left: a}}"), Lines{"11:16: equal: key 'right' is missing"});
  EXPECT_EQ(check("{tables: [a], name: x}, {count: [a], name: x}"),
            Lines{"11:51: check 'x' is in the suite twice"});
  EXPECT_EQ(check("{tables: [users], critical: maybe}"),
            Lines{"11:36: critical: 'maybe' is not true or false"});
}

TEST(Mistakes, OfConnectCronAndLogs) {
  auto services = replace_all(small_plan, "  sandbox: {", "  sandbox: {start: {api: ./api}, ");
  auto of = [&](const std::string& text) {
    return read(replace_all(services, "{tables: [users]}", text)).mistakes;
  };
  auto check = [&](const std::string& text) { return lines(of(text)); };
  using Lines = std::vector<std::string>;
  EXPECT_EQ(check("{connect: db}, {connect: media}, {connect: api}, {connect: \"http://x:1/\"}, "
                  "{connect: \"tcp://localhost:6379\"}, {cron: all}, {cron: [a]}, {logs: api}, "
                  "{logs: api, errors: 0, warnings: \"<= 20\"}"),
            Lines{});
  EXPECT_EQ(check("{connect: application}"),
            Lines{"11:18: connect: 'application' is no store, no service and no URL"});
  EXPECT_EQ(of("{connect: medai}").at(0).suggestion, "did you mean 'media'?");
  EXPECT_EQ(check("{connect: \"tcp://localhost\"}"),
            Lines{"11:18: connect: 'tcp://localhost' is not a host and a port"});
  EXPECT_EQ(check("{connect: \"ftp://localhost\"}"),
            Lines{"11:18: connect: 'ftp://localhost' is not an address"});
  EXPECT_EQ(check("{cron: all, store: media}"),
            Lines{"11:27: 'cron' cannot ask store 'media', which is of kind files"});
  EXPECT_EQ(check("{logs: apu}"), Lines{"11:15: logs: no target starts a service 'apu'"});
  EXPECT_EQ(of("{logs: apu}").at(0).suggestion, "did you mean 'api'?");
  EXPECT_EQ(check("{logs: api, errors: recorded, warnings: few}"),
            (Lines{"11:28: errors: lines are compared with a number",
                   "11:48: warnings: lines are compared with a number"}));
  services = replace_all(services, "api: ./api}", "api: ./api, work: ./work, db: ./db}");
  EXPECT_EQ(check("{connect: api}"),
            Lines{"11:18: connect: where 'api' of target 'sandbox' listens is not known: the "
                  "target starts several services"});
  EXPECT_EQ(check("{connect: db}"), Lines{"11:18: connect: 'db' is a store and a service too"});
  services = replace_all(small_plan, "isolate: network, url: \"http://localhost:8000\"",
                         "isolate: network, start: {api: ./api}");
  EXPECT_EQ(check("{connect: api}"),
            Lines{"11:18: connect: where 'api' of target 'sandbox' listens is not known: the "
                  "target has no url"});
}

TEST(Mistakes, OfDrills) {
  expect_rows({
      {"drills: {d: {every: monthly}}\n", "13:13: drill 'd' proves nothing",
       "say what it does: restore, verify, runbook, pitr or review"},
      {"drills: {d: {restore: db, checks: [db]}}\n",
       "13:13: drill 'd' restores, but into no target", "add into: TARGET"},
      {"drills: {d: {restore: db, into: sandbox}}\n",
       "13:13: drill 'd' restores and checks nothing",
       "add checks: [SUITE]; a restore nobody looked at proves nothing"},
      {"drills: {d: {pitr: {window: 30d}}}\n", "13:13: drill 'd' restores, but into no target",
       "add into: TARGET"},
      {"drills: {d: {into: sandbox, pitr: {window: 30d, samples: 0}}}\n",
       "13:58: an audit of 0 moments", "write a number from 1 to 1000"},
      {"drills: {d: {into: sandbox, pitr: {window: 10ms}}}\n",
       "13:44: a window holds at least one second", "such as window: 30d"},
      {"drills: {d: {into: sandbox, at: before-loss, pitr: {window: 30d}}}\n",
       "13:33: an audit (pitr:) draws its own moments", "leave at: out"},
      {"drills: {d: {restore: media, into: sandbox, pitr: {window: 30d}}}\n",
       "13:51: no store of this drill can go to any second", "restore a postgres store"},
      {"drills: {d: {verify: 5%, checks: [db]}}\n",
       "13:34: checks: nothing is restored that could be checked", "add restore: and into:"},
      {"drills: {d: {restore: dbb, into: sandbox, checks: [db]}}\n",
       "13:23: restore: unknown store or group 'dbb'", "did you mean 'db'?"},
      {"drills: {d: {restore: db, into: production, checks: [db]}}\n",
       "13:33: a drill never restores into 'production', which is protected", "name a sandbox"},
      {"drills: {d: {restore: db, into: sandbox, checks: [files]}}\n",
       "13:51: check 'files' of suite 'files' needs a files store, and the drill restores none",
       "restore one, or take another suite"},
      {"drills: {d: {runbook: nothing, into: sandbox}}\n",
       "13:23: runbook: unknown runbook 'nothing'", "the plan has no section 'runbooks:'"},
      {"drills: {d: {verify: 1%, fault: flood}}\n",
       "13:33: fault: 'flood' is not one of the choices",
       "known are: primary-region-down, lost-chunk, missing-wal, expired-key, absent-approver, "
       "full-disk, "
       "slow-link, bad-clock, copy-unreachable"},
      {"drills: {d: {verify: 1%, on_fail: {notify: nobody}}}\n",
       "13:44: notify: unknown person 'nobody'", "the plan has no section 'people:'"},
      {"drills: {d: {verify: 1%, on_fail: {notify: all}, untouched: prod}}\n",
       "13:61: untouched: unknown target 'prod'", "known are: production, sandbox"},
  });
}

TEST(Mistakes, OfRunbooks) {
  expect_rows({
      {"runbooks: {r: {steps: [{rnu: x}]}}\n", "13:25: unknown key 'rnu'", "did you mean 'run'?"},
      {"runbooks: {r: {steps: [{run: x, manual: y}]}}\n",
       "13:33: 'run' and 'manual' cannot stand in one step",
       "write two: each step has one of them"},
      {"runbooks: {r: {symptoms: [s]}}\n", "13:15: r: key 'steps' is missing", ""},
      {"runbooks: {r: {steps: [{use: r}]}}\n", "13:30: runbook 'r' uses itself",
       "the circle is r → r"},
      {"runbooks: {a: {steps: [{use: b}]}, b: {steps: [{use: a}]}}\n",
       "13:54: runbook 'a' uses itself", "the circle is a → b → a"},
      {"runbooks: {b: {steps: [{use: c}]}, c: {steps: [{parallel: [{use: b}]}]}}\n",
       "13:66: runbook 'b' uses itself", "the circle is b → c → b"},
      {"runbooks: {r: {steps: [{parallel: [{restore: {to: sandbox}}]}]}}\n",
       "13:46: restore: needs either 'store' or 'group'", ""},
      {"runbooks: {r: {steps: [{parallel: [{wait: {limit: 5m}}]}]}}\n",
       "13:43: wait: needs one of 'http', 'run' and 'for'", ""},
      {"runbooks: {r: {steps: [{restore: {to: sandbox}}]}}\n",
       "13:34: restore: needs either 'store' or 'group'", ""},
      {"runbooks: {r: {steps: [{restore: {store: db, to: sandbx}}]}}\n",
       "13:50: to: unknown target 'sandbx'", "did you mean 'sandbox'?"},
      {"runbooks: {r: {steps: [{restore: {store: db, to: sandbox, from: s3://b/c}}]}}\n",
       "13:65: the plan has no copy 's3://b/c'",
       "add repository: {copies: [{at: PLACE, within: 24h}]}"},
      {"runbooks: {r: {steps: [{gate: {approve: boss}}]}}\n",
       "13:41: approve: unknown person 'boss'", "the plan has no section 'people:'"},
      {"runbooks: {r: {steps: [{run: x, limit: long}]}}\n",
       "13:40: limit: 'long' is not a duration",
       "write durations such as 90s, 15m, 24h, 7d, 6mo or 1h30m"},
      {"runbooks: {r: {steps: [{run: x, fail: explode}]}}\n",
       "13:39: fail: 'explode' is not one of the choices", "known are: stop, continue, ask"},
      {"runbooks: {r: {steps: [{wait: {limit: 5m}}]}}\n",
       "13:31: wait: needs one of 'http', 'run' and 'for'", ""},
      {"runbooks: {r: {parameters: {when: time}, steps: [{run: x}]}, s: {steps: [{use: r, with: "
       "{wen: x, when: y}}]}}\n",
       "13:95: runbook 'r' has no parameter 'wen'", "did you mean 'when'?"},
      {"runbooks: {r: {parameters: {when: time}, steps: [{run: x}]}, s: {steps: [{use: r}]}}\n",
       "13:80: runbook 'r' needs 'when'", "add with: {when: …}"},
      {"runbooks: {r: {steps: [{notify: {template: hello, to: all}}]}}\n",
       "13:44: template: unknown template 'hello'", "the plan has no section 'templates:'"},
  });
}

TEST(Mistakes, OfChannels) {
  expect_rows({
      {"channels: {ops: {slak: env:X}}\n", "13:18: unknown key 'slak'", "did you mean 'slack'?"},
      {"channels: {ops: {slack: env:X, webhook: env:Y}}\n",
       "13:32: 'slack' and 'webhook' cannot stand in one channel",
       "write two: each channel has one of them"},
      {"channels: {ops: {slack: \"https://hooks.example.com/a\"}}\n",
       "13:25: slack: a secret must not stand in the plan",
       "write a reference: env:NAME, file:PATH, command:… or kms:…"},
      {"channels: {m: {smtp: mail.example.com}}\n", "13:15: smtp: key 'from' is missing",
       "from: sender"},
      {"channels: {m: {smtp: mail.example.com, from: \"A <a@b.c>\"}}\n",
       "13:46: from: 'A <a@b.c>' is not a mail address",
       "write one address such as ada@example.com; several people are several entries"},
      {"channels: {m: {smtp: mail.example.com, from: a@b.c, tls: none}}\n",
       "13:58: tls: mail to another machine would be readable on the way",
       "leave tls: out, or use tls: implicit"},
      {"channels: {m: {smtp: mail.example.com, from: a@b.c, user: env:U}}\n",
       "13:15: user and password belong together", "add password:"},
      {"channels: {d: {pagerduty: env:X, at: \"http://events.example.com/v2\"}}\n",
       "13:38: at: the routing key would be readable on the way", "write https://…"},
      {"channels: {d: {pagerduty: env:X, at: \"http://127.0.0.1.example.com/v2\"}}\n",
       "13:38: at: the routing key would be readable on the way", "write https://…"},
      {"channels: {c: {command: ./x, limit: 0s}}\n", "13:37: limit: nothing is sent in no time",
       ""},
      {"channels: {c: {command: ./x}}\npeople: {ada: {via: [d]}}\n",
       "14:22: via: unknown channel 'd'", "known are: c"},
      {"channels: {m: {smtp: localhost, from: a@b.c}}\npeople: {ada: {via: m}}\n",
       "14:21: via: channel 'm' needs a mail address", "add email: to the person"},
  });
}

TEST(Mistakes, OfPeopleAndHours) {
  expect_rows({
      {"people: {ada: {email: \"a@b.c\\nBcc: x@y.z\"}}\n",
       "13:23: email: 'a@b.c\\x0aBcc: x@y.z' is not a mail address",
       "write one address such as ada@example.com; several people are several entries"},
      {"people: {a: {deputy: b}, b: {deputy: c}, c: {deputy: b}}\n",
       "13:38: deputy: leads back to 'b'", "name somebody who is not asked before"},
      {"people: {a: {escalate: a}}\n", "13:24: escalate: leads back to 'a'",
       "name somebody who is not asked before"},
      {"people: {a: {members: [b]}, b: {members: [c]}, c: {members: [c, d]}, d: {slack: d}}\n",
       "13:61: team 'c' is a member of itself", ""},
      {"hours: {days: [mon, tues]}\n", "13:21: 'tues' is not a day of the week",
       "write mon, tue, wed, thu, fri, sat, sun, or mon-fri"},
      {"hours: {from: 9am}\n", "13:15: '9am' is not a time of day", "write 09:00 or 17:30"},
      {"hours: {from: 18:00, to: 09:00}\n", "13:26: hours: end before they begin",
       "from: 09:00, to: 17:00"},
      {"hours: {zone: ../../etc/passwd}\n", "13:15: '../../etc/passwd' is not a time zone",
       "write a name such as Europe/Berlin, or UTC"},
      {"hours: {except: [2026-02-29]}\n", "13:18: '2026-02-29' is not a date", "write 2026-12-25"},
      {"people: {a: {slack: \"@a\"}}\nescalation: {P0: {within: 0s, to: a}}\n",
       "14:27: within: nobody can answer in no time", ""},
      {"people: {a: {slack: \"@a\"}}\nescalation: {P0: {within: 1m, to: a, then: {to: a}}}\n",
       "14:44: then: key 'within' is missing", "within: time to answer"},
      {"templates: {t: {subject: \"a\\nb\", body: x}}\n", "13:26: subject: must be one line", ""},
      {"templates: {t: \"{impact\"}\n", "13:16: a '{' stands alone in the template",
       "write {{ for the character itself, {impact} for a variable"},
  });
}

TEST(Mistakes, OfPeopleAndAlerts) {
  const std::string people = "people: {lead: {email: l@example.com}}\n";
  expect_rows({
      {people + "alerts: {critical: {on: [backup faild], send: lead}}\n",
       "14:26: on: 'backup faild' is not one of the choices", "did you mean 'backup failed'?"},
      {people + "alerts: {critical: {on: [{disk: full}], send: lead}}\n",
       "14:33: disk: 'full' is not a percentage", "write a percentage such as 10%"},
      {people + "alerts: {critical: {on: [backup failed], send: laed}}\n",
       "14:48: send: unknown person 'laed'", "did you mean 'lead'?"},
      {people + "alerts: {critcal: {on: [backup failed], send: lead}}\n",
       "14:10: unknown key 'critcal'", "did you mean 'critical'?"},
      {people + "raci: {backup: {laed: R}}\n", "14:17: unknown person 'laed'",
       "did you mean 'lead'?"},
      {people + "raci: {backup: {lead: X}}\n", "14:23: lead: 'X' is not one of the choices",
       "known are: R, A, C, I"},
      {"people: {ada: {key: 12ab}}\n", "13:21: key: '12ab' is not a public key of 64 hex digits",
       "lifeboat person key FILE makes one and prints the line"},
      {cat("people: {ada: {key: ", std::string(63, '1'), "g}}\n"),
       cat("13:21: key: '", std::string(60, '1'), "…' is not a public key of 64 hex digits"),
       "lifeboat person key FILE makes one and prints the line"},
      {people + "escalation: {P9: {within: 1h, to: lead}}\n", "14:14: unknown key 'P9'",
       "did you mean 'P0'?"},
      {"masks: {pii: {email: x}}\n", "13:15: unknown key 'email'",
       "known are: empty, set, unlisted"},
      {"masks: {pii: {\"*.email\": x, unlisted: ignore}}\n",
       "13:39: unlisted: 'ignore' is not one of the choices", "known are: refuse, keep"},
  });
}

TEST(Mistakes, OfTheWholeFile) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(lines(read("").mistakes), Lines{"1:1: the plan is empty"});
  EXPECT_EQ(lines(read("- a\n").mistakes), Lines{"1:1: a plan is a map of sections"});
  EXPECT_EQ(lines(read("version: 1\n").mistakes),
            (Lines{"1:1: plan: key 'system' is missing", "1:1: plan: key 'repository' is missing",
                   "1:1: plan: key 'stores' is missing"}));
  EXPECT_EQ(lines(read(replace_all(small_plan, "version: 1", "version: 2")).mistakes),
            Lines{"1:10: version 2 of the plan language is not known"});
  EXPECT_EQ(lines(read("a: [1\nb: 2\n").mistakes).size(), 1U);
  EXPECT_EQ(lines(read("version: 1\nsystem: caf\xE9\n").mistakes),
            Lines{"2:12: this is not UTF-8"});
}

TEST(Mistakes, AreListedAllAtOnceInFileOrder) {
  auto out = read(R"(version: 1
sytem: x
repository: {at: /b}
stores:
  db: {postgres: env:U, every: evry}
drills:
  d: {restore: dbx, into: t, checks: [c]}
)");
  EXPECT_EQ(lines(out.mistakes),
            (std::vector<std::string>{
                "1:1: plan: key 'system' is missing", "2:1: unknown key 'sytem'",
                "3:13: repository: key 'key' is missing", "5:32: every: 'evry' is not a schedule",
                "7:16: restore: unknown store or group 'dbx'", "7:27: into: unknown target 't'",
                "7:39: checks: unknown suite of checks 'c'"}));
}

TEST(Mistakes, OfPlacesThatAreNoBuckets) {
  auto with = [](const std::string& text) {
    return lines(read(replace_all(small_plan, "at: /backups,", text)).mistakes);
  };
  EXPECT_EQ(with("at: /backups, immutable: 30d,").at(0),
            "3:39: immutable: only a place at s3:// has that");
  EXPECT_EQ(with("at: /backups, s3: {region: x},").at(0),
            "3:32: s3: only a place at s3:// has that");
  EXPECT_EQ(with("at: /b, copies: [{at: /c, immutable: 30d}],").size(), 1U);
  EXPECT_EQ(with("at: env:PLACE, immutable: 30d,").size(), 0U) << "seen only when it is opened";
  EXPECT_EQ(with("at: \"s3://b\", s3: {access_key: env:A},").at(0),
            "3:32: s3: one half of the credentials is missing");
  EXPECT_EQ(with("at: \"s3://b\", s3: {secret_key: hidden, access_key: env:A},").at(0),
            "3:45: secret_key: a secret must not stand in the plan");
  EXPECT_EQ(with("at: \"s3://b\", s3: {style: dns},").size(), 1U);
}

}  // namespace
}  // namespace lb::plan
