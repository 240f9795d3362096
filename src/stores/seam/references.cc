#include "stores/seam/references.h"

#include "foundation/base/text.h"

namespace lb {

namespace {

constexpr std::uint64_t secret_bytes_max = 64 << 10;

Error cannot(const plan::Reference& reference, const std::string& why) {
  return Error(ErrorKind::denied, cat(reference.place.text(), ": ", reference.text(), ": ", why))
      .with_exit(ExitCode::usage);
}

// Secrets kept in files and printed by commands usually end in a newline that is not part of them.
Secret without_newline(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return Secret(text);
}

}  // namespace

References::References(World& world, std::map<std::string, std::string> environment,
                       std::string folder)
    : world_(world), environment_(std::move(environment)), folder_(std::move(folder)) {}

Result<Secret> References::secret(const plan::Reference& reference) const {
  using Kind = plan::Reference::Kind;
  switch (reference.kind) {
    case Kind::literal:
      return Secret(std::string_view(reference.value));
    case Kind::file:
      return from_file(reference);
    case Kind::command:
      return from_command(reference);
    case Kind::env: {
      auto found = environment_.find(reference.value);
      if (found == environment_.end() || found->second.empty()) {
        return cannot(reference, "the environment variable is not set")
            .with_hint(cat("export ", reference.value, "=… and run again"));
      }
      return Secret(std::string_view(found->second));
    }
    case Kind::kms:
      break;
  }
  return Error(ErrorKind::unsupported, cat("not supported yet: key service reference ",
                                           reference.text(), " at ", reference.place.text()));
}

Result<Secret> References::from_file(const plan::Reference& reference) const {
  auto path = absolute(reference.value);
  auto info = world_.files.info(path);
  if (!info.ok()) return cannot(reference, info.error().message());
  if (info->kind == FileKind::regular && (info->mode & 0077) != 0) {
    return cannot(reference, cat("the file is readable by others (mode 0", (info->mode >> 6) & 7,
                                 (info->mode >> 3) & 7, info->mode & 7, ")"))
        .with_hint(cat("chmod 600 ", path));
  }
  auto bytes = read_file(world_.files, path, secret_bytes_max);
  if (!bytes.ok()) return cannot(reference, bytes.error().message());
  auto secret = without_newline(text_of(*bytes));
  wipe(*bytes);
  return secret;
}

Result<Secret> References::from_command(const plan::Reference& reference) const {
  Command command;
  command.argv = {"/bin/sh", "-c", reference.value};
  command.directory = folder_;
  for (const auto& [name, value] : environment_) command.environment.emplace_back(name, value);
  auto done = world_.processes.run(command, Seconds(30), {});
  if (!done.ok()) return cannot(reference, done.error().message());
  if (!done->ok())
    return cannot(reference, cat("the command ended with exit code ", done->exit_code));
  auto secret = without_newline(done->output);
  wipe({reinterpret_cast<std::uint8_t*>(done->output.data()), done->output.size()});
  if (secret.empty()) return cannot(reference, "the command printed nothing");
  return secret;
}

std::string References::absolute(const std::string& path) const {
  if (path.starts_with('/')) return path;
  auto plain = std::string_view(path);
  while (plain.starts_with("./")) plain.remove_prefix(2);
  return path_join(folder_, plain);
}

Result<std::string> References::path(const plan::Reference& reference) const {
  auto value = LB_TRY(secret(reference));
  return absolute(std::string(value.reveal()));
}

}  // namespace lb
