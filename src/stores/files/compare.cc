#include "stores/files/compare.h"

#include "foundation/base/text.h"
#include "stores/files/row_stream.h"
#include "stores/files/walker.h"

namespace lb::files {

namespace {

constexpr std::size_t examples_max = 50;
constexpr std::size_t folders_kept_max = 100'000;

std::string octal(std::uint32_t mode) {
  std::string out;
  for (int shift = 9; shift >= 0; shift -= 3) out += static_cast<char>('0' + ((mode >> shift) & 7));
  return out;
}

// One folder of the comparison: the walk and the rows in step.
class Pairing {
 public:
  Pairing(World& world, repo::SnapshotReader& snapshot, bool hashes, TreeComparison& out)
      : files_(world.files), snapshot_(snapshot), hashes_(hashes), out_(out) {}

  Status run(TreeWalker& walker, RowStream& rows, const PathFilter& filter, std::stop_token stop) {
    auto visit = LB_TRY(next_visit(walker, filter));
    auto row = LB_TRY(next_row(rows));
    while (visit || row) {
      if (stop.stop_requested()) return Error(ErrorKind::cancelled, "the comparison was stopped");
      auto key = visit ? key_of(visit->path) : std::string();
      bool take_visit = visit && (!row || key <= row->row.key);
      bool take_row = row && (!visit || row->row.key <= key);
      if (take_visit && take_row) {
        LB_TRY(judge_pair(*visit, *row));
        bool sealed = visit->info.kind == FileKind::directory && !row->attributes.complete;
        if (sealed) walker.skip_folder();  // what lies in it was never recorded
      } else if (take_visit) {
        count_there(*visit);
        ++out_.extra;
        example(visit->path, "not in the snapshot");
      } else {
        count_recorded(*row);
        ++out_.missing;
        example(row->path, "missing");
      }
      if (take_visit) visit = LB_TRY(next_visit(walker, filter));
      if (take_row) row = LB_TRY(next_row(rows));
    }
    return {};
  }

 private:
  Result<std::optional<Visit>> next_visit(TreeWalker& walker, const PathFilter& filter) {
    for (;;) {
      auto visit = LB_TRY(walker.next());
      if (!visit) return visit;
      if (visit->unread) return Error(*visit->unread);
      if (visit->unlisted) return Error(*visit->unlisted);
      if (filter.wants(visit->path) && visit->info.kind != FileKind::socket) return visit;
    }
  }

  // Files that were unreadable at the backup are in no restored copy.
  static Result<std::optional<StreamedRow>> next_row(RowStream& rows) {
    for (;;) {
      auto row = LB_TRY(rows.next());
      if (!row) return row;
      bool unread = !row->attributes.complete && row->attributes.kind != FileKind::directory;
      if (!row->ancestor && !unread) return row;
    }
  }

  void count_there(const Visit& visit) {
    if (visit.info.kind != FileKind::regular) return;
    ++out_.files;
    if (visit.info.size == 0) ++out_.zero_bytes;
  }

  // A further name of a file has no content of its own: its size is that of the first name.
  Result<std::uint64_t> recorded_size(const StreamedRow& row) {
    if (row.attributes.hard_link_to.empty()) return row.row.size;
    auto first = LB_TRY(snapshot_.find(key_of(row.attributes.hard_link_to)));
    return first ? first->size : 0;
  }

  void count_recorded(const StreamedRow& row) {
    if (row.attributes.kind != FileKind::regular) return;
    ++out_.recorded_files;
    auto size = recorded_size(row);
    if (size.ok() && *size == 0) ++out_.recorded_zero_bytes;
  }

  Status judge_pair(const Visit& visit, const StreamedRow& row) {
    count_there(visit);
    count_recorded(row);
    if (visit.info.kind != row.attributes.kind) {
      ++out_.missing;
      example(visit.path, "another kind of file than recorded");
      return {};
    }
    bool has_mode = visit.info.kind != FileKind::symlink;
    if (has_mode && visit.info.mode != row.attributes.mode) {
      ++out_.mode_mismatches;
      example(visit.path,
              cat("mode ", octal(visit.info.mode), ", recorded ", octal(row.attributes.mode)));
    }
    if (visit.info.kind == FileKind::regular) return judge_content(visit, row);
    return {};
  }

  Status judge_content(const Visit& visit, const StreamedRow& row) {
    auto size = LB_TRY(recorded_size(row));
    if (visit.info.size != size) {
      ++out_.content_mismatches;
      example(visit.path, cat("size ", visit.info.size, ", recorded ", size));
      return {};
    }
    if (!hashes_) return {};
    auto content = std::optional<repo::Row>(row.row);
    if (!row.attributes.hard_link_to.empty()) {
      content = LB_TRY(snapshot_.find(key_of(row.attributes.hard_link_to)));
    }
    bool same = false;
    if (content) same = LB_TRY(equal(visit.full, *content));
    ++out_.hashed;
    if (same) return {};
    ++out_.content_mismatches;
    example(visit.path, "content differs from what was recorded");
    return {};
  }

  Result<bool> equal(const std::string& full, const repo::Row& row) {
    auto file = LB_TRY(files_.open_read(full));
    return snapshot_.same_content(
        row, [&](MutableBytes out, std::uint64_t offset) { return file->read_at(out, offset); });
  }

  void example(const std::string& path, const std::string& text) {
    if (out_.examples.size() < examples_max) {
      out_.examples.push_back(cat(path.empty() ? "." : printable(path), ": ", text));
    }
  }

  Files& files_;
  repo::SnapshotReader& snapshot_;
  const bool hashes_;
  TreeComparison& out_;
};

Status compare_one(World& world, repo::SnapshotReader& snapshot, const std::string& folder,
                   const std::string& path, Pairing& pairing, std::stop_token stop) {
  auto filter = LB_TRY(PathFilter::make({path}));
  auto rows = LB_TRY(RowStream::open(snapshot, filter));
  TreeWalker walker(world.files, folder, {nullptr, filter.all() ? nullptr : &filter, {}, true});
  return pairing.run(walker, *rows, filter, stop);
}

}  // namespace

Result<TreeComparison> compare_tree(World& world, repo::SnapshotReader& snapshot,
                                    const std::string& folder, const std::vector<std::string>& in,
                                    bool hashes, std::stop_token stop) {
  TreeComparison out;
  Pairing pairing(world, snapshot, hashes, out);
  auto paths = in.empty() ? std::vector<std::string>{""} : in;
  for (const auto& path : paths) {
    auto before = out;
    LB_TRY(compare_one(world, snapshot, folder, path, pairing, stop));
    if (in.empty()) continue;
    out.folders.push_back(
        {path, out.files - before.files, out.recorded_files - before.recorded_files});
  }
  return out;
}

KeyLookup::KeyLookup(Files& files, std::string folder)
    : files_(files), folder_(std::move(folder)) {}

Result<bool> KeyLookup::contains(const std::string& key) {
  if (key.empty() || key.back() == '/') return false;
  auto path = path_below_root(key);
  if (!path.ok() || path->empty()) return false;
  for (auto slash = path->find('/'); slash != std::string::npos;
       slash = path->find('/', slash + 1)) {
    auto real = LB_TRY(is_folder(path->substr(0, slash)));
    if (!real) return false;
  }
  auto info = files_.info(path_join(folder_, *path));
  if (info.ok()) return info->kind == FileKind::regular;
  // A name no file can have is not there either.
  auto kind = info.error().kind();
  if (kind == ErrorKind::not_found || kind == ErrorKind::invalid) return false;
  return std::move(info).take_error();
}

Result<bool> KeyLookup::is_folder(const std::string& path) {
  if (folders_.contains(path)) return true;
  auto info = files_.info(path_join(folder_, path));
  if (!info.ok()) {
    auto kind = info.error().kind();
    if (kind == ErrorKind::not_found || kind == ErrorKind::invalid) return false;
    return std::move(info).take_error();
  }
  if (info->kind != FileKind::directory) return false;
  if (folders_.size() >= folders_kept_max) folders_.clear();
  folders_.insert(path);
  return true;
}

}  // namespace lb::files
