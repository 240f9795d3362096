#include "app/cli/new_key.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "storage/blob/store_probe.h"
#include "storage/repo/repository.h"

namespace lb::cli {

namespace {

// The first plan a newcomer gets: small, true, and with its gaps named.
std::string first_plan(const std::string& system, const std::vector<std::string>& sockets) {
  std::string text =
      cat("# Written by lifeboat init. See lifeboat plan explain for every default.\n"
          "version: 1\n"
          "system: ",
          system,
          "\n\n"
          "repository:\n"
          "  at: ./lifeboat-repository      # better: another disk, another machine\n"
          "  key: env:LIFEBOAT_KEY          # a passphrase; without it nothing can be restored\n"
          "  retain: {daily: 30d, pitr: 30d}\n\n"
          "stores:\n");
  if (sockets.empty()) {
    text +=
        "  # No PostgreSQL was found on this machine. With one elsewhere:\n"
        "  # db: {postgres: env:DATABASE_URL, log: continuous, every: daily 02:00, objective: "
        "{rpo: 1h}}\n";
  }
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    text += cat("  db", i == 0 ? "" : std::to_string(i + 1),
                ": {postgres: \"host=", path_parent(sockets[i]),
                " port=", sockets[i].substr(sockets[i].rfind('.') + 1),
                " dbname=postgres\", log: continuous, every: daily 02:00, objective: {rpo: 1h}}\n");
  }
  text +=
      "  files: {files: ./data, every: hourly, objective: {rpo: 24h}}\n\n"
      "targets:\n"
      "  sandbox: {isolate: network}\n\n"
      "checks:\n"
      "  files:\n"
      "    - files: {count: recorded, hashes: recorded}\n\n"
      "drills:\n"
      "  restore-test: {every: month day 1 03:00, restore: files, into: sandbox, checks: [files], "
      "objective: {rto: 4h}}\n";
  return text;
}

// Sockets of PostgreSQL servers on this machine: "<folder>/.s.PGSQL.<port>".
std::vector<std::string> find_sockets(Files& files) {
  std::vector<std::string> out;
  for (const char* folder : {"/var/run/postgresql", "/tmp"}) {
    auto entries = files.list(folder);
    if (!entries.ok()) continue;
    for (const auto& entry : *entries) {
      bool socket = entry.name.starts_with(".s.PGSQL.") && !entry.name.ends_with(".lock");
      if (socket) out.push_back(path_join(folder, entry.name));
    }
  }
  return out;
}

std::string system_name(const std::string& folder) {
  std::string out;
  for (char c : lower(path_name(folder))) {
    bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    if (fits) out += c;
  }
  return out.empty() || (out[0] >= '0' && out[0] <= '9') ? cat("system", out) : out;
}

Result<ExitCode> write_first_plan(const Shell& shell, const std::string& path) {
  auto sockets = find_sockets(shell.world.files);
  auto text = first_plan(system_name(shell.folder), sockets);
  LB_TRY(write_durably(shell.world.files, path, view_of(text), 0644));
  shell.console.out(
      cat("wrote ", path,
          sockets.empty() ? "" : cat(" with ", sockets.size(), " PostgreSQL found here"),
          "\nnext: edit it, lifeboat plan check, export LIFEBOAT_KEY, and lifeboat init again"));
  return ExitCode::ok;
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto path = plan_path(shell, args);
  if (!LB_TRY(path_exists(shell.world.files, path))) return write_first_plan(shell, path);
  auto loaded = LB_TRY(load_plan(shell, args));
  References references(shell.world, shell.environment, loaded.folder);
  auto key = LB_TRY(references.secret(loaded.plan.repository.key));
  LB_TRY(check_new_key(key));
  auto place = LB_TRY(open_place(shell, references, loaded.plan.repository, MissingFolder::create));
  // Before anything is stored: a service that overwrites would lose data later, silently.
  LB_TRY(probe_store(*place.blobs, shell.world.clock, shell.world.random)
             .context("test the place of the repository"));
  if (place.immutable) LB_TRY(place.s3->prove_lock());
  LB_TRY(repo::init_repository(*place.blobs, shell.world.clock, shell.world.random, key)
             .context(cat("make a repository in ", place.text)));
  auto repository =
      LB_TRY(repo::open_repository(*place.blobs, shell.world.clock, shell.world.random, key));
  if (shell.console.options().json) {
    shell.console.event("lifeboat.init/1",
                        Json::object().set("repository", repository->id()).set("at", place.text));
  } else {
    shell.console.out(
        cat("repository ", repository->id(), " made in ", place.text,
            "\nKeep the key outside this machine: without it no byte can be restored.\n"
            "next: lifeboat doctor, lifeboat backup"));
  }
  return ExitCode::ok;
}

}  // namespace

Verb init_verb() {
  return {{"init",
           "Writes a first plan when there is none; else makes the plan's repository.",
           {"lifeboat init                        # no plan yet: writes lifeboat.yaml with what it "
            "finds here",
            "LIFEBOAT_KEY=... lifeboat init       # makes the repository the plan names"},
           "init",
           {},
           0},
          run};
}

}  // namespace lb::cli
