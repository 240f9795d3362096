#include "app/cli/service_command.h"

#include "foundation/base/text.h"

namespace lb::cli {

namespace {

constexpr Micros command_limit = Seconds(600);
constexpr std::size_t words_max = 500;

std::string last_words(const Finished& done) {
  auto text = std::string(trim(done.errors.empty() ? done.output : done.errors));
  return printable(text.size() > words_max ? text.substr(text.size() - words_max) : text);
}

}  // namespace

std::function<Status()> service_command(const Shell& shell, const Session& session,
                                        const std::string& words) {
  return [&shell, &session, words]() -> Status {
    Command command;
    command.argv = {"/bin/sh", "-c", words};
    command.directory = session.references->folder();
    for (const auto& [name, value] : shell.environment)
      command.environment.emplace_back(name, value);
    auto done = LB_TRY(shell.world.processes.run(command, command_limit, shell.stop)
                           .context(cat("'", printable(words), "'")));
    if (done.ok()) return {};
    auto ended = done.signal != 0 ? cat("was ended by signal ", done.signal)
                                  : cat("ended with exit code ", done.exit_code);
    return Error(ErrorKind::unavailable,
                 cat("'", printable(words), "' ", ended, ": ", last_words(done)));
  };
}

}  // namespace lb::cli
