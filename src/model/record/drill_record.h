// DrillRecord: everything one drill found, the single source of its reports. Plain values, encoded
// as versioned JSON (schema "lifeboat.drill/1"). Every figure in a report is recomputed from this.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/codec/json.h"

namespace lb::record {

enum class Verdict { pass, fail, inconclusive };
enum class CheckState { pass, fail, error, skipped };
std::string_view name_of(Verdict verdict);   // "PASS"
std::string_view name_of(CheckState state);  // "pass"

struct CheckResult {
  std::string suite, name, kind, store;  // store: the one it asked; empty for http
  CheckState state = CheckState::error;
  std::string expected, got;
  std::string reason;                 // of fail, error or skipped
  std::vector<std::string> evidence;  // rows, keys, answers: at most 50 lines, secrets removed
  std::uint64_t examined = 0;         // rows, files, requests looked at; 0 with pass is impossible
  std::optional<Timestamp> newest;    // fresh: the newest row
  bool critical = false;
  Timestamp started{};
  Micros took{0};
  std::string place;  // in the plan
};

struct Stage {
  std::string
      name;  // "choose", "preflight", "restore db", "replay db", "start api", "checks", "clean up"
  std::string store;  // when it belongs to one
  Timestamp started{};
  Micros took{0};
  std::uint64_t bytes = 0;
  bool ok = true;
  std::string note;
};

struct StoreResult {
  std::string store, kind;
  std::string point;  // snapshot id
  Timestamp point_taken{};
  std::optional<Timestamp> reached;      // newest commit or file state reached (from the data)
  std::optional<Timestamp> next_commit;  // in an audit: the first commit that was left out
  std::string reached_note;              // "commit at LSN 0/5A3F28 on timeline 1"
  std::optional<Micros> measured_rpo;    // moment of loss - reached
  std::optional<Micros> measured_restore;
  std::optional<Micros> target_rpo, target_rto, goal, worst_case_loss;
  std::uint64_t bytes = 0, items = 0;
  std::uint64_t checks_passed = 0, checks_total = 0;
  bool rpo_met = true;  // true also when there is no target
};

struct Isolation {
  std::vector<std::string> facts;  // what was in force
  std::uint64_t blocked_count = 0;
  std::vector<std::string> blocked_destinations;
  std::string blocked_method;
};

struct Finding {
  std::string severity;  // "failure", "warning", "note"
  std::string text, recommendation;
};

// Where one store stood at one moment of an audit.
struct MomentStore {
  std::string store, kind;
  std::string point;  // the base: a snapshot id
  Timestamp point_taken{};
  std::optional<Timestamp> reached;      // the commit reached
  std::optional<Timestamp> next_commit;  // the first one that was left out, by the log
  std::string reached_note;
  std::optional<Micros> replay;
  std::uint64_t log_bytes = 0;
};

// One random moment of an audit, restored and checked.
struct AuditedMoment {
  Timestamp moment{};
  Verdict verdict = Verdict::inconclusive;
  std::string reason;
  Timestamp started{};
  Micros took{0};
  std::optional<Micros> measured_rto;  // start of its restore to its last check
  std::uint64_t checks_passed = 0, checks_total = 0;
  std::vector<MomentStore> stores;
};

// A stretch that no recovery point reaches; both ends can be reached.
struct AuditGap {
  Timestamp after{}, before{};
  std::string text;
};

// An audit of point-in-time recovery. The same seed and end on the same repository draw the same
// moments.
struct PitrAudit {
  Micros window{0};        // asked for
  Timestamp from{}, to{};  // what of it the repository holds: oldest base to last commit
  std::uint64_t seed = 0, samples = 0;  // samples: asked for
  std::vector<AuditGap> gaps;           // between from and to, where a moment was tried in vain
  std::vector<AuditedMoment> moments;
};

// A step of the runbook that a drill carried out.
struct DrilledStep {
  std::uint64_t number = 0;
  std::string title, phase, by, text;
  std::string state;  // "done", "failed", "held" (nothing outside the sandbox), "skipped" …
  std::optional<Micros> took;
  std::optional<Micros> predicted;  // by what it took before: the middle
  bool operator==(const DrilledStep&) const = default;
};

// What a role of the plan has to do in the runbook, and whether somebody did it in the drill.
struct DrilledRole {
  std::string role, part;            // part: "does", "decides", "is told"
  std::vector<std::uint64_t> steps;  // their numbers
  std::vector<std::string> acted;    // who, where people took part
  bool operator==(const DrilledRole&) const = default;
};

// A decision that the runbook asks for.
struct DrilledDecision {
  std::uint64_t step = 0;
  std::string decides;  // roles
  std::string result;   // "approved", "held" …
  std::string by, text;
  std::optional<Timestamp> at;
  std::vector<std::string> shown;  // "point: 06FQ…": what was decided on
  bool operator==(const DrilledDecision&) const = default;
};

// What is left to do afterwards.
struct DrillTask {
  std::string text, owner;  // owner: a role; may be empty
  Timestamp due{};
  bool operator==(const DrillTask&) const = default;
};

struct DrillRecord {
  int schema = 1;
  std::string id, system, drill, started_by, host, version;
  std::string plan_file, plan_fingerprint;
  std::string repository;  // id and place
  Timestamp started{}, ended{};
  Timestamp loss_moment{};   // what RPO is measured against
  std::string loss_note;     // "given with --lost-at" / "start of the drill"
  std::string target;        // sandbox name
  std::string point_wanted;  // "latest", time ...
  Verdict verdict = Verdict::inconclusive;
  std::string reason;  // one sentence
  std::vector<StoreResult> stores;
  std::vector<Stage> stages;
  std::vector<CheckResult> checks;
  Isolation isolation;
  std::optional<Micros> measured_rpo, measured_rto;  // worst store; start of drill to last check
  std::optional<Micros> target_rpo, target_rto, goal;
  std::string rto_clock = "start of the drill to the last check";
  std::string rpo_clock = "newest commit reached to the moment of loss";
  std::vector<Finding> findings;
  std::optional<PitrAudit> audit;       // then `checks` holds each check once, over all moments
  std::string runbook;                  // that the drill carried out; empty: none
  std::vector<DrilledStep> steps;       // of it
  std::vector<std::string> deviations;  // from it
  std::vector<DrilledRole> roles;       // of it
  std::vector<DrilledDecision> decisions;
  std::vector<DrillTask> tasks;  // that follow from this drill
  std::optional<Timestamp> next_due;
  std::vector<std::string> journal;  // extract: one line an act
  bool cleaned_up = false;
};

Json encode(const DrillRecord& record);
Result<DrillRecord> decode_drill(const Json& json);  // corrupt on a wrong schema

}  // namespace lb::record
