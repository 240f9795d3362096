// Messages from templates: written strictly, sent at once or kept as a draft until the person that
// the template names has approved exactly what is sent.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "model/plan/template_text.h"
#include "operations/notify/postman.h"

namespace lb::notify {

// What is to be told. `letter`: key, run, about, severity, event; subject and text come from the
// template, and everybody may read them.
struct Notice {
  std::string template_name;
  std::vector<std::string> to;
  plan::TemplateValues values;  // {system} is filled in
  Letter letter;
};

struct Written {
  Letter letter;
  std::string approve;  // who must approve it; empty: nobody
};
// Pure. not_found: no such template; invalid: a value is missing, each named.
Result<Written> write_message(const plan::Plan& plan, const Notice& notice);

struct Told {
  Posted posted;
  std::string draft;    // id, when it waits for an approval instead
  std::string approve;  // by whom
};
Result<Told> tell(Postman& postman, const plan::Plan& plan, state::Journal& journal,
                  state::Outbox& outbox, const Notice& notice);

// A draft as it is shown. `hash` names who is told what: an approval holds for it alone.
struct Shown {
  std::string subject, text, approve, hash;
  std::vector<std::string> to;  // people and teams as given
  state::Draft draft;
};
Result<Shown> show_draft(state::Outbox& outbox, const std::string& id);

// Which of these people may approve what `approve` must: that person, a member of that team, or the
// deputy. Empty: none of them.
std::string approver_among(const plan::Plan& plan, const std::string& approve,
                           const std::set<std::string>& people);
// How it is known who approved: the signature of a person of the plan.
struct ApprovalProof {
  std::string person, signature;  // hex, over approval_text()
};
std::string approval_text(const std::string& draft, const std::string& hash, const std::string& by,
                          const std::string& person);
// `by`: the person who decides, already proven. denied (exit 5): not the one who must, their deputy
// or a member of that team. conflict: `hash` is not what is there now, or it is decided already.
Status approve_draft(const plan::Plan& plan, state::Journal& journal, state::Outbox& outbox,
                     const std::string& id, const std::string& hash, const std::string& by,
                     const ApprovalProof* proof = nullptr);
// What was said yesterday may not be so today.
inline constexpr Micros approval_holds = std::chrono::hours(24);

struct DraftTools {
  Postman& postman;
  const plan::Plan& plan;
  state::Journal& journal;
  state::Outbox& outbox;
};
// Into the outbox. conflict: not approved, another text than what was, or approved longer ago than
// an approval holds: then it waits for one again. denied (exit 5): it was approved under a key, and
// that does not prove it (any more).
Result<Posted> send_draft(const DraftTools& tools, const std::string& id, Timestamp now);

}  // namespace lb::notify
