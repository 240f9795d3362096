#include "app/cli/protected_places.h"

#include "app/cli/folder_way.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

struct ServerSeen {
  std::string instance;  // the microsecond it started in: any role may ask for it
  std::string database;
};

// Nothing when it does not answer: then words must do.
std::optional<ServerSeen> look_at(const Secret& conninfo) {
  pg::ConnectOptions options;
  options.application_name = "lifeboat restore";
  auto connection = pg::Connection::open(conninfo, options);
  if (!connection.ok()) return std::nullopt;
  auto found = (*connection)
                   ->query(
                       "SELECT extract(epoch FROM pg_postmaster_start_time()) || ' ' || "
                       "current_setting('port'), current_database()");
  if (!found.ok() || found->rows.empty()) return std::nullopt;
  return ServerSeen{found->rows[0][0].value_or(""), found->rows[0][1].value_or("")};
}

bool takes_postgres(const plan::Plan& plan, const std::string& name) {
  const auto* store = plan.store(name);
  return name == plan::name_of(plan::StoreKind::postgres) ||
         (store != nullptr && store->kind == plan::StoreKind::postgres);
}

// Where a protected target's databases live.
std::vector<plan::Reference> servers_of(const plan::Plan& plan, const plan::Target& target) {
  std::vector<plan::Reference> out;
  for (const auto& [name, address] : target.addresses) {
    if (takes_postgres(plan, name)) out.push_back(address);
  }
  if (!out.empty()) return out;
  for (const auto& store : plan.stores) {
    if (store.kind == plan::StoreKind::postgres) out.push_back(store.address);
  }
  return out;
}

bool is_place_of(const Session& session, const plan::Reference& address, const Rescue& rescue,
                 const Secret& into, const std::optional<ServerSeen>& seen) {
  if (address.text() == rescue.into.text()) return true;
  auto secret = session.references->secret(address);
  if (!secret.ok()) return false;
  if (secret->reveal() == into.reveal()) return true;
  if (!seen) return false;
  auto there = look_at(*secret);
  if (!there || there->instance != seen->instance) return false;
  bool exchanged = !rescue.database.empty() && rescue.as.empty();
  return !exchanged || rescue.database == there->database;
}

// One in the other counts: what is written into the one changes the other.
bool meet(Files& files, const std::string& one, const std::string& other) {
  if (one.empty() || other.empty()) return false;
  auto first = FolderWay::of(files, one), second = FolderWay::of(files, other);
  return first.ok() && second.ok() ? first->overlaps(*second) : one == other;
}

// Where a protected target keeps that store's files.
std::vector<std::string> folders_of(const Session& session, const plan::Target& target) {
  std::vector<std::string> out;
  const auto& plan = session.plan.plan;
  for (const auto& store : plan.stores) {
    bool named = false;
    for (const auto& [name, address] : target.addresses) {
      if (name != store.name && name != plan::name_of(store.kind)) continue;
      named = true;
      auto path = session.references->path(address);
      if (path.ok()) out.push_back(*path);
    }
    if (named) continue;
    if (store.kind == plan::StoreKind::postgres && !store.data.empty()) out.push_back(store.data);
    if (store.kind != plan::StoreKind::files) continue;
    auto path = session.references->path(store.address);
    if (path.ok()) out.push_back(*path);
  }
  return out;
}

}  // namespace

std::string protected_target(const Session& session, const Rescue& rescue, const Secret& into) {
  const auto& plan = session.plan.plan;
  for (const auto& target : plan.targets) {
    if (target.protect && target.name == rescue.into_words) return target.name;
  }
  auto seen = look_at(into);
  for (const auto& target : plan.targets) {
    if (!target.protect) continue;
    for (const auto& address : servers_of(plan, target)) {
      if (is_place_of(session, address, rescue, into, seen)) return target.name;
    }
  }
  return {};
}

std::string protected_folder(const Shell& shell, const Session& session,
                             const std::string& folder) {
  for (const auto& target : session.plan.plan.targets) {
    if (!target.protect) continue;
    for (const auto& each : folders_of(session, target)) {
      if (meet(shell.world.files, each, folder)) return target.name;
    }
  }
  return {};
}

}  // namespace lb::cli
