// Steps that read a copy of the repository (from:), for the day on which the repository is out of
// reach or gone.
#include "app/cli/copy_standing.h"
#include "app/cli/run_acts.h"
#include "foundation/base/text.h"
#include "model/plan/view.h"

namespace lb::cli {

using runbook::Act;

namespace {

const std::vector<std::string> no_files;
constexpr const char* from_prefix = "from_";

}  // namespace

Result<std::string> RunActs::copy_of(const Act& act) const {
  plan::View what(act.step().what, no_files);
  if (act.verb() != "restore" || !what.has("from")) return std::string();
  return act.expand(what.text("from"));
}

// Opened once for each run: what is in it is looked up anew each time it is asked.
Result<Session*> RunActs::opened(const std::string& copy) {
  if (copy.empty()) return &session_;
  const std::lock_guard one_at_a_time(opening_);
  auto& known = copies_[copy];
  if (known == nullptr)
    known = LB_TRY(Session::open_copy(shell_, session_, copy).context(cat("from: ", copy)));
  return known.get();
}

Result<Session*> RunActs::read_by(const Act& act) {
  auto copy = LB_TRY(copy_of(act));
  if (copy.empty()) LB_TRY(need_repository());
  return opened(copy);
}

// Where the point of a store lies that a step restored or chose: checks read what it recorded.
Result<Session*> RunActs::read_for_point(const Act& act, const std::string& store) {
  auto found = act.variables.find(cat(from_prefix, store));
  return opened(found == act.variables.end() ? std::string() : found->second);
}

void RunActs::set_source(const Act& act, const std::string& store, const std::string& copy,
                         runbook::Variables& set) {
  auto name = cat(from_prefix, store);
  // Of an earlier step, perhaps.
  if (!copy.empty() || act.variables.contains(name)) set[name] = copy;
}

std::string RunActs::standing(const Session& from) const {
  return cat(from.copy, " ", standing_of_copy(session_.repository.get(), *from.repository));
}

}  // namespace lb::cli
