#include "stores/postgres/database_swap.h"

#include <map>

#include "foundation/base/text.h"
#include "stores/postgres/swap_rename.h"

namespace lb::pg {

namespace {

struct Found {
  std::optional<std::string> comment;
  std::optional<SwapMark> mark;
};
using Databases = std::map<std::string, Found>;  // of those a swap knows, the ones that are there

Result<Databases> find_databases(Connection& connection, const SwapWish& wish) {
  auto found = LB_TRY(connection.query(
      "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database"
      " WHERE datname IN ($1, $2, $3, $4)",
      {wish.live, swap_new_name(wish), swap_unfinished_name(wish), swap_old_name(wish)}));
  Databases out;
  for (const auto& row : found.rows) {
    auto& each = out[row[0].value_or("")];
    each.comment = row[1];
    if (row[1]) each.mark = read_swap_mark(*row[1]);
  }
  return out;
}

bool is_of(const SwapMark& mark, const SwapWish& wish) {
  return lower(mark.id) == lower(wish.id) && mark.live == wish.live;
}

Error unexpected(std::string text) {
  return Error(ErrorKind::conflict, std::move(text))
      .with_hint("look at the comments of the databases (\\l+); nothing was changed");
}

// What stands under the name of the old one, if anything does.
Result<std::optional<SwapState>> look_at_old(const Databases& databases, const SwapWish& wish) {
  auto old = databases.find(swap_old_name(wish));
  if (old == databases.end()) return std::optional<SwapState>();
  const auto& mark = old->second.mark;
  bool ours = mark && mark->role == SwapMark::Role::old && is_of(*mark, wish);
  if (!ours) return unexpected(cat("database ", printable(old->first), " is not of this swap"));
  if (!databases.contains(wish.live))
    return unexpected(cat("after the swap, somebody removed or renamed ", printable(wish.live)));
  return std::optional<SwapState>(
      {SwapStage::swapped, old->first, mark->until, mark->point, mark->as_of});
}

Result<SwapState> look_at_new(const Databases& databases, const SwapWish& wish) {
  auto fresh = databases.find(swap_new_name(wish));
  if (fresh == databases.end()) {
    auto unfinished = swap_unfinished_name(wish);
    if (!databases.contains(unfinished)) return SwapState{};
    return SwapState{SwapStage::unfinished, unfinished, {}};
  }
  const auto& name = fresh->first;
  const auto& found = fresh->second;
  // It has this name only when it is whole, and is marked right after.
  if (!found.comment) return SwapState{SwapStage::filled, name, {}};
  if (!found.mark || !is_of(*found.mark, wish))
    return unexpected(cat("database ", printable(name), " is not of this swap"));
  const auto& mark = *found.mark;
  auto state = [&](SwapStage stage) {
    return SwapState{stage, name, mark.until, mark.point, mark.as_of};
  };
  switch (mark.role) {
    case SwapMark::Role::filled:
      return state(SwapStage::filled);
    case SwapMark::Role::verified:
      return state(SwapStage::verified);
    case SwapMark::Role::undone:
      return state(SwapStage::undone);
    case SwapMark::Role::old:
      break;
  }
  return unexpected(cat("database ", printable(name), " is marked as the old one"));
}

Status set_mark(Connection& connection, const std::string& database, const SwapMark& mark) {
  return connection.query(comment_statement(database, write_swap_mark(mark))).status();
}

Status drop(Connection& connection, const std::string& database) {
  return connection.query(cat("DROP DATABASE IF EXISTS ", quote_name(database), " WITH (FORCE)"))
      .status()
      .context(cat("remove ", printable(database)));
}

class Swap {
 public:
  Swap(const SwapServer& server, const SwapWish& wish, const std::stop_token& stop)
      : server_(server), connection_(server.connection), wish_(wish), stop_(stop) {}

  Status fill(const SwapState& state, const SwapActs& acts) {
    auto preview = LB_TRY(check_swap(connection_, wish_));
    if (state.stage == SwapStage::unfinished) LB_TRY(drop(connection_, state.beside));
    LB_TRY(acts.fill(fresh_, preview.live.tablespace));
    return set_mark(connection_, fresh_, mark(SwapMark::Role::filled));
  }

  Status verify(const SwapState& state, const SwapActs& acts) {
    LB_TRY(acts.verify(fresh_));
    return set_mark(connection_, fresh_, mark_of(state, SwapMark::Role::verified));
  }

  Status exchange(const SwapState& state) {
    LB_TRY(check_swap(connection_, wish_));
    auto rename = [&](const auto& act) {
      return rename_databases(server_, {{wish_.live, old_}, {fresh_, wish_.live}}, act, stop_);
    };
    return rename([&]() -> Status {
             // As it is now that nobody can change it any more.
             auto dress = LB_TRY(read_dress(connection_, old_));
             LB_TRY(put_aside(old_, mark_of(state, SwapMark::Role::old), dress, wish_.keep));
             for (const auto& sql : dress_statements(wish_.live, dress))
               LB_TRY(connection_.query(sql));
             auto got = LB_TRY(read_dress(connection_, wish_.live));
             auto differs = dress_difference(dress, got);
             if (differs.empty()) return {};
             return Error(ErrorKind::conflict,
                          cat("the new database cannot be made like the old one: ", differs));
           })
        .context(cat("exchange ", printable(wish_.live), ": nothing was changed"));
  }

  Status go_back(const SwapState& state) {
    LB_TRY(check_swap(connection_, wish_));
    auto databases = LB_TRY(find_databases(connection_, wish_));
    auto before = *databases.at(old_).mark;
    auto kept = before.until.value_or(now()) - before.since;
    return rename_databases(
               server_, {{wish_.live, fresh_}, {old_, wish_.live}},
               [&]() -> Status {
                 auto dress = LB_TRY(read_dress(connection_, fresh_));
                 LB_TRY(put_aside(fresh_, mark_of(state, SwapMark::Role::undone), dress, kept));
                 LB_TRY(limit(wish_.live, before.connections_max));
                 return connection_.query(comment_statement(wish_.live, before.comment)).status();
               },
               stop_)
        .context(cat("put the old ", printable(wish_.live), " back: nothing was changed"));
  }

 private:
  Timestamp now() const { return server_.clock.now(); }
  SwapMark mark(SwapMark::Role role) const {
    SwapMark out;
    out.id = wish_.id;
    out.live = wish_.live;
    out.role = role;
    out.since = now();
    out.point = wish_.point;
    out.as_of = wish_.as_of;
    return out;
  }
  // What it was filled with is known from before.
  SwapMark mark_of(const SwapState& state, SwapMark::Role role) const {
    auto out = mark(role);
    out.point = state.point;
    out.as_of = state.as_of;
    return out;
  }
  Status limit(const std::string& database, std::int64_t connections_max) {
    return connection_
        .query(cat("ALTER DATABASE ", quote_name(database), " CONNECTION LIMIT ", connections_max))
        .status();
  }
  // Nobody but a superuser gets in any more.
  Status put_aside(const std::string& database, SwapMark fresh, const DatabaseDress& dress,
                   Micros keep) {
    fresh.until = fresh.since + keep;
    fresh.comment = dress.comment;
    fresh.connections_max = dress.connections_max;
    LB_TRY(set_mark(connection_, database, fresh));
    return limit(database, 0);
  }

  const SwapServer& server_;
  Connection& connection_;
  const SwapWish& wish_;
  const std::stop_token& stop_;
  const std::string fresh_ = swap_new_name(wish_), old_ = swap_old_name(wish_);
};

}  // namespace

std::string_view name_of(SwapStage stage) {
  switch (stage) {
    case SwapStage::none:
      return "none";
    case SwapStage::unfinished:
      return "unfinished";
    case SwapStage::filled:
      return "filled";
    case SwapStage::verified:
      return "verified";
    case SwapStage::swapped:
      return "swapped";
    case SwapStage::undone:
      return "undone";
  }
  return {};
}

Result<SwapState> look_at_swap(Connection& connection, const SwapWish& wish) {
  LB_TRY(check_swap_wish(wish));
  auto databases = LB_TRY(find_databases(connection, wish));
  auto old = LB_TRY(look_at_old(databases, wish));
  return old ? Result<SwapState>(*old) : look_at_new(databases, wish);
}

Result<SwapState> advance_swap(const SwapServer& server, const SwapWish& wish, const SwapActs& acts,
                               std::stop_token stop) {
  auto state = LB_TRY(look_at_swap(server.connection, wish));
  Swap swap(server, wish, stop);
  switch (state.stage) {
    case SwapStage::none:
    case SwapStage::unfinished:
      LB_TRY(swap.fill(state, acts));
      break;
    case SwapStage::filled:
      LB_TRY(swap.verify(state, acts));
      break;
    case SwapStage::verified:
      LB_TRY(swap.exchange(state));
      break;
    case SwapStage::swapped:
      return state;
    case SwapStage::undone:
      return Error(ErrorKind::denied, cat("swap ", wish.id, " of ", printable(wish.live),
                                          " was undone: it does not begin again"))
          .with_hint("begin a new one; what this one made is kept as " + printable(state.beside))
          .with_exit(ExitCode::refused);
  }
  return look_at_swap(server.connection, wish);
}

Result<SwapState> undo_swap(const SwapServer& server, const SwapWish& wish, std::stop_token stop) {
  auto state = LB_TRY(look_at_swap(server.connection, wish));
  switch (state.stage) {
    case SwapStage::none:
    case SwapStage::undone:
      return state;
    case SwapStage::swapped:
      LB_TRY(Swap(server, wish, stop).go_back(state));
      break;
    case SwapStage::unfinished:
    case SwapStage::filled:
    case SwapStage::verified:
      LB_TRY(drop(server.connection, state.beside));
      break;
  }
  return look_at_swap(server.connection, wish);
}

}  // namespace lb::pg
