#include "app/cli/session.h"

#include "app/cli/drilled_copy.h"

#include <algorithm>

#include "app/cli/copies.h"
#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "recovery/drill/drill.h"
#include "storage/repo/keyring.h"

namespace lb::cli {

namespace {

// A host of databases has other uses for its memory; a whole segment of log is held beside it.
constexpr std::uint64_t database_memory = 34ull << 20;

constexpr std::uint64_t plan_bytes_max = 11 << 20;  // the reader refuses above 10 MB itself

std::string lookup(const std::map<std::string, std::string>& environment, const std::string& name) {
  auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

Result<std::string> load_text(const Shell& shell, const std::string& path) {
  auto bytes = LB_TRY(read_file(shell.world.files, path, plan_bytes_max));
  return std::string(text_of(bytes));
}

}  // namespace

std::string plan_path(const Shell& shell, const Args& args) {
  auto path = args.get("plan", lookup(shell.environment, "LIFEBOAT_PLAN"));
  return path.empty() ? "lifeboat.yaml" : path;
}

Result<plan::ReadOutcome> read_plan_file(const Shell& shell, const std::string& path) {
  auto text = load_text(shell, path);
  if (!text.ok()) {
    auto error = std::move(text).take_error();
    bool missing = error.kind() == ErrorKind::not_found;
    return std::move(error)
        .context(cat("read the plan ", path))
        .with_hint(missing ? "write one with lifeboat init, or name it with --plan FILE" : "")
        .with_exit(ExitCode::usage);
  }
  auto loader = [&](const std::string& included) { return load_text(shell, included); };
  return plan::read_plan(path, *text, loader);
}

Result<LoadedPlan> load_plan(const Shell& shell, const Args& args) {
  LoadedPlan out;
  out.path = plan_path(shell, args);
  auto outcome = LB_TRY(read_plan_file(shell, out.path));
  if (!outcome.ok()) {
    shell.console.note(plan::format_mistakes(outcome.mistakes, shell.console.options().color));
    return Error(ErrorKind::invalid, cat(out.path, " has ", outcome.mistakes.size(),
                                         outcome.mistakes.size() == 1 ? " mistake" : " mistakes"))
        .with_hint(cat("mend them and see lifeboat plan check --plan ", out.path));
  }
  out.plan = std::move(outcome.plan);
  auto absolute = out.path.starts_with('/') ? out.path : path_join(shell.folder, out.path);
  out.folder = path_parent(absolute);
  out.fingerprint = to_hex(sha256(view_of(out.plan.fingerprint)));
  return out;
}

std::string state_folder(const Shell& shell, const std::string& system) {
  return state_folder(shell.environment, shell.uid, system);
}

std::string state_folder(const std::map<std::string, std::string>& environment, std::uint32_t uid,
                         const std::string& system) {
  auto root = lookup(environment, "LIFEBOAT_STATE");
  if (root.empty()) {
    auto state = lookup(environment, "XDG_STATE_HOME");
    auto home = lookup(environment, "HOME");
    if (!state.empty()) {
      root = path_join(state, "lifeboat");
    } else {
      root =
          uid == 0 || home.empty() ? "/var/lib/lifeboat" : path_join(home, ".local/state/lifeboat");
    }
  }
  return path_join(root, system);
}

std::string cache_folder(const Shell& shell) {
  auto state = lookup(shell.environment, "LIFEBOAT_STATE");
  if (!state.empty()) return path_join(state, ".cache");
  auto cache = lookup(shell.environment, "XDG_CACHE_HOME");
  auto home = lookup(shell.environment, "HOME");
  if (!cache.empty()) return path_join(cache, "lifeboat");
  return shell.uid == 0 || home.empty() ? "/var/cache/lifeboat"
                                        : path_join(home, ".cache/lifeboat");
}

namespace {

// What is read, and by which key.
struct ReadPlace {
  OpenedPlace place;
  const plan::Copy* from = nullptr;  // null: the repository
  const plan::Reference* key = nullptr;
};

Result<ReadPlace> open_copy_to_read(const Shell& shell, const References& references,
                                    const plan::Plan& plan, const std::string& copy) {
  ReadPlace out;
  out.from = LB_TRY(pick_copies(plan, {copy})).front();
  out.key = out.from->key.empty() ? &plan.repository.key : &out.from->key;
  out.place = LB_TRY(open_place(shell, references, *out.from));
  return out;
}

Result<ReadPlace> open_read_place(const Shell& shell, const Args& args, Reading reading,
                                  const References& references, const plan::Plan& plan) {
  const auto& repository = plan.repository;
  bool healing = reading == Reading::healing;
  if (healing && args.has("from"))
    return open_copy_to_read(shell, references, plan, args.get("from"));
  ReadPlace out;
  out.key = &repository.key;
  auto opened = open_place(shell, references, repository);
  if (!opened.ok() && healing && !repository.copies.empty()) {
    shell.console.note("restore --from COPY reads a copy instead");
  }
  out.place = LB_TRY(std::move(opened));
  return out;
}

// A full or read-only disk of this host must keep nobody from restoring.
Result<std::unique_ptr<state::Journal>> open_journal(const Shell& shell,
                                                     const std::string& folder) {
  auto opened = state::Journal::open(shell.world, path_join(folder, "journal.sqlite"));
  if (opened.ok()) return opened;
  auto kind = opened.error().kind();
  if (kind != ErrorKind::exhausted && kind != ErrorKind::denied) return opened;
  return std::move(opened).hint(
      cat("nothing can be put on record in ", printable(folder),
          "; LIFEBOAT_STATE=FOLDER before the command names a place on another disk"));
}

// Of a session whose plan and references are known.
Status open_to_read(const Shell& shell, ReadPlace read, Reading reading, Access access,
                    Session& session) {
  const auto& plan = session.plan.plan;
  const auto& references = *session.references;
  session.blobs = std::move(read.place.blobs);
  if (access == Access::write) {
    session.blobs = with_reserve(shell, std::move(session.blobs), read.place.folder);
  }
  session.repository_folder = read.place.folder;
  if (read.from != nullptr) session.copy = read.from->at.text();
  if (reading == Reading::healing) {
    auto& console = shell.console;
    session.healing = std::make_unique<HealingBlobStore>(
        *session.blobs, copy_sources(shell, references, plan.repository, read.from),
        [&console](const std::string& line) { console.warn(line); });
  }
  BlobStore& store = session.healing != nullptr ? *session.healing : *session.blobs;
  auto key = LB_TRY(references.secret(*read.key));
  repo::OpenOptions options;
  if (read.from == nullptr) options.cache_folder = cache_folder(shell);
  options.files = &shell.world.files;
  bool databases_alone =
      std::all_of(plan.stores.begin(), plan.stores.end(),
                  [](const plan::Store& each) { return each.kind == plan::StoreKind::postgres; });
  if (databases_alone) options.memory_bytes = database_memory;
  session.repository =
      LB_TRY(repo::open_repository(store, shell.world.clock, shell.world.random, key, options)
                 .context(cat("open the repository at ", read.place.text)));
  if (access == Access::read && !session.repository->may_read())
    return repo::may_not_read().context(cat("the key ", read.key->text(), " of the plan"));
  session.journal = LB_TRY(open_journal(shell, session.state_folder));
  return {};
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(const Shell& shell, const Args& args,
                                               Reading reading, Access access) {
  auto session = std::make_unique<Session>();
  session->plan = LB_TRY(load_plan(shell, args));
  const auto& plan = session->plan.plan;
  session->references =
      std::make_unique<References>(shell.world, shell.environment, session->plan.folder);
  session->state_folder = cli::state_folder(shell, plan.system);
  session->sandbox_root = drill::default_sandbox_root(shell.uid);
  auto read = LB_TRY(open_read_place(shell, args, reading, *session->references, plan));
  LB_TRY(open_to_read(shell, std::move(read), reading, access, *session));
  return session;
}

static Result<std::unique_ptr<Session>> opened_copy(const Shell& shell, const Session& own,
                                                    const std::string& copy, Reading reading) {
  auto session = std::make_unique<Session>();
  session->plan = own.plan;
  session->references =
      std::make_unique<References>(shell.world, shell.environment, own.plan.folder);
  session->state_folder = own.state_folder;
  session->sandbox_root = drill::default_sandbox_root(shell.uid);
  auto read = LB_TRY(open_copy_to_read(shell, *session->references, session->plan.plan, copy));
  LB_TRY(open_to_read(shell, std::move(read), reading, Access::read, *session));
  bool other = own.repository != nullptr && own.repository->id() != session->repository->id();
  if (!other) return session;
  return Error(ErrorKind::conflict, cat(session->copy, " is a copy of ", session->repository->id(),
                                        ", not of the plan's repository ", own.repository->id()))
      .with_hint("name a copy that lifeboat copy sync makes")
      .with_exit(ExitCode::refused);
}

Result<std::unique_ptr<Session>> Session::open_copy(const Shell& shell, const Session& own,
                                                    const std::string& copy) {
  return opened_copy(shell, own, copy, Reading::healing);
}

Result<std::unique_ptr<Session>> open_copy_alone(const Shell& shell, const Session& own,
                                                 const std::string& copy) {
  return opened_copy(shell, own, copy, Reading::plain);
}

Status refuse_unsupported(const Shell& shell, const std::vector<plan::Mistake>& unsupported) {
  if (unsupported.empty()) return {};
  if (unsupported.size() > 1) {
    shell.console.note(plan::format_mistakes(unsupported, shell.console.options().color));
  }
  const auto& first = unsupported.front();
  return Error(ErrorKind::unsupported, cat(first.place.text(), ": ", first.text));
}

Result<std::vector<const plan::Store*>> pick_stores(const plan::Plan& plan,
                                                    const std::vector<std::string>& names) {
  std::vector<const plan::Store*> out;
  if (names.empty()) {
    for (const auto& store : plan.stores) out.push_back(&store);
    return out;
  }
  std::vector<std::string> known;
  for (const auto& store : plan.stores) known.push_back(store.name);
  for (const auto& name : names) {
    const auto* store = plan.store(name);
    if (store == nullptr) {
      auto near = nearest(name, known);
      return Error(ErrorKind::invalid, cat("the plan has no store '", printable(name), "'"))
          .with_hint(near.empty() ? cat("stores: ", join(known, ", "))
                                  : cat("did you mean ", near, "?"));
    }
    out.push_back(store);
  }
  return out;
}

}  // namespace lb::cli
