#include "app/cli/lock_watch.h"
#include "app/cli/log_watch.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "recovery/backup/backup.h"
#include "recovery/drill/drill.h"
#include "recovery/restore/sandbox_folder.h"
#include "storage/blob/reserving_blob_store.h"
#include "storage/blob/store_probe.h"
#include "storage/repair/suspects.h"

namespace lb::cli {

namespace {

// Collects what doctor finds; one part that fails never hides the others.
class Findings {
 public:
  void add(const std::string& subject, Diagnosis finding) {
    ok_ = ok_ && finding.ok;
    rows_.emplace_back(subject, std::move(finding));
  }
  void add(const std::string& subject, const std::string& what, const Error& error) {
    add(subject, {false, what, error.text(), error.hint()});
    if (!first_exit_) first_exit_ = error.exit_code();
  }
  void good(const std::string& subject, const std::string& what, const std::string& text) {
    add(subject, {true, what, text, {}});
  }
  bool ok() const { return ok_; }
  ExitCode exit() const { return ok_ ? ExitCode::ok : first_exit_.value_or(ExitCode::failed); }

  void print(Console& console) const {
    if (console.options().json) {
      Json list = Json::array();
      for (const auto& [subject, finding] : rows_) {
        list.push(Json::object()
                      .set("subject", subject)
                      .set("what", finding.what)
                      .set("ok", finding.ok)
                      .set("text", finding.text)
                      .set("hint", finding.hint));
      }
      console.event("lifeboat.doctor/1",
                    Json::object().set("ok", ok_).set("findings", std::move(list)));
      return;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& [subject, finding] : rows_) {
      rows.push_back({finding.ok ? console.colored("ok  ", 32) : console.colored("FAIL", 31),
                      subject, finding.what, finding.text});
      if (!finding.ok && !finding.hint.empty())
        rows.push_back({"    ", "", "", cat("hint: ", finding.hint)});
    }
    console.out(table(rows));
  }

 private:
  std::vector<std::pair<std::string, Diagnosis>> rows_;
  std::optional<ExitCode> first_exit_;
  bool ok_ = true;
};

void look_at_space(const Shell& shell, const std::string& folder, Findings& findings) {
  auto space = shell.world.files.space(folder);
  if (!space.ok()) return;
  auto text = cat(human_size(space->available), " free of ", human_size(space->total));
  auto reserve = reserve_of(space->total);
  if (space->available > reserve) return findings.good("repository", "space", text);
  findings.add("repository", "space",
               Error(ErrorKind::exhausted, cat(text, ": backups are refused, as the last ",
                                               human_size(reserve), " are kept for prune"))
                   .with_hint("lifeboat prune frees what no kept point needs"));
}

std::string in_milliseconds(Micros time) {
  return cat(fixed(static_cast<double>(time.count()) / 1000, 1), " ms");
}

void look_at_service(S3BlobStore& s3, bool immutable, Findings& findings) {
  auto skew = s3.skew();
  auto off = human_duration(std::chrono::abs(skew));
  if (std::chrono::abs(skew) < Seconds(60)) {
    findings.good("repository", "clock", cat("within ", off, " of the store's"));
  } else {
    findings.add("repository", {false, "clock",
                                cat("this machine is ", off,
                                    skew > Micros(0) ? " behind" : " ahead of", " the store"),
                                "set the clock, for example with chrony"});
  }
  if (!immutable) return;
  auto proven = s3.prove_lock();
  if (!proven.ok()) return findings.add("repository", "lock", proven.error());
  findings.good("repository", "lock", "a locked object could not be deleted");
}

// By behaviour: what a service says of itself proves nothing.
void test_place(const Shell& shell, const OpenedPlace& place, Findings& findings) {
  auto times = probe_store(*place.blobs, shell.world.clock, shell.world.random);
  if (!times.ok()) return findings.add("repository", "store", times.error());
  findings.good("repository", "store",
                cat("nothing is overwritten; put ", in_milliseconds(times->put), ", read a part ",
                    in_milliseconds(times->get_range), ", list ", in_milliseconds(times->list)));
  if (place.s3 != nullptr) look_at_service(*place.s3, place.immutable, findings);
}

// By a sample of what points need.
void look_at_locks(const Shell& shell, repo::Repository& repository, BlobStore& blobs,
                   Micros period, Findings& findings) {
  auto judged = [&]() -> Result<LockJudgement> {
    LockSample sample;
    sample.points = LB_TRY(repository.snapshots());
    auto verdicts = LB_TRY(repair::read_verdicts(*repository.core(), shell.stop));
    for (const auto& [name, pack] : verdicts.packs) sample.packs.push_back(name);
    auto end = LB_TRY(first_lock_end(blobs, sample, shell.stop));
    return judge_locks(end, period, "prune", shell.world.clock.now());
  }();
  if (!judged.ok()) return findings.add("repository", "locks", judged.error());
  findings.add("repository", {judged->state == "ok", "locks", judged->text, {}});
}

void look_at_repository(const Shell& shell, const LoadedPlan& loaded, const References& references,
                        std::string* folder, Findings& findings) {
  const std::string subject = "repository";
  auto place = open_place(shell, references, loaded.plan.repository);
  if (!place.ok()) return findings.add(subject, "place", place.error());
  *folder = place->folder;
  test_place(shell, *place, findings);
  auto key = references.secret(loaded.plan.repository.key);
  if (!key.ok()) return findings.add(subject, "key", key.error());
  auto repository =
      repo::open_repository(*place->blobs, shell.world.clock, shell.world.random, *key);
  if (!repository.ok()) return findings.add(subject, "open", repository.error());
  findings.good(subject, "open", cat((*repository)->id(), " at ", place->text));
  if (!folder->empty()) look_at_space(shell, *folder, findings);
  if (!(*repository)->may_read())
    return findings.good(subject, "key", "may only write: points are neither listed nor read");
  auto snapshots = (*repository)->snapshots();
  if (!snapshots.ok()) return findings.add(subject, "points", snapshots.error());
  findings.good(subject, "points", cat(snapshots->size(), " recovery points"));
  auto period = loaded.plan.repository.immutable;
  if (period) look_at_locks(shell, **repository, *place->blobs, *period, findings);
}

void look_at_store(const Shell& shell, const plan::Store& store, const References& references,
                   const std::string& repository_folder, Findings& findings) {
  auto source = backup::make_source(store, references, repository_folder);
  if (!source.ok()) return findings.add(store.name, "store", source.error());
  auto diagnoses = (*source)->diagnose(shell.world, shell.stop);
  if (!diagnoses.ok()) return findings.add(store.name, "reach", diagnoses.error());
  for (auto& diagnosis : *diagnoses) findings.add(store.name, std::move(diagnosis));
}

// Holes, archiving that fails, what slots make the server keep, and how long its disk lasts.
Status look_at_log(const Shell& shell, Session& session, const plan::Store& store,
                   Findings& findings) {
  const auto points = LB_TRY(restore::read_points(*session.repository, store));
  const auto watch = LB_TRY(watch_log(shell, session, store, points));
  if (!watch || !watch->kept) return {};
  const auto verdict = judge_log(*watch, shell.world.clock.now());
  findings.add(store.name, {verdict.state == "ok", "log", verdict.text,
                            cat("see lifeboat wal ls --store ", store.name)});
  return {};
}

// Where the repository cannot be opened or read, that was said before.
void look_at_logs(const Shell& shell, const Args& args, Findings& findings) {
  auto session = Session::open(shell, args);
  if (!session.ok() || !(*session)->repository->may_read()) return;
  for (const auto& store : (*session)->plan.plan.stores) {
    if (store.kind != plan::StoreKind::postgres) continue;
    const auto looked = look_at_log(shell, **session, store, findings);
    if (!looked.ok()) findings.add(store.name, "log", looked.error());
  }
}

// A sandbox is really made, used and removed: a permission on paper proves nothing.
Result<std::vector<std::string>> try_sandbox(const Shell& shell, const std::string& root) {
  auto& world = shell.world;
  SandboxSpec spec;
  spec.user = LB_TRY(world.sandboxes.unprivileged_user("postgres"));
  spec.folder = LB_TRY(
      restore::make_sandbox_folder(world, root, cat("doctor-", to_hex(world.random.bytes(4)))));
  auto sandbox = LB_TRY(world.sandboxes.create(spec));
  Command command;
  command.argv = {"/bin/true"};
  auto done = LB_TRY(sandbox->run(command, Seconds(30), shell.stop));
  auto facts = sandbox->isolation();
  LB_TRY(sandbox->stop());
  LB_TRY(remove_sandbox_folder(world.files, spec.folder));
  if (!done.ok())
    return Error(ErrorKind::unavailable,
                 cat("a command inside ended with exit code ", done.exit_code));
  return facts;
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto loaded = LB_TRY(load_plan(shell, args));
  References references(shell.world, shell.environment, loaded.folder);
  Findings findings;
  findings.good("plan", "read", cat(loaded.path, ": no mistakes"));
  std::string repository_folder;
  look_at_repository(shell, loaded, references, &repository_folder, findings);
  for (const auto& store : loaded.plan.stores)
    look_at_store(shell, store, references, repository_folder, findings);
  look_at_logs(shell, args, findings);
  auto facts = try_sandbox(shell, drill::default_sandbox_root(shell.uid));
  if (facts.ok()) {
    findings.good("sandbox", "isolation", join(*facts, "; "));
  } else {
    findings.add("sandbox", "isolation", facts.error());
  }
  findings.print(shell.console);
  return findings.exit();
}

}  // namespace

Verb doctor_verb() {
  return {{"doctor",
           "Tests the plan, the repository and its key, every store and the sandbox, without "
           "changing data.",
           {"lifeboat doctor          # everything the plan needs, one line each",
            "lifeboat doctor --json   # for a script"},
           "doctor",
           {},
           0},
          run};
}

}  // namespace lb::cli
