// The verbs of the command line. Each returns its exit code or the error that ends the program.
#pragma once

#include <string>
#include <vector>

#include "app/cli/args.h"
#include "app/cli/session.h"

namespace lb::cli {

using VerbRun = Result<ExitCode> (*)(const Shell& shell, const Args& args);

struct Verb {
  VerbHelp help;
  VerbRun run;
};

Verb init_verb();
Verb plan_check_verb();
Verb plan_explain_verb();
Verb plan_schema_verb();
Verb doctor_verb();
Verb backup_verb();
Verb key_ls_verb();
Verb key_add_verb();
Verb key_rotate_verb();
Verb key_remove_verb();
Verb key_kit_verb();
Verb key_recover_verb();
Verb cat_verb();
Verb find_verb();
Verb diff_verb();
Verb ls_verb();
Verb info_verb();
Verb show_verb();
Verb restore_verb();
Verb swap_ls_verb();
Verb swap_undo_verb();
Verb swap_clean_verb();
Verb mount_verb();
Verb verify_verb();
Verb prune_verb();
Verb hold_verb();
Verb unhold_verb();
// Of --read, for verbs that read packs back: 0 to 1.
Result<double> read_fraction(const Args& args);
Verb copy_sync_verb();
Verb copy_verify_verb();
Verb repair_verb();
Verb drill_verb();
Verb bisect_verb();
Verb report_verb();
Verb evidence_verify_verb();
Verb wal_push_verb();
Verb wal_fetch_verb();
Verb wal_ls_verb();
Verb wal_admit_verb();
Verb agent_verb();
Verb runbook_import_verb();
Verb runbook_ls_verb();
Verb runbook_test_verb();
Verb runbook_export_verb();
Verb run_verb();
Verb run_ls_verb();
Verb run_show_verb();
Verb resume_verb();
Verb postmortem_verb();
Verb forecast_verb();
std::vector<Verb> step_verbs();  // what people say to a run
Verb status_verb();
Verb watch_verb();
Verb alert_test_verb();
std::vector<Verb> message_verbs();
std::vector<Verb> incident_verbs();
std::vector<Verb> task_verbs();
Verb version_verb();

const std::vector<Verb>& all_verbs();

inline constexpr const char* program_version = "0.1.0";

// The whole program behind main: picks the verb, runs it, prints its error. argv without the
// program.
int run_program(const Shell& shell, const std::vector<std::string>& words);
// Reads --json, --quiet and friends before the verb is known.
ConsoleOptions console_options(const std::vector<std::string>& words);

}  // namespace lb::cli
