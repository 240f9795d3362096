// One database of a running server exchanged for a restored one: streamed beside it, checked, then
// renamed. The old one is kept; `swap undo` puts it back.
#include "app/cli/protected_places.h"
#include "app/cli/restore_request.h"
#include "app/cli/restored_copy.h"
#include "app/cli/swap_checks.h"
#include "app/cli/swap_steps.h"
#include "foundation/base/text.h"
#include "recovery/swap/proven_elsewhere.h"
#include "stores/postgres/kept_databases.h"
#include "stores/postgres/same_cluster.h"

namespace lb::cli {

namespace {

// The new database takes about what the live one does, and the log of writing it.
constexpr std::uint64_t space_factor = 2;

class DatabaseSwap {
 public:
  DatabaseSwap(const Shell& shell, Session& session, const Request& request,
               const restore::Choice& choice)
      : shell_(shell), session_(session), request_(request), choice_(choice) {}

  Result<Json> run() {
    LB_TRY(connect());
    wish_.point = choice_.snapshot.id;
    wish_.as_of = as_of(choice_);
    LB_TRY(choose_run());
    state_ = LB_TRY(pg::look_at_swap(*connection_, wish_));
    auto preview = LB_TRY(pg::check_swap(*connection_, wish_));
    if (to_fill()) LB_TRY(check_majors(shell_, choice_, *connection_));
    LB_TRY(check_space(preview));
    auto act = notice(preview);
    shell_.console.note(swap::shown(act));
    LB_TRY(check_first(act.target));
    if (request_.dry_run) return dry_run_summary();
    LB_TRY(confirm_swap(shell_, request_.confirmed, act));
    auto started = shell_.world.clock.steady();
    LB_TRY(work());
    took_ = shell_.world.clock.steady() - started;
    tell();
    return summary();
  }

 private:
  Status connect() {
    const auto& rescue = *request_.rescue;
    into_ = LB_TRY(session_.references->secret(rescue.into));
    wish_.live = rescue.database;
    wish_.keep = request_.replacement->keep;
    // One of the server's own: nobody exchanges that.
    maintenance_ = LB_TRY(pg::conninfo_to(into_, "postgres"));
    connection_ = LB_TRY(open_server());
    second_ = LB_TRY(open_server());
    return {};
  }

  Result<std::unique_ptr<pg::Connection>> open_server() {
    pg::ConnectOptions options;
    options.application_name = "lifeboat restore";
    auto opened = pg::Connection::open(maintenance_, options);
    if (opened.ok()) return opened;
    return std::move(opened).take_error().context("--into").with_exit(ExitCode::target_unreachable);
  }

  // A new id, or that of the swap that is gone on with. One that was interrupted is not left aside
  // without a word.
  Status choose_run() {
    const auto& given = request_.replacement->run;
    auto fresh = session_.repository->fresh_id();
    wish_.id = lower(given.empty() ? fresh.substr(fresh.size() - 8) : given);
    if (!given.empty()) return {};
    auto kept = LB_TRY(pg::kept_databases(*connection_));
    for (const auto& each : kept) {
      pg::SwapWish other{wish_.live, each.mark.id, {}};
      bool ours =
          each.name == pg::swap_new_name(other) || each.name == pg::swap_unfinished_name(other);
      if (!ours || each.mark.until) continue;
      return Error(ErrorKind::denied, cat("swap ", each.mark.id, " of ", printable(wish_.live),
                                          " is not finished: ", printable(each.name)))
          .with_hint(cat("go on with --run ", each.mark.id, ", or remove it: lifeboat swap undo ",
                         each.mark.id))
          .with_exit(ExitCode::refused);
    }
    return {};
  }

  bool to_fill() const {
    return state_.stage == pg::SwapStage::none || state_.stage == pg::SwapStage::unfinished;
  }

  // The rule `first:` of the target, for what is about to be filled.
  Status check_first(const std::string& name) const {
    constexpr auto proof_within = std::chrono::hours(24 * 7);
    const auto* target = session_.plan.plan.target(name);
    if (target == nullptr || target->first.empty() || !to_fill()) return {};
    auto drills = LB_TRY(state::drills(*session_.repository));
    auto proof = swap::proven_elsewhere(
        drills, {request_.store->name, wish_.point, wish_.as_of, target->first, proof_within},
        shell_.world.clock.now());
    if (proof.proven) return {};
    return Error(ErrorKind::denied, cat("target ", name, " takes what has passed its checks in ",
                                        target->first, " first: ", proof.reason))
        .with_hint(cat("run a drill of that point into ", target->first))
        .with_exit(ExitCode::refused);
  }

  // Where the server runs on this host; elsewhere nobody can say.
  Status check_space(const pg::SwapPreview& preview) {
    if (!to_fill()) return {};
    auto data = connection_->query("SHOW data_directory");
    auto folder = data.ok() ? data->rows.at(0).at(0).value_or("") : std::string();
    auto& files = shell_.world.files;
    bool here = preview.folder && !folder.empty() &&
                pg::check_same_cluster(files, maintenance_, folder).ok();
    if (!here) {
      notes_.push_back(cat("whether the server has room for ",
                           human_size(space_factor * preview.live_bytes),
                           " more cannot be seen from here"));
      return {};
    }
    auto space = LB_TRY(files.space(*preview.folder));
    if (space.available >= space_factor * preview.live_bytes) return {};
    return Error(
               ErrorKind::exhausted,
               cat("the new database needs about ", human_size(space_factor * preview.live_bytes),
                   " in ", printable(*preview.folder), ", there are ", human_size(space.available)))
        .with_hint("make room; lifeboat swap clean removes old databases whose time is over")
        .with_exit(ExitCode::no_space);
  }

  swap::DestructiveAct notice(const pg::SwapPreview& preview) const {
    swap::DestructiveAct act;
    act.host = shell_.host;
    act.target = request_.guarded.empty() ? session_.plan.plan.system : request_.guarded;
    act.place = cat("database ", wish_.live, " of ", request_.rescue->into_words);
    act.store = request_.store->name;
    // What is filled already is what takes the place, whatever is wished for now.
    act.point = to_fill() ? wish_.point : state_.point;
    act.as_of = to_fill() ? wish_.as_of : state_.as_of;
    act.now = shell_.world.clock.now();
    act.overwritten = {{cat("database ", wish_.live), preview.live_bytes}};
    act.kept = wish_.keep;
    act.notes = notes_;
    act.notes.push_back(cat("sessions that will be ended: ", preview.sessions));
    act.notes.insert(act.notes.end(), preview.notes.begin(), preview.notes.end());
    return act;
  }

  Status work() {
    pg::SwapServer server{*connection_, *second_, shell_.world.clock};
    pg::SwapActs acts;
    acts.fill = [&](const std::string& name, const std::string& tablespace) {
      return fill(name, tablespace);
    };
    acts.verify = [&](const std::string& name) { return verify(name); };
    while (state_.stage != pg::SwapStage::swapped) {
      auto next = pg::advance_swap(server, wish_, acts, shell_.stop);
      if (!next.ok()) return left_behind(std::move(next).take_error());
      state_ = *next;
      shell_.console.note(cat("swap     ", wish_.id, ": ", pg::name_of(state_.stage)));
    }
    return {};
  }

  // What an operator finds, and what to do with it.
  Error left_behind(Error error) {
    auto state = pg::look_at_swap(*connection_, wish_);
    if (!state.ok()) return error;
    if (state->stage == pg::SwapStage::none)
      return std::move(error).with_left("the target, unchanged");
    return std::move(error)
        .with_left(cat(printable(wish_.live), " as it was, and beside it ",
                       printable(state->beside), " (", pg::name_of(state->stage), ")"))
        .with_hint(cat("the same command with --run ", wish_.id, " goes on; lifeboat swap undo ",
                       wish_.id, " removes it"));
  }

  Status fill(const std::string& name, const std::string& tablespace) {
    LB_TRY(check_preflight(shell_, session_, session_.sandbox_root, choice_));
    auto copy = LB_TRY(RestoredCopy::make(shell_, session_, choice_, wish_.live));
    reached_ = copy->reached();
    expected_rows_ = rows_expected(shell_, session_, choice_, copy->server(),
                                   {request_.store->name, copy->conninfo(), copy->run_marker()});
    pg::DatabaseWish wish{wish_.live, name, true, tablespace};
    auto moved = move_database(shell_, *copy, into_, wish);
    shell_.console.end_progress();
    LB_TRY(copy->close());
    auto done = LB_TRY(std::move(moved));
    rows_ = done.rows;
    left_out_ = done.left_out;
    return {};
  }

  Status verify(const std::string& name) {
    auto conninfo = LB_TRY(pg::conninfo_to(into_, name));
    auto marker = session_.repository->fresh_id();
    auto alter = cat("ALTER DATABASE ", pg::quote_name(name));
    // So that checks that reach another database fail.
    LB_TRY(connection_->query(cat(alter, " SET \"lifeboat.run\" TO ", pg::quote_literal(marker))));
    {
      auto fresh = LB_TRY(pg::Connection::open(conninfo));
      // Without statistics the first queries on it would be slow.
      LB_TRY(fresh->query("ANALYZE"));
    }
    auto checked =
        run_suites(shell_, session_, request_.replacement->suites,
                   {request_.store->name, std::string(conninfo.reveal()), marker, expected_rows_});
    LB_TRY(connection_->query(cat(alter, " RESET \"lifeboat.run\"")));
    return checked;
  }

  void tell() {
    if (shell_.console.options().json) return;
    auto as_of = reached_ && reached_->last_commit
                     ? cat(" as of the commit of ", format_time(*reached_->last_commit))
                     : std::string();
    shell_.console.out(cat("exchanged ", printable(wish_.live), " for the restored one", as_of,
                           " in ", human_duration(took_), "\nthe old one is ",
                           printable(state_.beside), ", kept until ",
                           format_time_seconds(state_.until.value()),
                           "\nput it back with: lifeboat swap undo ", wish_.id));
    for (const auto& each : left_out_) shell_.console.out(cat("left out  ", each));
  }

  Json summary() const {
    Json left_out = Json::array();
    for (const auto& each : left_out_) left_out.push(each);
    auto out = Json::object()
                   .set("verb", "restore")
                   .set("ok", true)
                   .set("exit", 0)
                   .set("how", "beside-then-swap")
                   .set("store", request_.store->name)
                   .set("point", state_.point)
                   .set("database", wish_.live)
                   .set("swap", wish_.id)
                   .set("old", state_.beside)
                   .set("kept_until", format_time_seconds(state_.until.value()))
                   .set("left_out", std::move(left_out))
                   .set("expected_rows", json_of_rows(expected_rows_))
                   .set("took_us", std::int64_t{took_.count()});
    if (reached_) out.set("rows", rows_).set("lsn", pg::format_lsn(reached_->lsn));
    if (reached_ && reached_->last_commit)
      out.set("last_commit", format_time(*reached_->last_commit));
    return out;
  }

  const Shell& shell_;
  Session& session_;
  const Request& request_;
  const restore::Choice& choice_;
  Secret into_, maintenance_;
  pg::SwapWish wish_;
  pg::SwapState state_;
  std::map<std::string, std::int64_t> expected_rows_;
  std::unique_ptr<pg::Connection> connection_, second_;
  std::vector<std::string> notes_, left_out_;
  std::optional<pg::RecoveryReached> reached_;  // when this run filled the new database
  std::uint64_t rows_ = 0;
  Micros took_{0};
};

}  // namespace

Result<Json> restore_database_swap(const Shell& shell, Session& session, const Request& request,
                                   const restore::Choice& choice) {
  return DatabaseSwap(shell, session, request, choice).run();
}

}  // namespace lb::cli
