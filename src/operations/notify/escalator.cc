#include "operations/notify/escalator.h"

#include "foundation/base/text.h"

namespace lb::notify {

Result<std::optional<IncidentEvent>> escalate(Postman& postman, const EscalationPlan& due,
                                              Timestamp now, Letter letter) {
  if (due.act != EscalationPlan::Act::tell || due.due > now) return std::optional<IncidentEvent>();
  if (letter.about.empty()) return Error(ErrorKind::internal, "an escalation needs its incident");
  letter.key = cat(letter.about, "/", due.step);
  letter.event = Event::trigger;
  LB_TRY(postman.post(std::move(letter), due.to).context(cat("escalate to ", join(due.to, ", "))));
  return std::optional<IncidentEvent>({IncidentEvent::Kind::told, now, due.step});
}

}  // namespace lb::notify
