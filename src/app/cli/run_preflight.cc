#include "app/cli/run_preflight.h"

#include <algorithm>

#include "app/cli/copy_standing.h"
#include "recovery/backup/backup.h"
#include "recovery/restore/points.h"
#include "stores/postgres/restore.h"

namespace lb::cli {

namespace {

constexpr Micros question_limit = std::chrono::seconds(30);

}  // namespace

Result<std::unique_ptr<pg::Connection>> open_for_preflight(const Session& session,
                                                           const plan::Reference& server) {
  auto secret = LB_TRY(session.references->secret(server));
  pg::ConnectOptions options;
  options.application_name = "lifeboat preflight";
  options.statement_limit = question_limit;
  return pg::Connection::open(secret, options);
}

Result<std::string> nearest_folder(Files& files, std::string path) {
  for (;;) {
    auto there = LB_TRY(path_exists(files, path));
    if (there || path == "/" || path == ".") return path;
    path = path_parent(path);
  }
}

std::vector<runbook::PreflightFinding> Preflight::look() {
  for (const auto& word : runbook::preflight_words(act_.step())) look_at(word);
  return std::move(findings_);
}

void Preflight::look_at(const std::string& word) {
  if (word == "repository") return repository();
  if (word == "credentials") return credentials();
  if (word == "disk") return disk();
  if (word == "network") return network();
  if (word == "target") return targets();
  if (word == "ports") return ports();
  if (word == "tools") return tools();
  if (word == "version" || word == "extensions" || word == "roles") return databases(word);
  add(State::unseen, cat("preflight of ", word, " is not known"), "look by hand and say done");
}

void Preflight::add(const std::string& what, const Result<Diagnosis>& seen) {
  if (!seen.ok()) return unseen(what, seen.error());
  add(seen->ok ? State::good : State::missing, cat(what, ": ", seen->text), seen->hint);
}

std::vector<Preflight::Going> Preflight::goings(const std::string& word) {
  for (const auto& text : needs_.not_known) add(State::unseen, cat(word, ": ", text));
  for (const auto& text : needs_.not_built)
    add(State::unseen, cat("not supported yet: ", text), "look at it by hand and say done");
  std::vector<Going> out;
  for (const auto& wanted : needs_.restores) {
    auto what = cat("target ", wanted.target->name, " for ", wanted.store->name);
    auto place = place_of(session_, *wanted.store, *wanted.target);
    if (place.ok()) {
      out.push_back({wanted, std::move(place).take(), what});
    } else {
      add(State::missing, cat(what, ": ", place.error().text()), place.error().hint());
    }
  }
  return out;
}

void Preflight::repository() {
  for (const auto& name : needs_.copies) {
    auto copy = Session::open_copy(shell_, session_, name);
    if (!copy.ok()) {
      add(State::missing, cat("copy ", name, ": ", copy.error().text()), copy.error().hint());
      continue;
    }
    auto standing = standing_of_copy(session_.repository.get(), *(*copy)->repository);
    add(State::good, cat("copy ", name, " answers and ", standing));
  }
  if (session_.repository != nullptr)
    return add(State::good, cat("the repository answers (", session_.repository->id(), ")"));
  // That it is gone is why a copy is read.
  if (!needs_.copies.empty() && !needs_.reads_repository)
    return add(State::told, "the repository cannot be reached; the steps read a copy");
  add(State::missing, "the repository cannot be reached",
      "see why: lifeboat doctor; it is opened anew when the run is resumed");
}

// Whether each can be had. Whether a server takes it is asked by `network` and `target`.
void Preflight::credentials() {
  auto look = [&](const std::string& of, const plan::Reference& reference) {
    auto secret = session_.references->secret(reference);
    auto what = cat("credentials of ", of);
    if (secret.ok()) return add(State::good, what);
    add(State::missing, cat(what, ": ", secret.error().text()), secret.error().hint());
  };
  for (const auto& store : act_.plan.stores) {
    if (store.kind != plan::StoreKind::files) look(store.name, store.address);
  }
  for (const auto* target : needs_.targets) {
    for (const auto& [name, address] : target->addresses)
      look(cat(name, " in target ", target->name), address);
  }
}

void Preflight::network() {
  for (const auto& store : act_.plan.stores) {
    bool built = store.kind == plan::StoreKind::postgres || store.kind == plan::StoreKind::files;
    if (!built) {
      add(State::unseen,
          cat("not supported yet: a ", plan::name_of(store.kind), " store (", store.name, ")"),
          "look at it by hand and say done");
      continue;
    }
    auto source = backup::make_source(store, *session_.references, session_.repository_folder);
    if (!source.ok()) {
      add(State::missing, cat(store.name, ": ", source.error().text()), source.error().hint());
      continue;
    }
    auto found = (*source)->diagnose(shell_.world, stop_);
    if (found.ok()) add(State::good, cat(store.name, " answers"));
    // What is to be restored need not answer: it is why the runbook runs.
    if (!found.ok()) add(State::told, cat(store.name, " does not answer: ", found.error().text()));
  }
}

// The point that the run chose, else the newest.
Result<std::unique_ptr<repo::SnapshotReader>> Preflight::point_of(const plan::Store& store) {
  if (session_.repository == nullptr)
    return Error(ErrorKind::unavailable, "the repository cannot be reached");
  auto chosen = act_.variables.find(cat("point_", store.name));
  if (chosen != act_.variables.end()) return session_.repository->snapshot(chosen->second);
  auto points = LB_TRY(restore::read_points(*session_.repository, store));
  if (points.snapshots.empty())
    return Error(ErrorKind::not_found, cat("store ", store.name, " has no recovery point"));
  return session_.repository->snapshot(points.snapshots.back().id);
}

void Preflight::databases(const std::string& word) {
  bool any = false;
  for (const auto& going : goings(word)) {
    if (going.wanted.store->kind != plan::StoreKind::postgres) continue;
    any = true;
    database(word, going);
  }
  if (!any) add(State::told, cat(word, ": nothing was looked at, no step restores a database"));
}

void Preflight::database(const std::string& word, const Going& going) {
  auto what = cat(word, " for ", going.wanted.store->name, " in ", going.wanted.target->name);
  auto point = point_of(*going.wanted.store);
  if (!point.ok()) return unseen(what, point.error());
  if (!going.place.folder.empty()) {
    if (word != "roles") return of_folder(word, what, **point);
    return add(State::good, cat(what, ": they come with the cluster"));
  }
  of_server(word, what, going.place.server, **point);
  // The point is replayed here before its database goes to the server.
  if (word != "roles") of_folder(word, cat(what, ", replayed on this machine"), **point);
}

void Preflight::of_folder(const std::string& word, const std::string& what,
                          repo::SnapshotReader& point) {
  auto outcome = pg::check_installed(shell_.world, point);
  if (!outcome.ok()) return unseen(what, outcome.error());
  bool any = false, server = true;
  for (const auto& one : outcome->findings) {
    bool version = one.what.starts_with("PostgreSQL ");
    if (version) server = one.ok;
    if (version != (word == "version")) continue;
    any = true;
    add(one.ok ? cat(what, ": ", one.what) : what, one);
  }
  if (any) return;
  for (const auto& one : outcome->unseen) {
    add(State::unseen, cat(what, ": ", one.text), one.hint);
    any = true;
  }
  if (any) return;
  if (server) return add(State::good, cat(what, ": none is used"));
  // Without the server nobody knows where its extensions would lie.
  add(State::unseen, cat(what, ": ", outcome->findings.front().text),
      outcome->findings.front().hint);
}

void Preflight::of_server(const std::string& word, const std::string& what,
                          const plan::Reference& server, repo::SnapshotReader& point) {
  auto seen = [&]() -> Result<Diagnosis> {
    auto needs = LB_TRY(pg::server_needs(point));
    auto connection = LB_TRY(open_for_preflight(session_, server));
    if (word == "version")
      return pg::check_version(shell_.world.files, needs, connection->server_version());
    if (word == "extensions") return pg::check_server_extensions(*connection, needs);
    return pg::check_server_roles(*connection, needs);
  }();
  add(what, seen);
}

}  // namespace lb::cli
