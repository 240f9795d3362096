#include "stores/files/damage.h"

#include "foundation/base/text.h"
#include "stores/files/row_stream.h"
#include "stores/files/unchanged.h"
#include "stores/files/walker.h"

namespace lb::files {

namespace {

using Kind = TreeDifference::Kind;

// The walk and the rows in step.
class Assessment {
 public:
  Assessment(World& world, repo::SnapshotReader& snapshot, const TreeDifferenceSink& sink,
             std::stop_token stop)
      : files_(world.files), snapshot_(snapshot), sink_(sink), stop_(std::move(stop)) {}

  // `walker` may be null: nothing is there.
  Result<TreeDamage> run(TreeWalker* walker, RowStream& rows) {
    auto visit = LB_TRY(next_visit(walker));
    auto row = LB_TRY(rows.next());
    while (visit || row) {
      if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "the comparison was stopped");
      auto key = visit ? key_of(visit->path) : std::string();
      bool take_visit = visit && (!row || key <= row->row.key);
      bool take_row = row && (!visit || row->row.key <= key);
      if (take_visit && take_row) {
        LB_TRY(judge_pair(*visit, *row, *walker));
      } else if (take_visit) {
        LB_TRY(judge_extra(*visit));
      } else {
        LB_TRY(judge_missing(*row));
      }
      if (take_visit) visit = LB_TRY(next_visit(walker));
      if (take_row) row = LB_TRY(rows.next());
    }
    return out_;
  }

  void root_is_gone() {
    out_.no_root = true;
    root_why_ = "the folder itself is not there";
  }

 private:
  static Result<std::optional<Visit>> next_visit(TreeWalker* walker) {
    return walker == nullptr ? std::optional<Visit>() : walker->next();
  }

  Status tell(Kind kind, const std::string& path, std::uint64_t recorded, std::uint64_t bytes,
              std::string why = {}) {
    switch (kind) {
      case Kind::missing:
        ++out_.missing;
        out_.missing_bytes += recorded;
        break;
      case Kind::changed:
        ++out_.changed;
        out_.changed_bytes += recorded;
        break;
      case Kind::extra:
        ++out_.extra;
        out_.extra_bytes += bytes;
        break;
      case Kind::attributes:
        ++out_.attributes;
        break;
      case Kind::unseen:
        ++out_.unseen;
        break;
    }
    return sink_({kind, path, recorded, bytes, std::move(why)});
  }

  static bool gone(const Error& error) { return error.kind() == ErrorKind::not_found; }

  Status judge_missing(const StreamedRow& row) {
    if (is_unseen(row.row.key)) {
      return tell(Kind::unseen, row.path, row.row.size, 0, "its folder could not be looked into");
    }
    auto why = row.path.empty() ? root_why_ : std::string();
    return tell(Kind::missing, row.path, row.row.size, 0, std::move(why));
  }

  Status judge_extra(const Visit& visit) {
    if (visit.unread && gone(*visit.unread)) return {};
    if (visit.unread) return tell(Kind::unseen, visit.path, 0, 0, visit.unread->text());
    if (visit.info.kind == FileKind::socket || visit.other_filesystem) return {};
    LB_TRY(tell(Kind::extra, visit.path, 0, size_of(visit)));
    if (!visit.unlisted) return {};
    return tell(Kind::unseen, visit.path, 0, 0, visit.unlisted->text());
  }

  Status judge_pair(const Visit& visit, const StreamedRow& row, TreeWalker& walker) {
    const auto recorded = row.row.size;
    if (visit.unread && gone(*visit.unread)) return judge_missing(row);
    bool folder = row.attributes.kind == FileKind::directory;
    if (visit.unread) {
      if (folder) look_not_below(row);
      return tell(Kind::unseen, row.path, recorded, 0, visit.unread->text());
    }
    if (visit.info.kind != row.attributes.kind)
      return tell(Kind::changed, row.path, recorded, size_of(visit));
    if (!folder) return judge_file(visit, row);
    if (!row.attributes.complete) {
      walker.skip_folder();  // what lies in it was never saved
    } else if (visit.unlisted || visit.other_filesystem) {
      // Nothing below it is missing as far as anybody can tell.
      look_not_below(row);
      return tell(Kind::unseen, row.path, 0, 0,
                  visit.unlisted ? visit.unlisted->text() : "another file system is mounted here");
    }
    return judge_attributes(visit, row);
  }

  Status judge_file(const Visit& visit, const StreamedRow& row) {
    const auto& then = row.attributes;
    if (!then.complete) {
      return tell(Kind::unseen, row.path, 0, size_of(visit),
                  "it could not be read when the point was taken");
    }
    if (visit.info.kind == FileKind::symlink) {
      auto target = files_.read_link(visit.full);
      if (!target.ok()) return not_read(visit, row, target.error());
      bool same = *target == then.link_target;
      return same ? judge_attributes(visit, row) : tell(Kind::changed, row.path, 0, 0);
    }
    if (visit.info.kind != FileKind::regular) {
      bool same = visit.info.special == then.special;
      return same ? judge_attributes(visit, row) : tell(Kind::changed, row.path, 0, 0);
    }
    return judge_content(visit, row);
  }

  Status judge_content(const Visit& visit, const StreamedRow& row) {
    if (is_unchanged(visit.info, row.attributes, row.row.size, snapshot_.info().meta.started)) {
      ++out_.equal;
      return {};
    }
    // A further name of a file has no content of its own.
    auto content = std::optional<repo::Row>(row.row);
    if (!row.attributes.hard_link_to.empty())
      content = LB_TRY(snapshot_.find(key_of(row.attributes.hard_link_to)));
    if (!content) {
      return Error(ErrorKind::corrupt,
                   cat(printable(row.path), ": the point lacks the file whose name it is"))
          .with_exit(ExitCode::damaged);
    }
    if (visit.info.size != content->size)
      return tell(Kind::changed, row.path, content->size, visit.info.size);
    auto file = files_.open_read(visit.full);
    if (!file.ok()) return not_read(visit, row, file.error());
    std::optional<Error> trouble;  // of the live file; else it is the repository's
    auto same = snapshot_.same_content(
        *content, [&](MutableBytes out, std::uint64_t offset) -> Result<std::size_t> {
          auto got = (*file)->read_at(out, offset);
          if (!got.ok()) trouble = got.error();
          return got;
        });
    if (trouble) return not_read(visit, row, *trouble);
    bool equal = LB_TRY(std::move(same));
    ++out_.compared;
    if (!equal) return tell(Kind::changed, row.path, content->size, visit.info.size);
    return judge_attributes(visit, row);
  }

  Status not_read(const Visit& visit, const StreamedRow& row, const Error& error) {
    if (gone(error)) return judge_missing(row);
    return tell(Kind::unseen, row.path, row.row.size, size_of(visit), error.text());
  }

  Status judge_attributes(const Visit& visit, const StreamedRow& row) {
    const auto& then = row.attributes;
    const auto& now = visit.info;
    bool same = now.uid == then.uid && now.gid == then.gid;
    if (now.kind != FileKind::symlink) same = same && now.mode == then.mode;
    // A folder's time follows what comes and goes in it, which is told by itself.
    if (now.kind != FileKind::directory) same = same && now.mtime_ns == then.mtime_ns;
    if (!same) return tell(Kind::attributes, row.path, row.row.size, size_of(visit));
    ++out_.equal;
    return {};
  }

  static std::uint64_t size_of(const Visit& visit) {
    return visit.info.kind == FileKind::regular ? visit.info.size : 0;
  }

  void look_not_below(const StreamedRow& row) {
    unseen_below_ = row.row.key;
    has_unseen_ = true;
  }
  // Keys have NUL between names.
  bool is_unseen(const std::string& key) const {
    const auto& folder = unseen_below_;
    if (!has_unseen_ || key.size() <= folder.size()) return false;
    return folder.empty() || (key.starts_with(folder) && key[folder.size()] == '\0');
  }

  Files& files_;
  repo::SnapshotReader& snapshot_;
  const TreeDifferenceSink& sink_;
  const std::stop_token stop_;
  std::string unseen_below_;  // the key of a folder whose content is not known
  bool has_unseen_ = false;
  std::string root_why_;
  TreeDamage out_;
};

}  // namespace

Result<TreeDamage> assess_tree(World& world, repo::SnapshotReader& snapshot,
                               const std::string& folder, const TreeDifferenceSink& sink,
                               std::stop_token stop) {
  auto filter = LB_TRY(PathFilter::make({}));
  auto rows = LB_TRY(RowStream::open(snapshot, filter));
  auto selection = LB_TRY(recorded_selection(snapshot));
  Assessment assessment(world, snapshot, sink, std::move(stop));
  auto exists = LB_TRY(path_exists(world.files, path_join(folder, ".")));
  if (!exists) {
    assessment.root_is_gone();
    return assessment.run(nullptr, *rows);
  }
  TreeWalker walker(world.files, folder, {&selection, nullptr, {}, true});
  return assessment.run(&walker, *rows);
}

}  // namespace lb::files
