// What people say to a run: step done, step skip and so on, answer, approve, deny, abort.
#include "app/cli/identity.h"
#include "app/cli/run_desk.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "foundation/crypto/signature.h"

namespace lb::cli {

namespace {

using record::RunInput;
using record::RunInputKind;

const Flag run_flag{"run", 0, "RUN", "which run, when several are open", false};
const Flag message_flag{"message", 'm', "TEXT", "note, reason or report", false};

// The words of a verb that speak of a step: its number or its name; without one the step that waits
// for just that.
Status read_step(const RunDesk& desk, const Args& args, std::size_t position, RunInput& input) {
  if (args.positionals.size() <= position) return {};
  const auto& word = args.positionals[position];
  input.step = desk.script.find(word);
  if (input.step != 0) return {};
  return Error(ErrorKind::invalid, cat("run ", desk.run, " has no step '", printable(word), "'"))
      .with_hint(cat("lifeboat run show ", desk.run));
}

Result<RunDesk> desk_of(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_run_desk(shell, args));
  LB_TRY(pick_run(shell, desk, args.get("run"), true));
  return desk;
}

Result<ExitCode> say_and_tell(const Shell& shell, RunDesk& desk, RunInput input) {
  auto kind = std::string(record::name_of(input.kind));
  LB_TRY(say(shell, desk, std::move(input)));
  shell.console.event(
      "lifeboat.summary/1",
      Json::object().set("verb", kind).set("ok", true).set("exit", 0).set("run", desk.run));
  return ExitCode::ok;
}

template <RunInputKind kind>
Result<ExitCode> plain(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(desk_of(shell, args));
  RunInput input;
  input.kind = kind;
  input.text = args.get("message");
  input.data = Json::object();
  LB_TRY(read_step(desk, args, 0, input));
  return say_and_tell(shell, desk, std::move(input));
}

Result<ExitCode> tick(const Shell& shell, const Args& args) {
  if (args.positionals.empty()) return Error(ErrorKind::invalid, "step tick takes the item's text");
  auto desk = LB_TRY(desk_of(shell, args));
  RunInput input;
  input.kind = RunInputKind::tick;
  input.text = args.get("message");
  input.data =
      Json::object().set("item", args.positionals[0]).set("ticked", !args.has("leave-out"));
  LB_TRY(read_step(desk, args, 1, input));
  return say_and_tell(shell, desk, std::move(input));
}

Result<ExitCode> confirm(const Shell& shell, const Args& args) {
  if (args.positionals.empty())
    return Error(ErrorKind::invalid, "step confirm takes the name of the target");
  auto desk = LB_TRY(desk_of(shell, args));
  RunInput input;
  input.kind = RunInputKind::confirm;
  input.data = Json::object().set("word", args.positionals[0]);
  LB_TRY(read_step(desk, args, 1, input));
  return say_and_tell(shell, desk, std::move(input));
}

// "yes", "no", or the values of ask:.
Result<ExitCode> answer(const Shell& shell, const Args& args) {
  if (args.positionals.empty())
    return Error(ErrorKind::invalid, "answer takes yes, no, or NAME=VALUE for each question");
  auto desk = LB_TRY(desk_of(shell, args));
  RunInput input;
  input.kind = RunInputKind::answer;
  input.data = Json::object();
  const auto& first = args.positionals[0];
  if (first == "yes" || first == "no") {
    input.data.set("holds", first == "yes");
    return say_and_tell(shell, desk, std::move(input));
  }
  Json values = Json::object();
  for (const auto& word : args.positionals) {
    auto equals = word.find('=');
    if (equals == std::string::npos)
      return Error(ErrorKind::invalid, cat("'", printable(word), "' is no NAME=VALUE"));
    values.set(word.substr(0, equals), word.substr(equals + 1));
  }
  input.data.set("values", std::move(values));
  return say_and_tell(shell, desk, std::move(input));
}

// "lifeboat:RUN/STEP/TOKEN", as it was sent.
struct Link {
  std::string run, token;
  std::size_t step = 0;
};
std::optional<Link> link_of(const std::string& word) {
  constexpr std::string_view scheme = "lifeboat:";
  if (!word.starts_with(scheme)) return std::nullopt;
  auto parts = split(word.substr(scheme.size()), '/');
  if (parts.size() != 3) return std::nullopt;
  auto step = parse_uint(parts[1]);
  if (!step.ok()) return std::nullopt;
  return Link{parts[0], parts[2], *step};
}

void sign_input(const Shell& shell, const Signer& signer, const RunDesk& desk, RunInput& input) {
  input.at = shell.world.clock.now();
  input.data.set("person", signer.person).set("signature", Json());
  input.data.set("signature", signature_of(signer, runbook::signed_text(desk.run, input)));
}

Result<ExitCode> decide(const Shell& shell, const Args& args, RunInputKind kind) {
  const auto signer = LB_TRY(signer_of(shell, args));
  auto desk = LB_TRY(open_run_desk(shell, args));
  RunInput input;
  input.kind = kind;
  input.text = args.get("message");
  input.data = Json::object();
  auto link = args.positionals.empty() ? std::nullopt : link_of(args.positionals[0]);
  LB_TRY(pick_run(shell, desk, link ? link->run : args.get("run"), true));
  if (link) {
    input.step = link->step;
    input.data.set("link", link->token);
  } else {
    LB_TRY(read_step(desk, args, 0, input));
  }
  if (args.has("break-glass")) input.data.set("break_glass", true);
  auto state = LB_TRY(runbook::fold(desk.script, desk.run, desk.events));
  input.step = runbook::addressed(desk.script, state, input);
  if (input.step == 0 || input.step > desk.script.steps.size()) {
    return Error(ErrorKind::invalid, "the run waits for no decision now")
        .with_hint(cat("lifeboat run show ", desk.run));
  }
  const auto& asks = state.at(input.step).asks;
  for (const char* bound : {"hash", "expires"}) {
    if (asks[bound].is_string()) input.data.set(bound, asks[bound]);
  }
  std::vector<std::vector<std::string>> rows;
  for (const char* part : {"facts", "about"}) {
    for (const auto& [name, value] : asks["shown"][part].members()) {
      auto words = replace_all(name, "_", " ");
      if (!value.is_object()) rows.push_back({"  ", words, value.string()});
      for (const auto& [inner, text] : value.members())
        rows.push_back({"  ", cat(words, " ", inner), text.string()});
    }
  }
  if (!rows.empty()) shell.console.note(table(rows));
  if (signer) sign_input(shell, *signer, desk, input);
  return say_and_tell(shell, desk, std::move(input));
}

Result<ExitCode> approve(const Shell& shell, const Args& args) {
  return decide(shell, args, RunInputKind::approve);
}
Result<ExitCode> deny(const Shell& shell, const Args& args) {
  return decide(shell, args, RunInputKind::deny);
}

Result<ExitCode> abort_run(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_run_desk(shell, args));
  LB_TRY(pick_run(shell, desk, args.positionals.empty() ? args.get("run") : args.positionals[0],
                  true));
  RunInput input;
  input.kind = RunInputKind::abort;
  input.text = args.get("message");
  input.data = Json::object();
  if (trim(input.text).empty())
    return Error(ErrorKind::invalid, "ending a run needs a reason: -m TEXT");
  return say_and_tell(shell, desk, std::move(input));
}

// A key of one person: the secret half into a file, the other printed for the plan.
Result<ExitCode> person_key(const Shell& shell, const Args& args) {
  if (args.positionals.size() != 1)
    return Error(ErrorKind::invalid, "person key takes the file that is to hold the key");
  auto seed = shell.world.random.bytes(32);
  auto text = cat(to_hex(seed), "\n");
  auto file = LB_TRY(
      shell.world.files.create(args.positionals[0], 0600).context("a key is never written over"));
  LB_TRY(file->append(view_of(text)));
  LB_TRY(file->sync());
  LB_TRY(file->close());
  auto key = to_hex(signing_public_key_of(Secret{ByteView(seed)}));
  wipe(seed);
  shell.console.out(cat("key: ", key));
  shell.console.note(cat("put that line under the person in the plan; ", args.positionals[0],
                         " stays with that person alone"));
  return ExitCode::ok;
}

Verb of_step(const char* name, const char* summary, std::vector<std::string> examples,
             VerbRun run) {
  return {{name,
           summary,
           std::move(examples),
           cat(name, " [STEP] [-m TEXT] [--run RUN]"),
           {run_flag, message_flag},
           1},
          run};
}

std::vector<Flag> deciding_flags() {
  std::vector<Flag> out = {
      run_flag,
      message_flag,
      {"break-glass", 0, "", "decide without the role; needs a reason and a known person", false}};
  for (auto& flag : identity_flags()) out.push_back(std::move(flag));
  return out;
}

std::vector<Verb> speaking_verbs() {
  return {
      of_step("step done", "Says that a person did what the run waits for.",
              {"lifeboat step done                       # the step that waits",
               "lifeboat step done 4 -m \"switched by hand\""},
              plain<RunInputKind::done>),
      of_step("step skip", "Leaves out the step that waits; critical ones need an approver.",
              {"lifeboat step skip -m \"there is no bucket\"",
               "lifeboat step skip 7 -m \"not affected\""},
              plain<RunInputKind::skip>),
      of_step("step retry", "Does a failed step once more.",
              {"lifeboat step retry", "lifeboat step retry 7"}, plain<RunInputKind::retry>),
      of_step("step undo", "Takes back a step, by its undo.",
              {"lifeboat step undo 3 -m \"wrong host\"", "lifeboat step undo"},
              plain<RunInputKind::undo>),
      of_step("step report", "Reports to a decision, as the responsible do before it.",
              {"lifeboat step report -m \"all checks pass\"",
               "lifeboat step report 9 -m \"two tests fail\""},
              plain<RunInputKind::report>),
      of_step("step note", "Writes a note into the record of the run.",
              {"lifeboat step note -m \"the provider says 30 minutes\"",
               "lifeboat step note --run 06F9 -m \"customers called\""},
              plain<RunInputKind::note>),
      {{"step tick",
        "Ticks off an item of the checklist that waits.",
        {"lifeboat step tick \"health check passes\"",
         "lifeboat step tick \"create a job\" --leave-out -m \"no test account\""},
        "step tick ITEM [STEP] [--leave-out -m REASON] [--run RUN]",
        {run_flag, message_flag, {"leave-out", 0, "", "it does not apply; needs a reason", false}},
        2},
       tick},
      {{"step confirm",
        "Types the name of the target that a step is about to overwrite.",
        {"lifeboat step confirm production", "lifeboat step confirm production --run db-loss"},
        "step confirm NAME [STEP] [--run RUN]",
        {run_flag},
        2},
       confirm},
      {{"answer",
        "Answers what the run asks: its questions, or whether a condition holds.",
        {"lifeboat answer failed_at=2026-01-13T02:14:05Z failed_component=db",
         "lifeboat answer no"},
        "answer yes|no|NAME=VALUE … [--run RUN]",
        {run_flag},
        100},
       answer},
  };
}

std::vector<Verb> deciding_verbs() {
  return {
      {{"approve",
        "Approves what a gate shows, as the person who decides, or by a link that was sent.",
        {"lifeboat approve                         # the decision that waits",
         "lifeboat approve lifeboat:06F9Z8Q7/5/8c1d…  # by link",
         "lifeboat approve --key ~/boss.key --as boss  # signed"},
        "approve [STEP|LINK] [-m TEXT] [--break-glass -m REASON] [--key FILE --as PERSON]",
        deciding_flags(),
        1},
       approve},
      {{"deny",
        "Says no at a gate, with the reason.",
        {"lifeboat deny -m \"wait for the provider\"", "lifeboat deny 5 -m \"wrong point\""},
        "deny [STEP|LINK] -m REASON",
        deciding_flags(),
        1},
       deny},
      {{"abort",
        "Ends a run for good, with the reason. What is running is stopped.",
        {"lifeboat abort -m \"it was the network\"",
         "lifeboat abort 06F9Z8Q7 -m \"wrong runbook\""},
        "abort [RUN] -m REASON",
        {run_flag, message_flag},
        1},
       abort_run},
      {{"person key",
        "Makes a key by whose signature a person of the plan is known.",
        {"lifeboat person key ~/ada.key    # prints the line for the plan",
         "lifeboat approve --key ~/ada.key --as ada"},
        "person key FILE",
        {},
        1},
       person_key},
  };
}

}  // namespace

std::vector<Verb> step_verbs() {
  auto out = speaking_verbs();
  for (auto& verb : deciding_verbs()) out.push_back(std::move(verb));
  return out;
}

}  // namespace lb::cli
