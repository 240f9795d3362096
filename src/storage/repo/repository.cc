#include "storage/repo/repository.h"

#include <map>
#include <mutex>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/log_store.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/session.h"
#include "storage/repo/verifier.h"

namespace lb::repo {

namespace {

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

  Status put_log(const LogName& name, ByteView bytes, ByteView summary) override {
    return logs_.put(name, bytes, summary);
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
      const std::function<void(std::uint64_t, std::uint64_t)>& progress) override {
    return Verifier(core_, options, stop, progress).run();
  }
  Result<std::uint64_t> stored_bytes() override;

 private:
  struct Known {
    Verdict verdict;
    Digest digest{};  // of the object
  };
  Status read_verdicts();

  Core core_;
  LogStore logs_;
  std::mutex mutex_;
  std::map<std::string, Known> verdicts_;  // objects are immutable: read once
};

Status StoredRepository::read_verdicts() {
  for (const auto& object : LB_TRY(core_.blobs.list("e/"))) {
    auto session = object.key.substr(2);
    if (verdicts_.contains(session)) continue;
    auto bytes = LB_TRY(core_.blobs.get(object.key));
    auto frames = LB_TRY(open_object(core_.keys, object.key, bytes));
    auto verdict = decode_verdict(session, frames.front());
    if (!verdict.ok()) {
      return std::move(verdict)
          .take_error()
          .context(cat("object ", object.key))
          .with_exit(ExitCode::damaged);
    }
    verdicts_.emplace(session, Known{std::move(verdict).take(), sha256(bytes)});
  }
  return {};
}

Result<std::vector<SnapshotInfo>> StoredRepository::snapshots() {
  std::lock_guard lock(mutex_);
  LB_TRY(read_verdicts().hint("lifeboat verify names every damaged object"));
  std::vector<SnapshotInfo> out;
  for (const auto& [id, known] : verdicts_) {
    if (!known.verdict.aborted) out.push_back(known.verdict.info);
  }
  return out;
}

Result<std::unique_ptr<SnapshotReader>> StoredRepository::snapshot(const std::string& id) {
  std::lock_guard lock(mutex_);
  auto found = verdicts_.find(id);
  if (found == verdicts_.end()) {
    LB_TRY(read_verdicts());
    found = verdicts_.find(id);
  }
  if (found == verdicts_.end() || found->second.verdict.aborted) {
    return Error(ErrorKind::not_found, cat("there is no snapshot ", printable(id)))
        .with_exit(ExitCode::point_unreachable);
  }
  auto reader = LB_TRY(StoredSnapshot::open(core_, found->second.verdict));
  return std::unique_ptr<SnapshotReader>(std::move(reader));
}

Result<std::unique_ptr<SnapshotWriter>> StoredRepository::begin(const std::string& store,
                                                                SnapshotReader* parent,
                                                                std::stop_token stop) {
  Digest previous{};
  {
    std::lock_guard lock(mutex_);
    LB_TRY(read_verdicts());
    for (const auto& [id, known] : verdicts_) {
      if (!known.verdict.aborted && known.verdict.info.meta.store == store) previous = known.digest;
    }
  }
  return Session::begin(core_, store, static_cast<StoredSnapshot*>(parent), previous, stop);
}

Status StoredRepository::put_record(const std::string& kind, const std::string& id,
                                    ByteView bytes) {
  auto name = record_key(kind, id);
  LB_TRY(core_.blobs.put(name,
                         seal_object(core_.keys, core_.random, SealFor::readers, name, {bytes})));
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
  auto object = LB_TRY(core_.blobs.get(name));
  auto frames = LB_TRY(open_object(core_.keys, name, object));
  return std::move(frames.front());
}

Result<std::uint64_t> StoredRepository::stored_bytes() {
  std::uint64_t total = 0;
  for (const auto& object : LB_TRY(core_.blobs.list(""))) total += object.size;
  return total;
}

}  // namespace

Status init_repository(BlobStore& blobs, Clock&, Random& random, const Secret& passphrase) {
  return make_keyring(blobs, random, passphrase, {});
}

Result<std::unique_ptr<Repository>> open_repository(BlobStore& blobs, Clock& clock, Random& random,
                                                    const Secret& passphrase,
                                                    const OpenOptions& options) {
  auto keys = LB_TRY(open_keyring(blobs, passphrase));
  return std::unique_ptr<Repository>(
      std::make_unique<StoredRepository>(blobs, clock, random, std::move(keys), options));
}

}  // namespace lb::repo
