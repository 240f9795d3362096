// AlertDesk: what verbs find wrong reaches people, and what waits in the outbox is carried on by
// whoever works.
#pragma once

#include <string>
#include <vector>

#include "app/cli/session.h"
#include "operations/notify/postman.h"
#include "operations/watch/finding.h"
#include "storage/state/outbox.h"

namespace lb::cli {

// Tells whom alerts: names, once, of what became wrong and of what is right again, gives these
// messages some seconds to go, and tries once what else is due. What hinders it is said, and
// nothing else fails: a backup whose messages do not go is still a backup.
// `looked_at_all_of`: events of which every subject is among the findings.
void tell_people(const Shell& shell, Session& session, const std::vector<watch::Finding>& findings,
                 const std::vector<std::string>& looked_at_all_of = {});
// Into an outbox that is open; somebody else carries it.
Status post_findings(const Shell& shell, const Session& session, notify::Postman& postman,
                     const std::vector<watch::Finding>& findings,
                     const std::vector<std::string>& looked_at_all_of = {});

// A verb that failed before it had a session. `failed`: what the verb would have done to these.
// With it what the error says of the repository and its key.
void tell_of_no_session(const Shell& shell, const Args& args, const Error& error,
                        const std::string& failed, const std::vector<std::string>& subjects);

// What an error says of the places it met: "store unreachable" and others; nothing of most.
std::vector<watch::Finding> findings_of(const Error& error, const std::string& subject,
                                        const std::string& host);
// For people, with what to do.
std::string told_text(const Error& error);

}  // namespace lb::cli
