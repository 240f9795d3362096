#include <algorithm>

#include "app/cli/copies.h"
#include "app/cli/locks.h"
#include "app/cli/runbook_pages.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "storage/copy/care.h"
#include "storage/copy/compare.h"
#include "storage/repo/ledger.h"

namespace lb::cli {

namespace {

constexpr std::size_t shown_max = 20;

Json json_of(const std::vector<copy::Trouble>& list) {
  Json out = Json::array();
  for (const auto& each : list) {
    out.push(Json::object().set("object", each.key).set("problem", each.problem));
  }
  return out;
}

void warn_of(Console& console, const std::string& what, const std::vector<copy::Trouble>& list) {
  for (std::size_t i = 0; i < list.size() && i < shown_max; ++i) {
    console.warn(cat(what, ": ", list[i].key, " ", list[i].problem));
  }
  if (list.size() > shown_max) console.warn(cat("and ", list.size() - shown_max, " more"));
}

// The worst comes first: bytes that differ, then lateness, then what could not be read.
class Tally {
 public:
  void damaged() { damaged_ = true; }
  void late() { late_ = true; }
  void incomplete() { incomplete_ = true; }
  ExitCode exit() const {
    if (damaged_) return ExitCode::damaged;
    if (late_) return ExitCode::check_not_met;
    return incomplete_ ? ExitCode::warnings : ExitCode::ok;
  }

 private:
  bool damaged_ = false, late_ = false, incomplete_ = false;
};

Result<LagJudgement> lag_now(const Shell& shell, Session& session, const plan::Copy& copy,
                             BlobStore& blobs) {
  auto there = LB_TRY(repo::open_copy(*session.repository, blobs));
  auto lag = LB_TRY(lag_of(*session.repository, *there));
  return judge_lag(lag, copy, shell.world.clock.now());
}

copy::CopyProgress progress_of(Console& console, const std::string& what) {
  auto sink = console.progress(what);
  return [sink](std::uint64_t done, std::uint64_t total) {
    if (sink) sink({done, total, {}, 0, {}});
  };
}

Json json_of(const std::string& name, const copy::SyncReport& report, const std::string& lag) {
  return Json::object()
      .set("copy", name)
      .set("objects", report.objects)
      .set("bytes", report.bytes)
      .set("there", report.there)
      .set("only_in_copy", static_cast<std::uint64_t>(report.only_in_copy.size()))
      .set("conflicts", json_of(report.conflicts))
      .set("unreadable", json_of(report.unreadable))
      .set("held", json_of(report.held))
      .set("lag", lag);
}

void show_sync(const Shell& shell, const std::string& name, const copy::SyncReport& report,
               const LagJudgement& lag, Micros took) {
  auto& console = shell.console;
  warn_of(console, "differs", report.conflicts);
  warn_of(console, "damaged in the repository, not copied", report.unreadable);
  warn_of(console, "held back", report.held);
  for (const auto& key : report.only_in_copy) {
    if (key.starts_with("k/")) {
      console.warn(cat("key slot ", key, " was removed from the repository and still opens ", name,
                       "; remove that object there to revoke it"));
    }
  }
  if (console.options().json || console.options().quiet) return;
  console.out(cat(name, ": ", report.objects, " objects copied (", human_size(report.bytes), "), ",
                  report.there, " were there, in ", human_duration(took), "; ", lag.text));
}

// The two ledgers are held together when there is a key that reads them.
Result<copy::SyncReport> sync_with_care(const Shell& shell, Session& session, CopyPlace& place,
                                        copy::SyncOptions options) {
  const auto& source = *session.repository->core();
  bool keyed = options.witness != nullptr;
  std::unique_ptr<repo::Repository> there;
  if (keyed) {
    auto opened = repo::open_copy(*session.repository, *place.blobs);
    if (opened.ok()) there = std::move(opened).take();  // else it is new, or refused by the sync
    options.skip = LB_TRY(copy::ended_verdicts(source, there != nullptr ? there->core() : nullptr));
  }
  auto report = LB_TRY(copy::sync_copy(*session.blobs, *place.blobs, options, shell.stop,
                                       progress_of(shell.console, cat("copy to ", place.name))));
  if (!keyed) return report;
  if (there == nullptr) there = LB_TRY(repo::open_copy(*session.repository, *place.blobs));
  LB_TRY(copy::share_care(source, *there->core()).context("tell the copy what was removed"));
  return report;
}

// In a copy whose objects are locked when they are put: what the repository still has stays locked
// there. What it no longer has is not kept from ending.
Result<LockReport> keep_copy_locked(const Shell& shell, Session& session, const plan::Copy& copy,
                                    CopyPlace& place) {
  if (!copy.immutable) return LockReport{};
  std::vector<std::string> here, there, both;
  for (auto& object : LB_TRY(session.blobs->list(""))) here.push_back(std::move(object.key));
  for (auto& object : LB_TRY(place.blobs->list(""))) there.push_back(std::move(object.key));
  std::set_intersection(here.begin(), here.end(), there.begin(), there.end(),
                        std::back_inserter(both));
  auto locks =
      open_locks(shell, session.repository->id(), place.blobs->describe(), *copy.immutable);
  return keep_locked(shell, locks, *place.blobs, both);
}

Json locks_json(const LockReport& locks) {
  auto out = Json::object().set("objects", locks.objects).set("extended", locks.extended);
  if (locks.first_end) out.set("until", format_time_seconds(*locks.first_end));
  return out;
}

Status sync_one(const Shell& shell, Session& session, const plan::Copy& copy, Tally& tally) {
  auto place = LB_TRY(open_copy_place(shell, *session.references, copy, MissingFolder::create));
  auto act =
      LB_TRY(state::Act::begin(shell.world, *session.journal, cat("copy sync ", place.name), {},
                               cat("Copying the repository to ", place.name), Json::object()));
  auto witness = witness_of(session.repository.get());
  copy::SyncOptions options;
  options.witness = witness.get();
  auto started = shell.world.clock.steady();
  auto report = sync_with_care(shell, session, place, options);
  shell.console.end_progress();
  auto locks = report.ok() ? keep_copy_locked(shell, session, copy, place)
                           : Result<LockReport>(report.error());
  auto took = shell.world.clock.steady() - started;
  auto lag = locks.ok() ? lag_now(shell, session, copy, *place.blobs)
                        : Result<LagJudgement>(locks.error());
  if (!lag.ok()) {
    LB_TRY(act->finish(false, lag.error().text(), Json::object()));
    return std::move(lag).take_error().context(cat("copy to ", place.name));
  }
  auto details = json_of(place.name, *report, lag->text).set("locks", locks_json(*locks));
  auto text = cat(report->objects, " objects, ", human_size(report->bytes));
  if (!report->whole()) {
    text += cat("; ", report->conflicts.size(), " differ, ", report->unreadable.size(),
                " are damaged here, ", report->held.size(), " points held back");
  }
  LB_TRY(act->finish(report->whole(), text, details));
  shell.console.event("lifeboat.copy/1", std::move(details));
  show_sync(shell, place.name, *report, *lag, took);
  if (!report->conflicts.empty()) tally.damaged();
  if (!report->whole()) tally.incomplete();
  if (lag->late) tally.late();
  return {};
}

struct Verified {
  repo::VerifyReport report;
  std::optional<copy::CompareReport> compared;
  state::PageCheck pages;
  LagJudgement lag;
  bool clean() const {
    return report.clean() && pages.clean() && (!compared || compared->different.empty());
  }
};

Json json_of(const std::string& name, const Verified& done) {
  const auto& report = done.report;
  Json findings = Json::array();
  for (const auto& finding : report.findings) {
    Json affected = Json::array();
    for (const auto& line : finding.affected) affected.push(line);
    findings.push(Json::object()
                      .set("object", finding.object)
                      .set("problem", finding.problem)
                      .set("affected", std::move(affected)));
  }
  Json out = Json::object()
                 .set("copy", name)
                 .set("objects", report.objects)
                 .set("snapshots", report.snapshots)
                 .set("bytes_read", report.bytes_read)
                 .set("findings", std::move(findings))
                 .set("open_pages", cli::json_of(done.pages))
                 .set("lag", done.lag.text);
  if (done.compared) {
    out.set("compared", done.compared->objects);
    out.set("missing", done.compared->missing);
    out.set("different", json_of(done.compared->different));
  }
  return out;
}

// The copy is opened by its own objects and the key, as it would be after the loss of the
// repository.
Result<Verified> examine(const Shell& shell, Session& session, const plan::Copy& copy,
                         CopyPlace& place, const Args& args) {
  auto key = LB_TRY(
      session.references->secret(copy.key.empty() ? session.plan.plan.repository.key : copy.key));
  auto there =
      LB_TRY(repo::open_repository(*place.blobs, shell.world.clock, shell.world.random, key));
  Verified out;
  repo::VerifyOptions options;
  options.fraction = LB_TRY(read_fraction(args));
  for (auto byte : shell.world.random.bytes(8)) options.seed = (options.seed << 8) | byte;
  // A copy that was made without a key does not know what was removed before it could come.
  auto care = LB_TRY(repo::read_ledger_if_whole(*session.repository->core()));
  options.elsewhere = std::make_shared<const repo::Ledger>(std::move(care.ledger));
  out.report = LB_TRY(
      there->verify(options, shell.stop, progress_of(shell.console, cat("verify ", place.name))));
  out.pages =
      LB_TRY(state::check_open_pages(*there, state::PageLook::reading, shell.world.clock.now()));
  if (args.has("compare")) {
    auto witness = witness_of(session.repository.get());
    copy::SyncOptions wishes;
    wishes.witness = witness.get();
    out.compared = LB_TRY(copy::compare_copy(*session.blobs, *place.blobs, wishes, shell.stop,
                                             progress_of(shell.console, "compare")));
  }
  auto lag = LB_TRY(lag_of(*session.repository, *there));
  out.lag = judge_lag(lag, copy, shell.world.clock.now());
  return out;
}

void show_verified(Console& console, const std::string& name, const Verified& done) {
  if (console.options().json) return;
  const auto problems = done.report.findings.size() + done.pages.troubles.size();
  std::string text;
  for (const auto& finding : done.report.findings) {
    text += cat("damaged: ", finding.object, ": ", finding.problem, "\n");
    for (const auto& line : finding.affected) text += cat("    affects ", printable(line), "\n");
  }
  for (const auto& page : done.pages.troubles)
    text += cat("open page: ", printable(page.object), " ", page.problem, "\n");
  if (done.compared) {
    for (const auto& each : done.compared->different) {
      text += cat("differs: ", each.key, " ", each.problem, "\n");
    }
    text += cat(name, ": ", done.compared->objects, " objects compared byte for byte (",
                human_size(done.compared->bytes), "), ", done.compared->different.size(),
                " differ, ", done.compared->missing, " not there yet\n");
  }
  text += cat(name, ": ", problems == 0 ? "clean" : cat(problems, " problems"), ", ",
              done.report.objects, " objects, ", done.report.snapshots, " snapshots, ",
              human_size(done.report.bytes_read), " read; ", done.lag.text, "\n");
  if (!done.pages.clean())
    text += "hint: delete such pages there; copy sync brings those of the repository\n";
  if (!done.report.clean() || (done.compared && !done.compared->different.empty())) {
    text += cat("hint: lifeboat repair --on '", name,
                "' brings damaged objects back from the repository\n");
  }
  console.out(text);
}

Status verify_one(const Shell& shell, Session& session, const plan::Copy& copy, const Args& args,
                  Tally& tally) {
  auto place = LB_TRY(open_copy_place(shell, *session.references, copy, MissingFolder::refuse));
  auto act =
      LB_TRY(state::Act::begin(shell.world, *session.journal, cat("copy verify ", place.name), {},
                               cat("Verifying the copy ", place.name), Json::object()));
  auto done = examine(shell, session, copy, place, args);
  shell.console.end_progress();
  if (!done.ok()) {
    LB_TRY(act->finish(false, done.error().text(), Json::object()));
    return std::move(done).take_error().context(cat("verify the copy ", place.name));
  }
  auto details = json_of(place.name, *done);
  LB_TRY(act->finish(done->clean(), done->clean() ? "Clean" : "Damaged", details));
  shell.console.event("lifeboat.copy/1", std::move(details));
  show_verified(shell.console, place.name, *done);
  if (!done->clean()) tally.damaged();
  if (done->lag.late) tally.late();
  return {};
}

// One copy that cannot be reached does not keep the others from their turn.
Result<ExitCode> for_each_copy(
    const Shell& shell, const Args& args, const std::string& verb,
    const std::function<Status(Session&, const plan::Copy&, Tally&)>& act) {
  auto session = LB_TRY(Session::open(shell, args));
  auto copies = LB_TRY(pick_copies(session->plan.plan, args.positionals));
  Tally tally;
  std::optional<Error> first;
  for (const auto* copy : copies) {
    auto done = act(*session, *copy, tally);
    if (done.ok()) continue;
    if (first) shell.console.fail(verb, done.error());
    if (!first) first = std::move(done).take_error();
    if (shell.stop.stop_requested()) break;
  }
  if (auto mirrored = session->journal->mirror(*session->repository); !mirrored.ok()) {
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  }
  if (first) return std::move(*first);
  shell.console.event("lifeboat.summary/1", Json::object()
                                                .set("verb", verb)
                                                .set("ok", tally.exit() == ExitCode::ok)
                                                .set("exit", static_cast<int>(tally.exit())));
  return tally.exit();
}

Result<ExitCode> run_sync(const Shell& shell, const Args& args) {
  return for_each_copy(shell, args, "copy sync",
                       [&](Session& session, const plan::Copy& copy, Tally& tally) {
                         return sync_one(shell, session, copy, tally);
                       });
}

Result<ExitCode> run_verify(const Shell& shell, const Args& args) {
  return for_each_copy(shell, args, "copy verify",
                       [&](Session& session, const plan::Copy& copy, Tally& tally) {
                         return verify_one(shell, session, copy, args, tally);
                       });
}

}  // namespace

Verb copy_sync_verb() {
  return {{"copy sync",
           "Brings the plan's copies of the repository up to date, as ciphertext. Exit 4 when one "
           "lags beyond its target.",
           {"lifeboat copy sync          # every copy of the plan",
            "lifeboat copy sync 2        # the second one alone"},
           "copy sync [COPY...]",
           {},
           1000},
          run_sync};
}

Verb copy_verify_verb() {
  return {{"copy verify",
           "Opens a copy by itself, reads it back and says how far it lags.",
           {"lifeboat copy verify                  # every copy of the plan, every byte",
            "lifeboat copy verify 1 --compare      # also hold its bytes against the repository's"},
           "copy verify [COPY...] [--read PERCENT] [--compare]",
           {{"read", 0, "PERCENT",
             "share of the packs to read back (default 100%; 0% checks structure only)", false},
            {"compare", 0, "", "compare every object with the repository's, byte for byte", false}},
           1000},
          run_verify};
}

}  // namespace lb::cli
