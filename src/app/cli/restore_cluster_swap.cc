// A data directory exchanged for a restored one: laid out and recovered beside it, checked on its
// own socket, then put in its place while the server is down. `swap undo` puts the old one back.
#include "app/cli/replay_place.h"
#include "app/cli/restore_request.h"
#include "app/cli/service_command.h"
#include "app/cli/swap_checks.h"
#include "app/cli/swap_steps.h"
#include "foundation/base/text.h"
#include "recovery/restore/postgres_restore.h"
#include "recovery/restore/sandbox_folder.h"
#include "recovery/restore/unfinished.h"
#include "recovery/swap/cluster_swap.h"
#include "stores/postgres/target_folder.h"

namespace lb::cli {

namespace {

class DataSwap {
 public:
  DataSwap(const Shell& shell, Session& session, const Request& request,
           const restore::Choice& choice)
      : shell_(shell), session_(session), request_(request), choice_(choice) {}

  Result<Json> run() {
    wish_.live = request_.folder;
    wish_.keep = request_.replacement->keep;
    conninfo_ = LB_TRY(session_.references->secret(request_.store->address));
    wish_.point = choice_.snapshot.id;
    wish_.as_of = as_of(choice_);
    LB_TRY(choose_swap_run(shell_, session_, request_, wish_));
    state_ = LB_TRY(swap::look_at_folder_swap(folder_swap()));
    auto act = LB_TRY(notice());
    shell_.console.note(swap::shown(act));
    if (request_.dry_run) return dry_run_summary();
    LB_TRY(confirm_swap(shell_, request_.confirmed, act));
    auto started = shell_.world.clock.steady();
    LB_TRY(work());
    took_ = shell_.world.clock.steady() - started;
    tell();
    return summary();
  }

 private:
  swap::FolderSwap folder_swap() const { return {shell_.world.files, shell_.world.clock, wish_}; }

  Result<swap::DestructiveAct> notice() {
    auto& files = shell_.world.files;
    swap::DestructiveAct act;
    // Once it is under way, what has the name may be neither.
    if (is_to_fill(state_)) {
      LB_TRY(pg::check_same_major(files, wish_.live, choice_.details->server_version));
      auto preview = LB_TRY(swap::check_cluster_swap(
          shell_.world, wish_,
          state_.stage == swap::FolderStage::none ? choice_.details->data_bytes : 0));
      LB_TRY(check_owner(preview));
      act.notes = preview.notes;
      auto bytes = LB_TRY(pg::allocated_bytes(files, wish_.live));
      act.overwritten = {{cat("data directory ", wish_.live), bytes}};
      if (preview.system_identifier != choice_.details->system_identifier)
        act.notes.push_back("it is the data directory of another database than that of the point");
    } else {
      act.overwritten = {{cat("data directory ", wish_.live), std::nullopt}};
    }
    act.host = shell_.host;
    act.target = request_.guarded.empty() ? session_.plan.plan.system : request_.guarded;
    act.place = cat("the server on ", wish_.live);
    act.store = request_.store->name;
    // What is filled already is what takes the place, whatever is wished for now.
    act.point = is_to_fill(state_) ? wish_.point : state_.point;
    act.as_of = is_to_fill(state_) ? wish_.as_of : state_.as_of;
    act.now = shell_.world.clock.now();
    act.kept = wish_.keep;
    act.notes.push_back("the server is down while the folders are exchanged");
    return act;
  }

  // The files of the new one belong to whom the restore runs as.
  Status check_owner(const swap::ClusterPreview&) const {
    auto owner = LB_TRY(shell_.world.files.info(wish_.live));
    auto user = LB_TRY(shell_.world.sandboxes.unprivileged_user("postgres"));
    if (owner.uid == user.uid) return {};
    return pg::refused_folder(
        wish_.live, cat("belongs to user ", owner.uid, ", a restore here to user ", user.uid),
        "restore with --to, hand it over with chown, and exchange it by hand");
  }

  Status work() {
    swap::ClusterSwap cluster{shell_.world, conninfo_, wish_.live};
    cluster.fill = [&](const std::string& folder) { return fill(folder); };
    cluster.verify = [&](const std::string& folder) { return verify(folder); };
    cluster.stop = service_command(shell_, session_, request_.replacement->stop);
    cluster.start = service_command(shell_, session_, request_.replacement->start);
    cluster.stopped = shell_.stop;
    auto acts = swap::cluster_acts(cluster);
    FolderExchange exchange{shell_, folder_swap(), "cluster", "its server", true};
    exchange.is_down = [this] { return pg::check_no_server(shell_.world.files, wish_.live).ok(); };
    // The commands hear of a stop themselves: between them the server may be down.
    return carry_out(exchange, acts, state_, {});
  }

  Status fill(const std::string& folder) {
    auto place = LB_TRY(make_replay_place(shell_, session_));
    auto filled = fill_in(folder, place);
    shell_.console.end_progress();
    if (place.sandbox) LB_TRY(close_replay_place(shell_, place));
    return filled;
  }

  Status fill_in(const std::string& folder, ReplayPlace& place) {
    auto& world = shell_.world;
    auto before = LB_TRY(restore::look_at_target(world.files, folder));
    // The mark goes last: an earlier run came to its end and was killed right then.
    if (before == restore::TargetState::occupied) return verify(folder);
    LB_TRY(restore::make_private_folder(world, folder, place.user));
    LB_TRY(before == restore::TargetState::free
               ? restore::mark_unfinished(world.files, folder, request_.words)
               : restore::take_over_unfinished(world.files, folder, request_.words));
    LB_TRY(open_sandbox(shell_, place, folder));
    restore::PostgresWishes wishes;
    wishes.place = {folder, place.run};
    wishes.owner = place.user;
    wishes.throwaway = false;
    wishes.over_present = before != restore::TargetState::free;
    wishes.run_marker = session_.repository->fresh_id();
    wishes.progress = shell_.console.progress(cat("restore ", request_.store->name));
    auto restored = LB_TRY(restore::restore_postgres(world, *session_.repository, choice_, wishes,
                                                     *place.sandbox, shell_.stop));
    shell_.console.end_progress();
    reached_ = restored.server->reached();
    auto connection =
        cat(restored.server->conninfo(), " dbname=", pg::quote_conninfo(choice_.details->database));
    CheckedCopy copy{request_.store->name, connection, wishes.run_marker};
    expected_rows_ = rows_expected(shell_, session_, choice_, *restored.server, copy);
    copy.expected_rows = expected_rows_;
    LB_TRY(run_suites(shell_, session_, request_.replacement->suites, copy));
    LB_TRY(restored.server->shut_down());
    return restore::remove_mark(world.files, folder);
  }

  // The checks ran on its own server, which was shut down in order.
  Status verify(const std::string& folder) const {
    auto data = LB_TRY(pg::look_at_present_data(shell_.world.files, folder));
    if (data.system_identifier == choice_.details->system_identifier) return {};
    return Error(ErrorKind::corrupt,
                 cat(printable(folder), " does not hold the cluster of the point"))
        .with_exit(ExitCode::check_not_met);
  }

  void tell() {
    if (shell_.console.options().json) return;
    auto as_of = reached_ && reached_->last_commit
                     ? cat(" as of the commit of ", format_time(*reached_->last_commit))
                     : std::string();
    shell_.console.out(cat("exchanged ", printable(wish_.live), " for the restored one", as_of,
                           " in ", human_duration(took_), "; its server answers\nthe old one is ",
                           printable(state_.beside), ", kept until ",
                           format_time_seconds(state_.until.value()),
                           "\nput it back with: lifeboat swap undo ", wish_.id,
                           " --stop … --start …\nif it archives: lifeboat wal admit --store ",
                           request_.store->name, " --data ", printable(wish_.live)));
  }

  Json summary() const {
    auto out = Json::object()
                   .set("verb", "restore")
                   .set("ok", true)
                   .set("exit", 0)
                   .set("how", "beside-then-swap")
                   .set("store", request_.store->name)
                   .set("point", state_.point)
                   .set("folder", wish_.live)
                   .set("swap", wish_.id)
                   .set("old", state_.beside)
                   .set("kept_until", format_time_seconds(state_.until.value()))
                   .set("expected_rows", json_of_rows(expected_rows_))
                   .set("took_us", std::int64_t{took_.count()});
    if (reached_)
      out.set("lsn", pg::format_lsn(reached_->lsn))
          .set("timeline", std::int64_t{reached_->timeline});
    if (reached_ && reached_->last_commit)
      out.set("last_commit", format_time(*reached_->last_commit));
    return out;
  }

  const Shell& shell_;
  Session& session_;
  const Request& request_;
  const restore::Choice& choice_;
  Secret conninfo_;
  swap::FolderWish wish_;
  swap::FolderState state_;
  std::map<std::string, std::int64_t> expected_rows_;
  std::optional<pg::RecoveryReached> reached_;  // when this run filled the new folder
  Micros took_{0};
};

}  // namespace

Result<Json> restore_cluster_swap(const Shell& shell, Session& session, const Request& request,
                                  const restore::Choice& choice) {
  return DataSwap(shell, session, request, choice).run();
}

}  // namespace lb::cli
