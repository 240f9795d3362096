#include "app/cli/verbs.h"

#include <algorithm>

#include "app/cli/wal_client.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

std::string overview() {
  std::string out =
      "Examples:\n"
      "  lifeboat backup            # take a recovery point of every store in lifeboat.yaml\n"
      "  lifeboat drill full        # restore into a sandbox, check, measure, report\n\n"
      "Backs up everything a SaaS keeps, restores it to any second, and proves it.\n\nVerbs:\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& verb : all_verbs()) rows.push_back({"  " + verb.help.name, verb.help.summary});
  return out + table(rows) + "\nlifeboat VERB --help shows examples and flags of a verb.\n";
}

struct Picked {
  const Verb* verb = nullptr;
  std::vector<std::string> rest;
};

// Also for the first word of several verbs, alone or before a word that none of them has.
Error unknown_verb(const std::string& word, const std::vector<std::string>& names) {
  std::vector<std::string> group;
  for (const auto& name : names) {
    if (name.starts_with(word + " ")) group.push_back("lifeboat " + name);
  }
  if (!group.empty()) {
    return Error(ErrorKind::invalid, cat("'", printable(word), "' is the first word of a verb"))
        .with_hint(join(group, ", "));
  }
  auto near = nearest(word, names);
  return Error(ErrorKind::invalid, cat("unknown verb '", printable(word), "'"))
      .with_hint(near.empty() ? std::string("lifeboat --help lists the verbs")
                              : cat("did you mean ", near, "?"));
}

// The verb may stand after common flags ("lifeboat --plan F backup"); "plan check" is two words.
Result<Picked> pick(const std::vector<std::string>& words) {
  std::vector<std::string> before;
  std::size_t i = 0;
  for (; i < words.size() && words[i].starts_with('-'); ++i) {
    before.push_back(words[i]);
    bool takes_value = words[i] == "--plan" || words[i] == "-p";
    if (takes_value && i + 1 < words.size()) before.push_back(words[++i]);
  }
  if (i == words.size()) return Picked{nullptr, before};
  std::vector<std::string> names;
  for (const auto& verb : all_verbs()) {
    names.push_back(verb.help.name);
    auto parts = split(verb.help.name, ' ');
    if (i + parts.size() > words.size()) continue;
    if (!std::equal(parts.begin(), parts.end(), words.begin() + static_cast<std::ptrdiff_t>(i)))
      continue;
    before.insert(before.end(), words.begin() + static_cast<std::ptrdiff_t>(i + parts.size()),
                  words.end());
    return Picked{&verb, before};
  }
  return unknown_verb(words[i], names);
}

Result<ExitCode> dispatch(const Shell& shell, const std::vector<std::string>& words,
                          std::string* name) {
  auto picked = LB_TRY(pick(words));
  if (picked.verb == nullptr) {
    bool asked = std::find(words.begin(), words.end(), "--help") != words.end() ||
                 std::find(words.begin(), words.end(), "-h") != words.end();
    if (std::find(words.begin(), words.end(), "--version") != words.end())
      return version_verb().run(shell, {});
    if (!asked)
      return Error(ErrorKind::invalid, "no verb given")
          .with_hint("lifeboat --help lists the verbs");
    shell.console.out(overview());
    return ExitCode::ok;
  }
  *name = picked.verb->help.name;
  auto args = LB_TRY(parse_args(picked.verb->help, picked.rest));
  if (args.has("help")) {
    shell.console.out(help_text(picked.verb->help));
    return ExitCode::ok;
  }
  return picked.verb->run(shell, args);
}

// Runbooks and what people say to them come before version, which stands last.
std::vector<Verb> with_groups(std::vector<Verb> verbs) {
  std::vector<Verb> more = {runbook_ls_verb(),
                            runbook_test_verb(),
                            runbook_import_verb(),
                            runbook_export_verb(),
                            run_ls_verb(),
                            run_show_verb(),
                            run_verb(),
                            resume_verb(),
                            postmortem_verb(),
                            forecast_verb(),
                            bisect_verb(),
                            evidence_verify_verb()};
  for (auto& verb : step_verbs()) more.push_back(std::move(verb));
  for (auto& verb : incident_verbs()) more.push_back(std::move(verb));
  for (auto& verb : task_verbs()) more.push_back(std::move(verb));
  for (auto& verb : message_verbs()) more.push_back(std::move(verb));
  verbs.insert(verbs.end() - 1, std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  return verbs;
}

}  // namespace

const std::vector<Verb>& all_verbs() {
  static const std::vector<Verb> verbs =
      with_groups({init_verb(),    plan_check_verb(),  plan_explain_verb(), plan_schema_verb(),
                   doctor_verb(),  backup_verb(),      ls_verb(),           info_verb(),
                   show_verb(),    cat_verb(),         find_verb(),         diff_verb(),
                   restore_verb(), swap_ls_verb(),     swap_undo_verb(),    swap_clean_verb(),
                   mount_verb(),   verify_verb(),      copy_sync_verb(),    copy_verify_verb(),
                   repair_verb(),  prune_verb(),       hold_verb(),         unhold_verb(),
                   drill_verb(),   report_verb(),      status_verb(),       watch_verb(),
                   key_ls_verb(),  key_add_verb(),     key_rotate_verb(),   key_remove_verb(),
                   key_kit_verb(), key_recover_verb(), wal_push_verb(),     wal_fetch_verb(),
                   wal_ls_verb(),  wal_admit_verb(),   agent_verb(),        alert_test_verb(),
                   version_verb()});
  return verbs;
}

ConsoleOptions console_options(const std::vector<std::string>& words) {
  ConsoleOptions options;
  for (const auto& word : words) {
    if (word == "--") break;
    options.json = options.json || word == "--json";
    options.quiet = options.quiet || word == "--quiet" || word == "-q";
    options.verbose = options.verbose || word == "--verbose" || word == "-v";
  }
  return options;
}

int run_program(const Shell& shell, const std::vector<std::string>& words) {
  std::string verb = "lifeboat";
  auto result = dispatch(shell, words, &verb);
  shell.console.end_progress();
  if (result.ok()) return static_cast<int>(*result);
  shell.console.fail(verb, result.error());
  // Any other code would tell a server that recovers that the log ends here.
  if (verb == "wal fetch") return static_cast<int>(stop_recovery);
  return static_cast<int>(result.error().exit_code());
}

}  // namespace lb::cli
