// The act to escalation's plan: tells the step that is due, if one is.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "operations/notify/escalation.h"
#include "operations/notify/postman.h"

namespace lb::notify {

// `letter`: what is said; its `about` names the incident. The step is posted under a key of its
// own, so that two programs that do it at once, or one that dies before it has noted it, tell
// nobody twice. Gives the event to be noted with the incident; nothing when none is due.
Result<std::optional<IncidentEvent>> escalate(Postman& postman, const EscalationPlan& due,
                                              Timestamp now, Letter letter);

}  // namespace lb::notify
