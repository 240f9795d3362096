#include "storage/blob/directory_blob_store.h"

#include <algorithm>
#include <set>

#include "foundation/base/text.h"
#include "foundation/flow/guarded.h"
#include "storage/blob/blob_key.h"

namespace lb {

namespace {

constexpr std::uint32_t file_mode = 0600;
constexpr std::uint32_t folder_mode = 0700;
constexpr auto temporary_age_max = std::chrono::hours(24);
constexpr const char* temporary_folder = "tmp";

BlobInfo info_of(std::string key, const FileInfo& facts) {
  auto modified = std::chrono::floor<Micros>(std::chrono::nanoseconds(facts.mtime_ns));
  return {std::move(key), facts.size, Timestamp(modified)};
}

Status with_advice(Status status) {
  bool refused = !status.ok() && status.error().kind() == ErrorKind::denied;
  if (!refused) return status;
  return std::move(status).hint(
      "this place may not be written to: a file system that is read-only, or folders of another "
      "user; what is there can be read, verified and restored");
}

// What lay at the root when it was opened: the device, and the names in it.
struct Place {
  std::uint64_t device = 0;
  std::set<std::string> names;
};

class DirectoryBlobStore final : public BlobStore {
 public:
  DirectoryBlobStore(Files& files, Random& random, std::string root, Place place)
      : files_(files), random_(random), root_(std::move(root)), place_(std::move(place)) {}

  Status put(const std::string& key, ByteView bytes) override;
  Status flush() override;
  Result<Buffer> get(const std::string& key) override;
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override;
  Status get_range_into(const std::string& key, std::uint64_t offset, MutableBytes out) override;
  Result<BlobInfo> info(const std::string& key) override;
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override;
  Status remove(const std::string& key) override;
  std::string describe() const override { return cat("directory ", printable(root_)); }

 private:
  std::string path_of(const std::string& key) const { return path_join(root_, key); }
  Status check_root();
  Status prepare_folder(const std::string& folder);
  Status write_temporary(const std::string& path, ByteView bytes);
  Status put_new(const std::string& target, ByteView bytes);
  Status walk(const std::string& folder, const std::string& prefix, const std::string& after,
              std::vector<BlobInfo>& out);
  Result<std::unique_ptr<File>> open(const std::string& key);

  Files& files_;
  Random& random_;
  std::string root_;
  Guarded<Place> place_;
  Guarded<std::set<std::string>> touched_;  // folders whose entries are not durable yet
  Guarded<std::set<std::string>> known_;    // folders seen to exist
};

// A disk that was unmounted, or a folder that was moved away, while this store was open: what is
// put into a folder made anew in its place would count as stored, and nobody would find it again.
// One that was mounted again has another device, and in it what was there.
Status DirectoryBlobStore::check_root() {
  const auto root = files_.info(root_ + "/");  // with the slash, that of what a link leads to
  if (!root.ok() && root.error().kind() != ErrorKind::not_found) return root.status();
  const auto known = place_.with([](const auto& place) { return place; });
  if (root.ok() && root->device == known.device) return {};
  auto names = root.ok() ? files_.list(root_ + "/") : Result<std::vector<DirEntry>>(root.error());
  std::set<std::string> there;
  if (names.ok()) {
    for (const auto& entry : *names) there.insert(entry.name);
  }
  const bool same =
      root.ok() && !known.names.empty() &&
      std::includes(there.begin(), there.end(), known.names.begin(), known.names.end());
  if (same) {
    place_.with([&](auto& place) { place.device = root->device; });
    return {};
  }
  return Error(ErrorKind::unavailable,
               root.ok() ? cat("another file system lies at ", printable(root_), " now")
                         : cat("the folder ", printable(root_), " is gone"))
      .with_exit(ExitCode::no_repository)
      .with_hint("mount it again, or put it back");
}

// Names every folder from the root down whose entry may be new, so that flush() covers them.
Status DirectoryBlobStore::prepare_folder(const std::string& folder) {
  auto known = known_.with([&](auto& set) { return set.contains(folder); });
  if (!known) {
    LB_TRY(make_directories(files_, folder, folder_mode));
    touched_.with([&](auto& set) {
      for (auto at = folder; at.size() > root_.size(); at = path_parent(at)) {
        set.insert(path_parent(at));
      }
    });
    known_.with([&](auto& set) { set.insert(folder); });
  }
  return {};
}

Status DirectoryBlobStore::write_temporary(const std::string& path, ByteView bytes) {
  auto file = LB_TRY(files_.create(path, file_mode));
  LB_TRY(file->append_direct(bytes));
  LB_TRY(file->sync());
  return file->close();
}

Status DirectoryBlobStore::put_new(const std::string& target, ByteView bytes) {
  LB_TRY(check_root());
  LB_TRY(prepare_folder(path_parent(target)));
  LB_TRY(prepare_folder(path_join(root_, temporary_folder)));
  auto temporary = path_join(path_join(root_, temporary_folder), to_hex(random_.bytes(16)));
  auto status = write_temporary(temporary, bytes);
  if (status.ok()) status = files_.link(temporary, target);
  // Best effort: what stays is swept a day later, and never has the name of an object.
  (void)files_.remove(temporary);
  return status;
}

Status DirectoryBlobStore::put(const std::string& key, ByteView bytes) {
  LB_TRY(check_blob_key(key));
  auto target = path_of(key);
  auto folder = path_parent(target);
  auto exists = LB_TRY(path_exists(files_, target));
  if (exists) return Error(ErrorKind::conflict, cat("object ", key, " exists already"));
  auto status = put_new(target, bytes);
  if (!status.ok() && status.error().kind() == ErrorKind::conflict) {
    return Error(ErrorKind::conflict, cat("object ", key, " exists already"));
  }
  if (!status.ok()) {
    return with_advice(std::move(status)).context(cat("put ", key, " into ", describe()));
  }
  touched_.with([&](auto& set) { set.insert(folder); });
  return {};
}

Status DirectoryBlobStore::flush() {
  auto folders = touched_.with([](auto& set) { return set; });
  for (const auto& folder : folders) {
    LB_TRY(files_.sync_directory(folder).context(cat("flush ", describe())));
  }
  // Folders touched by puts that ran meanwhile are synced once more by the next flush.
  touched_.with([&](auto& set) {
    for (const auto& folder : folders) set.erase(folder);
  });
  return {};
}

Result<std::unique_ptr<File>> DirectoryBlobStore::open(const std::string& key) {
  LB_TRY(check_blob_key(key));
  auto file = files_.open_read(path_of(key));
  if (!file.ok() && file.error().kind() == ErrorKind::not_found) {
    return Error(ErrorKind::not_found, cat("object ", key, " is not in ", describe()));
  }
  return std::move(file).context(cat("get ", key));
}

Result<Buffer> DirectoryBlobStore::get(const std::string& key) {
  auto file = LB_TRY(open(key));
  auto facts = LB_TRY(file->info().context(cat("get ", key)));
  Buffer out(facts.size);
  auto got = LB_TRY(file->read_at(out, 0).context(cat("get ", key)));
  if (got != out.size()) {
    return Error(ErrorKind::corrupt, cat("object ", key, " became shorter while it was read"));
  }
  return out;
}

Result<Buffer> DirectoryBlobStore::get_range(const std::string& key, std::uint64_t offset,
                                             std::uint64_t size) {
  // Before there is memory for it: a damaged size must not ask for more than the object has.
  auto known = LB_TRY(info(key));
  if (offset > known.size || size > known.size - offset) {
    return Error(ErrorKind::corrupt, cat("object ", key, " is shorter than it must be"));
  }
  Buffer out(size);
  LB_TRY(get_range_into(key, offset, out));
  return out;
}

Status DirectoryBlobStore::get_range_into(const std::string& key, std::uint64_t offset,
                                          MutableBytes out) {
  auto file = LB_TRY(open(key));
  std::size_t got = 0;
  if (offset <= std::uint64_t{1} << 62) {
    got = LB_TRY(file->read_at(out, offset).context(cat("get ", key)));
  }
  if (got == out.size()) return {};
  return Error(ErrorKind::corrupt, cat("object ", key, " is shorter than it must be"));
}

Result<BlobInfo> DirectoryBlobStore::info(const std::string& key) {
  LB_TRY(check_blob_key(key));
  auto facts = files_.info(path_of(key));
  if (!facts.ok() && facts.error().kind() == ErrorKind::not_found) {
    return Error(ErrorKind::not_found, cat("object ", key, " is not in ", describe()));
  }
  if (!facts.ok()) return std::move(facts).context(cat("look at ", key)).take_error();
  return info_of(key, *facts);
}

// `folder` is a key prefix ending in '/' or empty.
Status DirectoryBlobStore::walk(const std::string& folder, const std::string& prefix,
                                const std::string& after, std::vector<BlobInfo>& out) {
  auto entries = files_.list(folder.empty() ? root_ : path_of(folder));
  if (!entries.ok() && entries.error().kind() == ErrorKind::not_found) return {};
  if (!entries.ok()) return std::move(entries).context(cat("list ", folder)).take_error();
  for (const auto& entry : *entries) {
    auto key = folder + entry.name;
    if (entry.kind == FileKind::directory) {
      key += '/';
      bool ours = !(folder.empty() && entry.name == temporary_folder);
      bool wanted = key.starts_with(prefix) || prefix.starts_with(key);
      bool passed = key < after && !after.starts_with(key);
      if (ours && wanted && !passed) LB_TRY(walk(key, prefix, after, out));
      continue;
    }
    if (!key.starts_with(prefix) || key <= after) continue;
    auto facts = files_.info(path_of(key));
    if (!facts.ok() && facts.error().kind() == ErrorKind::not_found) continue;  // just removed
    if (!facts.ok()) return std::move(facts).context(cat("list ", folder)).take_error();
    out.push_back(info_of(std::move(key), *facts));
  }
  return {};
}

Result<std::vector<BlobInfo>> DirectoryBlobStore::list(const std::string& prefix,
                                                       const std::string& after) {
  auto slash = prefix.rfind('/');
  std::vector<BlobInfo> out;
  auto folder = slash == std::string::npos ? std::string() : prefix.substr(0, slash + 1);
  LB_TRY(walk(folder, prefix, after, out));
  // The order of folders is not the order of keys: "a-b" sorts before "a/b".
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return out;
}

Status DirectoryBlobStore::remove(const std::string& key) {
  LB_TRY(check_blob_key(key));
  auto path = path_of(key);
  auto removed = files_.remove(path);
  if (!removed.ok() && removed.error().kind() == ErrorKind::not_found) return {};
  LB_TRY(with_advice(std::move(removed)).context(cat("remove ", key)));
  touched_.with([&](auto& set) { set.insert(path_parent(path)); });
  return {};
}

Status sweep_temporaries(Files& files, const Clock& clock, const std::string& folder) {
  auto entries = files.list(folder);
  if (!entries.ok()) return {};  // none yet, or not ours to clean
  auto limit = std::chrono::nanoseconds((clock.now() - temporary_age_max).time_since_epoch());
  for (const auto& entry : *entries) {
    auto path = path_join(folder, entry.name);
    auto facts = files.info(path);
    bool stale = facts.ok() && facts->kind == FileKind::regular && facts->mtime_ns < limit.count();
    // Another process may be sweeping too, and a read-only store is fine: nothing depends on it.
    if (stale) (void)files.remove(path);
  }
  return {};
}

// Folders that were missing are made, and their names made durable: a repository whose own folder
// is lost in a power cut is lost whole.
Status create_durably(Files& files, const std::string& path) {
  auto there = LB_TRY(path_exists(files, path));
  if (there) return {};
  auto parent = path_parent(path);
  if (parent != path) LB_TRY(create_durably(files, parent));
  LB_TRY(make_directories(files, path, folder_mode));
  return files.sync_directory(parent);
}

}  // namespace

Result<std::unique_ptr<BlobStore>> open_directory_blobs(Files& files, const Clock& clock,
                                                        Random& random, const std::string& path,
                                                        MissingFolder missing) {
  auto root = path;
  while (root.size() > 1 && root.back() == '/') root.pop_back();
  if (missing == MissingFolder::create) {
    LB_TRY(create_durably(files, root).context("create the repository folder"));
  }
  auto entries = files.list(root + "/");  // with the slash, a link to a folder is good too
  if (!entries.ok()) {
    auto error = std::move(entries).take_error();
    bool absent = error.kind() == ErrorKind::not_found;
    error = std::move(error).context(cat("open the repository folder ", printable(root)));
    if (absent) error = std::move(error).with_exit(ExitCode::no_repository);
    return error;
  }
  const auto info = LB_TRY(files.info(root + "/").context("open the repository folder"));
  Place place{info.device, {}};
  for (const auto& entry : *entries) {
    if (entry.name != temporary_folder) place.names.insert(entry.name);
  }
  LB_TRY(sweep_temporaries(files, clock, path_join(root, temporary_folder)));
  return std::unique_ptr<BlobStore>(
      std::make_unique<DirectoryBlobStore>(files, random, std::move(root), std::move(place)));
}

}  // namespace lb
