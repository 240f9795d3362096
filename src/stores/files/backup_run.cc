#include "stores/files/backup_run.h"

#include <algorithm>
#include <thread>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "stores/files/unchanged.h"

namespace lb::files {

namespace {

Error stopped() {
  return Error(ErrorKind::cancelled, "the backup was stopped")
      .with_hint("run it again; what was stored already is not stored twice");
}

Error unreachable(Error error, const std::string& root) {
  return std::move(error)
      .context(cat("root ", printable(root)))
      .with_exit(ExitCode::store_unreachable);
}

// Folders never to enter, as device and inode: the repository may be named through a link.
std::set<FolderId> folder_ids(Files& files, const std::vector<std::string>& paths) {
  std::set<FolderId> out;
  for (const auto& path : paths) {
    auto info = files.info(path_join(path, "."));
    if (info.ok()) out.emplace(info->device, info->inode);
  }
  return out;
}

}  // namespace

BackupRun::BackupRun(const SourceOptions& options, const BackupContext& context)
    : options_(options),
      context_(context),
      names_(OwnerNames::read(context.world.files)),
      meter_(context.world.clock, with_new_bytes(context.progress), estimate(context)),
      parent_(context.parent),
      group_(context.stop) {}

// The tree is walked while it is read: how much there is, the last snapshot tells.
std::uint64_t BackupRun::estimate(const BackupContext& context) {
  return context.parent == nullptr ? 0 : context.parent->info().logical_bytes;
}

ProgressSink BackupRun::with_new_bytes(ProgressSink sink) {
  if (!sink) return {};
  return [this, told = std::move(sink)](Progress progress) {
    if (writer_) progress.new_bytes = writer_->stats().new_bytes;
    told(progress);
  };
}

// Where there is no snapshot yet and somebody watches, a walk of its own tells: it is through long
// before all is read.
Status BackupRun::count(const WalkOptions& walk) {
  TreeWalker walker(context_.world.files, options_.root, walk);
  std::uint64_t total = 0;
  while (!group_.token().stop_requested()) {
    auto visit = LB_TRY(walker.next());
    if (!visit) {
      meter_.expect(total);
      break;
    }
    const auto& info = visit->info;
    // Each name of a file has its share.
    if (info.kind == FileKind::regular) total += info.size / std::max<std::uint64_t>(1, info.links);
  }
  return {};
}

Result<BackupOutcome> BackupRun::run() {
  auto started = context_.world.clock.now();
  auto selection = LB_TRY(Selection::make(options_.include, options_.exclude));
  auto skip = folder_ids(context_.world.files, options_.skip);
  const WalkOptions how{&selection, nullptr, std::move(skip), options_.one_filesystem};
  TreeWalker walker(context_.world.files, options_.root, how);
  auto root = walker.next();
  if (!root.ok()) return unreachable(std::move(root).take_error(), options_.root);
  writer_ = LB_TRY(context_.repository.begin(options_.store, context_.parent, group_.token()));
  saving_.reset(new SaveContext{context_.world.files, *writer_, names_, findings_, links_, meter_,
                                group_.token()});
  std::jthread counting;
  if (context_.parent == nullptr && context_.progress) {
    // What it cannot read the backup itself finds, and says.
    counting = std::jthread([&] { (void)count(how).ok(); });
  }
  pool_ = std::make_unique<ReadPool>(*saving_, group_, context_.workers);
  auto walked = take(**root);
  if (walked.ok()) walked = walk(walker);
  // Also after a walk that ended early: what made it end may be the failure of a reader. A stop
  // leaves files unread and the snapshot would lack them; finish() tells of it.
  if (!walked.ok()) group_.fail(std::move(walked).take_error());
  auto finished = pool_->finish();
  if (!finished.ok()) {
    bool by_stop = finished.error().kind() == ErrorKind::cancelled;
    return by_stop ? stopped() : std::move(finished).take_error();
  }
  if (counting.joinable()) counting.join();
  selection.skipped = walker.skipped();
  meter_.finish();
  return commit(started, selection);
}

Status BackupRun::walk(TreeWalker& walker) {
  for (;;) {
    if (group_.token().stop_requested()) return stopped();
    auto visit = LB_TRY(walker.next());
    if (!visit) return {};
    LB_TRY(take(*visit));
  }
}

Status BackupRun::take(const Visit& visit) {
  if (visit.unread) return take_unseen(visit);
  if (visit.info.kind == FileKind::regular) return take_file(visit);
  meter_.item(visit.path);
  if (visit.info.kind == FileKind::socket) {
    ++counts_.sockets;
    findings_.note(visit.path, "a socket, not saved");
    return {};
  }
  return take_other(visit);
}

// There is a name, but not even its kind and times can be had.
Status BackupRun::take_unseen(const Visit& visit) {
  findings_.unread(visit.path, *visit.unread);
  if (visit.unread->kind() == ErrorKind::not_found) return {};
  Attributes attributes;
  attributes.kind = visit.info.kind;
  attributes.mode = visit.info.kind == FileKind::directory ? 0700 : 0600;
  attributes.complete = false;
  return writer_->add(key_of(visit.path), encode(attributes));
}

const repo::Row* BackupRun::unchanged_row(const Visit& visit) {
  const auto* row = parent_.seek(key_of(visit.path));
  if (row == nullptr) return nullptr;
  const auto* then = parent_.attributes();
  if (then == nullptr) return nullptr;
  bool same = is_unchanged(visit.info, *then, row->size, context_.parent->info().meta.started);
  return same ? row : nullptr;
}

Status BackupRun::take_file(const Visit& visit) {
  ++counts_.files;
  LinkTable::FirstName first;
  if (visit.info.links > 1) {
    first = links_.find(visit.info);
    if (!first) {
      first = links_.add(visit.info, visit.path);
    } else {
      pool_->flush();  // the first name may still be among the files collected here
      if (links_.wait_or_replace(first, visit.path, group_.token())) {
        ++counts_.hard_links;
        meter_.item(visit.path);
        auto attributes = attributes_of(visit.info, names_);
        attributes.hard_link_to = first->path;
        return writer_->add(key_of(visit.path), encode(attributes));
      }
    }
  }
  const auto* row = unchanged_row(visit);
  auto reused = row != nullptr ? writer_->reuse(*row, row->attributes) : Status();
  // What a damaged repository lost is read anew, so that this snapshot is whole.
  bool lost = !reused.ok() && reused.error().kind() == ErrorKind::not_found;
  if (!lost) LB_TRY(std::move(reused));
  if (row != nullptr && !lost) {
    ++counts_.unchanged;
    if (first) links_.resolve(first, true);
    meter_.bytes(row->size);
    meter_.item(visit.path);
    return {};
  }
  pool_->push({visit.path, visit.full, visit.info, first});
  return {};
}

Status BackupRun::take_other(const Visit& visit) {
  bool is_folder = visit.info.kind == FileKind::directory;
  bool whole = !visit.unlisted && !visit.other_filesystem;
  ++(is_folder                              ? counts_.folders
     : visit.info.kind == FileKind::symlink ? counts_.symlinks
                                            : counts_.specials);
  if (visit.unlisted) findings_.unread(visit.path, *visit.unlisted);
  if (visit.other_filesystem) {
    ++counts_.other_filesystems;
    findings_.note(visit.path, "another file system, not entered");
  }
  if (const auto* row = whole ? unchanged_row(visit) : nullptr) {
    return writer_->add(key_of(visit.path), row->attributes);
  }
  auto attributes = attributes_of(visit.info, names_);
  attributes.complete = whole;
  if (visit.info.kind == FileKind::symlink) {
    auto target = context_.world.files.read_link(visit.full);
    if (!target.ok()) {
      findings_.unread(visit.path, target.error());
      return {};
    }
    attributes.link_target = std::move(target).take();
  }
  read_xattrs(*saving_, visit.path, visit.full, attributes);
  return writer_->add(key_of(visit.path), encode(attributes));
}

std::string BackupRun::details() const {
  auto number = [](std::uint64_t value) { return Json(value); };
  Json out = Json::object();
  out.set("root", printable(options_.root));
  out.set("files", number(counts_.files)).set("folders", number(counts_.folders));
  out.set("symlinks", number(counts_.symlinks)).set("specials", number(counts_.specials));
  out.set("hard_links", number(counts_.hard_links)).set("sockets", number(counts_.sockets));
  out.set("unchanged", number(counts_.unchanged));
  out.set("read", number(saving_->read_files.load()));
  out.set("unread", number(findings_.unread_count()));
  out.set("other_filesystems", number(counts_.other_filesystems));
  return out.dump();
}

Result<BackupOutcome> BackupRun::commit(Timestamp started, const Selection& selection) {
  if (parent_.trouble()) {
    findings_.note("", cat("the earlier snapshot could not be read, files were read again: ",
                           parent_.trouble()->text()));
  }
  LB_TRY(writer_->attach(selection_attachment, selection.encode()));
  repo::SnapshotMeta meta;
  meta.store = options_.store;
  meta.kind = "files";
  meta.host = context_.host;
  // What changes after a file was read is not in it: the start is what the content surely stands
  // for.
  meta.started = meta.taken = started;
  meta.details = details();
  meta.warnings = findings_.all_lines();
  if (context_.parent != nullptr) meta.parent = context_.parent->info().id;
  BackupOutcome out;
  out.snapshot = LB_TRY(writer_->commit(meta));
  out.unread = findings_.unread_lines();
  return out;
}

}  // namespace lb::files
