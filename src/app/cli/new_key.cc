#include "app/cli/new_key.h"

#include "foundation/base/text.h"
#include "foundation/sys/terminal.h"
#include "model/plan/values.h"
#include "storage/keys/key_file.h"

namespace lb::cli {

namespace {

constexpr std::size_t passphrase_bytes_min = 12;
constexpr std::size_t key_bytes = 32;

Error usage(const std::string& text) {
  return Error(ErrorKind::invalid, text).with_exit(ExitCode::usage);
}

Result<Secret> ask_twice(const Shell& shell) {
  auto first = LB_TRY(ask_secret("new passphrase:", shell.stop));
  auto again = LB_TRY(ask_secret("once more:", shell.stop));
  if (!equal_constant_time(first.bytes(), again.bytes()))
    return usage("the two passphrases differ: nothing was changed");
  return first;
}

Result<Secret> read_passphrase(const Shell& shell, const References& references,
                               const std::string& flag) {
  if (flag == "ask") return ask_twice(shell);
  auto reference = LB_TRY(plan::parse_reference(flag));
  reference.place.file = "--passphrase";
  if (reference.kind == plan::Reference::Kind::literal) {
    return usage("a passphrase in the command line could be read by others")
        .with_hint("--passphrase ask, env:NAME, file:PATH or command:…");
  }
  return references.secret(reference);
}

// Exclusively, so that a file of someone else is never taken for fresh.
Status write_fresh(const Shell& shell, const std::string& path, const Secret& text) {
  auto& files = shell.world.files;
  auto file = LB_TRY(files.create(path, 0600));
  LB_TRY(file->append(text.bytes()));
  LB_TRY(file->sync());
  LB_TRY(file->close());
  return files.sync_directory(path_parent(path));
}

Result<NewKey> read_or_make_file(const Shell& shell, const References& references,
                                 const std::string& flag) {
  auto path = flag.starts_with('/') ? flag : path_join(shell.folder, flag);
  if (LB_TRY(path_exists(shell.world.files, path))) {
    plan::Reference reference;
    reference.kind = plan::Reference::Kind::file;
    reference.value = path;
    reference.place.file = "--file";
    auto text = LB_TRY(references.secret(reference));
    if (!keys::is_key_file(text)) return usage(cat(path, " is not a key file"));
    return NewKey{std::move(text), path, false};
  }
  auto bytes = shell.world.random.bytes(key_bytes);
  NewKey key{keys::write_key_file(Secret{ByteView(bytes)}), path, true};
  wipe(bytes);
  LB_TRY(write_fresh(shell, path, key.text).context(cat("make the key file ", path)));
  return key;
}

}  // namespace

std::vector<Flag> new_key_flags() {
  return {{"passphrase", 0, "REF",
           "the new passphrase: ask (at the terminal), env:NAME, file:PATH or command:…", false},
          {"file", 0, "PATH", "a key file instead; made when it does not exist", false}};
}

Status check_new_key(const Secret& text) {
  if (keys::is_key_file(text)) return keys::read_key_file(text).status();
  if (text.size() >= passphrase_bytes_min) return {};
  return usage(cat("the key is shorter than ", passphrase_bytes_min, " bytes"))
      .with_hint(
          "for example: export LIFEBOAT_KEY=$(head -c 24 /dev/urandom | base64), and keep it "
          "somewhere else");
}

Result<NewKey> read_new_key(const Shell& shell, const References& references, const Args& args) {
  auto passphrase = args.get("passphrase"), file = args.get("file");
  if (passphrase.empty() == file.empty()) {
    return usage("a new key is needed: either --passphrase or --file")
        .with_hint("--passphrase ask asks at the terminal; --file PATH makes a key file");
  }
  NewKey key;
  if (file.empty()) {
    key.text = LB_TRY(read_passphrase(shell, references, passphrase));
  } else {
    key = LB_TRY(read_or_make_file(shell, references, file));
  }
  LB_TRY(check_new_key(key.text));
  return key;
}

}  // namespace lb::cli
