#include "app/cli/restore_request.h"

#include <algorithm>
#include <array>
#include <limits>

#include "foundation/base/text.h"
#include "model/plan/secrets.h"
#include "model/plan/values.h"
#include "recovery/swap/destructive_act.h"

namespace lb::cli {

namespace {

constexpr const char* restored_suffix = "_restored";
constexpr std::array point_flags = {"at", "before", "lsn", "point", "name"};

std::string point_words(const Args& args) {
  std::string out = "latest";
  for (const char* flag : point_flags) {
    if (args.has(flag)) out = cat("--", flag, " ", args.get(flag));
  }
  return args.has("timeline") ? cat(out, " --timeline ", args.get("timeline")) : out;
}

// The line of log a server left behind, in a failover or by a recovery to a point.
Result<std::optional<std::uint32_t>> read_timeline(const Args& args) {
  if (!args.has("timeline")) return std::optional<std::uint32_t>();
  if (args.has("point"))
    return Error(ErrorKind::invalid, "--timeline and --point contradict each other")
        .with_hint("a snapshot ends before the log goes on: it has one timeline");
  const auto number = LB_TRY(parse_uint(args.get("timeline")).context("--timeline"));
  if (number == 0 || number > std::numeric_limits<std::uint32_t>::max())
    return Error(ErrorKind::invalid, cat("--timeline ", number, " is none"))
        .with_hint("the first eight digits of a segment's name in lifeboat wal ls, hexadecimal");
  return std::optional(static_cast<std::uint32_t>(number));
}

Result<restore::Wish> read_wish(const Args& args) {
  std::vector<std::string> given;
  for (const char* flag : point_flags) {
    if (args.has(flag)) given.push_back(cat("--", flag));
  }
  if (given.size() > 1) {
    return Error(ErrorKind::invalid, cat(join(given, " and "), " contradict each other: give one"));
  }
  restore::Wish wish;
  if (args.has("at")) wish = LB_TRY(restore::parse_wish(args.get("at")));
  auto& wanted = wish.wanted;
  wanted.timeline = LB_TRY(read_timeline(args));
  if (args.has("lsn")) {
    wanted.kind = pg::Wanted::Kind::lsn;
    wanted.lsn = LB_TRY(pg::parse_lsn(args.get("lsn")));
  } else if (args.has("name")) {
    wanted.kind = pg::Wanted::Kind::name;
    wanted.name = args.get("name");
  } else if (args.has("point")) {
    wanted.kind = pg::Wanted::Kind::snapshot;
    wish.snapshot = args.get("point");
  } else if (args.has("before")) {
    wanted.kind = pg::Wanted::Kind::before_commit;
    auto text = args.get("before");
    if (text.find('/') != std::string::npos) {
      wanted.lsn = LB_TRY(pg::parse_lsn(text));
    } else {
      auto xid = LB_TRY(parse_uint(text).context("--before takes an LSN or a transaction id"));
      wanted.xid = static_cast<std::uint32_t>(xid);
    }
  }
  return wish;
}

// Where the store lives in production; empty when that is not a folder or cannot be known.
std::string original_folder(const plan::Store& store, const References& references) {
  if (store.kind != plan::StoreKind::files) return {};
  auto path = references.path(store.address);
  return path.ok() ? *path : std::string();
}

bool inside(const std::string& path, const std::string& folder) {
  return !folder.empty() &&
         (path == folder || path.starts_with(folder + "/") || folder.starts_with(path + "/"));
}

// Where the store goes, a folder.
Status read_folder(const Session& session, const Args& args, Request& request) {
  auto to = args.get("to");
  if (to.empty()) {
    return Error(ErrorKind::invalid, "restore needs --to FOLDER")
        .with_hint("or --to original for a files store, or --table T --into CONNINFO");
  }
  if (session.plan.plan.target(to) != nullptr) {
    return Error(ErrorKind::unsupported,
                 cat("not supported yet: restore into the plan's target '", to, "' (",
                     session.plan.plan.target(to)->place.text(), "); give a folder"));
  }
  auto home = original_folder(*request.store, *session.references);
  if (to == "original") {
    if (home.empty())
      return Error(ErrorKind::invalid,
                   cat("store ", request.store->name, " has no folder to restore onto"));
    to = home;
  }
  request.folder = session.references->absolute(to);
  while (request.folder.size() > 1 && request.folder.back() == '/') request.folder.pop_back();
  request.original = inside(request.folder, home);
  return {};
}

Status read_table(const Args& args, Rescue& rescue) {
  pg::TableWish wish;
  wish.table = LB_TRY(pg::parse_table_name(args.get("table")));
  wish.as = {wish.table.schema, pg::name_with_suffix(wish.table.name, restored_suffix)};
  if (args.has("as")) wish.as = LB_TRY(pg::parse_table_name(args.get("as")));
  rescue.table = std::move(wish);
  return {};
}

// A table or database, and where it goes: a server.
Status read_rescue(const Args& args, Request& request) {
  auto flag = args.has("table") ? "--table" : "--database";
  for (const char* other : {"to", "delta"}) {
    if (args.has(other))
      return Error(ErrorKind::invalid, cat("--", other, " and ", flag, " contradict each other"));
  }
  if (!args.has("into")) {
    return Error(ErrorKind::invalid, cat(flag, " needs --into, the server that takes it"))
        .with_hint("--into env:NAME, with the connection string in that variable");
  }
  if (request.store->kind != plan::StoreKind::postgres)
    return Error(ErrorKind::invalid, cat(flag, " is for postgres stores"));
  Rescue rescue;
  rescue.database = args.get("database");
  if (args.has("table")) LB_TRY(read_table(args, rescue));
  rescue.as = args.get("as", pg::name_with_suffix(rescue.database, restored_suffix));
  rescue.into_words = args.get("into");
  rescue.into = LB_TRY(plan::parse_reference(rescue.into_words));
  bool literal = rescue.into.kind == plan::Reference::Kind::literal;
  if (literal && plan::looks_like_secret("into", rescue.into_words)) {
    return Error(ErrorKind::invalid, "--into holds a password, which all on this host can read")
        .with_hint("put it into a variable or file: --into env:NAME, --into file:PATH");
  }
  request.rescue = std::move(rescue);
  return {};
}

Status check_kind(const Request& request) {
  bool database = request.store->kind == plan::StoreKind::postgres;
  if (database && (request.exact || !request.only.empty())) {
    return Error(ErrorKind::unsupported,
                 "not supported yet: --only and --exact for postgres stores")
        .with_hint("--table brings one table back");
  }
  if (!database && request.wish.wanted.timeline)
    return Error(ErrorKind::invalid, "--timeline is for postgres stores");
  if (!database && request.delta) {
    return Error(ErrorKind::invalid, "--delta is for postgres stores")
        .with_hint("for a file tree, --exact removes what the point does not have");
  }
  return {};
}

Status read_tablespaces(const Args& args, Request& request) {
  for (const auto& each : args.all("tablespace")) {
    auto equals = each.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == each.size()) {
      return Error(ErrorKind::invalid, cat("--tablespace ", printable(each), " is no OLD=NEW"))
          .with_hint("OLD: the folder or name it had on the server; NEW: an absolute path");
    }
    request.tablespaces.emplace_back(each.substr(0, equals), each.substr(equals + 1));
  }
  if (request.tablespaces.empty()) return {};
  bool folder = request.store->kind == plan::StoreKind::postgres && !args.has("table") &&
                !args.has("database") && !args.has("how");
  if (folder) return {};
  return Error(ErrorKind::invalid, "--tablespace is for a data directory that is restored: --to");
}

Status read_replacement(const Session& session, const Args& args, Request& request) {
  constexpr auto keep_default = std::chrono::hours(24 * 7);
  auto how = args.get("how", "new");
  for (const char* flag : {"keep-old", "run", "check", "stop", "start"}) {
    if (args.has(flag) && how != "beside-then-swap")
      return Error(ErrorKind::invalid, cat("--", flag, " goes with --how beside-then-swap"));
  }
  if (how == "new") return {};
  if (how != "beside-then-swap")
    return Error(ErrorKind::invalid, cat("--how '", printable(how), "' is not known"))
        .with_hint("--how beside-then-swap, or without --how for a new place");
  for (const char* flag : {"table", "as", "delta", "only", "exact"}) {
    if (args.has(flag))
      return Error(ErrorKind::invalid,
                   cat("--", flag, " and --how ", how, " contradict each other"));
  }
  Replacement replacement;
  replacement.keep = keep_default;
  if (args.has("keep-old"))
    replacement.keep = LB_TRY(parse_duration(args.get("keep-old")).context("--keep-old"));
  replacement.run = args.get("run");
  replacement.suites = args.all("check");
  for (const auto& name : replacement.suites) {
    if (session.plan.plan.suite(name) == nullptr)
      return Error(ErrorKind::invalid, cat("the plan has no checks named '", printable(name), "'"));
  }
  replacement.stop = args.get("stop");
  replacement.start = args.get("start");
  bool tree = request.store->kind == plan::StoreKind::files;
  bool cluster = !tree && !args.has("database");
  if (tree && args.has("stop") != args.has("start"))
    return Error(ErrorKind::invalid, "--stop and --start go together")
        .with_hint("what is stopped for the exchange has to be started again");
  if (cluster && (replacement.stop.empty() || replacement.start.empty()))
    return Error(ErrorKind::invalid, "a data directory is exchanged while its server is down")
        .with_hint("give --stop and --start, the commands of its service");
  if (!cluster && !tree && (args.has("stop") || args.has("start")))
    return Error(ErrorKind::invalid, "--stop and --start are for a data directory, not a database");
  request.replacement = std::move(replacement);
  return {};
}

}  // namespace

Result<Request> read_request(const Session& session, const Args& args) {
  Request request;
  if (args.positionals.size() != 1) {
    return Error(ErrorKind::invalid, "restore takes one store")
        .with_hint("lifeboat restore STORE --to FOLDER");
  }
  auto stores = LB_TRY(pick_stores(session.plan.plan, args.positionals));
  request.store = stores.front();
  request.wish = LB_TRY(read_wish(args));
  request.only = args.all("only");
  request.exact = args.has("exact");
  request.dry_run = args.has("dry-run");
  request.delta = args.has("delta");
  request.confirmed = args.get("confirm");
  request.words = cat(session.repository->id(), " ", request.store->name, " ", point_words(args));
  LB_TRY(check_kind(request));
  LB_TRY(read_tablespaces(args, request));
  LB_TRY(read_replacement(session, args, request));
  if (args.has("table") || args.has("database")) {
    LB_TRY(read_rescue(args, request));
    return request;
  }
  for (const char* flag : {"into", "as"}) {
    if (args.has(flag))
      return Error(ErrorKind::invalid, cat("--", flag, " goes with --table or --database"));
  }
  LB_TRY(read_folder(session, args, request));
  return request;
}

Status confirm(const Shell& shell, const Session& session, const Request& request,
               const std::string& what) {
  const auto& name = request.guarded.empty() ? session.plan.plan.system : request.guarded;
  auto is = request.guarded.empty() ? (request.original ? " (the live data of the plan)" : "")
                                    : cat(" (protected target ", request.guarded, ")");
  shell.console.note(cat("host     ", shell.host, "\ntarget   ",
                         request.rescue ? request.rescue->into_words : request.folder, is, "\n",
                         what));
  auto answer = request.confirmed;
  if (answer.empty())
    answer = shell.console.ask(cat("Type the name of the target (", name, ") to go on:"));
  if (answer == name) return {};
  return Error(ErrorKind::denied, answer.empty() ? "not confirmed: nothing was changed"
                                                 : "the name does not match: nothing was changed")
      .with_hint(cat("type ", printable(name), ", or give --confirm ", printable(name)))
      .with_exit(ExitCode::refused);
}

std::string loss_line(const Shell& shell, const Request& request, const restore::Choice& choice) {
  swap::DestructiveAct act;
  act.as_of = choice.target ? as_of(choice) : choice.snapshot.meta.taken;
  act.now = shell.world.clock.now();
  bool merged = request.store->kind == plan::StoreKind::files && !request.exact;
  return cat("loses    ", merged ? "of the files that the point has: " : "", swap::data_loss(act));
}

Timestamp as_of(const restore::Choice& choice) {
  auto taken = choice.snapshot.meta.taken;
  const auto& last = choice.target->last_commit;
  return last ? std::max(taken, last->time) : taken;
}

Json restore_summary(const Request& request, const restore::Choice& choice,
                     const RestoreOutcome& outcome, Micros took) {
  Json out = Json::object()
                 .set("verb", "restore")
                 .set("ok", true)
                 .set("exit", outcome.warnings.empty() ? 0 : 3)
                 .set("store", request.store->name)
                 .set("point", choice.snapshot.id)
                 .set("taken", format_time(choice.snapshot.meta.taken))
                 .set("folder", request.folder)
                 .set("bytes", outcome.bytes)
                 .set("items", outcome.items)
                 .set("took_us", std::int64_t{took.count()});
  Json warnings = Json::array();
  for (const auto& warning : outcome.warnings) warnings.push(warning);
  return out.set("warnings", std::move(warnings));
}

Json dry_run_summary() {
  return Json::object().set("verb", "restore").set("ok", true).set("exit", 0).set("dry_run", true);
}

}  // namespace lb::cli
