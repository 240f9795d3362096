#include "app/cli/follow_watch.h"

#include <algorithm>

#include "app/cli/alert_desk.h"
#include "foundation/base/text.h"
#include "stores/postgres/server_log.h"

namespace lb::cli {

namespace {

constexpr Micros look_interval = Seconds(5);
constexpr double spool_share = 0.8;  // of what it may hold

bool at_its_limit(const std::string& state) { return state == "unreserved" || state == "lost"; }

}  // namespace

void FollowWatch::status(const pg::StreamStatus& status) {
  const std::lock_guard lock(mutex_);
  status_ = status;
  trouble_at_.reset();
}

void FollowWatch::trouble(const std::string& text, Micros steady) {
  const std::lock_guard lock(mutex_);
  trouble_ = text;
  if (!trouble_at_) trouble_at_ = steady;
}

void FollowWatch::ended(const Status& status) {
  const std::lock_guard lock(mutex_);
  if (status.ok() || status.error().kind() == ErrorKind::cancelled) return;
  failure_ = told_text(status.error());
}

bool FollowWatch::in_doubt(Micros steady) const {
  const std::lock_guard lock(mutex_);
  return failure_.empty() && trouble_at_ && steady - *trouble_at_ >= trouble_lasts;
}

void FollowWatch::connected() {
  const std::lock_guard lock(mutex_);
  trouble_at_.reset();
}

std::string FollowWatch::slot() const {
  const std::lock_guard lock(mutex_);
  return status_ ? status_->slot : cat("lifeboat_", store_.name);
}

std::vector<watch::Finding> FollowWatch::findings(Micros steady) const {
  const bool doubt = in_doubt(steady);
  const std::lock_guard lock(mutex_);
  std::vector<watch::Finding> out;
  const auto& name = store_.name;
  if (!failure_.empty() || doubt) {
    out.push_back({"log failing", cat("stream of ", name, " on ", host_), true,
                   failure_.empty() ? cat("Nothing has come since: ", trouble_)
                                    : cat("The stream has ended. ", failure_)});
  } else if (status_ && !trouble_at_) {
    out.push_back({"log failing", cat("stream of ", name, " on ", host_), false,
                   cat("The log is durable up to ", pg::format_lsn(status_->durable), ".")});
  }
  if (!status_) return out;
  // That there is none since this stream began says nothing of older ones.
  if (!status_->gap.empty())
    out.push_back(
        {"log gap", name, true,
         cat("The log from ", status_->gap,
             " is missing. Points after it need a backup taken after it: lifeboat backup ", name)});
  if (!status_->slot_state.empty())
    out.push_back({"log filling", cat("slot ", status_->slot), at_its_limit(status_->slot_state),
                   cat("Slot ", status_->slot, " is ", status_->slot_state,
                       ": what the server keeps for it has reached max_slot_wal_keep_size, and log "
                       "that was not fetched is removed.")});
  if (store_.spool.empty()) return out;
  const auto most = store_.spool_bytes_max.value_or(pg::StreamOptions{}.spool_bytes_max);
  const auto held = status_->acknowledged - std::min(status_->durable, status_->acknowledged);
  const auto share =
      static_cast<double>(held) / static_cast<double>(std::max<std::uint64_t>(most, 1));
  out.push_back({"spool filling", cat("spool of ", name, " on ", host_), share > spool_share,
                 cat(human_size(held), " of log are only in the spool, which may hold ",
                     human_size(most), ": the repository does not take them. ", trouble_)});
  return out;
}

FollowDesk::FollowDesk(const Shell& shell, Session& session,
                       const std::vector<const plan::Store*>& stores)
    : shell_(shell), session_(session), stores_(stores) {
  for (const auto* store : stores)
    watches_.push_back(std::make_unique<FollowWatch>(*store, shell.host));
  thread_ = std::jthread([this](std::stop_token stop) { work(stop); });
}

FollowDesk::~FollowDesk() {
  thread_.request_stop();
  thread_.join();
  look();
}

void FollowDesk::work(std::stop_token stop) {
  while (!stop.stop_requested()) {
    look();
    (void)shell_.world.clock.sleep(look_interval, stop);
  }
}

void FollowDesk::look() {
  std::vector<watch::Finding> findings;
  for (std::size_t i = 0; i < watches_.size(); ++i) {
    auto& watch = *watches_[i];
    if (watch.in_doubt(shell_.world.clock.steady())) {
      const auto conninfo = session_.references->secret(stores_[i]->address);
      const auto server =
          conninfo.ok() ? pg::read_server_log(*conninfo) : Result<pg::ServerLog>(conninfo.error());
      const bool listens =
          server.ok() &&
          std::any_of(server->slots.begin(), server->slots.end(),
                      [&](const auto& one) { return one.name == watch.slot() && one.active; });
      if (listens) watch.connected();
    }
    // What is as it was is not looked up again.
    for (auto& finding : watch.findings(shell_.world.clock.steady())) {
      auto& known = told_[cat(finding.event, "\n", finding.subject)];
      if (known && *known == finding.wrong) continue;
      known = finding.wrong;
      findings.push_back(std::move(finding));
    }
  }
  tell_people(shell_, session_, findings);
}

}  // namespace lb::cli
