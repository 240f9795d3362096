// cron: the schedules that pg_cron keeps in the restored database are there, active, and due. What
// they run is not shown: it often holds credentials.
#include <algorithm>
#include <map>

#include "foundation/base/text.h"
#include "recovery/check/cron_schedule.h"
#include "recovery/check/session.h"

namespace lb::check {

namespace {

constexpr auto due_within = std::chrono::days(366);

// Read through JSON, because jobs have a name only since pg_cron 1.3.
constexpr const char* jobs_sql =
    "SELECT coalesce(to_jsonb(j)->>'jobname', ''), j.jobid, j.schedule, j.active, j.database,"
    " EXISTS (SELECT FROM pg_database d WHERE d.datname = j.database AND d.datallowconn),"
    " j.username, EXISTS (SELECT FROM pg_roles r WHERE r.rolname = j.username AND r.rolcanlogin),"
    " btrim(j.command, E' \\t\\n;') = '' FROM cron.job j ORDER BY 1, j.jobid";

struct Job {
  std::string name, id, schedule, database, user;
  bool active = false, has_database = false, has_user = false, empty = false;
  std::string shown() const { return name.empty() ? cat("job ", id) : name; }
};

Result<std::vector<Job>> read_jobs(pg::Connection& connection) {
  auto table = LB_TRY(connection.query(jobs_sql));
  std::vector<Job> out;
  for (const auto& row : table.rows) {
    auto text = [&](std::size_t at) { return row.at(at).value_or(""); };
    auto yes = [&](std::size_t at) { return text(at) == "t"; };
    out.push_back({text(0), text(1), text(2), text(4), text(6), yes(3), yes(5), yes(7), yes(8)});
  }
  return out;
}

Result<bool> has_scheduler(pg::Connection& connection) {
  auto found = LB_TRY(connection.query("SELECT to_regclass('cron.job') IS NOT NULL"));
  return found.rows.at(0).at(0) == "t";
}

class CronJudge {
 public:
  CronJudge(const plan::CheckCron& what, Timestamp now) : what_(what), now_(now) {
    out_.expected = cat(what.all ? "every schedule" : join(what.names, ", "),
                        ": there, active, due within 366 days");
  }

  void judge(const std::vector<Job>& jobs) {
    if (what_.all) {
      for (const auto& job : jobs) judge_job(job);
      if (jobs.empty()) problem("cron.job", "holds no schedule: nothing was examined");
    }
    for (const auto& name : what_.names) {
      bool found = false;
      for (const auto& job : jobs) {
        if (job.name != name) continue;
        found = true;
        judge_job(job);
      }
      if (!found) missing(name, "no such schedule in cron.job");
    }
    out_.got = cat(good_, " of ", out_.examined, " as expected, ", jobs.size(), " in cron.job");
  }

  // What is named is gone with the scheduler; without names there is nothing to hold it against.
  Status judge_without_scheduler(const std::string& store) {
    auto why = cat("the restored database of ", store, " has no scheduler: no table cron.job");
    if (what_.names.empty()) {
      return Error(ErrorKind::not_found,
                   cat(why, " (pg_cron keeps it in the database that cron.database_name names)"));
    }
    for (const auto& name : what_.names) missing(name, why);
    out_.got = cat("0 of ", what_.names.size(), ": no table cron.job");
    return {};
  }

  Finding finish() { return std::move(out_); }

 private:
  void problem(const std::string& name, const std::string& why) {
    out_.evidence.problem(cat(printable(name), ": ", why));
    out_.fail(cat(printable(name), ": ", why));
  }

  void missing(const std::string& name, const std::string& why) {
    ++out_.examined;
    problem(name, cat("missing, ", why));
  }

  void judge_job(const Job& job) {
    ++out_.examined;
    auto due = next_due(job.schedule, now_);
    auto wrong = wrong_with(job, due);
    if (!wrong.empty()) return problem(job.shown(), wrong);
    ++good_;
    out_.evidence.add(cat(printable(job.shown()), ": ", printable(job.schedule), ", next due ",
                          *due ? format_time(**due) : "at each start of the server",
                          ", in database ", printable(job.database)));
  }

  std::string wrong_with(const Job& job, const Result<std::optional<Timestamp>>& due) const {
    if (!job.active) return "not active";
    if (!due.ok()) return due.error().message();
    if (*due && **due > now_ + due_within) {
      return cat("'", printable(job.schedule), "' is due only at ", format_time(**due),
                 ", in more than 366 days");
    }
    if (!job.has_database)
      return cat("runs in database ", printable(job.database), ", which is not there");
    if (!job.has_user) {
      return cat("runs as ", printable(job.user), ", who is not there or may not log in");
    }
    return job.empty ? "its command is empty" : "";
  }

  const plan::CheckCron& what_;
  const Timestamp now_;
  Finding out_;
  std::uint64_t good_ = 0;
};

}  // namespace

Result<Finding> check_cron(const plan::CheckCron& what, const Scope& scope) {
  const auto* store = LB_TRY(store_of(scope.context, scope.check.store, plan::StoreKind::postgres));
  auto connection = LB_TRY(connect(scope, *store));
  CronJudge judge(what, scope.context.world.clock.now());
  bool scheduler = LB_TRY(has_scheduler(*connection));
  if (!scheduler) {
    LB_TRY(judge.judge_without_scheduler(store->name));
    return judge.finish();
  }
  auto jobs = LB_TRY(read_jobs(*connection).context("read cron.job"));
  judge.judge(jobs);
  return judge.finish();
}

}  // namespace lb::check
