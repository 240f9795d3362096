// A file tree exchanged for a restored one: laid out beside it, checked, then put in its place in
// one act of the file system. Nothing is merged: what the point has not is not in the new tree.
// `swap undo` puts the old one back.
#include "app/cli/folder_way.h"
#include "app/cli/restore_request.h"
#include "app/cli/service_command.h"
#include "app/cli/swap_checks.h"
#include "app/cli/swap_steps.h"
#include "foundation/base/text.h"
#include "recovery/swap/folder_swap.h"
#include "stores/files/store.h"

namespace lb::cli {

namespace {

constexpr std::size_t shown_max = 5;

// A tree of which the point has only a part would take the rest out of use.
Status check_whole(repo::SnapshotReader& snapshot, const std::string& store) {
  auto missing = LB_TRY(files::left_out(snapshot));
  if (missing.empty()) return {};
  auto count = missing.size();
  if (count > shown_max) missing.resize(shown_max);
  for (auto& each : missing) each = printable(each);
  return Error(ErrorKind::denied,
               cat("the point holds only a part of ", store, "; it lacks ", join(missing, ", "),
                   count > shown_max ? ", …" : "", ": exchanged, the tree would lack it too"))
      .with_left("nothing was restored")
      .with_hint(
          "restore into the tree, without how: beside-then-swap, which keeps what the point "
          "has no say about")
      .with_exit(ExitCode::refused);
}

class TreeSwap {
 public:
  TreeSwap(const Shell& shell, Session& session, const Request& request,
           const restore::Choice& choice)
      : shell_(shell), session_(session), request_(request), choice_(choice) {}

  Result<Json> run() {
    auto& files = shell_.world.files;
    wish_.live = request_.folder;
    wish_.keep = request_.replacement->keep;
    wish_.point = choice_.snapshot.id;
    wish_.as_of = choice_.snapshot.meta.taken;
    LB_TRY(check_tree_apart(files, session_, wish_.live));
    LB_TRY(choose_swap_run(shell_, session_, request_, wish_));
    snapshot_ = LB_TRY(session_.repository->snapshot(choice_.snapshot.id));
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
    // What is filled already was looked at then, and what has the name may be neither.
    if (is_to_fill(state_)) {
      LB_TRY(check_whole(*snapshot_, request_.store->name));
      LB_TRY(swap::check_folder_swap(files, wish_));
      LB_TRY(check_space());
    }
    act.host = shell_.host;
    act.target = request_.guarded.empty() ? session_.plan.plan.system : request_.guarded;
    act.place = cat("the tree ", wish_.live);
    act.store = request_.store->name;
    // What is filled already is what takes the place, whatever is wished for now.
    act.point = is_to_fill(state_) ? wish_.point : state_.point;
    act.as_of = is_to_fill(state_) ? wish_.as_of : state_.as_of;
    act.now = shell_.world.clock.now();
    act.overwritten = {{cat("tree ", wish_.live), std::nullopt}};
    act.kept = wish_.keep;
    if (request_.replacement->stop.empty())
      act.notes.push_back(
          "what has files open there goes on in the old tree until it opens them again");
    return act;
  }

  Status check_space() const {
    // What an interrupted one left counts already.
    if (state_.stage != swap::FolderStage::none) return {};
    auto need = LB_TRY(files::space_needed(*snapshot_));
    auto space = LB_TRY(shell_.world.files.space(path_parent(wish_.live)));
    if (space.available >= need.bytes) return {};
    return Error(ErrorKind::exhausted,
                 cat("the new tree needs ", human_size(need.bytes), " beside ",
                     printable(wish_.live), ", there are ", human_size(space.available)))
        .with_hint("make room; lifeboat swap clean removes old trees whose time is over")
        .with_exit(ExitCode::no_space);
  }

  Status work() {
    const auto& given = *request_.replacement;
    swap::FolderActs acts;
    if (!given.stop.empty()) acts.stop = service_command(shell_, session_, given.stop);
    if (!given.start.empty()) acts.start = service_command(shell_, session_, given.start);
    acts.fill = [&](const std::string& folder) { return fill(folder); };
    acts.verify = [&](const std::string& folder) { return verify(folder); };
    bool commands = acts.stop != nullptr;
    FolderExchange exchange{shell_, folder_swap(), "tree", "what uses it", commands};
    return carry_out(exchange, acts, state_, shell_.stop);
  }

  Status fill(const std::string& folder) {
    Request inner;
    inner.store = request_.store;
    inner.folder = folder;
    // What a killed one left there and the point has not is deleted.
    inner.exact = true;
    inner.confirmed = session_.plan.plan.system;
    auto filled = restore_files(shell_, session_, inner, choice_);
    if (filled.ok()) filled_ = *filled;
    return filled.status();
  }

  Status verify(const std::string& folder) {
    CheckedCopy copy;
    copy.store = request_.store->name;
    copy.folder = folder;
    // What is checked is what it was filled from.
    auto of = state_.point.empty() ? choice_.snapshot.id : state_.point;
    auto snapshot = LB_TRY(session_.repository->snapshot(of));
    copy.snapshot = snapshot.get();
    return run_suites(shell_, session_, request_.replacement->suites, copy);
  }

  void tell() const {
    if (shell_.console.options().json) return;
    shell_.console.out(cat("exchanged ", printable(wish_.live), " for the restored one in ",
                           human_duration(took_), "\nthe old one is ", printable(state_.beside),
                           ", kept until ", format_time_seconds(state_.until.value()),
                           "\nput it back with: lifeboat swap undo ", wish_.id));
  }

  Json summary() const {
    auto out = Json::object()
                   .set("verb", "restore")
                   .set("ok", true)
                   .set("exit", filled_["exit"].integer())
                   .set("how", "beside-then-swap")
                   .set("store", request_.store->name)
                   .set("point", state_.point)
                   .set("folder", wish_.live)
                   .set("swap", wish_.id)
                   .set("old", state_.beside)
                   .set("kept_until", format_time_seconds(state_.until.value()))
                   .set("took_us", std::int64_t{took_.count()});
    // Nothing when another run filled it.
    if (filled_.is_object()) out.set("warnings", filled_["warnings"]);
    return out;
  }

  const Shell& shell_;
  Session& session_;
  const Request& request_;
  const restore::Choice& choice_;
  swap::FolderWish wish_;
  swap::FolderState state_;
  std::unique_ptr<repo::SnapshotReader> snapshot_;
  Json filled_;
  Micros took_{0};
};

}  // namespace

// What this program itself lives from would go away with the old tree.
Status check_tree_apart(Files& files, const Session& session, const std::string& live) {
  auto tree = LB_TRY(FolderWay::of(files, live));
  for (const auto& own : {session.repository_folder, session.state_folder, session.sandbox_root}) {
    if (own.empty()) continue;
    auto way = LB_TRY(FolderWay::of(files, own));
    if (!tree.contains(way)) continue;
    return Error(ErrorKind::denied, cat(printable(own), " lies in ", printable(live),
                                        ": it would be exchanged with it"))
        .with_left("nothing was restored")
        .with_hint(
            "keep repository, state and sandboxes out of the tree, or restore into it "
            "without how: beside-then-swap")
        .with_exit(ExitCode::refused);
  }
  return {};
}

Result<Json> restore_tree_swap(const Shell& shell, Session& session, const Request& request,
                               const restore::Choice& choice) {
  return TreeSwap(shell, session, request, choice).run();
}

}  // namespace lb::cli
