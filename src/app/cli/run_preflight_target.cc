// The places a run restores into: whether they answer, may be written, and are not by accident what
// is to be saved.
#include "app/cli/folder_way.h"
#include "app/cli/protected_places.h"
#include "app/cli/run_acts.h"
#include "app/cli/run_preflight.h"
#include "stores/postgres/database_rescue.h"
#include "stores/postgres/table_name.h"
#include "stores/postgres/target_folder.h"

namespace lb::cli {

namespace {

constexpr Micros look_limit = std::chrono::seconds(20);
constexpr const char* exchange = "beside-then-swap";
constexpr const char* say_protect = "give the target another address, or say protect: true";

}  // namespace

void Preflight::targets() {
  auto all = goings("target");
  if (needs_.targets.empty() && needs_.not_known.empty())
    add(State::told, "target: nothing was looked at, no step names one");
  for (const auto* target : needs_.targets) {
    add(State::told,
        cat("target ", target->name,
            target->protect ? " is protected: its name must be typed" : " is not protected"));
  }
  for (const auto& going : all) {
    bool built = target_is_built(going);
    bool fine = going.place.folder.empty() ? target_server(going) : target_folder(going);
    if (built && fine && is_no_alias(going)) add(State::good, going.what);
  }
}

bool Preflight::target_is_built(const Going& going) {
  auto unmade = refuse_unmade(act_.plan, *going.wanted.target);
  if (unmade.ok()) return true;
  add(State::missing, unmade.error().text(), unmade.error().hint());
  return false;
}

// The run refuses an unprotected target whose place is that of a protected one.
bool Preflight::is_no_alias(const Going& going) {
  if (going.wanted.target->protect) return true;
  auto guarded = [&]() -> Result<std::string> {
    if (!going.place.folder.empty()) return protected_folder(shell_, session_, going.place.folder);
    Rescue rescue;
    rescue.into = going.place.server;
    rescue.into_words = going.place.server.text();
    bool exchanged = going.wanted.how.empty() || going.wanted.how == exchange;
    auto point = LB_TRY(point_of(*going.wanted.store));
    auto needs = LB_TRY(pg::server_needs(*point));
    (exchanged ? rescue.database : rescue.as) = needs.database;
    auto into = LB_TRY(session_.references->secret(going.place.server));
    return protected_target(session_, rescue, into);
  }();
  if (!guarded.ok()) return unseen(going.what, guarded.error()), false;
  if (guarded->empty()) return true;
  add(State::missing, cat(going.what, " leads to the place of ", *guarded, ", which is protected"),
      cat("if that is meant, let the step name ", *guarded, ": then its name is asked for"));
  return false;
}

bool Preflight::target_server(const Going& going) {
  auto server = open_for_preflight(session_, going.place.server);
  if (!server.ok()) {
    add(State::missing, cat(going.what, " does not answer: ", server.error().text()),
        "start its server, or repair its address in the plan");
    return false;
  }
  auto there = pg::server_place(**server);
  if (!there.ok()) {
    unseen(going.what, there.error());
    return false;
  }
  bool takes = server_can_take(going, **server, *there);
  bool other = is_not_the_source(going, *there);
  return takes && other;
}

bool Preflight::server_can_take(const Going& going, pg::Connection& server,
                                const pg::ServerPlace& there) {
  bool fine = true;
  auto lacks = [&](const std::string& what, const char* hint) {
    add(State::missing, cat(going.what, what), hint);
    fine = false;
  };
  if (there.in_recovery)
    lacks(" is a standby, which nobody can write to", "promote it, or name the primary");
  if (there.read_only)
    lacks(" refuses to be written (default_transaction_read_only)",
          "ALTER ROLE or ALTER DATABASE … SET default_transaction_read_only = off");
  const bool tables = !going.wanted.only.empty();
  if (!there.may_create && !tables)
    lacks(": its role may not create databases", "ALTER ROLE … CREATEDB");
  return fine && name_is_free(going, server);
}

// What is brought back beside the live one gets a name of its own.
bool Preflight::name_is_free(const Going& going, pg::Connection& server) {
  const auto& how = going.wanted.how;
  if (how.empty() || how == exchange) return true;
  if (how != "beside" && how != "new") {
    add(State::missing, cat(going.what, ": how: ", how, " of a running server is not supported"),
        "beside-then-swap exchanges it, beside brings it back under another name");
    return false;
  }
  auto free = [&]() -> Status {
    if (!going.wanted.only.empty()) return tables_are_free(going, server);
    auto point = LB_TRY(point_of(*going.wanted.store));
    auto needs = LB_TRY(pg::server_needs(*point));
    auto as = how == "beside" ? pg::name_with_suffix(needs.database, "_restored") : needs.database;
    auto status = pg::check_database_target(server, {.database = needs.database, .as = as});
    if (status.ok() || status.error().exit_code() != ExitCode::refused) return status;
    add(State::missing, cat(going.what, ": ", status.error().text()), status.error().hint());
    return Error(ErrorKind::conflict, "");
  }();
  if (free.ok()) return true;
  if (free.error().kind() != ErrorKind::conflict) unseen(going.what, free.error());
  return false;
}

Status Preflight::tables_are_free(const Going& going, pg::Connection& server) {
  for (const auto& name : going.wanted.only) {
    pg::TableWish wish;
    wish.table = LB_TRY(pg::parse_table_name(name));
    wish.as = {wish.table.schema, pg::name_with_suffix(wish.table.name, "_restored")};
    auto status = pg::check_table_target(server, wish);
    if (status.ok()) continue;
    if (status.error().exit_code() != ExitCode::refused) return status;
    add(State::missing, cat(going.what, ": ", status.error().text()),
        "rename or drop it before the run begins");
    return Error(ErrorKind::conflict, "");
  }
  return {};
}

// A target that is not protected and yet the store's own database: an accident waiting to happen.
bool Preflight::is_not_the_source(const Going& going, const pg::ServerPlace& there) {
  if (going.may_be_live()) return true;
  auto own = [&]() -> Result<pg::ServerPlace> {
    auto source = LB_TRY(open_for_preflight(session_, going.wanted.store->address));
    return pg::server_place(*source);
  }();
  if (!own.ok()) return is_not_the_silent_source(going, there);
  if (!own->same_server(there)) return true;
  if (own->database != there.database) {
    add(State::told, cat(going.what, " is on the server of the live database"));
    return true;
  }
  add(State::missing, cat(going.what, " is the live database itself, and not protected"),
      say_protect);
  return false;
}

// The store's own server cannot be asked: it is down, or refuses the plan's credentials, which
// looks the same from here. The point tells which server it was.
bool Preflight::is_not_the_silent_source(const Going& going, const pg::ServerPlace& there) {
  if (going.place.server.text() == going.wanted.store->address.text()) {
    add(State::missing,
        cat(going.what, " has the address of the live database, and is not protected"),
        say_protect);
    return false;
  }
  auto needs = [&]() -> Result<pg::ServerNeeds> {
    auto point = LB_TRY(point_of(*going.wanted.store));
    return pg::server_needs(*point);
  }();
  if (needs.ok() && !there.cluster.empty() && needs->cluster != there.cluster) {
    add(State::told, cat(going.what, " is another server than the one that was backed up"));
    return true;
  }
  add(State::unseen,
      cat(going.what, needs.ok() ? " is a server of the same origin as the live one, which does "
                                   "not answer: whether it is the live one"
                                 : ": the live server does not answer, and the point cannot be "
                                   "read: whether this is the live one"),
      "see by hand that it is another one, or say protect: true");
  return false;
}

bool Preflight::target_folder(const Going& going) {
  bool apart = overlaps_nothing(going);
  bool idle = going.wanted.store->kind != plan::StoreKind::postgres || no_live_server(going);
  bool written = can_be_written(going);
  return apart && idle && written;
}

// Neither the repository nor what other stores live in is written over, nor the store's own place
// unless that is meant.
bool Preflight::overlaps_nothing(const Going& going) {
  auto& files = shell_.world.files;
  auto target = FolderWay::of(files, going.place.folder);
  if (!target.ok()) return unseen(going.what, target.error()), false;
  bool fine = true;
  auto look = [&](const std::string& path, const std::string& of, bool inside_is_told) {
    auto live = FolderWay::of(files, path);
    if (!live.ok()) {
      fine = false;
      return unseen(cat(going.what, ", against ", of), live.error());
    }
    bool around = target->contains(*live), inside = live->contains(*target);
    if (!around && !inside) return;
    auto text = cat(going.what, ": ", going.place.folder, " and ", of, " (", path, ") overlap");
    if (!around && inside_is_told) return add(State::told, text);
    add(State::missing, text, say_protect);
    fine = false;
  };
  if (!session_.repository_folder.empty())
    look(session_.repository_folder, "the repository", false);
  if (going.place.original) return fine;
  for (const auto& store : act_.plan.stores) {
    bool own = &store == going.wanted.store;
    if (own && going.may_be_live()) continue;
    auto of = cat("the live ", store.name);
    if (store.kind == plan::StoreKind::files) {
      auto path = session_.references->path(store.address);
      if (path.ok()) look(*path, of, !own);
      if (!path.ok()) unseen(cat(going.what, ", against ", of), path.error());
      fine = fine && path.ok();
    } else if (!store.data.empty()) {
      look(session_.references->absolute(store.data), of, !own);
    }
  }
  return fine;
}

bool Preflight::no_live_server(const Going& going) {
  auto& files = shell_.world.files;
  const auto& folder = going.place.folder;
  auto down = pg::check_no_server(files, folder);
  if (down.ok()) {
    auto empty = pg::check_target_empty(files, folder);
    if (!empty.ok() && going.wanted.how != exchange) {
      add(State::told, cat(going.what, ": ", empty.error().text(),
                           "; the restore refuses it unless an earlier step empties it"));
    }
    return true;
  }
  auto there = pg::system_identifier_in(files, folder);
  auto needs = [&]() -> Result<pg::ServerNeeds> {
    auto point = LB_TRY(point_of(*going.wanted.store));
    return pg::server_needs(*point);
  }();
  bool alike = !there || !needs.ok() || *there == needs->cluster;
  if (going.may_be_live() || !alike) {
    add(State::told, cat(going.what, ": ", down.error().text()));
    return true;
  }
  add(State::missing,
      cat(going.what, ": ", down.error().text(), "; it may be the live one, and is not protected"),
      say_protect);
  return false;
}

// Asked, not tried: a file made here would be one in what is live.
bool Preflight::can_be_written(const Going& going) {
  // What is laid beside needs the folder around it.
  bool beside = going.wanted.lies_beside();
  auto where = nearest_folder(shell_.world.files,
                              beside ? path_parent(going.place.folder) : going.place.folder);
  if (!where.ok()) return unseen(going.what, where.error()), false;
  Command command;
  command.argv = {"/bin/sh", "-c", R"([ -d "$1" ] && [ -w "$1" ] && [ -x "$1" ])", "sh", *where};
  command.environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C"}};
  auto finished = shell_.world.processes.run(command, look_limit, stop_);
  if (!finished.ok()) return unseen(going.what, finished.error()), false;
  if (finished->ok()) return true;
  constexpr int answered_no = 1;
  if (finished->exit_code != answered_no) {
    add(State::unseen, cat(going.what, ": whether ", *where, " can be written"));
    return false;
  }
  add(State::missing, cat(going.what, ": ", *where, " is no folder that can be written"),
      "give this user the right to write there");
  return false;
}

}  // namespace lb::cli
