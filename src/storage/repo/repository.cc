#include "storage/repo/repository.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/heal.h"
#include "storage/repo/ledger.h"
#include "storage/repo/log_store.h"
#include "storage/repo/put_once.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/session.h"
#include "storage/repo/verifier.h"

namespace lb::repo {

namespace {

constexpr int verify_attempts_max = 3;

class StoredRepository final : public Repository {
 public:
  StoredRepository(BlobStore& blobs, Clock& clock, Random& random, Keyring keys,
                   const OpenOptions& options)
      : core_(blobs, clock, random, std::move(keys), options), logs_(core_) {}

  const std::string& id() const override { return core_.keys.repository_id; }
  std::string describe() const override { return core_.blobs.describe(); }

  Result<std::vector<SnapshotInfo>> snapshots() override;
  Result<std::unique_ptr<SnapshotReader>> snapshot(const std::string& id) override;
  Result<std::unique_ptr<SnapshotWriter>> begin(const std::string& store, SnapshotReader* parent,
                                                std::stop_token stop) override;

  Status put_log(const LogName& name, ByteView bytes, ByteView summary, ByteView detail) override {
    return logs_.put(name, bytes, summary, detail);
  }
  Status put_log_tail(const LogName& name, std::uint64_t offset, ByteView bytes,
                      ByteView summary) override {
    return logs_.put_tail(name, offset, bytes, summary);
  }
  Result<std::vector<LogInfo>> logs(const std::string& log_id) override {
    return logs_.list(log_id);
  }
  Result<std::vector<std::string>> log_ids() override { return logs_.ids(); }
  Result<Buffer> get_log(const LogName& name) override { return logs_.get(name); }
  Result<Buffer> get_log_summary(const LogName& name) override { return logs_.summary(name); }
  Result<std::optional<Buffer>> get_log_detail(const LogName& name) override {
    return logs_.detail(name);
  }
  Status put_history(const std::string& log_id, std::uint32_t timeline, ByteView bytes) override {
    return logs_.put_history(log_id, timeline, bytes);
  }
  Result<std::optional<Buffer>> get_history(const std::string& log_id,
                                            std::uint32_t timeline) override {
    return logs_.history(log_id, timeline);
  }

  Status put_record(const std::string& kind, const std::string& id, ByteView bytes) override;
  Result<std::vector<std::string>> records(const std::string& kind) override;
  Result<Buffer> get_record(const std::string& kind, const std::string& id) override;
  std::string fresh_id() override { return fresh_session_id(core_); }

  Result<VerifyReport> verify(
      const VerifyOptions& options, std::stop_token stop,
      const std::function<void(std::uint64_t, std::uint64_t)>& progress) override;
  Result<std::uint64_t> stored_bytes() override;
  bool may_read() const override { return core_.keys.may_read(); }
  const Core* core() const override { return &core_; }

 private:
  // What is known of the verdicts: objects never change, so each is read once.
  struct Known {
    bool snapshot = true;
    SnapshotInfo info;
  };
  Status read_verdicts();
  Result<std::map<std::string, VerdictMark>> drop_ended();
  Result<Digest> last_verdict_of(const std::string& store);

  Core core_;
  LogStore logs_;
  std::mutex mutex_;
  std::map<std::string, Known> verdicts_;
  std::map<std::string, std::string> damaged_;  // id and problem, as found last
};

// What the ledger says ended by now counts no longer, whatever its verdict says.
Result<std::map<std::string, VerdictMark>> StoredRepository::drop_ended() {
  auto ended = std::move(LB_TRY(read_ledger_if_whole(core_)).ledger.ended);
  auto drop = [&](const auto& known) { return ended.contains(known.first); };
  std::erase_if(verdicts_, drop);
  std::erase_if(damaged_, drop);
  return ended;
}

Status StoredRepository::read_verdicts() {
  damaged_.clear();
  auto ended = LB_TRY(drop_ended());
  bool any_new = false;
  for (const auto& object : LB_TRY(core_.blobs.list("e/"))) {
    auto session = object.key.substr(2);
    if (verdicts_.contains(session) || ended.contains(session)) continue;
    any_new = true;
    auto first = open_first_frame(core_.keys, object.key, core_.blobs);
    // Forgotten since the ledger was read.
    if (!first.ok() && first.error().kind() == ErrorKind::not_found) continue;
    auto verdict = first.ok() ? decode_head(session, *first) : Result<Verdict>(first.error());
    if (verdict.ok()) {
      verdicts_.emplace(session, Known{verdict->is_snapshot(), std::move(verdict->info)});
    } else if (verdict.error().kind() == ErrorKind::corrupt) {
      // The others must stay within reach: it is listed as what it is.
      damaged_[session] = verdict.error().text();
    } else {
      return std::move(verdict).take_error();
    }
  }
  // A verdict may come late, after its session was aborted and the mark of that went: who read it
  // finds the session in a ledger that is read after it. No later session may name such a verdict.
  if (any_new) LB_TRY(drop_ended());
  return {};
}

Result<std::vector<SnapshotInfo>> StoredRepository::snapshots() {
  std::lock_guard lock(mutex_);
  LB_TRY(read_verdicts().hint("lifeboat verify names every damaged object"));
  std::vector<SnapshotInfo> out;
  for (const auto& [id, known] : verdicts_) {
    if (known.snapshot) out.push_back(known.info);
  }
  for (const auto& [id, problem] : damaged_) {
    SnapshotInfo info;
    info.id = id;
    info.meta.kind = "damaged";
    info.meta.warnings = {problem};
    out.push_back(std::move(info));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return out;
}

Result<std::unique_ptr<SnapshotReader>> StoredRepository::snapshot(const std::string& id) {
  auto none = [&] {
    return Error(ErrorKind::not_found, cat("there is no snapshot ", printable(id)))
        .with_exit(ExitCode::point_unreachable);
  };
  if (!is_id(id)) return none();
  auto care = LB_TRY(read_ledger_if_whole(core_));
  if (care.ledger.ended.contains(id)) return none();
  auto reader = StoredSnapshot::open(core_, id);
  if (!reader.ok() && reader.error().kind() == ErrorKind::not_found) return none();
  if (!reader.ok()) return std::move(reader).take_error();
  return std::unique_ptr<SnapshotReader>(std::move(reader).take());
}

// SHA-256 of the newest verdict of the store; zeros when it is the first.
Result<Digest> StoredRepository::last_verdict_of(const std::string& store) {
  // A key that may only write cannot know; its snapshots begin a chain of their own.
  if (!may_read()) return Digest{};
  std::string newest;
  {
    std::lock_guard lock(mutex_);
    LB_TRY(read_verdicts());
    for (const auto& [id, known] : verdicts_) {
      if (known.snapshot && known.info.meta.store == store) newest = id;
    }
  }
  if (newest.empty()) return Digest{};
  auto name = verdict_key(newest);
  auto object = core_.blobs.get(name);
  if (!object.ok() && object.error().kind() == ErrorKind::not_found) return Digest{};  // forgotten
  auto bytes = LB_TRY(std::move(object));
  // Bytes that do not open are no link: what was read may not be what is stored.
  if (!open_object(core_.keys, name, bytes).ok()) return Digest{};
  return sha256(bytes);
}

Result<std::unique_ptr<SnapshotWriter>> StoredRepository::begin(const std::string& store,
                                                                SnapshotReader* parent,
                                                                std::stop_token stop) {
  auto* own = dynamic_cast<StoredSnapshot*>(parent);
  if (parent != nullptr && own == nullptr) {
    return Error(ErrorKind::invalid, "the parent is not a snapshot of this repository");
  }
  auto previous = LB_TRY(last_verdict_of(store));
  return Session::begin(core_, store, own, previous, stop);
}

Status StoredRepository::put_record(const std::string& kind, const std::string& id,
                                    ByteView bytes) {
  auto name = record_key(kind, id);
  auto object = seal_object(core_.keys, core_.random, SealFor::readers, name, {bytes});
  auto put = put_once(core_.blobs, name, object);
  if (!put.ok() && put.error().kind() == ErrorKind::conflict && may_read()) {
    auto there = LB_TRY(get_record(kind, id));
    if (!std::equal(there.begin(), there.end(), bytes.begin(), bytes.end())) return put;
    put = {};
  }
  LB_TRY(std::move(put));
  return core_.blobs.flush();
}

Result<std::vector<std::string>> StoredRepository::records(const std::string& kind) {
  std::vector<std::string> out;
  auto prefix = record_prefix(kind);
  for (const auto& object : LB_TRY(core_.blobs.list(prefix))) {
    out.push_back(LB_TRY(unescape_part(std::string_view(object.key).substr(prefix.size()))));
  }
  return out;
}

Result<Buffer> StoredRepository::get_record(const std::string& kind, const std::string& id) {
  auto name = record_key(kind, id);
  auto frames = LB_TRY(read_object(core_.keys, name, core_.blobs));
  return std::move(frames.front());
}

// A pack that was given up while it was looked for is no damage.
Result<VerifyReport> StoredRepository::verify(
    const VerifyOptions& options, std::stop_token stop,
    const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  for (int attempt = 1;; ++attempt) {
    Verifier verifier(core_, options, stop, progress);
    auto report = LB_TRY(verifier.run());
    if (report.clean() || attempt == verify_attempts_max) return report;
    auto moved = LB_TRY(verifier.moved_meanwhile());
    if (!moved) return report;
  }
}

Result<std::uint64_t> StoredRepository::stored_bytes() {
  std::uint64_t total = 0;
  for (const auto& object : LB_TRY(core_.blobs.list(""))) total += object.size;
  return total;
}

}  // namespace

Status init_repository(BlobStore& blobs, Clock& clock, Random& random, const Secret& key_text,
                       const InitOptions& options) {
  return make_keyring(blobs, random, key_text, {options.passes, options.memory_bytes}, clock.now());
}

Result<std::unique_ptr<Repository>> open_repository(BlobStore& blobs, Clock& clock, Random& random,
                                                    const Secret& key_text,
                                                    const OpenOptions& options) {
  auto open_in = [&](BlobStore& from) { return open_keyring(from, key_text); };
  auto keys = LB_TRY(read_healing(blobs, repo_key, open_in));
  return std::unique_ptr<Repository>(
      std::make_unique<StoredRepository>(blobs, clock, random, std::move(keys), options));
}

Result<std::unique_ptr<Repository>> open_copy(const Repository& opened, BlobStore& blobs) {
  const auto* core = opened.core();
  LB_ASSERT(core != nullptr);
  auto id = LB_TRY(repository_id_in(blobs));
  if (id != opened.id()) {
    return Error(ErrorKind::denied, cat(blobs.describe(), " holds another repository"))
        .with_exit(ExitCode::refused);
  }
  // What is kept on the local disk of one place says nothing of another.
  auto options = core->options;
  options.cache_folder.clear();
  return std::unique_ptr<Repository>(std::make_unique<StoredRepository>(
      blobs, core->clock, core->random, clone(core->keys), options));
}

}  // namespace lb::repo
