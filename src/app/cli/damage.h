// Damage of what is live, measured against a recovery point, in the words of people: what is
// missing, changed and extra, and which transactions of the log look like the accident. It only
// reads. Used by `diff POINT live` and the step assess.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "app/cli/run_acts.h"
#include "app/cli/session.h"
#include "app/cli/suspicious.h"
#include "foundation/codec/json.h"
#include "stores/files/damage.h"
#include "stores/postgres/damage.h"

namespace lb::cli {

// One difference: its line for people, and the same for programs.
struct Difference {
  std::string text;
  const char* schema = "";
  Json json = Json::object();
};
using EachDifference = std::function<Status(Difference)>;

struct StoreDamage {
  // Something is missing, changed, extra or suspicious, or nobody can say that nothing is.
  bool any = false;
  bool unseen = false;  // something could not be looked at: what was found is not all there is
  std::string text;     // "1 table is missing, 2 have fewer rows; …": without the store's name
  Json data = Json::object();  // counts and the first differences; bounded
  std::optional<Suspicions> suspicions;
};

// Where the store lives: what `live` means.
Result<RestorePlace> live_place(const Session& session, const plan::Store& store);

// `each` is told every difference and may be empty. The log is looked through when `own_log`: it is
// that of the store's own server.
Result<StoreDamage> assess_store(const Shell& shell, Session& session, const plan::Store& store,
                                 const repo::SnapshotInfo& point, const RestorePlace& place,
                                 bool own_log, const EachDifference& each, std::stop_token stop);

// For tests: the sentences.
std::string text_of(const files::TreeDamage& damage);
std::string text_of(const pg::ServerDamage& damage);
// "; at 2026-03-01T02:13:59Z deleted 33,333 rows of shop public.appointments": the worst few.
std::string text_of(const Suspicions& suspicions);

}  // namespace lb::cli
