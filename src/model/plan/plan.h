// Plan: the checked, immutable content of one plan file. Every struct carries its Place, so that a
// later refusal can point into the file. Read by read_plan (reader.h); nothing here acts.
//
// The whole language of the plan is read and validated. What cannot be acted on yet is kept with
// its kind and place; `unsupported` of the acting verb names it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "foundation/base/time.h"
#include "foundation/codec/json.h"
#include "foundation/codec/yaml.h"
#include "model/plan/people.h"
#include "model/plan/runbook.h"
#include "model/plan/value_types.h"

namespace lb::plan {

// How a place at s3://bucket/prefix is reached. What is left out comes from the environment (the
// names other S3 programs use), or is the default of the service.
struct S3Access {
  Reference endpoint;                               // "https://s3.example.org"; empty: AWS
  Reference region;                                 // empty: us-east-1
  std::string style;                                // "path", "host"; empty: what fits the endpoint
  Reference access_key, secret_key, session_token;  // empty: AWS_ACCESS_KEY_ID and so on
  Reference ca;                                     // file with the certificates to trust
  std::string lock;                                 // "compliance", "governance"
};

struct Copy {
  Reference at;
  S3Access s3;
  std::optional<Micros> within, immutable;
  Reference key;
  Place place;
};

struct Retain {
  std::optional<Micros> hourly, daily, weekly, monthly, yearly, pitr;
  std::string log;
  Place place;
};

struct RepositoryPlan {
  Reference at;
  S3Access s3;
  std::optional<Micros> immutable;  // no object can be deleted or replaced for this long
  Reference key;
  std::vector<Copy> copies;
  Retain retain;
  Place place;
};

enum class StoreKind { postgres, redis, files, bucket, firestore, command };
std::string_view name_of(StoreKind kind);

struct StoreExpect {
  std::string bytes;  // comparison such as "> 100MiB"
  std::optional<Micros> within;
  std::optional<std::int64_t> errors;
};

struct Collection {
  std::string name, priority, impact, ttl;
};

struct Store {
  std::string name;
  StoreKind kind = StoreKind::files;
  Reference address;  // connection string, path, bucket URL, project, command
  bool log_continuous = false;
  std::string data;                     // postgres: data directory on this host, or empty
  std::optional<std::int64_t> compare;  // postgres: every so many backups read all pages
  // postgres: folder of the host that follows where the received log is durable; empty: none
  std::string spool;
  std::optional<std::uint64_t> spool_bytes_max;
  std::optional<Schedule> every;
  Objective objective;
  std::vector<std::string> include, exclude;  // files: glob patterns, see stores/files
  std::vector<std::string> only;              // names, partial point
  std::string mode;                           // bucket: manifest | full
  bool optional = false;
  StoreExpect expect;
  std::vector<Collection> collections;
  Place place;
};

struct Group {
  std::string name;
  std::vector<std::string> stores;
  std::string authority;
  Place place;
};

struct Service {
  std::string name;
  std::string command;  // run by /bin/sh inside the sandbox
  Place place;
};

struct Target {
  std::string name;
  bool protect = false;
  bool isolate_network = false;
  std::vector<Service> start;
  std::string url;  // where the service answers, "http://localhost:8000"
  std::vector<std::pair<std::string, Reference>> environment;  // given to services
  std::optional<std::uint64_t> memory_bytes;
  std::optional<double> cpus;
  std::string folder;  // where sandboxes and restores are laid out; empty: temp dir
  std::vector<std::pair<std::string, Reference>>
      addresses;  // store name or kind -> place to restore to
  bool wipe = false;
  std::string mask, first;
  Reference migrate;
  Place place;
};

// The right side of `expect:` where one number or value is compared: "0", ">= 1", "recorded", text.
struct Comparison {
  enum class Op { equal, not_equal, less, less_equal, greater, greater_equal, recorded };
  Op op = Op::equal;
  std::string value;  // as written after the operator; sizes and durations allowed where they fit
  Place place;
};

struct CheckTables {
  std::vector<std::string> tables;
};
struct CheckCount {
  std::vector<std::string> tables;
  Comparison expect;
  bool all = false;  // every table that was counted with the point and is still the same
};
struct CheckFresh {
  std::string table, column;
  std::optional<Micros> within;
};  // schema.table allowed
struct CheckForeignKeys {
  std::vector<std::string> tables;
  bool all = false;
};
struct CheckAmcheck {
  std::vector<std::string> tables;
  bool all = false;
  bool heap = true;
};
struct CheckSql {
  std::string sql;
  Comparison expect;
};
struct CheckEqual {
  std::string left, right;
};  // two queries; rows compared by their first column(s)
struct CheckGroup {
  std::string sql;
  Comparison expect;
  std::optional<double> tolerance;
};
struct CheckFiles {
  std::string store;            // empty: the only files store of the drill
  std::vector<std::string> in;  // folders below the root; empty: all
  std::optional<Comparison> count, zero_bytes, modes, hashes;
};
struct CheckReferences {
  std::string from_store, sql;  // first column: keys
  std::string to;               // files (or bucket) store
  std::string strip_prefix;     // removed from each key before the look-up
  Comparison missing;           // default: 0
};
struct CheckHttp {
  std::string method, path;  // "GET", "/health" or "$url" or "http://..."
  std::vector<std::pair<std::string, Reference>> headers;
  std::optional<Reference> bearer;  // literal "$token" uses a saved value
  std::optional<Json> json;         // body; strings "env:NAME" and "$name" are filled in when sent
  std::optional<int> status;        // expected; default 200..399
  std::vector<int> statuses;  // `status: [401, 403]`: any of them; empty: `status` alone rules
  std::optional<Micros> within;
  std::vector<std::pair<std::string, Comparison>> expect_json;  // "$.path" -> comparison
  std::vector<std::pair<std::string, std::string>>
      expect_headers;  // name -> text that must be in it
  std::optional<Comparison> expect_bytes;
  std::string expect_text;                                // must be contained in the body
  std::vector<std::pair<std::string, std::string>> save;  // name -> "$.path"
  std::string rows_store, rows_sql;                       // run once a row, columns as $name
};
struct CheckManual {
  std::string text;
};
// Something that must accept a connection: a store of the drill, a service of the target, or a URL.
struct CheckConnect {
  std::string to;
};
// Schedules kept in the database (pg_cron) that must be there, active, and due sanely.
struct CheckCron {
  std::vector<std::string> names;  // empty: `all` of them, of which there must be one
  bool all = false;
};
// What a service of the target wrote since it was started.
struct CheckLogs {
  std::string service;
  std::optional<Comparison> errors, warnings;  // default: no errors
};
// Content that looks encrypted where it did not before.
struct CheckEntropy {
  std::vector<std::string> of;  // stores, or folders of the check's store; empty: `all`
  bool all = false;
  std::optional<double> rise;  // share of what is compared that may look so; default 0.1
};
struct CheckUnsupported {
  std::string verb;
};  // known to the language, not built yet

struct Check {
  std::string name;   // given, or derived from the content
  std::string store;  // the store it asks; empty: the only one of its kind in the drill
  bool critical = false;
  Place place;
  std::variant<CheckTables, CheckCount, CheckFresh, CheckForeignKeys, CheckAmcheck, CheckSql,
               CheckEqual, CheckGroup, CheckFiles, CheckReferences, CheckHttp, CheckManual,
               CheckConnect, CheckCron, CheckLogs, CheckEntropy, CheckUnsupported>
      what;
};

struct Suite {
  std::string name;
  std::vector<Check> checks;
  Place place;
};

// An audit of point-in-time recovery: random moments of the window that ends now, each restored.
struct PitrAudit {
  Micros window{0};
  std::uint64_t samples = 10;
};
inline constexpr std::int64_t pitr_samples_max = 1000;

struct Drill {
  std::string name;
  std::optional<Schedule> every;
  std::vector<std::string> restore;  // stores; a group name is expanded, `group` keeps it
  std::string group;
  std::string into;                 // target
  std::vector<std::string> checks;  // suites
  std::string at;                   // "latest" (default), RFC 3339, "before-loss"
  bool backup_first = false;
  std::optional<double> verify_fraction;
  std::optional<PitrAudit> pitr;  // then `restore` without a word means every postgres store
  std::string runbook;
  std::vector<std::pair<std::string, std::string>> with;  // values of the runbook's parameters
  std::vector<std::string> via, review,
      keys_not_built;  // keys_not_built: e.g. "via", "fault"
  Objective objective;
  Place place;
};

// A section that is validated but not acted on yet, or only in part: masks ...
struct Section {
  std::string name;
  Place place;
};

struct Evidence {
  std::optional<Micros> keep;
  Reference sign;
  std::vector<std::string> formats;
  Place place;
};

struct Plan {
  int version = 1;
  std::string system, timezone = "UTC";
  std::string file;         // as given
  std::string fingerprint;  // hex SHA-256 is made by the caller; here: canonical text of the plan
  RepositoryPlan repository;
  std::vector<Store> stores;
  std::vector<Group> groups;
  std::vector<Target> targets;
  std::vector<Suite> suites;
  std::vector<Drill> drills;
  std::vector<Runbook> runbooks;
  std::vector<Person> people;
  std::vector<Channel> channels;
  BusinessHours hours;
  std::vector<Template> templates;
  std::vector<AlertRule> alerts;
  Reference heartbeat;  // an address that is called as long as all is well
  std::vector<EscalationLevel> escalation;
  std::vector<RaciTask> raci;
  std::vector<Probe> probes;
  std::vector<Task> tasks;
  Objective objectives;  // system-wide
  Evidence evidence;
  std::vector<Section> not_acted_on;
  // The document behind the structs: files in reading order, and the checked tree of all of them.
  // It answers where a key stands and lets `plan explain` print what the structs do not keep.
  std::vector<std::string> files;
  YamlNode tree;

  const Store* store(std::string_view name) const;
  const Target* target(std::string_view name) const;
  const Suite* suite(std::string_view name) const;
  const Drill* drill(std::string_view name) const;
  const Group* group(std::string_view name) const;
  const Runbook* runbook(std::string_view name) const;
  const Person* person(std::string_view name) const;
  const Channel* channel(std::string_view name) const;
  const Template* message(std::string_view name) const;
  const RaciTask* raci_task(std::string_view name) const;
  const Probe* probe(std::string_view name) const;
  const Task* task(std::string_view name) const;
};

}  // namespace lb::plan
