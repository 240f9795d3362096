#include "app/cli/protected_places.h"

#include "app/cli/folder_way.h"
#include "app/cli/server_look.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

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
                 const Secret& into, const ServerLook& look) {
  if (address.text() == rescue.into.text()) return true;
  auto secret = session.references->secret(address);
  if (!secret.ok()) return false;
  if (secret->reveal() == into.reveal()) return true;
  auto there = ServerLook::at(*secret);
  if (!look.same_server(there)) return false;
  bool exchanged = !rescue.database.empty() && rescue.as.empty();
  return !exchanged || !there.place() || rescue.database == there.place()->database;
}

// One in the other counts: what is written into the one changes the other.
bool meet(Files& files, const std::string& one, const std::string& other) {
  if (one.empty() || other.empty()) return false;
  auto first = FolderWay::of(files, one), second = FolderWay::of(files, other);
  return first.ok() && second.ok() ? first->overlaps(*second) : one == other;
}

// Whether the address is that of the server which works on the store's data directory.
bool is_server_of(const Session& session, const plan::Store& store,
                  const plan::Reference& address) {
  if (store.address.text() == address.text()) return true;
  auto one = session.references->secret(store.address), other = session.references->secret(address);
  if (!one.ok() || !other.ok()) return false;
  return one->reveal() == other->reveal() ||
         ServerLook::at(*one).same_server(ServerLook::at(*other));
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
      bool its_server = !store.data.empty() && is_server_of(session, store, address);
      if (its_server) out.push_back(session.references->absolute(store.data));
    }
    if (named) continue;
    if (store.kind == plan::StoreKind::postgres && !store.data.empty())
      out.push_back(session.references->absolute(store.data));
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
  auto look = ServerLook::at(into);
  for (const auto& target : plan.targets) {
    if (!target.protect) continue;
    for (const auto& address : servers_of(plan, target)) {
      if (is_place_of(session, address, rescue, into, look)) return target.name;
    }
  }
  return {};
}

void warn_of_unknown_places(const Shell& shell, const Session& session) {
  const auto& plan = session.plan.plan;
  for (const auto& target : plan.targets) {
    if (!target.protect) continue;
    for (const auto& [name, address] : target.addresses) {
      const auto* store = plan.store(name);
      bool files = name == plan::name_of(plan::StoreKind::files) ||
                   (store != nullptr && store->kind == plan::StoreKind::files);
      auto known = Status();
      if (takes_postgres(plan, name)) known = session.references->secret(address).status();
      if (files) known = session.references->path(address).status();
      if (known.ok()) continue;
      shell.console.warn(cat("protected target ", target.name, ": its ", printable(name),
                             " cannot be told from other places here: ", known.error().text()));
    }
  }
}

Status find_place(const Shell& shell, const Session& session, Request& request) {
  warn_of_unknown_places(shell, session);
  if (request.rescue) {
    auto into = LB_TRY(session.references->secret(request.rescue->into));
    request.guarded = protected_target(session, *request.rescue, into);
    return {};
  }
  request.guarded = protected_folder(shell, session, request.folder);
  const auto& store = *request.store;
  auto home = std::string();
  if (store.kind == plan::StoreKind::files) {
    // Where it lives may be known to another host alone.
    auto path = session.references->path(store.address);
    if (path.ok()) home = std::move(path).take();
  } else if (!store.data.empty()) {
    home = session.references->absolute(store.data);
  }
  if (meet(shell.world.files, home, request.folder)) request.original = true;
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
