#include "app/cli/swap_places.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/values.h"
#include "stores/postgres/database_rescue.h"

namespace lb::cli {

namespace {

Result<std::unique_ptr<pg::Connection>> open_one(const Secret& conninfo) {
  pg::ConnectOptions options;
  options.application_name = "lifeboat swap";
  return pg::Connection::open(conninfo, options);
}

std::string stage_of(const pg::KeptDatabase& kept) {
  if (kept.unfinished) return "unfinished";
  switch (kept.mark.role) {
    case pg::SwapMark::Role::filled:
      return "filled";
    case pg::SwapMark::Role::verified:
      return "verified";
    case pg::SwapMark::Role::old:
      return "swapped";
    case pg::SwapMark::Role::undone:
      return "undone";
  }
  return {};
}

LeftBySwap left_of(const pg::KeptDatabase& kept, SwapServerPlace& server, Timestamp now) {
  LeftBySwap out;
  out.id = kept.mark.id;
  out.live = kept.mark.live;
  out.beside = kept.name;
  out.stage = stage_of(kept);
  out.store = server.store;
  out.bytes = kept.bytes;
  if (!kept.unfinished) out.since = kept.mark.since;
  out.until = kept.mark.until;
  out.note = pg::reason_to_keep(kept, now);
  out.server = &server;
  out.mark = kept.mark;
  return out;
}

}  // namespace

Status SwapPlaces::add_server(const std::string& store, const plan::Reference& reference,
                              bool must) {
  auto opened = [&]() -> Result<std::unique_ptr<SwapServerPlace>> {
    auto given = LB_TRY(session_.references->secret(reference));
    auto conninfo = LB_TRY(pg::conninfo_to(given, "postgres"));
    auto place = std::make_unique<SwapServerPlace>();
    place->store = store;
    place->reference = reference;
    place->connection = LB_TRY(open_one(conninfo));
    place->second = LB_TRY(open_one(conninfo));
    return place;
  }();
  if (opened.ok()) {
    servers_.push_back(std::move(opened).take());
    return {};
  }
  if (must)
    return std::move(opened).take_error().context("--into").with_exit(ExitCode::target_unreachable);
  shell_.console.warn(
      cat("the databases of store ", store, " cannot be looked at: ", opened.error().text()));
  return {};
}

Result<std::unique_ptr<SwapPlaces>> SwapPlaces::open(const Shell& shell, const Session& session,
                                                     const Args& args) {
  std::unique_ptr<SwapPlaces> places(new SwapPlaces(shell, session));
  for (const auto& words : args.all("into")) {
    auto reference = LB_TRY(plan::parse_reference(words));
    LB_TRY(places->add_server({}, reference, true));
  }
  for (const auto& folder : args.all("folder"))
    places->folders_.push_back(session.references->absolute(folder));
  if (args.has("into") || args.has("folder")) return places;
  for (const auto& store : session.plan.plan.stores) {
    if (store.kind == plan::StoreKind::files) places->add_trees(store);
    if (store.kind != plan::StoreKind::postgres) continue;
    LB_TRY(places->add_server(store.name, store.address, false));
    if (!store.data.empty()) places->folders_.push_back(session.references->absolute(store.data));
  }
  return places;
}

void SwapPlaces::add_trees(const plan::Store& store) {
  auto add = [&](const plan::Reference& address) {
    auto path = session_.references->path(address);
    if (!path.ok())
      return shell_.console.warn(
          cat("a folder of store ", store.name, " cannot be looked at: ", path.error().text()));
    if (std::find(folders_.begin(), folders_.end(), *path) == folders_.end())
      folders_.push_back(*path);
  };
  add(store.address);
  for (const auto& target : session_.plan.plan.targets) {
    for (const auto& [name, address] : target.addresses) {
      if (name == store.name || name == plan::name_of(store.kind)) add(address);
    }
  }
}

bool SwapPlaces::is_tree(const std::string& folder) const {
  auto version = path_exists(shell_.world.files, path_join(folder, "PG_VERSION"));
  return !conninfo_of(folder) && version.ok() && !*version;
}

std::optional<Secret> SwapPlaces::conninfo_of(const std::string& folder) const {
  for (const auto& store : session_.plan.plan.stores) {
    bool postgres = store.kind == plan::StoreKind::postgres;
    bool its = !store.data.empty() && session_.references->absolute(store.data) == folder;
    if (!postgres || !its) continue;
    auto secret = session_.references->secret(store.address);
    if (secret.ok()) return std::move(secret).take();
  }
  return std::nullopt;
}

Result<std::vector<LeftBySwap>> SwapPlaces::all() {
  auto& world = shell_.world;
  std::vector<LeftBySwap> out;
  for (auto& server : servers_) {
    auto kept = LB_TRY(pg::kept_databases(*server->connection));
    for (const auto& each : kept) out.push_back(left_of(each, *server, world.clock.now()));
  }
  for (const auto& folder : folders_) {
    auto kept = LB_TRY(swap::kept_folders(world.files, world.clock, folder));
    for (const auto& each : kept) {
      LeftBySwap left;
      left.id = each.id;
      left.live = folder;
      left.is_tree = is_tree(folder);
      left.beside = each.path;
      left.stage = each.trouble.empty() ? std::string(swap::name_of(each.stage)) : "unclear";
      left.until = each.until;
      left.note = each.trouble;
      left.stopped = each.stopped;
      out.push_back(std::move(left));
    }
  }
  return out;
}

Result<LeftBySwap> SwapPlaces::find(const std::string& id) {
  auto found = LB_TRY(all());
  std::erase_if(found, [&](const auto& each) { return !lower(each.id).starts_with(lower(id)); });
  if (found.size() == 1) return std::move(found.front());
  if (found.empty())
    return Error(ErrorKind::not_found, cat("no swap '", printable(id), "' has left anything"))
        .with_hint("lifeboat swap ls lists them; --into and --folder say where else to look");
  return Error(ErrorKind::invalid,
               cat("'", printable(id), "' is the beginning of ", found.size(), " swaps"))
      .with_hint("give more of the id; see lifeboat swap ls");
}

}  // namespace lb::cli
