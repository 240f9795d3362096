#include "model/plan/unsupported.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/view.h"

namespace lb::plan {

namespace {

bool built(StoreKind kind) { return kind == StoreKind::postgres || kind == StoreKind::files; }

class Listing {
 public:
  explicit Listing(const Plan& plan) : plan_(plan), root_(plan.tree, plan.files) {}

  void repository() {
    const auto& at = plan_.repository.at;
    auto scheme_end = at.value.find("://");
    bool literal = at.kind == Reference::Kind::literal && scheme_end != std::string::npos;
    if (literal && !at.value.starts_with("s3://") && !at.value.starts_with("file://")) {
      add(at.place, cat("a repository at ", at.value.substr(0, scheme_end + 3)),
          "use a directory or s3://bucket/prefix");
    }
    key(plan_.repository.key);
    for (const auto& copy : plan_.repository.copies) key(copy.key);
    if (plan_.timezone != "UTC") {
      add(root_.at("timezone").place(), cat("schedules in time zone ", plan_.timezone),
          "use timezone: UTC");
    }
  }

  void key(const Reference& key) {
    if (key.kind == Reference::Kind::kms) {
      add(key.place, "a key service (kms:)", "use env:NAME or file:PATH for now");
    }
  }

  void store_kind(const Store& store) {
    if (!built(store.kind))
      add(store.place, cat("a ", name_of(store.kind), " store (", store.name, ")"), "");
  }

  void stored(const Store& store) {
    store_kind(store);
    auto from = root_.at("stores").at(store.name);
    if (!store.only.empty()) add(from.place_of_key("only"), "partial backups (only)", "");
    if (store.optional) add(from.place_of_key("optional"), "optional stores", "");
  }

  void target(const Target& target) {
    auto from = root_.at("targets").at(target.name);
    if (target.wipe) add(from.place_of_key("wipe"), "wiping a target", "");
    for (const char* key : {"mask", "migrate", "first"}) {
      if (from.has(key)) add(from.place_of_key(key), cat("'", key, "' of a target"), "");
    }
    for (const auto& [what, address] : target.addresses) {
      add(address.place, cat("a drill into a server that is there already (", what, ")"),
          "drills restore into a sandbox: leave the address out");
    }
  }

  void check(const Suite& suite, const Check& check) {
    std::string what;
    if (std::holds_alternative<CheckManual>(check.what)) what = "a manual check";
    if (std::holds_alternative<CheckGroup>(check.what)) what = "a group check";
    if (const auto* other = std::get_if<CheckUnsupported>(&check.what))
      what = cat("check ", other->verb);
    if (!what.empty())
      add(check.place, cat(what, " (", check.name, ", suite ", suite.name, ")"), "");
  }

  void drill(const Drill& drill) {
    auto from = root_.at("drills").at(drill.name);
    for (const auto& key : drill.keys_not_built) {
      auto place = from.node().is_mapping() ? from.place_of_key(key) : drill.place;
      add(place, cat("'", key, "' of a drill"), "");
    }
    key(plan_.evidence.sign);
  }

  std::vector<Mistake> take() { return std::move(found_); }

 private:
  void add(const Place& place, const std::string& what, const std::string& suggestion) {
    auto text = cat("not supported yet: ", what);
    bool known = std::any_of(found_.begin(), found_.end(), [&](const Mistake& other) {
      return other.text == text && other.place.text() == place.text();
    });
    if (!known) found_.push_back({place, text, suggestion, ""});
  }

  const Plan& plan_;
  View root_;
  std::vector<Mistake> found_;
};

}  // namespace

std::vector<Mistake> unsupported_for_backup(const Plan& plan,
                                            const std::vector<std::string>& stores) {
  Listing out(plan);
  out.repository();
  for (const auto& store : plan.stores) {
    bool asked =
        stores.empty() || std::find(stores.begin(), stores.end(), store.name) != stores.end();
    if (asked) out.stored(store);
  }
  return out.take();
}

std::vector<Mistake> unsupported_for_drill(const Plan& plan, const Drill& drill) {
  Listing out(plan);
  out.repository();
  for (const auto& name : drill.restore) {
    const auto* store = plan.store(name);
    if (store == nullptr) continue;
    if (drill.backup_first) {
      out.stored(*store);
    } else {
      out.store_kind(*store);
    }
  }
  if (const auto* target = plan.target(drill.into)) out.target(*target);
  for (const auto& name : drill.checks) {
    const auto* suite = plan.suite(name);
    if (suite == nullptr) continue;
    for (const auto& check : suite->checks) out.check(*suite, check);
  }
  out.drill(drill);
  return out.take();
}

std::string unsupported_of_target(const Plan& plan, const Target& target) {
  auto from = View(plan.tree, plan.files).at("targets").at(target.name);
  std::vector<std::string> out;
  for (const char* key : {"mask", "migrate"}) {
    if (from.has(key)) out.push_back(cat(key, ":"));
  }
  if (target.wipe) out.push_back("wipe:");
  return join(out, ", ");
}

std::string unsupported_of_restore(const YamlNode& step, const Store& store) {
  static const std::vector<std::string> no_files;
  View what(step, no_files);
  if (store.kind == StoreKind::postgres) {
    if (what.text("mode") == "exact") return cat("mode: exact of ", store.name, ", a database");
    // Its tables; those of a group would be taken for names of files as well.
    bool tables = what.has("store") && what.text("how") == "beside";
    if (what.has("only") && !tables)
      return cat("only: of ", store.name, ", a database, but with store: and how: beside");
  } else {
    auto how = what.text("how");
    bool exchange = how == "beside-then-swap";
    if (exchange && what.has("only")) return cat("only: of ", store.name, ", which is exchanged");
    // Taken for in-place it would be merged into what is to be kept.
    bool other = !how.empty() && how != "in-place" && how != "new" && how != "beside" && !exchange;
    if (other) return cat("how: ", how, " of ", store.name, ", a file tree");
  }
  return "";
}

}  // namespace lb::plan
