#include <algorithm>

#include "foundation/base/text.h"
#include "stores/postgres/log_receiver.h"
#include "stores/postgres/server_facts.h"
#include "stores/postgres/slot_watch.h"
#include "stores/postgres/source.h"
#include "stores/postgres/spooled_log.h"
#include "stores/postgres/stream_place.h"
#include "stores/postgres/timeline_history.h"

namespace lb::pg {
namespace {

constexpr Micros batch_max = std::chrono::milliseconds(20);  // of commits that wait
constexpr Micros pause_min = std::chrono::milliseconds(500);
constexpr Micros pause_max = Seconds(15);
constexpr Micros report_every = Seconds(10);
constexpr Micros full_pause = std::chrono::milliseconds(500);

bool log_was_removed(const Error& error) { return error.native() == "SQLSTATE 58P01"; }

// "16MB" as the walsender's SHOW gives it; its units are powers of 1024.
Result<std::uint64_t> parse_segment_size(const std::string& text) {
  const std::size_t unit = text.find_first_not_of("0123456789");
  const std::uint64_t count = LB_TRY(parse_uint(std::string_view(text).substr(0, unit)));
  const std::string name = unit == std::string::npos ? "" : text.substr(unit);
  const std::uint64_t factor = name == "MB" ? 1 << 20 : name == "GB" ? 1 << 30 : 0;
  if (factor == 0 || count == 0 || count > 1024) {
    return Error(ErrorKind::corrupt, cat("impossible wal_segment_size ", printable(text)));
  }
  return count * factor;
}

Error another_history(const std::string& remark) {
  return Error(ErrorKind::denied, cat("this is another history than the one stored: ", remark))
      .with_hint(
          "a clone, or a failover that lost the end of the old timeline? If it is the primary now, "
          "say so with lifeboat wal admit, and stream again")
      .with_exit(ExitCode::refused);
}

// "db-7301234567890123456": of any system that has been the store.
bool is_log_of(const std::string& log_id, const std::string& store) {
  const std::string prefix = cat(store, "-");
  return log_id.starts_with(prefix) && log_id.size() > prefix.size() &&
         log_id.find_first_not_of("0123456789", prefix.size()) == log_id.npos;
}

class LogStream {
 public:
  LogStream(World& world, repo::Repository& repository, const Secret& conninfo,
            const StreamOptions& options, std::stop_token stop)
      : files_(world.files),
        clock_(world.clock),
        repository_(repository),
        conninfo_(conninfo),
        options_(options),
        slot_(options.slot.empty() ? cat("lifeboat_", options.store) : options.slot),
        stop_(std::move(stop)),
        watch_(clock_, conninfo, slot_, [this](const std::string& line) { trouble(line); }) {}

  Status run();

 private:
  Status session();
  Status carry_left();
  Status meet_server();
  Status open_sink();
  Result<std::unique_ptr<LogSink>> open_spooled(const std::string& log_id,
                                                std::uint64_t segment_bytes);
  Status check_system(const SystemIdentity& identity);
  Result<std::string> known_system(const std::string& present);
  Result<std::string> known_by_log(const std::string& present);
  Status read_history(std::uint32_t timeline);
  Status meet_slot(bool log_stored);
  Status check_left(const std::vector<repo::LogInfo>& stored, const StreamPlace& place);
  Result<StreamPlace> choose_place(const std::vector<repo::LogInfo>& stored);
  Status receive(LogReceiver& receiver);
  Result<bool> wait_for_room(LogReceiver& receiver);
  Result<bool> follow_timeline();
  Status make_durable(LogReceiver& receiver);
  Error save_what_came(const Error& lost);
  Status act_on_error(const Error& error);
  void told_durable();
  // From the thread that brings the spool into the repository as well.
  void trouble(const std::string& line) {
    const std::lock_guard lock(trouble_mutex_);
    if (options_.on_trouble) options_.on_trouble(line);
  }
  Error give_up(Error error) {
    final_ = true;
    return error;
  }

  Files& files_;
  Clock& clock_;
  repo::Repository& repository_;
  const Secret& conninfo_;
  const StreamOptions& options_;
  std::string slot_;
  std::stop_token stop_;
  SlotWatch watch_;
  std::mutex trouble_mutex_;

  std::unique_ptr<ReplicationLink> link_;
  std::unique_ptr<LogSink> sink_;
  std::string system_identifier_, log_id_, gap_;
  std::uint64_t segment_bytes_ = 0;
  ServerLine line_;
  SlotInfo slot_info_;
  StreamPlace place_;
  Lsn server_end_ = 0, told_acknowledged_ = 0;
  LogPlace told_;
  bool looked_for_left_ = false;
  bool full_ = false;  // and it was said
  bool met_ = false;   // a session got as far as streaming
  bool slot_seen_ = false;
  bool skip_hole_ = false;  // the log after the stored one is gone: go on where the slot begins
  bool final_ = false;      // the failure needs a person
  Micros pause_ = pause_min;
};

Status LogStream::run() {
  while (!stop_.stop_requested()) {
    Status ended = session();
    link_.reset();
    if (stop_.stop_requested()) {
      const bool cancelled = !ended.ok() && ended.error().kind() != ErrorKind::cancelled;
      return cancelled ? std::move(ended) : Status();
    }
    if (!ended.ok()) LB_TRY(act_on_error(ended.error()));
    if (ended.ok()) trouble("the server ended the log stream; connecting again");
    if (!clock_.sleep(pause_, stop_)) break;
    pause_ = std::min(pause_ * 2, pause_max);
  }
  return {};
}

// Returns when another try makes sense.
Status LogStream::act_on_error(const Error& error) {
  if (final_) return error;
  if (log_was_removed(error) && !skip_hole_) {
    skip_hole_ = true;
    pause_ = pause_min;
    return {};
  }
  // The repository holds other bytes of this log: another try would meet them again.
  const bool contradicts = error.kind() == ErrorKind::conflict && error.native().empty();
  // The slot or the spool. Our own connection of a moment ago may still be closing; another
  // receiver's end frees them too.
  const bool in_use = error.native() == "SQLSTATE 55006" || error.native() == LogSpool::in_use;
  if (contradicts || (!met_ && !in_use)) return error;
  trouble(cat(error.text(), "; connecting again in ", human_duration(pause_)));
  return {};
}

Status LogStream::session() {
  if (!std::exchange(looked_for_left_, true)) LB_TRY(carry_left());
  LB_TRY(meet_server());
  if (!sink_) LB_TRY(open_sink());
  LB_TRY(sink_->settle(stop_));
  const std::vector<repo::LogInfo> stored = LB_TRY(repository_.logs(log_id_));
  LB_TRY(meet_slot(!stored.empty()));
  place_ = LB_TRY(choose_place(stored));
  LB_TRY(sink_->begin(place_.timeline, place_.at));
  LogReceiver receiver(*link_, *sink_, clock_, slot_info_.restart.value_or(0));
  LB_TRY(link_->start_log(slot_, place_.timeline, place_.at));
  for (;;) {
    LB_TRY(receive(receiver));
    if (stop_.stop_requested()) {
      link_->finish_log();
      return {};
    }
    const bool more = LB_TRY(follow_timeline());
    if (!more) return {};
  }
}

// What an earlier run left in the spool comes into the repository even if its server is gone for
// good: it may be the last of it.
Status LogStream::carry_left() {
  if (options_.spool_folder.empty()) return {};
  auto entries = files_.list(options_.spool_folder);
  if (!entries.ok() && entries.error().kind() == ErrorKind::not_found) return {};
  for (const DirEntry& entry : LB_TRY(std::move(entries))) {
    if (!is_log_of(entry.name, options_.store)) continue;
    const auto bytes =
        LB_TRY(LogSpool::segment_bytes_in(files_, path_join(options_.spool_folder, entry.name)));
    if (!bytes) continue;
    const auto log = LB_TRY(open_spooled(entry.name, *bytes));
    LB_TRY(log->settle(stop_).context("bring what is left in the spool into the repository"));
  }
  return {};
}

Result<std::unique_ptr<LogSink>> LogStream::open_spooled(const std::string& log_id,
                                                         std::uint64_t segment_bytes) {
  const auto say = [this](const std::string& line) { trouble(line); };
  // Of one system only: what another one left there is not carried into this one's log.
  auto spool =
      LB_TRY(LogSpool::open(files_, path_join(options_.spool_folder, log_id), segment_bytes, say));
  auto make_writer = [this, say, log_id, segment_bytes] {
    return std::make_unique<LogWriter>(repository_, log_id, segment_bytes, say);
  };
  return std::unique_ptr<LogSink>(std::make_unique<SpooledLog>(
      clock_, std::move(spool), make_writer,
      SpooledLog::Options{options_.spool_bytes_max, options_.tail_interval}, say));
}

Status LogStream::open_sink() {
  if (!options_.spool_folder.empty()) {
    sink_ = LB_TRY(open_spooled(log_id_, segment_bytes_));
    return {};
  }
  sink_ = std::make_unique<LogWriter>(repository_, log_id_, segment_bytes_,
                                      [this](const std::string& line) { trouble(line); });
  return {};
}

Status LogStream::meet_server() {
  link_ = LB_TRY(ReplicationLink::open(conninfo_, "lifeboat_stream"));
  const SystemIdentity identity = LB_TRY(link_->identify());
  if (link_->server_version() < version_min) {
    return give_up(
        Error(ErrorKind::unsupported, cat("not supported yet: streaming from PostgreSQL ",
                                          version_text(link_->server_version()))));
  }
  LB_TRY(check_system(identity));
  const QueryResult size = LB_TRY(link_->command("SHOW wal_segment_size"));
  segment_bytes_ = LB_TRY(parse_segment_size(size.rows.at(0)[0].value_or("")));
  line_.timeline = identity.timeline;
  line_.switches.clear();
  if (identity.timeline > 1) LB_TRY(read_history(identity.timeline));
  return {};
}

Status LogStream::check_system(const SystemIdentity& identity) {
  if (system_identifier_.empty())
    system_identifier_ = LB_TRY(known_system(identity.system_identifier));
  if (system_identifier_.empty()) system_identifier_ = identity.system_identifier;
  if (system_identifier_ != identity.system_identifier) {
    return give_up(Error(ErrorKind::denied,
                         cat("this is another database system (", identity.system_identifier,
                             ") than the one backed up (", system_identifier_, ")"))
                       .with_hint("take a backup of the new system first; its log is kept apart")
                       .with_exit(ExitCode::refused));
  }
  log_id_ = cat(options_.store, "-", system_identifier_);
  return {};
}

// The system of the store's newest snapshot; empty when there is none yet.
Result<std::string> LogStream::known_system(const std::string& present) {
  if (!repository_.may_read()) return known_by_log(present);
  const std::vector<repo::SnapshotInfo> snapshots = LB_TRY(repository_.snapshots());
  std::string known;
  for (const repo::SnapshotInfo& snapshot : snapshots) {
    if (snapshot.meta.store != options_.store) continue;
    const auto details = decode_details(snapshot.meta.details);
    if (details.ok()) known = details->system_identifier;
  }
  return known;
}

// Without reading, the names of logs tell: of the systems seen, the one that is there now, or else
// any.
Result<std::string> LogStream::known_by_log(const std::string& present) {
  std::string known;
  for (const std::string& id : LB_TRY(repository_.log_ids())) {
    if (!is_log_of(id, options_.store)) continue;
    known = id.substr(options_.store.size() + 1);
    if (known == present) return known;
  }
  return known;
}

Status LogStream::read_history(std::uint32_t timeline) {
  const Buffer history = LB_TRY(link_->history(timeline));
  LB_TRY(repository_.put_history(log_id_, timeline, history));
  line_.timeline = timeline;
  line_.switches = LB_TRY(parse_history(timeline, text_of(history)));
  return {};
}

Status LogStream::meet_slot(bool log_stored) {
  slot_info_ = LB_TRY(link_->slot(slot_));
  if (!slot_info_.exists) {
    if (slot_seen_ || log_stored) {
      trouble(cat("slot ", slot_,
                  " is not on the server: it is created anew, and the server may "
                  "have removed log since the last one received"));
    }
    LB_TRY(link_->create_slot(slot_, false));
    slot_info_ = LB_TRY(link_->slot(slot_));
  }
  slot_seen_ = true;
  watch_.look();
  if (watch_.state() != "lost") return {};
  return give_up(
      Error(ErrorKind::not_found, cat("slot ", slot_,
                                      " is lost: the server removed log "
                                      "that was not received"))
          .with_hint(cat("SELECT pg_drop_replication_slot('", slot_,
                         "'), start again, and take a new backup: no point after the hole "
                         "can be reached without it"))
          .with_exit(ExitCode::point_unreachable));
}

// Commits that the server does not know make its log another history. Less than a commit may well
// have reached us alone before a failover.
Status LogStream::check_left(const std::vector<repo::LogInfo>& stored, const StreamPlace& place) {
  if (place.remark.empty() || line_.timeline <= options_.admitted_timeline) return {};
  for (const repo::LogInfo& info : stored) {
    const bool beyond = info.name.timeline == place.left &&
                        (info.name.segment + 1) * segment_bytes_ > place.left_at;
    if (!beyond) continue;
    if (!repository_.may_read()) return give_up(another_history(place.remark));
    const Buffer bytes = LB_TRY(repository_.get_log_summary(info.name));
    const LogSummary summary = LB_TRY(decode_summary(bytes));
    const bool commits = summary.last_commit && summary.last_commit->end_lsn > place.left_at;
    if (commits) return give_up(another_history(place.remark));
  }
  return {};
}

Result<StreamPlace> LogStream::choose_place(const std::vector<repo::LogInfo>& stored) {
  auto after = place_after(stored, segment_bytes_, line_);
  if (!after.ok()) return give_up(std::move(after).take_error());
  if (*after && !skip_hole_) {
    LB_TRY(check_left(stored, **after));
    if (!(*after)->remark.empty()) trouble((*after)->remark);
    return **after;
  }
  // Where the slot begins to keep log; without a stored log that is the place to start anyway.
  const SystemIdentity identity = LB_TRY(link_->identify());
  const Lsn from = slot_info_.restart.value_or(identity.position);
  StreamPlace fresh;
  fresh.timeline = line_.timeline;
  fresh.at = from / segment_bytes_ * segment_bytes_;
  if (*after && fresh.at > (*after)->at) {
    gap_ = cat(format_lsn((*after)->at), " to ", format_lsn(fresh.at));
    trouble(cat("HOLE in the log of ", options_.store, ": ", gap_,
                " is gone on the server. Points after it need a new backup: take one now"));
  }
  skip_hole_ = false;
  return fresh;
}

// Until the server ends the stream or a stop is requested; all that was received is durable then.
Status LogStream::receive(LogReceiver& receiver) {
  Micros reported = clock_.steady();
  Micros oldest = reported;  // when the oldest byte that is not durable came
  bool looked = false;
  while (!stop_.stop_requested()) {
    if (LB_TRY(wait_for_room(receiver))) continue;
    const bool pending = sink_->received() > sink_->durable();
    const Micros waited = clock_.steady() - oldest;
    const Micros interval = watch_.synchronous() ? Micros(0) : options_.tail_interval;
    const Micros left = std::max(Micros(0), interval - waited);
    const Lsn before = sink_->durable();
    const auto event =
        receiver.step(pending ? std::min<Micros>(left, Seconds(1)) : Seconds(1), stop_);
    if (!event.ok()) return save_what_came(event.error());
    server_end_ = std::max(server_end_, receiver.server_end());
    if (*event == CopyEvent::ended) break;
    if (*event == CopyEvent::data) met_ = true, pause_ = pause_min;
    const Micros now = clock_.steady();
    if (!pending || sink_->durable() > before) oldest = now;
    // Commits that wait are made durable together: once no more of them are on their way.
    const bool more_comes =
        watch_.synchronous() && *event == CopyEvent::data && now - oldest < batch_max;
    const bool due =
        sink_->received() > sink_->durable() && now - oldest >= interval && !more_comes;
    if (due) LB_TRY(sink_->flush());
    if (sink_->durable() > before || now - reported >= report_every) {
      LB_TRY(receiver.report());
      reported = now;
    }
    told_durable();
    // The server knows of us by now.
    if (!std::exchange(looked, true)) watch_.look();
    watch_.look_if_due();
  }
  return make_durable(receiver);
}

// True: there is none yet. The server hears that we are there, and keeps its log meanwhile.
Result<bool> LogStream::wait_for_room(LogReceiver& receiver) {
  const bool full = LB_TRY(sink_->full());
  if (!full) {
    full_ = false;
    return false;
  }
  if (!std::exchange(full_, true)) {
    trouble(
        "the spool is full: no more log is taken until the repository has some of it. The server "
        "keeps it, and commits that wait for this stream wait");
  }
  LB_TRY(receiver.report());
  told_durable();
  (void)clock_.sleep(full_pause, stop_);
  watch_.look_if_due();
  return true;
}

// The server may be gone for good: these bytes are the last of it.
Error LogStream::save_what_came(const Error& lost) {
  const Status flushed = sink_->flush();
  told_durable();
  return flushed.ok() ? lost : flushed.error();
}

Status LogStream::make_durable(LogReceiver& receiver) {
  LB_TRY(sink_->flush());
  told_durable();
  // At the end of a timeline the server listens no more; the report is for the stop.
  if (stop_.stop_requested()) LB_TRY(receiver.report());
  return {};
}

void LogStream::told_durable() {
  // After a new connection the unfinished segment comes again: that is no news.
  const LogPlace stored = sink_->stored();
  const bool news = stored.timeline != told_.timeline || stored.at > told_.at ||
                    sink_->durable() > told_acknowledged_;
  if (!options_.on_status || !news) return;
  told_ = stored;
  told_acknowledged_ = sink_->durable();
  StreamStatus status;
  status.received = sink_->received();
  status.durable = stored.at;
  status.acknowledged = sink_->durable();
  status.server_flush = server_end_;
  status.timeline = stored.timeline;
  status.last_commit = sink_->last_commit();
  status.at = clock_.now();
  status.slot = slot_;
  status.slot_state = watch_.state();
  status.gap = gap_;
  options_.on_status(status);
}

// False when there is no next timeline: the server shut down, and a new connection will tell.
Result<bool> LogStream::follow_timeline() {
  const std::optional<NextTimeline> next = LB_TRY(link_->end_log(stop_));
  if (!next) return false;
  LB_TRY(read_history(next->timeline));
  trouble(cat("the server went from timeline ", sink_->timeline(), " to ", next->timeline, " at ",
              format_lsn(next->begins), "; following"));
  const Lsn at = next->begins / segment_bytes_ * segment_bytes_;
  LB_TRY(sink_->begin(next->timeline, at));
  LB_TRY(link_->start_log(slot_, next->timeline, at));
  return true;
}

}  // namespace

Result<std::uint64_t> left_in_spool(Files& files, const std::string& spool_folder,
                                    const std::string& log_id) {
  return LogSpool::left_in(files, path_join(spool_folder, log_id));
}

Status stream_log(World& world, repo::Repository& repository, const Secret& conninfo,
                  const StreamOptions& options, std::stop_token stop) {
  return LogStream(world, repository, conninfo, options, std::move(stop))
      .run()
      .context(cat("stream the log of ", options.store));
}

}  // namespace lb::pg
