#include "app/cli/runbook_looks.h"

#include "app/cli/run_acts.h"
#include "foundation/base/text.h"
#include "operations/notify/routes.h"
#include "operations/runbook/command_programs.h"

namespace lb::cli {

namespace {

bool is_program(Files& files, const std::string& path) {
  auto info = files.info(path);
  if (!info.ok() || info->kind == FileKind::directory) return false;
  return info->kind == FileKind::symlink || (info->mode & 0111) != 0;
}

// Why it cannot be started; empty: it can.
std::string program_missing(const Shell& shell, const std::string& folder,
                            const std::string& program) {
  auto& files = shell.world.files;
  if (program.find('/') != std::string::npos) {
    auto path = program.starts_with('/') ? program : path_join(folder, program);
    if (!files.info(path).ok()) return cat(program, ": not found in ", folder);
    return is_program(files, path) ? "" : cat(program, ": not executable");
  }
  auto path = shell.environment.find("PATH");
  for (const auto& part : split(path == shell.environment.end() ? "" : path->second, ':')) {
    if (!part.empty() && is_program(files, path_join(part, program))) return "";
  }
  return cat(program, ": not found in PATH");
}

}  // namespace

std::vector<std::string> missing_programs(const Shell& shell, const std::string& folder,
                                          const std::string& command) {
  std::vector<std::string> out;
  for (const auto& program : runbook::programs_of(command).names) {
    auto why = program_missing(shell, folder, program);
    if (!why.empty()) out.push_back(why);
  }
  return out;
}

runbook::TabletopLooks looks_of(const Shell& shell, const Session& session) {
  const auto& plan = session.plan.plan;
  runbook::TabletopLooks out;
  out.command_missing = [&](const std::string& command) {
    return join(missing_programs(shell, session.plan.folder, command), "; ");
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
