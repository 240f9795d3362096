// The World of this folder's tests: the real file system behind a decorator that counts and
// disturbs, a clock that stands still, and a repository in memory. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "foundation/sys/test_folder.h"
#include "storage/blob/fault_blob_store.h"
#include "storage/blob/memory_blob_store.h"
#include "stores/files/store.h"

namespace lb::files {

// Passes everything on to the real file system. Hooks run before the call; an error they give is
// the outcome of the call.
class WatchedFiles final : public Files {
 public:
  std::atomic<std::uint64_t> bytes_read = 0, bytes_written = 0, opened = 0, synced = 0;
  std::function<Status(const std::string& call, const std::string& path)> hook;

  Result<std::unique_ptr<File>> open_read(const std::string& path) override;
  Result<std::unique_ptr<File>> create(const std::string& path, std::uint32_t mode) override;
  Result<std::unique_ptr<File>> open_write(const std::string& path) override;
  Status link(const std::string& existing, const std::string& fresh) override {
    LB_TRY(ask("link", fresh));
    return real_->link(existing, fresh);
  }
  Status rename(const std::string& from, const std::string& to) override {
    LB_TRY(ask("rename", to));
    return real_->rename(from, to);
  }
  Status exchange(const std::string& one, const std::string& other) override {
    LB_TRY(ask("exchange", other));
    return real_->exchange(one, other);
  }
  Status remove(const std::string& path) override {
    LB_TRY(ask("remove", path));
    return real_->remove(path);
  }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    LB_TRY(ask("lock", path));
    return real_->lock(path);
  }
  Status make_directory(const std::string& path, std::uint32_t mode) override {
    LB_TRY(ask("make_directory", path));
    return real_->make_directory(path, mode);
  }
  Status remove_directory(const std::string& path) override {
    LB_TRY(ask("remove_directory", path));
    return real_->remove_directory(path);
  }
  // Syncs do nothing here: they cannot be observed without a crash, and cost most of the time.
  Status sync_directory(const std::string&) override { return {}; }
  Status sync_filesystem(const std::string& path) override {
    ++synced;
    return ask("sync_filesystem", path);
  }
  Result<std::vector<DirEntry>> list(const std::string& path) override {
    LB_TRY(ask("list", path));
    return real_->list(path);
  }
  Result<FileInfo> info(const std::string& path) override {
    LB_TRY(ask("info", path));
    return real_->info(path);
  }
  Result<SpaceInfo> space(const std::string& path) override { return real_->space(path); }
  Result<std::string> read_link(const std::string& path) override {
    LB_TRY(ask("read_link", path));
    return real_->read_link(path);
  }
  Status make_symlink(const std::string& target, const std::string& path) override {
    LB_TRY(ask("make_symlink", path));
    return real_->make_symlink(target, path);
  }
  Status make_special(const std::string& path, FileKind kind, std::uint32_t mode,
                      std::uint64_t device) override {
    LB_TRY(ask("make_special", path));
    return real_->make_special(path, kind, mode, device);
  }
  Status set_mode(const std::string& path, std::uint32_t mode) override {
    LB_TRY(ask("set_mode", path));
    return real_->set_mode(path, mode);
  }
  Status set_owner(const std::string& path, std::uint32_t uid, std::uint32_t gid) override {
    LB_TRY(ask("set_owner", path));
    return real_->set_owner(path, uid, gid);
  }
  Status set_mtime(const std::string& path, std::int64_t mtime_ns) override {
    LB_TRY(ask("set_mtime", path));
    return real_->set_mtime(path, mtime_ns);
  }
  Result<std::vector<std::string>> list_xattrs(const std::string& path) override {
    LB_TRY(ask("list_xattrs", path));
    return real_->list_xattrs(path);
  }
  Result<Buffer> get_xattr(const std::string& path, const std::string& name) override {
    return real_->get_xattr(path, name);
  }
  Status set_xattr(const std::string& path, const std::string& name, ByteView value) override {
    LB_TRY(ask("set_xattr", path));
    return real_->set_xattr(path, name, value);
  }

 private:
  friend class WatchedFile;
  Status ask(const std::string& call, const std::string& path) {
    return hook ? hook(call, path) : Status();
  }
  Result<std::unique_ptr<File>> watch(Result<std::unique_ptr<File>> file, const std::string& path);

  std::unique_ptr<Files> real_ = real_files();
};

class WatchedFile final : public File {
 public:
  WatchedFile(WatchedFiles& files, std::unique_ptr<File> real, std::string path)
      : files_(files), real_(std::move(real)), path_(std::move(path)) {}
  Result<std::size_t> read_at(MutableBytes out, std::uint64_t offset) override {
    LB_TRY(files_.ask("read_at", path_));
    auto got = LB_TRY(real_->read_at(out, offset));
    files_.bytes_read += got;
    return got;
  }
  Status write_at(ByteView bytes, std::uint64_t offset) override {
    LB_TRY(files_.ask("write_at", path_));
    files_.bytes_written += bytes.size();
    return real_->write_at(bytes, offset);
  }
  Status append(ByteView bytes) override { return real_->append(bytes); }
  Status sync() override { return {}; }
  Status truncate(std::uint64_t size) override { return real_->truncate(size); }
  Result<FileInfo> info() override { return real_->info(); }
  Result<std::vector<DataRange>> data_ranges() override { return real_->data_ranges(); }
  Status set_mode(std::uint32_t mode) override {
    LB_TRY(files_.ask("set_mode", path_));
    return real_->set_mode(mode);
  }
  Status set_owner(std::uint32_t uid, std::uint32_t gid) override {
    LB_TRY(files_.ask("set_owner", path_));
    return real_->set_owner(uid, gid);
  }
  Status set_mtime(std::int64_t mtime_ns) override {
    LB_TRY(files_.ask("set_mtime", path_));
    return real_->set_mtime(mtime_ns);
  }
  Status close() override { return real_->close(); }

 private:
  WatchedFiles& files_;
  std::unique_ptr<File> real_;
  std::string path_;
};

inline Result<std::unique_ptr<File>> WatchedFiles::watch(Result<std::unique_ptr<File>> file,
                                                         const std::string& path) {
  if (!file.ok()) return file;
  ++opened;
  return std::unique_ptr<File>(std::make_unique<WatchedFile>(*this, std::move(file).take(), path));
}
inline Result<std::unique_ptr<File>> WatchedFiles::open_read(const std::string& path) {
  LB_TRY(ask("open_read", path));
  return watch(real_->open_read(path), path);
}
inline Result<std::unique_ptr<File>> WatchedFiles::create(const std::string& path,
                                                          std::uint32_t mode) {
  LB_TRY(ask("create", path));
  return watch(real_->create(path, mode), path);
}
inline Result<std::unique_ptr<File>> WatchedFiles::open_write(const std::string& path) {
  LB_TRY(ask("open_write", path));
  return watch(real_->open_write(path), path);
}

class NoHttp final : public Http {
 public:
  Result<HttpAnswer> send(const HttpRequest&) override {
    return Error(ErrorKind::internal, "http");
  }
};
class NoProcesses final : public Processes {
 public:
  Result<Finished> run(const Command&, Micros, std::stop_token) override {
    return Error(ErrorKind::internal, "process");
  }
  Result<std::unique_ptr<Child>> start(const Command&) override {
    return Error(ErrorKind::internal, "process");
  }
};
class NoSandboxes final : public Sandboxes {
 public:
  Result<std::unique_ptr<Sandbox>> create(const SandboxSpec&) override {
    return Error(ErrorKind::internal, "sandbox");
  }
  Result<UserId> unprivileged_user(const std::string&) override {
    return Error(ErrorKind::internal, "sandbox");
  }
  Result<std::vector<std::string>> sweep(const std::string&) override {
    return Error(ErrorKind::internal, "sandbox");
  }
};

using Lines = std::vector<std::string>;

// A repository in memory, and the same one seen through a store that goes wrong.
class TestRepository {
 public:
  TestRepository(Clock& clock, Random& random) : clock_(clock), random_(random) {
    auto made = repo::init_repository(blobs_, clock_, random_, key_);
    EXPECT_TRUE(made.ok()) << made.error().text();
    whole_ = open(blobs_);
  }
  repo::Repository& operator*() { return *whole_; }
  repo::Repository* operator->() { return whole_.get(); }
  // Valid until the next call.
  repo::Repository& failing(FaultPlan plan) {
    failing_.reset();
    faults_ = std::make_unique<FaultBlobStore>(blobs_, std::move(plan));
    failing_ = open(*faults_);
    return *failing_;
  }

 private:
  std::unique_ptr<repo::Repository> open(BlobStore& blobs) {
    auto opened = repo::open_repository(blobs, clock_, random_, key_);
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    return std::move(opened).take();
  }
  Clock& clock_;
  Random& random_;
  const Secret key_{std::string_view("test")};
  MemoryBlobStore blobs_;
  std::unique_ptr<FaultBlobStore> faults_;
  std::unique_ptr<repo::Repository> whole_, failing_;
};

// A source folder, a target folder, a repository, and what is done with them.
class FilesStoreTest : public testing::Test {
 protected:
  FilesStoreTest() : source_(folder_ / "source"), target_(folder_ / "target") {
    EXPECT_TRUE(files_.make_directory(source_, 0755).ok());
  }
  // Folders that forbid changes to their owner are no hindrance to remove_tree.
  ~FilesStoreTest() override { (void)remove_tree(*real_files(), folder_.path()); }

  std::string at(const std::string& name) const { return path_join(source_, name); }
  std::string back(const std::string& name) const { return path_join(target_, name); }
  void write(const std::string& path, std::string_view text, std::uint32_t mode = 0644) {
    auto parent = make_directories(files_, path_parent(path), 0755);
    ASSERT_TRUE(parent.ok()) << parent.error().text();
    ASSERT_TRUE(write_durably(files_, path, view_of(text), mode).ok());
  }
  std::string read(const std::string& path) {
    auto bytes = read_file(files_, path, 1 << 28);
    return bytes.ok() ? std::string(text_of(*bytes)) : "error: " + bytes.error().text();
  }
  FileInfo info(const std::string& path) {
    auto got = files_.info(path);
    EXPECT_TRUE(got.ok()) << path;
    return got.ok() ? *got : FileInfo();
  }
  bool exists(const std::string& path) { return path_exists(files_, path).value(); }

  Result<BackupOutcome> try_backup(const SourceOptions& options, std::stop_token stop = {}) {
    return try_backup_into(*repository_, options, stop);
  }
  Result<BackupOutcome> try_backup_into(repo::Repository& repository, const SourceOptions& options,
                                        std::stop_token stop = {}) {
    BackupContext context{world_, repository, parent_.get(), stop, {}, 3, "host"};
    return make_source(options)->backup(context);
  }
  // A backup that must work; it is the parent of the next one.
  BackupOutcome backup(SourceOptions options = {}) {
    options.store = "media";
    if (options.root.empty()) options.root = source_;
    auto outcome = try_backup(options);
    EXPECT_TRUE(outcome.ok()) << outcome.error().text();
    if (!outcome.ok()) return {};
    parent_ = repository_->snapshot(outcome->snapshot.id).take();
    return std::move(outcome).take();
  }
  RestoreOptions to_target() const {
    RestoreOptions out;
    out.folder = target_;
    out.workers = 3;
    return out;
  }
  RestoreOutcome restore_all(const RestoreOptions& options,
                             const std::vector<std::string>& deletions = {}) {
    auto outcome = restore(world_, *parent_, options, deletions, {});
    EXPECT_TRUE(outcome.ok()) << outcome.error().text();
    return outcome.ok() ? std::move(outcome).take() : RestoreOutcome();
  }

  // Every name below a folder.
  Lines names(const std::string& folder) {
    Lines out;
    for (const auto& entry : files_.list(folder).take()) {
      out.push_back(entry.name);
      if (entry.kind != FileKind::directory) continue;
      for (const auto& inner : names(path_join(folder, entry.name))) {
        out.push_back(path_join(entry.name, inner));
      }
    }
    return out;
  }
  RestoreOptions exact() const {
    auto out = to_target();
    out.mode = RestoreMode::exact;
    return out;
  }
  Lines deletions(const RestoreOptions& options) {
    auto out = plan_deletions(world_, *parent_, options);
    EXPECT_TRUE(out.ok()) << out.error().text();
    return out.ok() ? std::move(out).take() : Lines();
  }

  TestFolder folder_;
  const std::string source_, target_;
  // An hour ahead: files made by the test are older than its backups, as in life.
  SimClock clock_{from_micros(to_micros(real_clock()->now()) + 3'600'000'000)};
  std::unique_ptr<Random> random_ = seeded_random(1);
  WatchedFiles files_;
  NoHttp http_;
  NoProcesses processes_;
  NoSandboxes sandboxes_;
  World world_{clock_, *random_, files_, http_, processes_, sandboxes_};
  TestRepository repository_{clock_, *random_};
  std::unique_ptr<repo::SnapshotReader> parent_;
};

}  // namespace lb::files
