#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "model/adopt/adopt.h"
#include "model/plan/reader.h"

namespace lb::cli {

namespace {

std::string kind_name(adopt::Block::Kind kind) {
  switch (kind) {
    case adopt::Block::Kind::heading:
      return "heading";
    case adopt::Block::Kind::item:
      return "item";
    case adopt::Block::Kind::fence:
      return "fence";
    case adopt::Block::Kind::row:
      return "table row";
    case adopt::Block::Kind::paragraph:
      break;
  }
  return "paragraph";
}

std::string lines_text(const std::vector<std::size_t>& lines) {
  std::vector<std::string> out;
  for (auto line : lines) out.push_back(std::to_string(line));
  return join(out, ", ");
}

// "3 runbooks, 12 phases, ..." and what needs a person.
std::string summary(const std::string& file, const adopt::Adoption& found) {
  auto out = cat(file, ": ", found.runbooks, " runbooks, ", found.phases, " phases, ", found.steps,
                 " steps, of them ", found.checklists, " checklists and ", found.to_review,
                 " commands to review; ", found.not_understood(), " of ", found.pieces.size(),
                 " pieces not understood, ", found.contradictions.size(), " contradictions\n");
  for (const auto& one : found.contradictions) {
    out += cat("contradiction, line ", lines_text(one.lines), ": ", one.text, "\n  ", one.advice,
               "\n");
  }
  for (const auto& one : found.remarks) out += cat("line ", one.line, ": ", one.text, "\n");
  for (const auto& piece : found.pieces) {
    if (!piece.understood) {
      out += cat("not understood, line ", piece.line, ": ", kind_name(piece.kind), ": ", piece.text,
                 "\n");
    }
  }
  return out;
}

Json json_of(const adopt::Contradiction& one) {
  Json lines = Json::array();
  for (auto line : one.lines) lines.push(static_cast<std::uint64_t>(line));
  return Json::object()
      .set("lines", std::move(lines))
      .set("text", one.text)
      .set("advice", one.advice);
}

Json json_of(const adopt::Piece& piece) {
  return Json::object()
      .set("line", static_cast<std::uint64_t>(piece.line))
      .set("kind", kind_name(piece.kind))
      .set("text", piece.text)
      .set("understood", piece.understood)
      .set("became", piece.became);
}

Json json_of(const adopt::Adoption& found) {
  Json pieces = Json::array(), contradictions = Json::array(), remarks = Json::array();
  for (const auto& piece : found.pieces) pieces.push(json_of(piece));
  for (const auto& one : found.contradictions) contradictions.push(json_of(one));
  for (const auto& one : found.remarks) {
    remarks.push(
        Json::object().set("line", static_cast<std::uint64_t>(one.line)).set("text", one.text));
  }
  auto count = [](std::size_t number) { return static_cast<std::uint64_t>(number); };
  return Json::object()
      .set("runbooks", count(found.runbooks))
      .set("phases", count(found.phases))
      .set("steps", count(found.steps))
      .set("checklists", count(found.checklists))
      .set("to_review", count(found.to_review))
      .set("not_understood", count(found.not_understood()))
      .set("contradictions", std::move(contradictions))
      .set("remarks", std::move(remarks))
      .set("pieces", std::move(pieces));
}

Status check_words(const Args& args) {
  if (args.positionals.empty()) {
    return Error(ErrorKind::invalid, "no file given")
        .with_hint("lifeboat runbook import FILE.md")
        .with_exit(ExitCode::usage);
  }
  auto system = args.get("system");
  if (args.has("system") && trim(system).empty())
    return Error(ErrorKind::invalid, "--system is empty").with_exit(ExitCode::usage);
  return {};
}

Status write_plan(const Shell& shell, const std::string& path, const std::string& text) {
  // A plan that is there was written by people.
  if (LB_TRY(path_exists(shell.world.files, path))) {
    return Error(ErrorKind::conflict, cat(path, " is there already and was left as it is"))
        .with_hint("name another file with --out")
        .with_exit(ExitCode::refused);
  }
  return write_durably(shell.world.files, path, view_of(text), 0644);
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  LB_TRY(check_words(args));
  const auto& path = args.positionals[0];
  auto bytes = LB_TRY(read_file(shell.world.files, path, adopt::markdown_bytes_max)
                          .context("read the runbook")
                          .hint("give one Markdown file of at most 1 MiB"));
  std::string text(bytes.begin(), bytes.end());
  auto found = LB_TRY(adopt::adopt(path, text, args.get("system")).context(path));
  // The plan is held against its language before anyone gets it.
  auto read = plan::read_plan("imported plan", found.yaml, nullptr);
  if (!read.ok()) {
    return Error(ErrorKind::internal,
                 cat("the plan made of it is not accepted: ", read.mistakes[0].place.text(), ": ",
                     read.mistakes[0].text));
  }
  auto& console = shell.console;
  auto out = args.get("out");
  if (!out.empty()) LB_TRY(write_plan(shell, out, found.yaml).context("write the plan"));
  if (console.options().json) {
    auto object = json_of(found).set("file", path).set("out", out);
    if (out.empty()) object.set("plan", found.yaml);
    console.event("lifeboat.runbook-import/1", std::move(object));
    return ExitCode::ok;
  }
  if (out.empty()) {
    console.out(found.yaml);
    console.note(summary(path, found));
  } else {
    console.out(cat(summary(path, found), "wrote ", out, "\nnext: set what is marked \"not in the ",
                    "source\", read each command, lifeboat plan check ", out));
  }
  return ExitCode::ok;
}

}  // namespace

Verb runbook_import_verb() {
  return {
      {"runbook import",
       "Makes a plan of a runbook written in Markdown; commands in it wait for a review, what "
       "is not understood or contradicts itself is listed.",
       {"lifeboat runbook import recovery.md --out lifeboat.yaml    # headings become phases, "
        "fences commands",
        "lifeboat runbook import recovery.md --json                 # what became of each line"},
       "runbook import FILE.md [--out PLAN.yaml] [--system NAME]",
       {{"out", 0, "FILE", "write the plan there instead of to standard output", false},
        {"system", 0, "NAME", "name of the system; else the file's name", false}},
       1},
      run};
}

}  // namespace lb::cli
