#include "app/cli/runbook_looks.h"

#include <algorithm>

#include "app/cli/run_acts.h"
#include "foundation/base/text.h"
#include "operations/notify/routes.h"

namespace lb::cli {

namespace {

// The first word of a command that is a program; shells' own words and what is computed are passed
// over.
std::string program_of(const std::string& command) {
  for (const auto& word : split(command, ' ')) {
    if (word.empty() || word.find('=') != std::string::npos) continue;
    return word;
  }
  return "";
}

bool is_shell_word(const std::string& word) {
  static const std::vector<std::string> words = {
      "cd",    "export", "if",     "for", "while", "test", "[",    "set",  "exec", "true",
      "false", ".",      "source", "(",   "{",     "!",    "case", "echo", "exit"};
  return std::find(words.begin(), words.end(), word) != words.end() ||
         word.find_first_of("$`('\"{") != std::string::npos;
}

std::string command_missing(const Shell& shell, const std::string& folder,
                            const std::string& command) {
  auto program = program_of(command);
  if (program.empty() || is_shell_word(program)) return "";
  auto& files = shell.world.files;
  if (program.find('/') != std::string::npos) {
    auto path = program.starts_with('/') ? program : path_join(folder, program);
    auto info = files.info(path);
    if (!info.ok()) return cat(program, ": not found in ", folder);
    bool runs = info->kind == FileKind::symlink || (info->mode & 0111) != 0;
    return runs ? "" : cat(program, ": not executable");
  }
  auto path = shell.environment.find("PATH");
  for (const auto& part : split(path == shell.environment.end() ? "" : path->second, ':')) {
    if (!part.empty() && files.info(path_join(part, program)).ok()) return "";
  }
  return cat(program, ": not found in PATH");
}

}  // namespace

runbook::TabletopLooks looks_of(const Shell& shell, const Session& session) {
  const auto& plan = session.plan.plan;
  runbook::TabletopLooks out;
  out.command_missing = [&](const std::string& command) {
    return command_missing(shell, session.plan.folder, command);
  };
  out.place_missing = [&](const plan::Store& store, const plan::Target& target) {
    auto unmade = refuse_unmade(plan, target);
    if (!unmade.ok()) return unmade.error().text();
    auto place = place_of(session, store, target);
    return place.ok() ? std::string() : place.error().text();
  };
  out.unreachable = [&](const std::string& name) -> std::string {
    for (const auto& person : notify::people_of(plan, {name})) {
      const auto* found = plan.person(person);
      if (found != nullptr && !notify::routes_of(plan, *found).empty()) return "";
    }
    return "no channel of the plan leads there (channels:, and email:, slack: or webhook: of the "
           "person)";
  };
  return out;
}

}  // namespace lb::cli
