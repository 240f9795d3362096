// message ls, show, approve, send, drop: what is told to people, and what waits for an approval.
#include "app/cli/identity.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "operations/notify/messages.h"
#include "operations/runbook/actor.h"

namespace lb::cli {

namespace {

constexpr std::size_t shown_max = 50, searched_max = 10'000;
constexpr Micros send_time = Seconds(20);

struct Desk {
  LoadedPlan loaded;
  std::unique_ptr<References> references;
  std::unique_ptr<state::Journal> journal;
  std::unique_ptr<state::Outbox> outbox;
};

Result<Desk> open_desk(const Shell& shell, const Args& args) {
  Desk out;
  out.loaded = LB_TRY(load_plan(shell, args));
  out.references = std::make_unique<References>(shell.world, shell.environment, out.loaded.folder);
  const auto path = path_join(state_folder(shell, out.loaded.plan.system), "journal.sqlite");
  out.journal = LB_TRY(state::Journal::open(shell.world, path));
  out.outbox = LB_TRY(state::Outbox::open(shell.world, *out.journal, path));
  return out;
}

Error no_such(const std::string& named) {
  return Error(ErrorKind::not_found, cat("there is no message '", printable(named), "' here"))
      .with_hint("lifeboat message ls lists them");
}

// A beginning or an ending of an id, of drafts and, for show, of messages.
template <typename Row>
Result<std::optional<Row>> pick(const std::vector<Row>& rows, const std::string& named) {
  std::optional<Row> out;
  for (const auto& row : rows) {
    if (!row.id.starts_with(named) && !row.id.ends_with(named)) continue;
    if (out) {
      return Error(ErrorKind::invalid, cat("several messages fit '", printable(named), "'"))
          .with_hint("give more of the id");
    }
    out = row;
  }
  return out;
}

Result<std::string> named_in(const Args& args) {
  if (!args.positionals.empty()) return args.positionals[0];
  return Error(ErrorKind::invalid, "which message?").with_hint("lifeboat message ls lists them");
}

Result<notify::Shown> pick_draft(Desk& desk, const Args& args) {
  const auto named = LB_TRY(named_in(args));
  auto drafts = LB_TRY(desk.outbox->drafts(searched_max));
  auto found = LB_TRY(pick(drafts, named));
  if (!found) return no_such(named);
  return notify::show_draft(*desk.outbox, found->id);
}

std::string end_of(const std::string& id) {
  return id.substr(id.size() - std::min<std::size_t>(8, id.size()));
}

Json json_of(const state::OutboxItem& item) {
  return Json::object()
      .set("id", item.id)
      .set("kind", "message")
      .set("state", name_of(item.state))
      .set("to", item.to)
      .set("at", format_time_seconds(item.made))
      .set("subject", item.letter["subject"].string())
      .set("note", item.note);
}

Json json_of(const notify::Shown& shown) {
  Json to = Json::array();
  for (const auto& one : shown.to) to.push(one);
  return Json::object()
      .set("id", shown.draft.id)
      .set("kind", "draft")
      .set("state", name_of(shown.draft.state))
      .set("to", std::move(to))
      .set("at", format_time_seconds(shown.draft.made))
      .set("approve", shown.approve)
      .set("approved_by", shown.draft.approved_by)
      .set("hash", shown.hash)
      .set("subject", shown.subject)
      .set("text", shown.text);
}

Result<ExitCode> run_ls(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_desk(shell, args));
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"ID", "AT", "STATE", "TO", "SUBJECT", ""}};
  for (const auto& draft : LB_TRY(desk.outbox->drafts(shown_max))) {
    auto shown = LB_TRY(notify::show_draft(*desk.outbox, draft.id));
    const bool waits = draft.state == state::Draft::State::draft;
    rows.push_back({end_of(draft.id), format_time_seconds(draft.made),
                    cat("draft: ", waits ? "waits" : name_of(draft.state)), join(shown.to, ", "),
                    shown.subject,
                    waits ? cat("approved by ", shown.approve, " when it may go") : std::string()});
    list.push(json_of(shown));
  }
  for (const auto& item : LB_TRY(desk.outbox->items(shown_max))) {
    rows.push_back({end_of(item.id), format_time_seconds(item.made),
                    std::string(name_of(item.state)), item.to, item.letter["subject"].string(),
                    item.note});
    list.push(json_of(item));
  }
  if (shell.console.options().json) {
    shell.console.event("lifeboat.messages/1", Json::object().set("messages", std::move(list)));
  } else {
    shell.console.out(rows.size() == 1 ? std::string("no messages yet") : table(rows));
  }
  return ExitCode::ok;
}

void print(const Shell& shell, const notify::Shown& shown) {
  const auto& draft = shown.draft;
  shell.console.out(cat("To:       ", join(shown.to, ", "), "\nSubject:  ", shown.subject,
                        "\nState:    ", name_of(draft.state),
                        draft.approved_by.empty() ? "" : ", approved by ", draft.approved_by,
                        "\nApproval: ", shown.approve, "\nHash:     ", shown.hash, "\n\n",
                        shown.text));
}

Result<ExitCode> run_show(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_desk(shell, args));
  const auto named = LB_TRY(named_in(args));
  auto items = LB_TRY(desk.outbox->items(searched_max));
  auto item = LB_TRY(pick(items, named));
  if (!item) {
    auto shown = LB_TRY(pick_draft(desk, args));
    if (!shell.console.options().json) print(shell, shown);
    shell.console.event("lifeboat.message/1", json_of(shown));
    return ExitCode::ok;
  }
  const auto text = item->letter["text"].string();
  if (!shell.console.options().json) {
    shell.console.out(
        cat("To:       ", item->to, "\nSubject:  ", item->letter["subject"].string(),
            "\nState:    ", name_of(item->state), "\nWritten:  ", format_time_seconds(item->made),
            "\nTried:    ", item->note.empty() ? "not yet" : item->note, "\n\n", text));
  }
  shell.console.event("lifeboat.message/1", json_of(*item).set("text", text));
  return ExitCode::ok;
}

// What was looked at, said by whoever approves: by typing yes under it, or as its hash.
Status agreed(const Shell& shell, const Args& args, const notify::Shown& shown) {
  const auto hash = args.get("hash");
  if (!hash.empty()) {
    if (hash.size() >= 12 && shown.hash.starts_with(hash)) return {};
    return Error(ErrorKind::conflict, cat("draft ", shown.draft.id, " is not the one of that hash"))
        .with_hint(cat("nothing was approved; look again: lifeboat message show ", shown.draft.id))
        .with_exit(ExitCode::refused);
  }
  print(shell, shown);
  if (shell.console.ask("Type yes to approve this text for these people:") == "yes") return {};
  return Error(ErrorKind::denied, "not confirmed: nothing was approved")
      .with_hint("type yes when asked, or give --hash with what message show printed")
      .with_exit(ExitCode::refused);
}

Result<ExitCode> tell(const Shell& shell, const std::string& verb, const std::string& id,
                      const std::string& text) {
  if (!shell.console.options().json) shell.console.out(text);
  shell.console.event("lifeboat.summary/1", Json::object()
                                                .set("verb", verb)
                                                .set("ok", true)
                                                .set("exit", 0)
                                                .set("id", id)
                                                .set("text", text));
  return ExitCode::ok;
}

// By the key that was given, else by who is at the terminal. A signature proves no more than who
// it is of: that this person may approve is asked of the plan.
Result<runbook::Actor> approver(const Shell& shell, const plan::Plan& plan, const Signer* signer,
                                const notify::Shown& shown) {
  if (signer == nullptr) return runbook::actor_of(plan, shell.user, shell.host);
  const auto text = notify::approval_text(shown.draft.id, shown.hash, {}, signer->person);
  return runbook::actor_of(plan, {shell.user, shell.host},
                           {signer->person, signature_of(*signer, text)}, text);
}

Result<ExitCode> run_approve(const Shell& shell, const Args& args) {
  const auto signer = LB_TRY(signer_of(shell, args));
  auto desk = LB_TRY(open_desk(shell, args));
  auto shown = LB_TRY(pick_draft(desk, args));
  const auto& plan = desk.loaded.plan;
  const auto& id = shown.draft.id;
  const auto actor = LB_TRY(approver(shell, plan, signer ? &*signer : nullptr, shown));
  const auto by = notify::approver_among(plan, shown.approve, actor.roles);
  if (by.empty()) {
    return Error(ErrorKind::denied,
                 cat("draft ", id, " is approved by ", shown.approve, ", and ",
                     signer ? signer->person : shell.user, " is not known as that"))
        .with_hint(cat("people: {", shown.approve, ": {users: [NAME]}} in the plan says who it is"))
        .with_exit(ExitCode::refused);
  }
  LB_TRY(agreed(shell, args, shown));
  std::optional<notify::ApprovalProof> proof;
  if (signer) {
    const auto text = notify::approval_text(id, shown.hash, by, signer->person);
    proof = {signer->person, signature_of(*signer, text)};
  }
  LB_TRY(notify::approve_draft(plan, *desk.journal, *desk.outbox, id, shown.hash, by,
                               proof ? &*proof : nullptr));
  return tell(shell, "message approve", id,
              cat("approved by ", by,
                  "; a run that waits for it sends it now, else: lifeboat "
                  "message send ",
                  end_of(id)));
}

Result<ExitCode> run_send(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_desk(shell, args));
  auto shown = LB_TRY(pick_draft(desk, args));
  notify::Postman postman(shell.world, desk.loaded.plan, *desk.references, *desk.journal,
                          *desk.outbox);
  const notify::DraftTools tools{postman, desk.loaded.plan, *desk.journal, *desk.outbox};
  auto posted = LB_TRY(notify::send_draft(tools, shown.draft.id, shell.world.clock.now()));
  auto carried = LB_TRY(postman.drain(send_time, shell.stop));
  const auto waiting = LB_TRY(desk.outbox->waiting());
  if (carried.undelivered > 0)
    shell.console.warn("somebody could not be reached; see lifeboat message ls");
  return tell(shell, "message send", shown.draft.id,
              cat("for ", join(posted.people, ", "), ": ", carried.delivered, " delivered, ",
                  waiting, " waiting in the outbox"));
}

Result<ExitCode> run_drop(const Shell& shell, const Args& args) {
  auto desk = LB_TRY(open_desk(shell, args));
  auto shown = LB_TRY(pick_draft(desk, args));
  LB_TRY(desk.outbox->drop_draft(shown.draft.id));
  record::JournalEntry entry;
  entry.act = "message";
  entry.actor = shell.user;
  entry.text = cat("Draft \"", shown.subject, "\" dropped by ", shell.user);
  entry.details = Json::object().set("draft", shown.draft.id);
  LB_TRY(desk.journal->add(std::move(entry)));
  return tell(shell, "message drop", shown.draft.id, "dropped: it is not sent");
}

}  // namespace

std::vector<Verb> message_verbs() {
  std::vector<Verb> out;
  out.push_back({{"message ls",
                  "Lists messages to people and drafts that wait for an approval.",
                  {"lifeboat message ls          # oldest first, with what became of each",
                   "lifeboat message ls --json   # for a script"},
                  "message ls",
                  {},
                  0},
                 run_ls});
  out.push_back({{"message show",
                  "Shows one message or draft whole.",
                  {"lifeboat message show 9k2m4x7q          # the end of an id is enough",
                   "lifeboat message show 9k2m4x7q --json   # for a script"},
                  "message show ID",
                  {},
                  1},
                 run_show});
  std::vector<Flag> approving = {
      {"hash", 0, "HASH", "of what was looked at, at least 12 of its letters", false}};
  for (auto& flag : identity_flags()) approving.push_back(std::move(flag));
  out.push_back({{"message approve",
                  "Approves a draft: exactly this text for exactly these people.",
                  {"lifeboat message approve 9k2m4x7q    # shows it and asks",
                   "lifeboat message approve 9k2m4x7q --hash 5f0c31d2a7b9   # what show printed",
                   "lifeboat message approve 9k2m4x7q --key ~/boss.key --as boss  # signed"},
                  "message approve ID [--hash HASH] [--key FILE --as PERSON]",
                  std::move(approving),
                  1},
                 run_approve});
  out.push_back({{"message send",
                  "Sends a draft that was approved.",
                  {"lifeboat message send 9k2m4x7q          # waits some seconds for the answers",
                   "lifeboat message send 9k2m4x7q --json   # for a script"},
                  "message send ID",
                  {},
                  1},
                 run_send});
  out.push_back({{"message drop",
                  "Drops a draft: it is never sent.",
                  {"lifeboat message drop 9k2m4x7q          # it stays listed",
                   "lifeboat message drop 9k2m4x7q --json   # for a script"},
                  "message drop ID",
                  {},
                  1},
                 run_drop});
  return out;
}

}  // namespace lb::cli
