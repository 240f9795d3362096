#include <algorithm>

#include "app/cli/alert_desk.h"
#include "app/cli/repair_view.h"
#include "app/cli/runbook_pages.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"

namespace lb::cli {

Result<double> read_fraction(const Args& args) {
  auto text = args.get("read", "100%");
  if (text.ends_with('%')) text.pop_back();
  auto percent = LB_TRY(parse_double(text).context("--read takes a percentage such as 10%"));
  if (percent < 0 || percent > 100)
    return Error(ErrorKind::invalid, cat("--read ", text, "% is not between 0 and 100"));
  return percent / 100;
}

namespace {

// What the copies can do about the damage, and what was done.
struct Help {
  repair::RepairPlan plan;
  std::optional<repair::RepairReport> done;
  // The copy that has the object whole; empty when none has, or none was asked.
  std::string whole_in(const std::string& object) const {
    auto step = std::find_if(plan.steps.begin(), plan.steps.end(), [&](const auto& each) {
      return each.remedy == repair::Remedy::heal && each.key == object;
    });
    return step == plan.steps.end() ? std::string() : step->from;
  }
};

struct Outcome {
  repo::VerifyReport report;
  state::PageCheck pages;
  Help help;
  Micros took{};
  std::optional<Error> trouble;  // why nothing could be put back
  bool mended() const {
    return pages.mended() && (help.done ? all_mended(*help.done) : report.clean());
  }
  ExitCode exit() const { return mended() ? ExitCode::ok : ExitCode::damaged; }
};

Json details_of(const Outcome& outcome) {
  const auto& report = outcome.report;
  Json findings = Json::array();
  for (const auto& finding : report.findings) {
    Json affected = Json::array();
    for (const auto& line : finding.affected) affected.push(line);
    findings.push(Json::object()
                      .set("object", finding.object)
                      .set("problem", finding.problem)
                      .set("whole_in", outcome.help.whole_in(finding.object))
                      .set("affected", std::move(affected)));
  }
  auto out = Json::object()
                 .set("verb", "verify")
                 .set("ok", outcome.mended())
                 .set("exit", static_cast<int>(outcome.exit()))
                 .set("read_fraction", report.fraction)
                 .set("deep", report.deep)
                 .set("objects", report.objects)
                 .set("snapshots", report.snapshots)
                 .set("packs", report.packs)
                 .set("packs_read", report.packs_read)
                 .set("bytes_read", report.bytes_read)
                 .set("chunks", report.chunks)
                 .set("log_segments", report.log_segments)
                 .set("records", report.records)
                 .set("findings", std::move(findings))
                 .set("open_pages", json_of(outcome.pages));
  if (outcome.help.done) {
    add_repair(out, *outcome.help.done);
    out.set("steps", json_of(outcome.help.plan.steps));
  }
  return out;
}

std::string count_of(std::size_t problems) {
  return cat(problems, problems == 1 ? " problem" : " problems");
}

std::string text_of_findings(const Outcome& outcome) {
  std::string text;
  bool somewhere = false;
  for (const auto& finding : outcome.report.findings) {
    text += cat("damaged: ", finding.object, ": ", finding.problem, "\n");
    for (const auto& line : finding.affected) text += cat("    affects ", printable(line), "\n");
    auto place = outcome.help.whole_in(finding.object);
    if (!place.empty()) text += cat("    whole in ", place, "\n");
    somewhere |= !place.empty();
  }
  if (somewhere && !outcome.help.done) {
    text += "lifeboat verify --heal, or repair, puts back what a copy has whole\n";
  } else if (!text.empty() && !outcome.help.done) {
    text += "no copy has it whole: lifeboat repair -n says what can be done all the same\n";
  }
  return text;
}

std::size_t problems_of(const Outcome& outcome) {
  return outcome.report.findings.size() + outcome.pages.troubles.size();
}

std::string shown(const Outcome& outcome) {
  const auto& report = outcome.report;
  const auto problems = problems_of(outcome);
  auto text = cat(text_of_findings(outcome), text_of(outcome.pages));
  text += cat(problems == 0 ? "clean" : count_of(problems), ": ", report.objects, " objects, ",
              report.snapshots, " snapshots, ", report.packs_read, " of ", report.packs,
              " packs read (", human_size(report.bytes_read), "), ", human_count(report.chunks),
              " chunks, ", report.log_segments, " log segments, ", report.records, " records, ",
              outcome.pages.objects, " open pages, in ", human_duration(outcome.took), "\n");
  if (report.fraction < 1) {
    text += cat("this was a sample of ", fixed(report.fraction * 100, 0),
                " % of the packs; lifeboat verify reads everything\n");
  }
  if (outcome.help.done) {
    for (const auto& step : outcome.help.plan.steps) text += line_of(step);
    if (!outcome.help.plan.nothing()) text += text_of(*outcome.help.done);
  }
  if (outcome.mended()) return text;
  for (const auto& id : report.snapshots_damaged)
    text += cat("do not restore from point ", id, "\n");
  return text;
}

// Looks for what is damaged in the copies of the plan; puts it back when asked to.
Result<Help> find_help(const Shell& shell, Session& session, const repo::VerifyReport& report,
                       bool heal) {
  Help out;
  if (report.clean() && !heal) return out;
  auto places = open_copies(shell, *session.references, session.plan.plan.repository, nullptr);
  auto sources = sources_of(places);
  if (sources.empty() && !heal) return out;
  auto& repository = *session.repository;
  out.plan = LB_TRY(repair::plan_repair_of(repository, report, sources, shell.stop));
  for (const auto& unread : out.plan.sources_unread) shell.console.warn(cat("not asked: ", unread));
  if (!heal) return out;
  out.done = LB_TRY(repair::apply_repair(repository, out.plan, sources, shell.stop, {}));
  return out;
}

Result<Outcome> verify(const Shell& shell, Session& session, const repo::VerifyOptions& options,
                       bool heal) {
  Outcome out;
  auto started = shell.world.clock.steady();
  auto sink = shell.console.progress("verify");
  auto report =
      session.repository->verify(options, shell.stop, [&](std::uint64_t done, std::uint64_t total) {
        if (sink) sink({done, total, {}, 0, {}});
      });
  shell.console.end_progress();
  out.report = LB_TRY(std::move(report));
  // Each time all of them, whatever share of the packs is read: few are there, and people follow
  // them.
  auto look = heal ? state::PageLook::mending : state::PageLook::reading;
  out.pages = LB_TRY(state::check_open_pages(*session.repository, look, shell.world.clock.now()));
  out.took = shell.world.clock.steady() - started;
  // What was found is told in any case.
  auto help = find_help(shell, session, out.report, heal);
  if (help.ok()) {
    out.help = std::move(help).take();
  } else if (heal) {
    out.trouble = std::move(help).take_error();
  } else {
    shell.console.warn(cat("copies: ", help.error().text()));
  }
  return out;
}

std::string title(const repo::VerifyOptions& options, bool heal) {
  return cat("Verifying the repository, ", fixed(options.fraction * 100, 0), " % of the packs",
             options.deep ? ", every chunk" : "", heal ? ", and healing it from its copies" : "");
}

// That a sample is clean says nothing of what was damaged before.
void tell_of(const Shell& shell, Session& session, const Result<Outcome>& outcome) {
  const std::string subject = "the repository";
  if (!outcome.ok()) {
    if (outcome.error().kind() == ErrorKind::cancelled) return;
    return tell_people(shell, session,
                       {{"verify failed", subject, true, told_text(outcome.error())}});
  }
  const bool wrong = !outcome->mended() || outcome->trouble;
  if (!wrong && outcome->report.fraction < 1) return tell_people(shell, session, {});
  tell_people(shell, session, {{"verify failed", subject, wrong, shown(*outcome)}});
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto opened = Session::open(shell, args);
  if (!opened.ok()) {
    tell_of_no_session(shell, args, opened.error(), "verify failed", {"the repository"});
    return std::move(opened).take_error();
  }
  auto session = std::move(opened).take();
  repo::VerifyOptions options;
  options.fraction = LB_TRY(read_fraction(args));
  options.deep = args.has("deep");
  auto seed = shell.world.random.bytes(8);
  for (auto byte : seed) options.seed = (options.seed << 8) | byte;
  bool heal = args.has("heal");
  if (heal) LB_TRY(pick_copies(session->plan.plan, {}));
  auto act = LB_TRY(state::Act::begin(shell.world, *session->journal, "verify", {},
                                      title(options, heal), Json::object()));
  auto outcome = verify(shell, *session, options, heal);
  tell_of(shell, *session, outcome);
  if (!outcome.ok()) {
    LB_TRY(act->finish(false, outcome.error().text(), Json::object()));
    return std::move(outcome).take_error();
  }
  const auto problems = problems_of(*outcome);
  auto text = problems == 0 ? std::string("Clean") : count_of(problems);
  if (outcome->help.done) text += cat(", ", outcome->help.done->healed, " objects healed");
  if (outcome->trouble) text += cat(", not healed: ", outcome->trouble->text());
  bool good = outcome->mended() && !outcome->trouble;
  LB_TRY(act->finish(good, text, details_of(*outcome)));
  if (auto mirrored = session->journal->mirror(*session->repository); !mirrored.ok()) {
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.summary/1", details_of(*outcome));
  } else {
    shell.console.out(shown(*outcome));
  }
  if (outcome->trouble) return std::move(*outcome->trouble).context("put back what is damaged");
  return outcome->exit();
}

}  // namespace

Verb verify_verb() {
  return {{"verify",
           "Reads the repository back and authenticates every byte of it, or of a sample.",
           {"lifeboat verify              # every byte",
            "lifeboat verify --deep       # and every chunk against its hash, as a restore does",
            "lifeboat verify --read 10%   # a random tenth of the packs, all structure",
            "lifeboat verify --heal       # and what is damaged back from a copy, as repair does"},
           "verify [--read PERCENT] [--deep] [--heal]",
           {{"read", 0, "PERCENT",
             "share of the packs to read back (default 100%; 0% checks structure only)", false},
            {"deep", 0, "",
             "decompress what is read, compare every chunk and pack with its hash: also finds what "
             "a writer sealed wrongly",
             false},
            {"heal", 0, "",
             "mend what is damaged or lost from the plan's copies; without it is said which has it",
             false}},
           0},
          run};
}

}  // namespace lb::cli
