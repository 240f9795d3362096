// What an exact restore deletes: a comparison in key order of the folder with the snapshot.
#include <algorithm>

#include "foundation/base/text.h"
#include "stores/files/row_stream.h"
#include "stores/files/walker.h"

namespace lb::files {

namespace {

class Comparison {
 public:
  Comparison(TreeWalker& walker, RowStream& rows) : walker_(walker), rows_(rows) {}

  Result<std::vector<std::string>> run() {
    row_ = LB_TRY(rows_.next());
    for (;;) {
      auto visit = LB_TRY(walker_.next());
      if (!visit) break;
      LB_TRY(judge(*visit));
    }
    std::sort(foreign_.begin(), foreign_.end());
    return std::move(foreign_);
  }

 private:
  Status judge(const Visit& visit) {
    if (visit.unread) {
      if (visit.unread->kind() == ErrorKind::not_found) return {};
      return *visit.unread;
    }
    auto key = key_of(visit.path);
    while (row_ && row_->row.key < key) row_ = LB_TRY(rows_.next());
    bool recorded = row_ && row_->row.key == key;
    bool is_folder = visit.info.kind == FileKind::directory;
    if (recorded && is_folder && row_->attributes.kind == FileKind::directory &&
        !row_->attributes.complete) {
      walker_.skip_folder();  // what lies in it was never saved
      return {};
    }
    if (visit.unlisted) {
      return Error(*visit.unlisted).context("list what an exact restore deletes");
    }
    // A running service's socket is no file anybody saved, and a mount point no folder to remove.
    bool kept = visit.info.kind == FileKind::socket || visit.other_filesystem;
    if (!recorded && !kept) foreign_.push_back(visit.path);
    return {};
  }

  TreeWalker& walker_;
  RowStream& rows_;
  std::optional<StreamedRow> row_;
  std::vector<std::string> foreign_;
};

}  // namespace

Result<std::vector<std::string>> plan_deletions(World& world, repo::SnapshotReader& snapshot,
                                                const RestoreOptions& options) {
  auto filter = LB_TRY(PathFilter::make(options.only));
  auto rows = LB_TRY(RowStream::open(snapshot, filter));
  auto selection = LB_TRY(recorded_selection(snapshot));
  auto exists = LB_TRY(path_exists(world.files, path_join(options.folder, ".")));
  if (!exists) return std::vector<std::string>();
  TreeWalker walker(world.files, options.folder,
                    {&selection, filter.all() ? nullptr : &filter, {}, true});
  return Comparison(walker, *rows).run();
}

Result<std::vector<std::string>> left_out(repo::SnapshotReader& snapshot) {
  auto selection = LB_TRY(recorded_selection(snapshot));
  std::vector<std::string> out = selection.skipped;
  if (!selection.takes_all()) out.push_back("what include: and exclude: leave out");
  auto filter = LB_TRY(PathFilter::make({}));
  auto rows = LB_TRY(RowStream::open(snapshot, filter));
  for (;;) {
    auto row = LB_TRY(rows->next());
    if (!row) return out;
    if (!row->attributes.complete) out.push_back(row->path.empty() ? "/" : row->path);
  }
}

}  // namespace lb::files
