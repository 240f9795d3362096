#include "app/cli/new_key.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "storage/repo/core.h"
#include "storage/repo/key_slots.h"

namespace lb::cli {

namespace {

repo::KeySlots slots_of(const Shell& shell, Session& session) {
  return {*session.blobs, shell.world.clock, shell.world.random, session.repository->core()->keys};
}

Error missing_name() {
  return Error(ErrorKind::invalid, "the name of a key slot is missing")
      .with_hint("lifeboat key ls lists them")
      .with_exit(ExitCode::usage);
}

// An act on the keys, with its intent and outcome in the journal.
template <typename Change>
Status recorded(const Shell& shell, Session& session, const std::string& act,
                const std::string& text, const Change& change) {
  auto intent =
      LB_TRY(state::Act::begin(shell.world, *session.journal, act, {}, text, Json::object()));
  Status done = change();
  LB_TRY(intent->finish(done.ok(), done.ok() ? "Done" : done.error().text(), Json::object()));
  if (auto mirrored = session.journal->mirror(*session.repository); !mirrored.ok())
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  return done;
}

void print_done(const Shell& shell, const std::string& verb, const std::string& name,
                const std::string& text) {
  if (shell.console.options().json) {
    shell.console.event(
        "lifeboat.summary/1",
        Json::object().set("verb", verb).set("ok", true).set("exit", 0).set("name", name));
  } else {
    shell.console.out(text);
  }
}

std::string opener_text(const NewKey& key) {
  if (key.file.empty()) return "the passphrase";
  return cat(key.file, key.made ? " (made now; copy it to a safe place)" : "");
}

Result<ExitCode> run_ls(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args, Reading::plain, Access::write));
  auto lines = LB_TRY(slots_of(shell, *session).list());
  std::vector<std::vector<std::string>> rows = {{"NAME", "OPENED BY", "MAY", "MADE", ""}};
  Json list = Json::array();
  for (const auto& line : lines) {
    const auto& slot = line.slot;
    bool whole = line.problem.empty();
    auto kind = slot.kind == keys::kind::shares
                    ? cat(slot.need, " of ", slot.share_digests.size(), " shares")
                    : slot.kind;
    rows.push_back({whole ? printable(slot.name) : slot.id, whole ? printable(kind) : "damaged",
                    whole ? name_of(slot.grant) : "nothing", printable(slot.created),
                    line.in_use ? "in use" : line.problem});
    list.push(Json::object()
                  .set("id", slot.id)
                  .set("name", slot.name)
                  .set("kind", slot.kind)
                  .set("grants", whole ? name_of(slot.grant) : "")
                  .set("created", slot.created)
                  .set("in_use", line.in_use)
                  .set("problem", line.problem));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.keys/1", Json::object().set("keys", std::move(list)));
  } else {
    shell.console.out(table(rows));
  }
  return ExitCode::ok;
}

Result<ExitCode> run_add(const Shell& shell, const Args& args) {
  if (args.positionals.empty()) return missing_name();
  const auto& name = args.positionals[0];
  auto session = LB_TRY(Session::open(shell, args));
  LB_TRY(keys::check_slot_name(name));
  auto key = LB_TRY(read_new_key(shell, *session->references, args));
  auto grant = args.has("write-only") ? keys::Grant::write : keys::Grant::read_and_write;
  LB_TRY(recorded(shell, *session, "key add", cat("Adding key slot ", name), [&] {
    return slots_of(shell, *session).add(name, grant, key.text, PasswordCost{});
  }));
  print_done(shell, "key add", name,
             cat("key slot ", name, " added: ", opener_text(key), " may now ", name_of(grant)));
  return ExitCode::ok;
}

Result<ExitCode> run_rotate(const Shell& shell, const Args& args) {
  if (args.positionals.empty()) return missing_name();
  const auto& name = args.positionals[0];
  auto session = LB_TRY(Session::open(shell, args));
  auto key = LB_TRY(read_new_key(shell, *session->references, args));
  LB_TRY(recorded(shell, *session, "key rotate", cat("Rotating key slot ", name), [&] {
    return slots_of(shell, *session).rotate(name, key.text, PasswordCost{});
  }));
  print_done(shell, "key rotate", name,
             cat("key slot ", name, " is now opened by ", opener_text(key),
                 "\nWhat the repository's data is sealed with has not changed: who kept a copy of "
                 "the repository's\nkeys can go on reading. If the plan refers to the old key, "
                 "change what it refers to."));
  return ExitCode::ok;
}

Status confirm(const Shell& shell, const Args& args, const std::string& name) {
  auto typed = args.get("confirm");
  if (typed.empty()) {
    typed =
        shell.console.ask(cat("Whoever has only this key will not open the repository any more.\n"
                              "Type ",
                              name, " to remove it:"));
  }
  if (typed == name) return {};
  return Error(ErrorKind::denied, "not confirmed: nothing was removed")
      .with_hint(cat("type the name when asked, or give --confirm ", name))
      .with_exit(ExitCode::refused);
}

Result<ExitCode> run_remove(const Shell& shell, const Args& args) {
  if (args.positionals.empty()) return missing_name();
  const auto& name = args.positionals[0];
  auto session = LB_TRY(Session::open(shell, args));
  auto slots = slots_of(shell, *session);
  LB_TRY(slots.check_remove(name));
  LB_TRY(confirm(shell, args, name));
  LB_TRY(recorded(shell, *session, "key remove", cat("Removing key slot ", name),
                  [&] { return slots.remove(name); }));
  print_done(shell, "key remove", name, cat("key slot ", name, " removed"));
  return ExitCode::ok;
}

std::vector<Flag> with_new_key(std::vector<Flag> flags) {
  for (auto& flag : new_key_flags()) flags.push_back(std::move(flag));
  return flags;
}

}  // namespace

Verb key_ls_verb() {
  return {
      {"key ls",
       "Lists what opens the repository: passphrases, key files and recovery kits.",
       {"lifeboat key ls          # a line for each", "lifeboat key ls --json   # for a script"},
       "key ls",
       {},
       0},
      run_ls};
}

Verb key_add_verb() {
  return {
      {"key add",
       "Adds a passphrase or key file that opens the repository; --write-only for hosts that "
       "back up and must not read.",
       {"lifeboat key add office --passphrase ask          # asks for a new passphrase",
        "lifeboat key add web1 --write-only --file w.key   # makes a key file that only writes"},
       "key add NAME [--write-only] (--passphrase REF | --file PATH)",
       with_new_key(
           {{"write-only", 0, "", "may back up, but neither list, restore nor verify", false}}),
       1},
      run_add};
}

Verb key_rotate_verb() {
  return {{"key rotate",
           "Gives a key slot a new passphrase or key file; the old one no longer opens it.",
           {"lifeboat key rotate office --passphrase ask         # asks for the new passphrase",
            "lifeboat key rotate web1 --file /etc/web1-2.key     # makes another key file"},
           "key rotate NAME (--passphrase REF | --file PATH)",
           with_new_key({}),
           1},
          run_rotate};
}

Verb key_remove_verb() {
  return {{"key remove",
           "Removes a key slot; never the last passphrase or key file that reads.",
           {"lifeboat key remove office                    # asks for the name once more",
            "lifeboat key remove office --confirm office   # for a script"},
           "key remove NAME [--confirm NAME]",
           {{"confirm", 0, "NAME", "the name, instead of typing it", false}},
           1},
          run_remove};
}

}  // namespace lb::cli
