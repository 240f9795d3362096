// IncidentDesk: what the verbs of incidents need: the plan, the facts, the outbox, and whoever
// carries the escalation on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/cli/identity.h"
#include "app/cli/session.h"
#include "operations/incident/carrier.h"
#include "operations/incident/clocks.h"
#include "operations/incident/symptoms.h"
#include "storage/state/outbox.h"

namespace lb::cli {

struct IncidentDesk {
  std::unique_ptr<Session> session;  // its repository may be null: it cannot be reached
  std::unique_ptr<state::FactLog> log;
  std::unique_ptr<state::Outbox> outbox;
  std::unique_ptr<notify::Postman> postman;
  std::optional<Signer> signer;  // --key, --as
  const plan::Plan& plan() const { return session->plan.plan; }
};

// A repository that cannot be opened, whatever the reason, is said and done without: people must be
// told all the same.
Result<IncidentDesk> open_incident_desk(const Shell& shell, const Args& args);

// Of one incident, with all that is known of it here and in the repository.
struct PickedIncident {
  incident::IncidentState state;
  std::vector<record::Fact> facts;
};
// By a unique beginning or ending of its id; without a name the only one that is open, or, where
// closed ones count too, the newest.
enum class Among { open, all };
// What was said under a key that is not so does not count, and is warned of.
Result<PickedIncident> pick_incident(const Shell& shell, const plan::Plan& plan,
                                     state::FactLog& log, const std::string& named, Among among);

// Adds what this user or the signer says, and to `picked` what follows. `fact`: its kind, text and
// data. denied (exit 5): the plan does not know that key.
Status say(const Shell& shell, const plan::Plan& plan, state::FactLog& log, PickedIncident& picked,
           record::Fact fact, const Signer* signer = nullptr);
// invalid when it is closed.
Status still_open(const incident::IncidentState& state);

incident::Carrier carrier_for(const Shell& shell, const Session& session, const plan::Plan& plan,
                              notify::Postman& postman, state::FactLog& log);

// For people: who is told next and when, or why nobody.
std::string text_of(const incident::Next& next, Timestamp now);
// "open", "acknowledged", "closed".
std::string standing_of(const incident::IncidentState& state);
Json json_of(const plan::Plan& plan, const PickedIncident& picked, const incident::Next& next,
             Timestamp now);
// What the plan has next for it.
incident::Next next_for(const Shell& shell, const plan::Plan& plan,
                        const incident::IncidentState& state);

}  // namespace lb::cli
