#include "stores/postgres/spooled_log.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::pg {
namespace {

constexpr Micros pause_min = std::chrono::milliseconds(500);
constexpr Micros pause_max = Seconds(15);
constexpr Micros look_every = Seconds(1);
constexpr std::uint64_t carried_at_the_end = 64ull << 20;

}  // namespace

SpooledLog::SpooledLog(Clock& clock, std::unique_ptr<LogSpool> spool,
                       std::function<std::unique_ptr<LogWriter>()> make_writer,
                       const Options& options, Trouble on_trouble)
    : clock_(clock),
      spool_(std::move(spool)),
      make_writer_(std::move(make_writer)),
      options_(options),
      on_trouble_(std::move(on_trouble)),
      thread_([this](std::stop_token stop) { carry_on(std::move(stop)); }) {}

SpooledLog::~SpooledLog() {
  const Status closed = spool_->close();
  if (!closed.ok()) on_trouble_(closed.error().text());
  thread_.request_stop();
  thread_.join();
  if (spool_->empty()) return;
  on_trouble_(cat(human_size(spool_->bytes()),
                  " of log stay in the spool of this host, and not yet in the repository: follow "
                  "again to bring them there"));
}

Status SpooledLog::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_ ? Status(*failure_) : Status();
}

Status SpooledLog::settle(std::stop_token stop) {
  LB_TRY(spool_->close());
  std::unique_lock lock(mutex_);
  hurry_ = more_ = true;
  trouble_.reset();
  changed_.notify_all();
  changed_.wait(lock, stop, [&] { return failure_ || trouble_ || spool_->empty(); });
  hurry_ = false;
  if (failure_) return *failure_;
  if (trouble_) return *trouble_;
  if (!spool_->empty()) return Error(ErrorKind::cancelled, "stopped");
  return {};
}

Status SpooledLog::begin(std::uint32_t timeline, Lsn at) {
  LB_TRY(spool_->begin(timeline, at));
  timeline_ = timeline;
  return {};
}

Status SpooledLog::append(Lsn at, ByteView bytes) {
  LB_TRY(failure());
  LB_TRY(follows(at, received()));
  const Lsn before = durable();
  LB_TRY(spool_->append(bytes));
  if (durable() == before) return {};
  const std::lock_guard lock(mutex_);
  more_ = true;
  changed_.notify_all();
  return {};
}

Status SpooledLog::flush() {
  LB_TRY(spool_->sync());
  const std::lock_guard lock(mutex_);
  more_ = true;
  changed_.notify_all();
  return failure_ ? Status(*failure_) : Status();
}

Result<bool> SpooledLog::full() const {
  LB_TRY(failure());
  return spool_->bytes() >= options_.bytes_max;
}

LogPlace SpooledLog::stored() const {
  const std::lock_guard lock(mutex_);
  return stored_;
}

std::optional<Timestamp> SpooledLog::last_commit() const {
  const std::lock_guard lock(mutex_);
  return last_commit_;
}

// The carrying thread. What it is told of one trouble is said once.
void SpooledLog::carry_on(std::stop_token stop) {
  Micros pause = pause_min;
  std::string said;
  for (;;) {
    const Status carried = carry(stop);
    if (carried.ok()) return;  // stopped
    writer_.reset();
    spool_->again();
    const Error& error = carried.error();
    const bool contradicts = error.kind() == ErrorKind::conflict && error.native().empty();
    {
      const std::lock_guard lock(mutex_);
      if (contradicts) failure_ = error;
      trouble_ = error;
      changed_.notify_all();
    }
    if (contradicts || stop.stop_requested()) return;
    if (std::exchange(said, error.text()) != error.text())
      on_trouble_(cat(error.text(), "; the log stays in the spool of this host meanwhile"));
    (void)clock_.sleep(pause, stop);
    pause = std::min(pause * 2, pause_max);
  }
}

// Until it is stopped, or cannot go on.
Status SpooledLog::carry(std::stop_token stop) {
  for (;;) {
    const bool leave = stop.stop_requested() && spool_->bytes() > carried_at_the_end;
    std::optional<LogSpool::Part> part;
    if (!leave) part = LB_TRY(spool_->next());
    if (part) {
      LB_TRY(take(*part));
      continue;
    }
    const bool pending = writer_ && writer_->received() > writer_->durable();
    bool hurry = stop.stop_requested();
    {
      const std::lock_guard lock(mutex_);
      hurry = hurry || hurry_;
    }
    const Micros waited = clock_.steady() - oldest_;
    if (pending && (hurry || waited >= options_.tail_interval)) {
      LB_TRY(flush_writer());
      continue;
    }
    // Nothing is on its way: what the repository has may go, and who waits may look.
    if (!pending && writer_) LB_TRY(spool_->forget(writer_->stored()));
    if (stop.stop_requested()) return {};
    const Micros left = pending ? options_.tail_interval - waited : look_every;
    wait_for_more(std::min(left, look_every), stop);
  }
}

bool SpooledLog::wait_for_more(Micros limit, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.notify_all();
  const bool more = changed_.wait_for(lock, stop, limit, [this] { return more_; });
  more_ = false;
  return more;
}

Status SpooledLog::take(const LogSpool::Part& part) {
  const bool goes_on =
      writer_ && writer_->timeline() == part.place.timeline && writer_->received() == part.place.at;
  if (!goes_on) {
    if (writer_) LB_TRY(flush_writer());
    writer_ = make_writer_();
    LB_TRY(writer_->begin(part.place.timeline, part.place.at));
  }
  if (writer_->received() == writer_->durable()) oldest_ = clock_.steady();
  const Lsn before = writer_->durable();
  LB_TRY(writer_->append(part.place.at, part.bytes));
  return writer_->durable() > before ? flush_writer() : Status();
}

Status SpooledLog::flush_writer() {
  LB_TRY(writer_->flush());
  {
    const std::lock_guard lock(mutex_);
    stored_ = writer_->stored();
    if (writer_->last_commit()) last_commit_ = writer_->last_commit();
  }
  return spool_->forget(stored_);
}

}  // namespace lb::pg
