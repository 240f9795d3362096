#include "stores/postgres/log_fetch.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/log_receiver.h"

namespace lb::pg {
namespace {

constexpr Micros patience = Seconds(15);  // with a stream that makes no progress
constexpr Micros look_again = std::chrono::milliseconds(300);
constexpr Micros look_again_first = std::chrono::milliseconds(20);
constexpr Micros report_every = Seconds(5);

Error stopped() { return Error(ErrorKind::cancelled, "stopped").with_exit(ExitCode::interrupted); }

}  // namespace

Result<bool> log_covers(repo::Repository& repository, const std::string& log_id,
                        std::uint64_t segment_bytes, std::uint32_t timeline, Lsn from, Lsn until) {
  const std::vector<repo::LogInfo> infos = LB_TRY(repository.logs(log_id));
  Lsn have = from / segment_bytes * segment_bytes;
  for (const repo::LogInfo& info : infos) {
    const Lsn begins = info.name.segment * segment_bytes;
    if (info.name.timeline != timeline || begins < have) continue;
    if (begins > have) break;
    have = begins + (info.complete ? segment_bytes : info.durable_bytes);
    if (!info.complete) break;
  }
  return have >= until;
}

LogFetch::LogFetch(std::unique_ptr<ReplicationLink> link, std::string slot,
                   repo::Repository& repository, Clock& clock, std::string log_id,
                   std::uint64_t segment_bytes)
    : link_(std::move(link)),
      slot_(std::move(slot)),
      repository_(repository),
      clock_(clock),
      log_id_(std::move(log_id)),
      segment_bytes_(segment_bytes) {}

LogFetch::~LogFetch() { stop_.request_stop(); }

void LogFetch::start(std::uint32_t timeline, Lsn from) {
  thread_ = std::jthread(
      [this, timeline, from] { outcome_ = receive(timeline, from, stop_.get_token()); });
}

Status LogFetch::receive(std::uint32_t timeline, Lsn from, const std::stop_token& stop) {
  LogWriter writer(repository_, log_id_, segment_bytes_,
                   [this](const std::string& line) { warnings_.push_back(line); });
  const Lsn begins = from / segment_bytes_ * segment_bytes_;
  LB_TRY(writer.begin(timeline, begins));
  LB_TRY(link_->start_log(slot_, timeline, begins).context("fetch the backup's log"));
  LogReceiver receiver(*link_, writer, clock_, begins);
  Micros reported = clock_.steady();
  while (until_ == 0 || writer.received() < until_) {
    if (stop.stop_requested()) return stopped();
    const CopyEvent event = LB_TRY(receiver.step(look_again, stop));
    if (event == CopyEvent::ended) {
      LB_TRY(link_->end_log(stop));
      return Error(ErrorKind::unavailable,
                   cat("the server ended the log at ", format_lsn(writer.received()),
                       ": it was shut down or failed over during the backup"))
          .with_exit(ExitCode::store_unreachable);
    }
    if (clock_.steady() - reported < report_every) continue;
    reported = clock_.steady();
    LB_TRY(receiver.report());
  }
  LB_TRY(writer.flush());
  link_->finish_log();
  return {};
}

// True when it came; false when no stream brings it.
Result<bool> LogFetch::wait_for_stream(std::uint32_t timeline, Lsn from, Lsn until,
                                       const std::stop_token& stop) {
  std::vector<repo::LogInfo> before;
  Micros grown = clock_.steady();
  for (Micros wait = look_again_first;; wait = std::min(2 * wait, look_again)) {
    const bool covered =
        LB_TRY(log_covers(repository_, log_id_, segment_bytes_, timeline, from, until));
    if (covered) return true;
    std::vector<repo::LogInfo> now = LB_TRY(repository_.logs(log_id_));
    const bool same = now.size() == before.size() &&
                      (now.empty() || now.back().durable_bytes == before.back().durable_bytes);
    if (!same) grown = clock_.steady();
    before = std::move(now);
    if (clock_.steady() - grown > patience) return false;
    if (!clock_.sleep(wait, stop)) return stopped();
  }
}

Status LogFetch::finish(std::uint32_t timeline, Lsn from, Lsn until, bool stream_runs,
                        std::stop_token stop) {
  until_ = until;
  if (!thread_.joinable()) {
    bool came = false;
    if (stream_runs) came = LB_TRY(wait_for_stream(timeline, from, until, stop));
    if (came) return {};
    warnings_.push_back(
        "no running stream brought the backup's log, so the backup fetched it itself: "
        "is `lifeboat backup --follow` running?");
    return receive(timeline, from, stop);
  }
  const std::stop_callback forward(stop, [this] { stop_.request_stop(); });
  thread_.join();
  return outcome_;
}

}  // namespace lb::pg
