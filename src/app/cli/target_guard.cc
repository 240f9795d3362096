#include "app/cli/target_guard.h"

#include "app/cli/folder_way.h"
#include "app/cli/run_acts.h"
#include "app/cli/server_look.h"
#include "app/cli/swap_steps.h"
#include "foundation/base/text.h"
#include "recovery/swap/proven_elsewhere.h"

namespace lb::cli {

namespace {

constexpr Micros proof_within = std::chrono::hours(24 * 7);

Result<ServerLook> server_at(const Session& session, const plan::Reference& address) {
  auto conninfo = LB_TRY(session.references->secret(address));
  return ServerLook::at(conninfo);
}

// What goes to the server of a target goes to the target, also under another name; but for a server
// that the live database is on too, where only the target's own database is meant.
bool goes_to_server(const Session& session, const Request& request,
                    const plan::Reference& address) {
  const auto& rescue = *request.rescue;
  auto into = server_at(session, rescue.into);
  auto there = server_at(session, address);
  // Where none answers nothing is written; one address is one place all the same.
  bool one_address = address.text() == rescue.into.text();
  if (!into.ok() || !there.ok()) return one_address;
  bool looked_at = into->place() && there->place();
  if (!looked_at) return one_address || into->same_server(*there);
  if (!into->same_server(*there)) return false;
  auto written = rescue.table          ? into->place()->database
                 : request.replacement ? rescue.database
                                       : rescue.as;
  if (written == there->place()->database) return true;
  auto live = server_at(session, request.store->address);
  return !live.ok() || !live->same_server(*into);
}

bool is_same_place(Files& files, const std::string& one, const std::string& other) {
  auto first = FolderWay::of(files, one), second = FolderWay::of(files, other);
  // What cannot be looked at is taken for the target's, whose rules then hold.
  return !first.ok() || !second.ok() || first->overlaps(*second);
}

bool goes_to(const Shell& shell, const Session& session, const Request& request,
             const plan::Target& target) {
  auto place = place_of(session, *request.store, target);
  if (!place.ok()) return false;
  if (place->folder.empty() != request.folder.empty()) return false;
  if (!place->folder.empty())
    return is_same_place(shell.world.files, request.folder, place->folder);
  return request.rescue && goes_to_server(session, request, place->server);
}

}  // namespace

Status check_first(const Shell& shell, Session& session, const plan::Target& target,
                   const restore::Choice& choice) {
  if (target.first.empty()) return {};
  swap::WantedProof wanted;
  wanted.store = choice.store;
  wanted.snapshot = choice.snapshot.id;
  // As drills record it.
  if (choice.target) wanted.reached = as_of(choice);
  wanted.target = target.first;
  wanted.within = proof_within;
  auto drills = LB_TRY(state::drills(*session.repository));
  auto proof = swap::proven_elsewhere(drills, wanted, shell.world.clock.now());
  if (proof.proven) return {};
  return Error(ErrorKind::denied, cat("target ", target.name, " takes what was proven in ",
                                      target.first, " first: ", proof.reason))
      .with_left("nothing was restored")
      .with_hint(session.copy.empty()
                     ? cat("run a drill of ", choice.store, " into ", target.first,
                           " at the same point, then retry")
                     : cat("drills read the repository: run one of ", choice.store, " into ",
                           target.first, " at the same point by a plan with repository: {at: ",
                           session.copy, "}, then retry"))
      .with_exit(ExitCode::refused);
}

Status check_target_rules(const Shell& shell, Session& session, const Request& request,
                          const restore::Choice& choice) {
  const auto& plan = session.plan.plan;
  // A swap that is gone on with was let through when it was filled.
  bool begun = is_under_way(shell, session, request);
  for (const auto& target : plan.targets) {
    auto unmade = refuse_unmade(plan, target);
    bool rules = !unmade.ok() || (!target.first.empty() && !begun);
    if (!rules || !goes_to(shell, session, request, target)) continue;
    if (!unmade.ok()) {
      return std::move(unmade)
          .take_error()
          .context(cat("this is the place of target ", target.name))
          .with_hint(cat("restore elsewhere, do by hand what ", target.name,
                         " asks for, and bring it there then"));
    }
    if (!begun) LB_TRY(check_first(shell, session, target, choice));
  }
  return {};
}

}  // namespace lb::cli
