#include "app/cli/verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

Result<ExitCode> run(const Shell& shell, const Args&) {
  if (shell.console.options().json) {
    shell.console.event("lifeboat.version/1",
                        Json::object().set("version", program_version).set("repository_format", 1));
  } else {
    shell.console.out(cat("lifeboat ", program_version, " (repository format 1, plan version 1)"));
  }
  return ExitCode::ok;
}

}  // namespace

Verb version_verb() {
  return {{"version",
           "Prints the version of the program and of its formats.",
           {"lifeboat version          # for people", "lifeboat version --json   # for scripts"},
           "version",
           {},
           0},
          run};
}

}  // namespace lb::cli
