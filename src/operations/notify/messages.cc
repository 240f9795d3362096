#include "operations/notify/messages.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "operations/notify/signed.h"

namespace lb::notify {

namespace {

struct Wording {
  std::string subject, body, approve;
};

// The plan's own comes first: it may have the name of one that every plan has.
Result<Wording> wording_of(const plan::Plan& plan, const std::string& name) {
  const auto* built_in = plan::built_in_template(name);
  const auto subject = [&] {
    return built_in != nullptr ? std::string(built_in->subject) : std::string("{system}: message");
  };
  if (const auto* own = plan.message(name)) {
    return Wording{own->subject.empty() ? subject() : own->subject, own->body, own->approve};
  }
  if (built_in != nullptr) return Wording{subject(), std::string(built_in->body), {}};
  return Error(ErrorKind::not_found, cat("there is no template '", printable(name), "'"))
      .with_hint("templates: in the plan");
}

std::string hash_of(const Letter& letter, const std::vector<std::string>& to) {
  Json people = Json::array();
  for (const auto& one : to) people.push(one);
  const auto whole =
      Json::array().push(std::move(people)).push(letter.subject).push(letter.text).dump();
  return to_hex(sha256(view_of(whole)));
}

Status note(state::Journal& journal, const Letter& letter, const std::string& draft,
            const std::string& actor, const std::string& text, const Json& proof = {}) {
  record::JournalEntry entry;
  entry.act = "message";
  entry.run = letter.run;
  entry.actor = actor;
  entry.text = text;
  entry.details = Json::object().set("draft", draft).set("key", letter.key);
  if (proof.is_object()) entry.details.set("approval", proof);
  return journal.add(std::move(entry));
}

// A subject that is given by a value may not fit in a line.
std::string one_line(std::string text) {
  for (auto& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return std::string(trim(text));
}

Result<Letter> letter_of(const state::Draft& draft) {
  return decode_letter(draft.body["letter"]).context(cat("read draft ", draft.id));
}

std::vector<std::string> people_in(const state::Draft& draft) {
  std::vector<std::string> out;
  for (const auto& one : draft.body["to"].items()) out.push_back(one.string());
  return out;
}

// What was approved under a key is held against the plan again before anything leaves.
Status still_proven(const plan::Plan& plan, const Shown& shown) {
  const auto approval = shown.draft.approval();
  if (!approval.is_object()) return {};
  const auto person = approval["person"].string();
  const auto text =
      approval_text(shown.draft.id, shown.draft.approved_hash, shown.draft.approved_by, person);
  auto checked = check_signed(plan, person, text, approval["signature"].string());
  if (checked.ok()) return {};
  return std::move(checked)
      .take_error()
      .context(cat("the approval of draft ", shown.draft.id, " is not proven"))
      .with_hint("nothing was sent; drop it and let the run write it anew: lifeboat message drop");
}

bool may_approve(const plan::Plan& plan, const std::string& approve, const std::string& by) {
  if (by == approve) return true;
  const auto* person = plan.person(approve);
  if (person == nullptr) return false;
  const auto& members = person->members;
  return person->deputy == by || std::find(members.begin(), members.end(), by) != members.end();
}

}  // namespace

std::string approver_among(const plan::Plan& plan, const std::string& approve,
                           const std::set<std::string>& people) {
  if (people.contains(approve)) return approve;
  auto found = std::find_if(people.begin(), people.end(),
                            [&](const auto& one) { return may_approve(plan, approve, one); });
  return found == people.end() ? std::string() : *found;
}

Result<Written> write_message(const plan::Plan& plan, const Notice& notice) {
  auto wording = LB_TRY(wording_of(plan, notice.template_name));
  auto values = notice.values;
  values["system"] = plan.system;
  const auto where = cat("template ", notice.template_name);
  Written out;
  out.letter = notice.letter;
  out.letter.system = plan.system;
  out.letter.shareable = true;
  auto subject = LB_TRY(plan::fill_template(wording.subject, values).context(where));
  out.letter.subject = one_line(std::move(subject));
  out.letter.text = LB_TRY(plan::fill_template(wording.body, values).context(where));
  out.approve = wording.approve;
  return out;
}

Result<Told> tell(Postman& postman, const plan::Plan& plan, state::Journal& journal,
                  state::Outbox& outbox, const Notice& notice) {
  auto written = LB_TRY(write_message(plan, notice));
  // Nobody is asked to approve what could not be sent.
  LB_TRY(postman.items_for(written.letter, notice.to));
  Told out;
  if (written.approve.empty()) {
    out.posted = LB_TRY(postman.post(std::move(written.letter), notice.to));
    return out;
  }
  Json to = Json::array();
  for (const auto& one : notice.to) to.push(one);
  state::Draft draft;
  draft.key = written.letter.key;
  draft.body = Json::object()
                   .set("template", notice.template_name)
                   .set("approve", written.approve)
                   .set("to", std::move(to))
                   .set("letter", encode(written.letter));
  auto kept = LB_TRY(outbox.put_draft(std::move(draft)));
  out.draft = kept.id;
  out.approve = kept.body["approve"].string();
  LB_TRY(note(journal, written.letter, kept.id, {},
              cat("Draft \"", written.letter.subject, "\" waits for ", out.approve)));
  return out;
}

Result<Shown> show_draft(state::Outbox& outbox, const std::string& id) {
  Shown out;
  out.draft = LB_TRY(outbox.draft(id));
  auto letter = LB_TRY(letter_of(out.draft));
  out.to = people_in(out.draft);
  out.approve = out.draft.body["approve"].string();
  out.hash = hash_of(letter, out.to);
  out.subject = std::move(letter.subject);
  out.text = std::move(letter.text);
  return out;
}

std::string approval_text(const std::string& draft, const std::string& hash, const std::string& by,
                          const std::string& person) {
  return cat("lifeboat approval\n", draft, "\n", hash, "\n", by, "\n", person);
}

Status approve_draft(const plan::Plan& plan, state::Journal& journal, state::Outbox& outbox,
                     const std::string& id, const std::string& hash, const std::string& by,
                     const ApprovalProof* proof) {
  auto shown = LB_TRY(show_draft(outbox, id));
  auto letter = LB_TRY(letter_of(shown.draft));
  if (!may_approve(plan, shown.approve, by)) {
    return Error(ErrorKind::denied,
                 cat("draft ", id, " is approved by ", shown.approve, ", not by ", printable(by)))
        .with_hint("nothing was approved")
        .with_exit(ExitCode::refused);
  }
  if (shown.hash != hash) {
    return Error(ErrorKind::conflict, cat("draft ", id, " has changed since it was shown"))
        .with_hint(cat("nothing was approved; look again: lifeboat message show ", id))
        .with_exit(ExitCode::refused);
  }
  Json kept;
  if (proof != nullptr) {
    LB_TRY(check_signed(plan, proof->person, approval_text(id, hash, by, proof->person),
                        proof->signature));
    kept = Json::object()
               .set("person", proof->person)
               .set("hash", hash)
               .set("by", by)
               .set("signature", proof->signature);
  }
  LB_TRY(outbox.approve_draft(id, hash, by, kept));
  return note(journal, letter, id, by, cat("Draft \"", shown.subject, "\" approved by ", by), kept);
}

// One from the future was given where the clock is wrong, and holds.
static Status still_holds(state::Outbox& outbox, const Shown& shown, Timestamp now) {
  const auto& draft = shown.draft;
  const bool approved = draft.state == state::Draft::State::approved;
  if (!approved || now - draft.approved_at <= approval_holds) return {};
  auto body = draft.body;
  body.set("approval", Json());
  LB_TRY(outbox.rewrite_draft(draft.id, body));
  return Error(ErrorKind::conflict, cat("the approval of draft ", draft.id, " is of ",
                                        format_time_seconds(draft.approved_at), ", and holds for ",
                                        human_duration(approval_holds)))
      .with_hint(cat("nothing was sent; it waits again: lifeboat message approve ", draft.id))
      .with_exit(ExitCode::refused);
}

Result<Posted> send_draft(const DraftTools& tools, const std::string& id, Timestamp now) {
  auto shown = LB_TRY(show_draft(tools.outbox, id));
  LB_TRY(still_holds(tools.outbox, shown, now));
  LB_TRY(still_proven(tools.plan, shown));
  auto letter = LB_TRY(letter_of(shown.draft));
  auto items = LB_TRY(tools.postman.items_for(letter, shown.to));
  const auto count = items.size();
  auto stored = LB_TRY(tools.outbox.send_draft(id, shown.hash, std::move(items)));
  Posted out;
  for (const auto& item : stored) out.people.push_back(item.to);
  out.known = count - stored.size();
  LB_TRY(tools.postman.note_posted(letter, stored));
  LB_TRY(note(tools.journal, letter, id, {}, cat("Draft \"", shown.subject, "\" sent")));
  return out;
}

}  // namespace lb::notify
