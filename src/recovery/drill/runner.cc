#include "recovery/drill/runner.h"

#include <algorithm>
#include <thread>

#include "foundation/base/text.h"
#include "recovery/restore/sandbox_folder.h"
#include "stores/files/store.h"

namespace lb::drill {

namespace {

// Seconds a restored store may hold back the others are not worth a queue: one thread a store.
template <typename Part>
Status run_together(const std::vector<DrilledStore*>& stores, std::stop_token stop,
                    const Part& part) {
  std::stop_source failed;
  std::stop_callback forward(stop, [&] { failed.request_stop(); });
  std::vector<Status> results(stores.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < stores.size(); ++i) {
      threads.emplace_back([&, i] {
        results[i] = part(*stores[i], failed.get_token());
        if (!results[i].ok()) failed.request_stop();
      });
    }
  }
  // The cause, not the cancellations it led to.
  for (auto& result : results) {
    if (!result.ok() && result.error().kind() != ErrorKind::cancelled) return std::move(result);
  }
  for (auto& result : results) {
    if (!result.ok()) return std::move(result);
  }
  return {};
}

}  // namespace

record::DrillRecord head_of(const DrillTools& tools, const DrillRequest& request) {
  record::DrillRecord record;
  record.id = tools.repository.fresh_id();
  record.system = request.plan.system;
  record.drill = request.drill.name;
  record.started_by = request.started_by;
  record.host = request.host;
  record.version = request.version;
  record.plan_file = request.plan.file;
  record.plan_fingerprint = request.plan_fingerprint;
  record.repository = cat(tools.repository.id(), " at ", tools.repository.describe());
  record.started = tools.world.clock.now();
  record.loss_moment = request.lost_at.value_or(record.started);
  record.loss_note = request.lost_at ? "given with --lost-at" : "start of the drill";
  record.target = request.drill.into;
  record.point_wanted = request.drill.at.empty() ? "latest" : request.drill.at;
  if (request.wish.wanted.kind == pg::Wanted::Kind::time) {
    record.point_wanted = format_time(request.wish.wanted.time);
  }
  const auto& own = request.drill.objective;
  record.target_rto = own.rto ? own.rto : request.plan.objectives.rto;
  // How long ago the last commit before a random moment was says nothing of a loss.
  if (!request.moment && !request.drill.pitr)
    record.target_rpo = own.rpo ? own.rpo : request.plan.objectives.rpo;
  record.goal = own.goal;
  if (request.drill.every) record.next_due = plan::next_time(*request.drill.every, record.started);
  return record;
}

Result<std::vector<restore::StorePoints>> read_all_points(const DrillTools& tools,
                                                          const DrillRequest& request) {
  std::vector<restore::StorePoints> points;
  for (const auto& name : request.drill.restore) {
    const auto* store = request.plan.store(name);
    LB_ASSERT(store != nullptr);
    points.push_back(LB_TRY(restore::read_points(tools.source_of(name), *store)));
  }
  return points;
}

Runner::Runner(const DrillTools& tools, const DrillRequest& request,
               const std::vector<restore::StorePoints>* known)
    : tools_(tools),
      request_(request),
      target_(request.plan.target(request.drill.into)),
      points_(known),
      stages_(tools.world.clock) {}

Status Runner::stage(const std::string& name, const std::function<Status()>& part,
                     bool sandbox_lacks) {
  auto timer = stages_.begin(name);
  tools_.log.note(name);
  auto status = part();
  timer.finish(status.ok(), 0, status.ok() ? "" : status.error().text());
  if (!status.ok() && !ending_.error) {
    ending_.error = status.error();
    ending_.stage = name;
    ending_.sandbox_lacks = sandbox_lacks;
  }
  return status;
}

record::DrillRecord Runner::run(std::stop_token stop) {
  record_ = head_of(tools_, request_);
  run_marker_ = record_.id;
  auto parts = [&]() -> Status {
    LB_TRY(stage(
        "choose", [&] { return choose_points(); }, false));
    LB_TRY(stage(
        "isolate", [&] { return make_sandbox(); }, true));
    LB_TRY(stage(
        "preflight", [&] { return preflight(); }, true));
    if (request_.conduct) {
      LB_TRY(stage(
          "runbook", [&] { return request_.conduct(*this, stop); }, false));
    }
    LB_TRY(stage(
        "restore", [&] { return restore_stores(stop); }, false));
    LB_TRY(stage(
        "start", [&] { return serve(stop); }, false));
    return stage(
        "checks", [&] { return run_checks(stop); }, false);
  };
  auto ended = parts();
  if (!ended.ok()) tools_.log.warn(ended.error().text());
  if (stop.stop_requested() && ending_.error) ending_.sandbox_lacks = true;
  describe_stores();
  clean_up();
  record_.stages = stages_.stages();
  record_.ended = tools_.world.clock.now();
  judge(record_, ending_);
  return std::move(record_);
}

Status Runner::choose_points() {
  if (points_ == nullptr) {
    own_points_ = LB_TRY(read_all_points(tools_, request_));
    points_ = &own_points_;
  }
  const auto& points = *points_;
  auto now = tools_.world.clock.now();
  std::vector<restore::Choice> choices;
  if (!request_.drill.group.empty()) {
    auto& source = tools_.source_of(request_.drill.restore.front());
    for (const auto& name : request_.drill.restore) {
      if (&tools_.source_of(name) == &source) continue;
      return Error(ErrorKind::unsupported, cat("group ", request_.drill.group,
                                               " is read from one place, and the runbook "
                                               "reads a part of it from a copy"));
    }
    choices = LB_TRY(restore::choose_together(points, request_.wish, now, source));
  } else {
    for (const auto& each : points) {
      auto& source = tools_.source_of(each.store);
      choices.push_back(LB_TRY(restore::choose(each, request_.wish, now, source)));
    }
  }
  for (auto& choice : choices) {
    DrilledStore drilled;
    drilled.store = request_.plan.store(choice.store);
    auto& source = tools_.source_of(choice.store);
    drilled.snapshot = LB_TRY(source.snapshot(choice.snapshot.id));
    drilled.choice = std::move(choice);
    stores_.push_back(std::move(drilled));
  }
  return {};
}

Status Runner::make_sandbox() {
  auto& world = tools_.world;
  user_ = LB_TRY(world.sandboxes.unprivileged_user("postgres"));
  // Short, because Unix socket paths end at 107 bytes.
  folder_ = LB_TRY(restore::make_sandbox_folder(world, request_.folder,
                                                record_.id.substr(record_.id.size() - 8)));
  SandboxSpec spec;
  spec.folder = folder_;
  for (auto& drilled : stores_) {
    drilled.folder = path_join(folder_, drilled.store->name);
    LB_TRY(restore::make_private_folder(world, drilled.folder, user_));
    spec.visible.push_back(drilled.folder);
  }
  auto scratch = path_join(folder_, "work");
  LB_TRY(restore::make_private_folder(world, scratch, user_));
  spec.visible.push_back(scratch);
  spec.readable.push_back(request_.plan_folder);
  spec.user = user_;
  spec.memory_bytes = target_ != nullptr ? target_->memory_bytes.value_or(0) : 0;
  spec.cpus = target_ != nullptr ? target_->cpus.value_or(0) : 0;
  sandbox_ = LB_TRY(world.sandboxes.create(spec));
  record_.isolation.facts = sandbox_->isolation();
  return {};
}

Status Runner::preflight() {
  auto& world = tools_.world;
  std::uint64_t needed = 0, inodes = 0;
  std::vector<std::string> lacking, hints;
  for (auto& drilled : stores_) {
    if (drilled.store->kind == plan::StoreKind::files) {
      auto need = LB_TRY(files::space_needed(*drilled.snapshot));
      needed += need.bytes;
      inodes += need.files;
      continue;
    }
    auto outcome = LB_TRY(pg::preflight(world, *drilled.snapshot, *drilled.choice.target, folder_));
    needed += outcome.bytes_needed;
    for (const auto& unseen : outcome.unseen) {
      record_.findings.push_back(
          {"note", cat(drilled.store->name, ": ", unseen.text), unseen.hint});
      preflight_unseen_.push_back(cat(drilled.store->name, ": ", unseen.text));
    }
    for (const auto& finding : outcome.findings) {
      if (finding.ok) continue;
      lacking.push_back(cat(drilled.store->name, ": ", finding.text));
      if (std::find(hints.begin(), hints.end(), finding.hint) == hints.end())
        hints.push_back(finding.hint);
    }
  }
  // All at once: whoever installs one thing wants to know of the others.
  if (!lacking.empty()) {
    return Error(ErrorKind::unsupported, join(lacking, "; "))
        .with_hint(join(hints, "; "))
        .with_exit(ExitCode::target_unreachable);
  }
  auto space = LB_TRY(world.files.space(folder_));
  if (space.available < needed) {
    return Error(ErrorKind::exhausted, cat("the sandbox needs ", human_size(needed), " in ",
                                           folder_, ", there are ", human_size(space.available)))
        .with_hint("free space, or name a roomier place with folder: in the target");
  }
  if (space.inodes_available > 0 && space.inodes_available < inodes) {
    return Error(ErrorKind::exhausted, cat("the sandbox needs ", inodes, " inodes in ", folder_));
  }
  return {};
}

Status Runner::restore_stores(std::stop_token stop) {
  std::vector<std::string> all;
  for (const auto& drilled : stores_) all.push_back(drilled.store->name);
  return restore(all, stop);
}

Status Runner::restore(const std::vector<std::string>& stores, std::stop_token stop) {
  std::vector<DrilledStore*> wanted;
  for (auto& drilled : stores_) {
    const auto& name = drilled.store->name;
    bool asked = std::find(stores.begin(), stores.end(), name) != stores.end();
    if (asked && !restored_.contains(name)) wanted.push_back(&drilled);
  }
  LB_TRY(run_together(wanted, stop, [&](DrilledStore& drilled, std::stop_token token) {
    auto started = tools_.world.clock.steady();
    auto status = restore_one(drilled, token);
    drilled.took = tools_.world.clock.steady() - started;
    return status;
  }));
  for (const auto* drilled : wanted) restored_.insert(drilled->store->name);
  return {};
}

std::string Runner::point_of(const std::string& store) const {
  for (const auto& drilled : stores_) {
    if (drilled.store->name != store) continue;
    const auto& target = drilled.choice.target;
    if (target && target->last_commit) return format_time(target->last_commit->time);
    return drilled.choice.snapshot.id;
  }
  return "";
}

Status Runner::restore_one(DrilledStore& drilled, std::stop_token stop) {
  if (drilled.store->kind == plan::StoreKind::files) return restore_files(drilled, stop);
  return restore_database(drilled, stop);
}

Status Runner::restore_files(DrilledStore& drilled, std::stop_token stop) {
  auto timer = stages_.begin("restore", drilled.store->name);
  files::RestoreOptions options;
  options.folder = drilled.folder;
  options.owners = false;
  options.owner_override = user_;
  options.workers = request_.workers;
  drilled.restored = LB_TRY(files::restore(tools_.world, *drilled.snapshot, options, {}, stop)
                                .context(cat("restore ", drilled.store->name)));
  timer.finish(true, drilled.restored.bytes);
  return {};
}

Status Runner::restore_database(DrilledStore& drilled, std::stop_token stop) {
  const auto& name = drilled.store->name;
  restore::PostgresWishes wishes;
  wishes.place = {path_join(drilled.folder, "data"), path_join(drilled.folder, "run")};
  wishes.owner = user_;
  wishes.run_marker = run_marker_;
  wishes.workers = request_.workers;
  auto layout = stages_.begin("restore", name);
  auto replay_started = tools_.world.clock.now();
  wishes.laid_out = [&](const RestoreOutcome& outcome) {
    layout.finish(true, outcome.bytes);
    replay_started = tools_.world.clock.now();
  };
  auto restored = LB_TRY(restore::restore_postgres(tools_.world, tools_.source_of(name),
                                                   drilled.choice, wishes, *sandbox_, stop));
  drilled.restored = restored.layout;
  drilled.server = std::move(restored.server);
  const auto& reached = drilled.server->reached();
  stages_.add({"replay", name, replay_started, tools_.world.clock.now() - replay_started,
               reached.log_bytes, true, cat("to ", pg::format_lsn(reached.lsn))});
  return {};
}

}  // namespace lb::drill
