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

Json json_of(const repo::VerifyReport& report) {
  Json findings = Json::array();
  for (const auto& finding : report.findings) {
    Json affected = Json::array();
    for (const auto& line : finding.affected) affected.push(line);
    findings.push(Json::object()
                      .set("object", finding.object)
                      .set("problem", finding.problem)
                      .set("affected", std::move(affected)));
  }
  return Json::object()
      .set("verb", "verify")
      .set("ok", report.clean())
      .set("exit", report.clean() ? 0 : static_cast<int>(ExitCode::damaged))
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
      .set("findings", std::move(findings));
}

std::string text_of_report(const repo::VerifyReport& report, Micros took) {
  std::string text;
  for (const auto& finding : report.findings) {
    text += cat("damaged: ", finding.object, ": ", finding.problem, "\n");
    for (const auto& line : finding.affected) text += cat("    affects ", printable(line), "\n");
  }
  text += cat(report.clean() ? "clean" : cat(report.findings.size(), " problems"), ": ",
              report.objects, " objects, ", report.snapshots, " snapshots, ", report.packs_read,
              " of ", report.packs, " packs read (", human_size(report.bytes_read), "), ",
              human_count(report.chunks), " chunks, ", report.log_segments, " log segments, ",
              report.records, " records, in ", human_duration(took), "\n");
  if (report.fraction < 1) {
    text += cat("this was a sample of ", fixed(report.fraction * 100, 0),
                " % of the packs; lifeboat verify reads everything\n");
  }
  for (const auto& id : report.snapshots_damaged)
    text += cat("do not restore from point ", id, "\n");
  return text;
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto session = LB_TRY(Session::open(shell, args));
  repo::VerifyOptions options;
  options.fraction = LB_TRY(read_fraction(args));
  options.deep = args.has("deep");
  auto seed = shell.world.random.bytes(8);
  for (auto byte : seed) options.seed = (options.seed << 8) | byte;
  auto act =
      LB_TRY(state::Act::begin(shell.world, *session->journal, "verify", {},
                               cat("Verifying the repository, ", fixed(options.fraction * 100, 0),
                                   " % of the packs", options.deep ? ", every chunk" : ""),
                               Json::object()));
  auto started = shell.world.clock.steady();
  auto sink = shell.console.progress("verify");
  auto report = session->repository->verify(options, shell.stop,
                                            [&](std::uint64_t done, std::uint64_t total) {
                                              if (sink) sink({done, total, {}, 0, {}});
                                            });
  shell.console.end_progress();
  auto took = shell.world.clock.steady() - started;
  if (!report.ok()) {
    LB_TRY(act->finish(false, report.error().text(), Json::object()));
    return std::move(report).take_error();
  }
  LB_TRY(act->finish(report->clean(),
                     report->clean() ? "Clean" : cat(report->findings.size(), " problems"),
                     json_of(*report)));
  if (auto mirrored = session->journal->mirror(*session->repository); !mirrored.ok()) {
    shell.console.warn(cat("the journal is not mirrored yet: ", mirrored.error().text()));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.summary/1", json_of(*report));
  } else {
    shell.console.out(text_of_report(*report, took));
  }
  return report->clean() ? ExitCode::ok : ExitCode::damaged;
}

}  // namespace

Verb verify_verb() {
  return {{"verify",
           "Reads the repository back and authenticates every byte of it, or of a sample.",
           {"lifeboat verify              # every byte",
            "lifeboat verify --deep       # and every chunk against its hash, as a restore does",
            "lifeboat verify --read 10%   # a random tenth of the packs, all structure"},
           "verify [--read PERCENT] [--deep]",
           {{"read", 0, "PERCENT",
             "share of the packs to read back (default 100%; 0% checks structure only)", false},
            {"deep", 0, "",
             "decompress what is read, compare every chunk and pack with its hash: also finds what "
             "a writer sealed wrongly",
             false}},
           0},
          run};
}

}  // namespace lb::cli
