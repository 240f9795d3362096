// The figures of a drill report, derived anew from the record's evidence: measured loss from the
// commit reached and the moment of loss, recovery time from the end of the last check, tallies from
// the checks. Where the record's own figure says otherwise, the report says so. Pure. Private to
// this folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/record/drill_record.h"

namespace lb::report {

struct Tally {
  std::uint64_t total = 0, passed = 0, failed = 0, errors = 0, skipped = 0, examined = 0;
};

enum class Standing { met, close, missed, no_target, not_measured };

// One measured quantity against its objective. Every figure carries its clock.
struct ObjectiveRow {
  std::string subject;  // store, or "whole drill"
  std::string figure;   // "Data loss", "Restore time", "Recovery time"
  std::string clock;    // "newest commit reached → the moment of loss"
  std::optional<Micros> target, goal, worst_case, measured;
  std::optional<Micros> predicted;  // of times: the middle of earlier drills that passed

  std::optional<Micros> margin() const;  // target - measured
  Standing standing() const;
};

struct Figures {
  std::vector<ObjectiveRow> objectives;
  Tally checks;
  std::optional<Micros> rpo, rto;  // measured: worst store; whole drill
  Micros total{0};                 // start to end, clean-up included
  std::uint64_t bytes = 0;         // restored, all stores
  std::uint64_t failures = 0, warnings = 0;
  bool predicted() const;                  // any of them
  std::vector<std::string> disagreements;  // recorded figures that the evidence does not bear out
};

Figures figures_of(const record::DrillRecord& record);
// What earlier drills let expect, beside what was measured.
void add_predictions(std::vector<ObjectiveRow>& rows,
                     const std::vector<record::DrillRecord>& earlier);
Tally tally(const std::vector<record::CheckResult>& checks, const std::string& suite = {});
// Passed and total of the checks that asked this store; of older records, what they recorded.
Tally tally_of_store(const record::DrillRecord& record, const record::StoreResult& store);
std::vector<std::string> suites_of(const record::DrillRecord& record);  // in order of appearance

std::optional<Micros> loss_of(const record::StoreResult& store, Timestamp loss_moment);
std::optional<Micros> recovery_time_of(const record::DrillRecord& record);
// The worst store; nothing when no store's loss could be measured.
std::optional<Micros> worst_loss_of(const record::DrillRecord& record);

std::string_view name_of(Standing standing);  // "met", "met, close", "missed" ...
std::string limit_text(Micros limit);         // "24 h", "90 s": an objective as a person wrote it
std::string figure_text(const std::optional<Micros>& figure);  // human, or "–"
std::string moment_text(Timestamp time);                       // "2026-01-13 02:00:00.123 UTC"
std::string clock_text(const std::string& clock);              // "a to b" as "a → b"
std::string rate_text(std::uint64_t bytes, Micros took);       // "12.3 MiB/s", empty when unknown
std::uint64_t proven_moments(const record::PitrAudit& audit);
// The whole drill in one sentence.
std::string summary_sentence(const record::DrillRecord& record, const Figures& figures);

}  // namespace lb::report
