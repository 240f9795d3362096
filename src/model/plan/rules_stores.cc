#include <set>

#include "foundation/base/text.h"
#include "model/plan/rules.h"
#include "model/plan/scalar_form.h"

namespace lb::plan {

namespace {

void check_objective(const std::string& name, const View& objective, MistakeList& mistakes) {
  auto goal = objective.duration("goal");
  auto target = objective.duration("rpo");
  if (!target) target = objective.duration("rto");
  if (goal && target && *goal > *target) {
    mistakes.add(objective.at("goal").node(), cat(name, ": the goal is looser than the target"),
                 "a goal is a stretch target: make it shorter");
  }
  for (const char* key : {"rpo", "rto"}) {
    auto value = objective.duration(key);
    if (value && value->count() == 0) {
      mistakes.add(objective.at(key).node(),
                   cat(key, ": no schedule and no restore takes no time at all"));
    }
  }
}

void check_spool(const Store& store, const View& from, MistakeList& mistakes) {
  if (!from.has("spool")) return;
  if (!store.log_continuous) {
    mistakes.add(from.at("spool").node(),
                 cat("store '", store.name, "' has a spool but no log to receive"),
                 "add log: continuous");
  }
  // Less would be full before the repository can have a whole segment.
  constexpr std::uint64_t spool_min = 64 << 20;
  if (store.spool_bytes_max && *store.spool_bytes_max < spool_min) {
    mistakes.add(from.at("spool").at("most").node(), "most: a spool takes 64MiB at least",
                 "write 4GiB: what the database writes while the repository is out of reach");
  }
  if (!store.data.empty() && (store.spool + "/").starts_with(store.data + "/")) {
    mistakes.add(from.at("spool").node(), "the spool is in the data directory of the database",
                 "give a folder of another disk, or better of another host");
  }
}

void check_store(const Store& store, const View& from, MistakeList& mistakes) {
  check_spool(store, from, mistakes);
  check_objective(store.name, from.at("objective"), mistakes);
  bool scheduled = from.has("every");
  if (store.objective.rpo && !scheduled) {
    mistakes.add(from.at("objective").node(),
                 cat("store '", store.name, "' has an RPO but no schedule"),
                 "add every: hourly, or another schedule");
  }
  if (store.log_continuous && store.kind == StoreKind::postgres && !scheduled) {
    mistakes.add(from.at("log").node(),
                 cat("store '", store.name, "' has a log but no snapshots to replay it on"),
                 "add every: daily, or another schedule");
  }
  if (store.compare && (*store.compare < 0 || *store.compare > 1000)) {
    mistakes.add(from.at("compare").node(), cat("compare: ", *store.compare, " is not 0 to 1000"),
                 "write 7: every seventh page-exact backup reads all pages");
  }
  if (auto bytes = from.at("expect").comparison("bytes"); bytes) {
    bool sized = bytes->op != Comparison::Op::recorded && parse_size(bytes->value).ok();
    if (!sized)
      mistakes.add(from.at("expect").at("bytes").node(), "bytes: a size is compared",
                   "write \"> 100MiB\"");
  }
}

bool on_s3(const Reference& at) {
  // What a reference points at is seen only when it is opened.
  return at.kind != Reference::Kind::literal || at.value.starts_with("s3://");
}

// `from`: the repository, or one of its copies.
void check_home(const View& from, MistakeList& mistakes) {
  auto at = from.reference("at");
  if (on_s3(at)) {
    bool half = from.at("s3").has("access_key") != from.at("s3").has("secret_key");
    if (half) {
      mistakes.add(from.at("s3").node(), "s3: one half of the credentials is missing",
                   "give both access_key and secret_key, or neither");
    }
    return;
  }
  for (const char* key : {"s3", "immutable"}) {
    if (!from.has(key)) continue;
    mistakes.add(from.at(key).node(), cat(key, ": only a place at s3:// has that"),
                 "write at: s3://bucket/prefix");
  }
}

void check_groups(const Plan& plan, const View& root, MistakeList& mistakes) {
  for (const auto& [name, group] : root.at("groups").entries()) {
    if (plan.store(name) != nullptr) {
      mistakes.add(group.node(), cat("'", shown(name), "' is both a store and a group"),
                   "rename the group");
    }
    std::set<std::string> members;
    for (const auto& member : group.at("stores").items()) {
      if (!members.insert(member.text()).second) {
        mistakes.add(member.node(),
                     cat("store '", shown(member.text()), "' is in the group twice"));
      }
    }
    auto authority = group.text("authority");
    if (!authority.empty() && !members.empty() && !members.contains(authority) &&
        plan.store(authority) != nullptr) {
      mistakes.add(group.at("authority").node(),
                   cat("authority '", authority, "' is not in the group"),
                   cat("stores of the group: ", join({members.begin(), members.end()}, ", ")));
    }
  }
}

// `first:` names the target in which a point must have passed before; it cannot lead back.
void check_targets(const View& root, MistakeList& mistakes) {
  auto targets = root.at("targets");
  for (const auto& [name, target] : targets.entries()) {
    std::set<std::string> seen = {name};
    auto next = target.text("first");
    while (!next.empty() && seen.insert(next).second) next = targets.at(next).text("first");
    if (next == name) {
      mistakes.add(target.at("first").node(),
                   cat("target '", shown(name), "' must pass in itself first"),
                   "first: names another target, such as a sandbox");
    }
    if (auto cpus = target.number("cpus"); cpus && *cpus == 0) {
      mistakes.add(target.at("cpus").node(), "cpus: nothing runs without a processor");
    }
    for (const auto& [store, address] : target.at("stores").entries()) {
      if (root.at("stores").has(store)) continue;
      std::vector<std::string> known;
      for (const auto& entry : root.at("stores").entries()) known.push_back(entry.first);
      mistakes.add(address.node(), cat("unknown store '", shown(store), "'"),
                   suggest(store, known));
    }
  }
}

}  // namespace

void check_root_rules(const Plan&, const View& root, MistakeList& mistakes) {
  auto version = root.integer("version");
  if (version && *version != 1) {
    mistakes.add(root.at("version").node(),
                 cat("version ", *version, " of the plan language is not known"),
                 "this program reads version 1");
  }
  check_objective("objectives", root.at("objectives"), mistakes);
}

void check_store_rules(const Plan& plan, const View& root, MistakeList& mistakes) {
  for (const auto& store : plan.stores)
    check_store(store, root.at("stores").at(store.name), mistakes);
  check_home(root.at("repository"), mistakes);
  for (const auto& copy : root.at("repository").at("copies").items()) check_home(copy, mistakes);
  check_groups(plan, root, mistakes);
  check_targets(root, mistakes);
}

}  // namespace lb::plan
