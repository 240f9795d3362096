#include "stores/files/walker.h"

namespace lb::files {

namespace {

// On the way down. Deeper ones are reached by their paths: a process may hold few files open.
constexpr std::size_t open_folders_max = 64;

}  // namespace

TreeWalker::TreeWalker(Files& files, std::string root, WalkOptions options)
    : files_(files), root_(std::move(root)), options_(std::move(options)) {}

Result<std::optional<Visit>> TreeWalker::next() {
  if (!started_) {
    auto root = LB_TRY(start());
    return std::optional<Visit>(std::move(root));
  }
  while (waiting_.empty() && !stack_.empty()) {
    auto& folder = stack_.back();
    if (folder.next == folder.entries.size()) {
      stack_.pop_back();
      continue;
    }
    const auto entry = folder.entries[folder.next++];
    auto visit = look(entry);
    if (visit) return std::optional<Visit>(give(std::move(*visit)));
  }
  if (waiting_.empty()) return std::optional<Visit>();
  auto visit = std::move(waiting_.back());
  waiting_.pop_back();
  return std::optional<Visit>(std::move(visit));
}

void TreeWalker::skip_folder() {
  if (!waiting_.empty() || stack_.empty()) return;
  stack_.back().next = stack_.back().entries.size();
}

// The root may be a link to the folder meant: a trailing "/." names what it leads to.
Result<Visit> TreeWalker::start() {
  Visit visit;
  visit.full = path_join(root_, ".");
  visit.info = LB_TRY(files_.info(visit.full));
  if (visit.info.kind != FileKind::directory) {
    return Error(ErrorKind::invalid, root_ + " is not a folder");
  }
  device_ = visit.info.device;
  started_ = true;
  Folder folder;
  folder.open = LB_TRY(files_.open_folder(visit.full));
  folder.entries = LB_TRY(folder.open->list());
  folder.included =
      options_.selection == nullptr || options_.selection->choose("", true, false).included;
  folder.given = true;
  stack_.push_back(std::move(folder));
  return visit;
}

Choice TreeWalker::choose(const std::string& path, FileKind kind) const {
  bool is_folder = kind == FileKind::directory;
  if (options_.only != nullptr && !options_.only->wants(path)) {
    bool on_the_way = is_folder && options_.only->leads_to(path);
    return {on_the_way, on_the_way};
  }
  if (options_.selection == nullptr) return {true, is_folder};
  return options_.selection->choose(path, is_folder, stack_.back().included);
}

// What an entry of the folder on top gives: nothing when it is left out, or when it is a folder
// that is only given once something below it is.
std::optional<Visit> TreeWalker::look(const DirEntry& entry) {
  if (entry.name.starts_with(own_prefix)) return std::nullopt;
  const auto& parent = stack_.back().visit;
  Visit visit;
  visit.path = path_join(parent.path, entry.name);
  auto choice = choose(visit.path, entry.kind);
  if (!choice.included && !choice.entered) return std::nullopt;
  visit.full = path_join(parent.full.empty() ? root_ : parent.full, entry.name);
  auto info = stack_.back().open->info(entry.name);
  if (!info.ok()) {
    visit.unread = std::move(info).take_error();
    visit.info.kind = entry.kind;
    return choice.included ? std::optional<Visit>(std::move(visit)) : std::nullopt;
  }
  visit.info = *info;
  if (visit.info.kind != entry.kind) choice = choose(visit.path, visit.info.kind);
  if (visit.info.kind == FileKind::directory) {
    if (options_.skip.contains({visit.info.device, visit.info.inode})) {
      skipped_.push_back(visit.path);
      return std::nullopt;
    }
    if (choice.entered) enter(entry.name, visit, choice.included);
  }
  return choice.included ? std::optional<Visit>(std::move(visit)) : std::nullopt;
}

void TreeWalker::enter(const std::string& name, Visit& visit, bool included) {
  Folder folder;
  if (options_.one_filesystem && visit.info.device != device_) {
    visit.other_filesystem = true;
  } else {
    auto listed = list(name, visit.full, folder);
    if (!listed.ok()) visit.unlisted = std::move(listed).take_error();
  }
  folder.included = folder.given = included;
  folder.visit = visit;
  stack_.push_back(std::move(folder));
}

Status TreeWalker::list(const std::string& name, const std::string& full, Folder& folder) {
  folder.open = stack_.size() < open_folders_max ? LB_TRY(stack_.back().open->open_folder(name))
                                                 : by_path(files_, full);
  folder.entries = LB_TRY(folder.open->list());
  return {};
}

Visit TreeWalker::give(Visit visit) {
  waiting_.push_back(std::move(visit));
  for (auto folder = stack_.rbegin(); folder != stack_.rend(); ++folder) {
    if (folder->given) continue;
    folder->given = true;
    waiting_.push_back(folder->visit);
  }
  auto first = std::move(waiting_.back());
  waiting_.pop_back();
  return first;
}

}  // namespace lb::files
