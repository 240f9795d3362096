#include "recovery/swap/folder_swap.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "recovery/swap/folder_record.h"

namespace lb::swap {

namespace {

constexpr int moves_max = 6;  // two exchanges without the file system's help, and putting aside
constexpr std::uint64_t mounts_bytes_max = 16 << 20;
constexpr std::size_t id_min = 4, id_max = 26;

bool plain_id(std::string_view id) {
  auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  return id.size() >= id_min && id.size() <= id_max && std::all_of(id.begin(), id.end(), plain);
}

Error refused(const std::string& folder, std::string_view why, std::string hint) {
  return Error(ErrorKind::denied, cat(printable(folder), " ", why))
      .with_hint(std::move(hint))
      .with_exit(ExitCode::refused);
}

Error unexpected(const std::string& path, std::string_view why) {
  return Error(ErrorKind::conflict, cat(printable(path), " ", why))
      .with_hint("look at it; nothing was changed");
}

Status act(const std::function<Status()>& wanted) { return wanted ? wanted() : Status(); }
Status act_on(const std::function<Status(const std::string&)>& wanted, const std::string& folder) {
  return wanted ? wanted(folder) : Status();
}

// 0 when nothing has the name.
Result<std::uint64_t> inode_at(Files& files, const std::string& path) {
  auto info = files.info(path);
  if (info.ok()) return info->inode;
  if (info.error().kind() == ErrorKind::not_found) return std::uint64_t{0};
  return std::move(info).take_error();
}

bool same_folder(const FileInfo& one, const FileInfo& other) {
  return one.device == other.device && one.inode == other.inode;
}

// "\040" and the like, as the kernel lists mounts.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    bool octal = text[at] == '\\' && at + 3 < text.size();
    if (!octal) {
      out += text[at];
      continue;
    }
    int value = 0;
    for (int digit = 0; digit < 3; ++digit) value = value * 8 + (text[++at] - '0');
    out += static_cast<char>(value);
  }
  return out;
}

// What is mounted has its name from the mount: nobody can rename it. Another file system shows by
// its device; a part of the same one (bind) only in the list of mounts.
bool is_mounted(Files& files, const std::string& live, const FileInfo& info,
                const FileInfo& parent) {
  if (parent.device != info.device) return true;
  auto mounts = read_file(files, "/proc/self/mountinfo", mounts_bytes_max);
  if (!mounts.ok()) return false;
  for (const auto& line : split(text_of(*mounts), '\n')) {
    constexpr std::size_t mount_point = 4;
    auto words = split(line, ' ');
    if (words.size() <= mount_point) continue;
    auto place = unescape(words[mount_point]);
    if (path_name(place) != path_name(live)) continue;
    auto above = files.info(path_join(path_parent(place), "."));
    if (above.ok() && same_folder(*above, parent)) return true;
  }
  return false;
}

class Swap {
 public:
  explicit Swap(const FolderSwap& swap)
      : files_(swap.files), clock_(swap.clock), wish_(swap.wish) {}

  Result<FolderState> look() {
    LB_TRY(check_id());
    auto record = LB_TRY(read_folder_record(files_, record_path_));
    auto places = LB_TRY(find());
    if (!record) {
      if (places.fresh != 0) return unexpected(fresh_, "is not of this swap");
      if (places.old != 0) return unexpected(old_, "is not of this swap");
      return FolderState{};
    }
    record_ = *record;
    if (record_.id != wish_.id || path_name(record_.live) != path_name(wish_.live))
      return unexpected(record_path_, "speaks of another swap");
    return state(places);
  }

  Status fill(const FolderActs& acts) {
    if (record_.id.empty()) LB_TRY(begin());
    auto there = LB_TRY(path_exists(files_, fresh_));
    if (!there) LB_TRY(files_.make_directory(fresh_, 0700));
    LB_TRY(act_on(acts.fill, fresh_));
    LB_TRY(files_.sync_filesystem(fresh_));
    record_.fresh_inode = LB_TRY(inode_at(files_, fresh_));
    record_.point = wish_.point;
    record_.as_of = wish_.as_of;
    return reach(FolderStep::filled);
  }

  Status verify(const FolderActs& acts) {
    LB_TRY(act_on(acts.verify, fresh_));
    LB_TRY(files_.sync_filesystem(fresh_));
    return reach(FolderStep::verified);
  }

  Status exchange(const FolderActs& acts) {
    LB_TRY(end_use(acts));
    auto places = LB_TRY(find());
    if (acts.prepare)
      LB_TRY(acts.prepare(fresh_, places.live == record_.old_inode ? wish_.live : old_));
    LB_TRY(files_.sync_filesystem(fresh_));
    return settle(true);
  }

  Status begin_use(const FolderActs& acts) {
    LB_TRY(settle(true));
    LB_TRY(in_use(acts, "undo the swap to put the old one back, or mend it and go on"));
    record_.stopped = false;
    record_.until = clock_.now() + record_.keep;
    return reach(FolderStep::swapped);
  }

  Status go_back(const FolderActs& acts) {
    if (record_.step != FolderStep::undoing) LB_TRY(reach(FolderStep::undoing));
    LB_TRY(end_use(acts));
    LB_TRY(settle(false));
    LB_TRY(begin_again(acts));
    record_.until = clock_.now() + record_.keep;
    return reach(FolderStep::undone);
  }

  // Before the exchange: the live one is as it was, and gets its name back should it be on its way.
  Status withdraw(const FolderActs& acts) {
    if (record_.step == FolderStep::verified) LB_TRY(settle(false));
    if (record_.stopped) {
      LB_TRY(begin_again(acts));
      LB_TRY(reach(record_.step));
    }
    LB_TRY(remove_tree(files_, fresh_));
    return forget();
  }

  // After its time.
  Status remove_beside(const std::string& folder) {
    LB_TRY(remove_tree(files_, folder));
    return forget();
  }

 private:
  Status check_id() const {
    if (plain_id(wish_.id)) return {};
    return Error(ErrorKind::invalid, cat("'", printable(wish_.id), "' cannot name a swap"));
  }

  Result<FolderPlaces> find() {
    FolderPlaces places;
    places.live = LB_TRY(inode_at(files_, wish_.live));
    places.fresh = LB_TRY(inode_at(files_, fresh_));
    places.old = LB_TRY(inode_at(files_, old_));
    return places;
  }

  Result<FolderState> state(const FolderPlaces& places) {
    auto found = [&](FolderStage stage, const std::string& beside) {
      return FolderState{stage,         beside,        record_.until,
                         record_.point, record_.as_of, record_.stopped};
    };
    auto moved = [&] { return unexpected(wish_.live, "was replaced by somebody else since"); };
    switch (record_.step) {
      case FolderStep::filling:
        return found(FolderStage::unfinished, fresh_);
      case FolderStep::filled:
        if (places.live != record_.old_inode) return moved();
        return found(FolderStage::filled, fresh_);
      case FolderStep::verified: {
        LB_TRY(next_move(places, record_, true));
        bool there = places.live == record_.fresh_inode;
        return found(there ? FolderStage::exchanged : FolderStage::verified, there ? old_ : fresh_);
      }
      case FolderStep::undoing:
        LB_TRY(next_move(places, record_, false));
        return found(FolderStage::undoing, fresh_);
      case FolderStep::swapped:
        if (places.live != record_.fresh_inode) return moved();
        return found(FolderStage::swapped, old_);
      case FolderStep::undone:
        if (places.live != record_.old_inode) return moved();
        return found(FolderStage::undone, fresh_);
    }
    return moved();
  }

  Status begin() {
    LB_TRY(check_folder_swap(files_, wish_));
    record_.id = wish_.id;
    record_.live = wish_.live;
    record_.since = clock_.now();
    record_.keep = wish_.keep;
    record_.old_inode = LB_TRY(inode_at(files_, wish_.live));
    return reach(FolderStep::filling);
  }

  Status reach(FolderStep step) {
    record_.step = step;
    return write_folder_record(files_, record_path_, record_);
  }

  Status forget() {
    LB_TRY(files_.remove(record_path_));
    return files_.sync_directory(path_parent(wish_.live));
  }

  // Known before it is done: who undoes this later has to begin it again.
  Status end_use(const FolderActs& acts) {
    bool used = acts.stop != nullptr;
    if (used && acts.in_use) used = LB_TRY(acts.in_use());
    if (used && !record_.stopped) {
      record_.stopped = true;
      LB_TRY(reach(record_.step));
    }
    return act(acts.stop).context("stop what uses it; nothing was exchanged");
  }

  Status begin_again(const FolderActs& acts) {
    LB_TRY(in_use(acts, "mend it and undo again"));
    record_.stopped = false;
    return {};
  }

  Status in_use(const FolderActs& acts, const char* hint) {
    auto used = act(acts.start);
    if (used.ok()) used = act(acts.prove);
    return std::move(used).hint(hint);
  }

  // Gives the live name to the new or the old one, and the other one its own.
  Status settle(bool want_fresh) {
    for (int i = 0; i < moves_max; ++i) {
      auto places = LB_TRY(find());
      auto move = LB_TRY(next_move(places, record_, want_fresh));
      if (move == FolderMove::none) return {};
      LB_TRY(make(move, places));
      LB_TRY(files_.sync_directory(path_parent(wish_.live)));
    }
    return Error(ErrorKind::internal,
                 cat("the names of ", printable(wish_.live), " do not settle"));
  }

  Status make(FolderMove move, const FolderPlaces& places) {
    switch (move) {
      case FolderMove::none:
        return {};
      case FolderMove::exchange_fresh:
        return exchange_with(fresh_, places);
      case FolderMove::exchange_old:
        return exchange_with(old_, places);
      case FolderMove::fresh_to_live:
        return files_.rename(fresh_, wish_.live);
      case FolderMove::old_to_live:
        return files_.rename(old_, wish_.live);
      case FolderMove::fresh_to_old:
        return files_.rename(fresh_, old_);
      case FolderMove::old_to_fresh:
        return files_.rename(old_, fresh_);
    }
    return {};
  }

  Status exchange_with(const std::string& other, const FolderPlaces& places) {
    auto done = files_.exchange(wish_.live, other);
    if (done.ok() || done.error().kind() != ErrorKind::unsupported) return done;
    // Then nothing has the name for a moment.
    return files_.rename(wish_.live, places.old == 0 ? old_ : fresh_);
  }

  Files& files_;
  Clock& clock_;
  const FolderWish wish_;
  const std::string fresh_ = fresh_folder(wish_), old_ = old_folder(wish_);
  const std::string record_path_ = record_file(wish_);
  FolderRecord record_;
};

Error going_back(const FolderWish& wish, const FolderState& state) {
  bool undone = state.stage == FolderStage::undone;
  return Error(ErrorKind::denied,
               cat("swap ", wish.id, " of ", printable(wish.live),
                   undone ? " was undone" : " is being undone", ": it does not begin again"))
      .with_hint(undone ? "begin a new one" : "undo it again to finish that")
      .with_exit(ExitCode::refused);
}

}  // namespace

std::string fresh_folder(const FolderWish& wish) { return cat(wish.live, ".lifeboat-", wish.id); }
std::string old_folder(const FolderWish& wish) { return cat(wish.live, ".old-", wish.id); }
std::string record_file(const FolderWish& wish) { return cat(wish.live, ".swap-", wish.id); }

std::string_view name_of(FolderStage stage) {
  switch (stage) {
    case FolderStage::none:
      return "none";
    case FolderStage::unfinished:
      return "unfinished";
    case FolderStage::filled:
      return "filled";
    case FolderStage::verified:
      return "verified";
    case FolderStage::exchanged:
      return "exchanged";
    case FolderStage::swapped:
      return "swapped";
    case FolderStage::undoing:
      return "undoing";
    case FolderStage::undone:
      return "undone";
  }
  return {};
}

Result<FolderState> look_at_folder_swap(const FolderSwap& swap) { return Swap(swap).look(); }

Status check_folder_swap(Files& files, const FolderWish& wish) {
  if (!wish.live.starts_with("/") || wish.live == "/" || wish.live.ends_with("/"))
    return Error(ErrorKind::invalid,
                 cat("'", printable(wish.live), "' is no absolute path of a folder"));
  auto info = files.info(wish.live);
  if (!info.ok() && info.error().kind() == ErrorKind::not_found)
    return refused(wish.live, "is not there: there is nothing to exchange",
                   "restore to it directly");
  if (!info.ok()) return info.status();
  if (info->kind == FileKind::symlink)
    return refused(wish.live, "is a symbolic link", "name the folder that it leads to");
  if (info->kind != FileKind::directory) return refused(wish.live, "is no folder", "name a folder");
  // The dot: the folder above may be a link.
  auto parent = LB_TRY(files.info(path_join(path_parent(wish.live), ".")));
  if (!is_mounted(files, wish.live, *info, parent)) return {};
  return refused(wish.live, "is where a file system is mounted: it cannot be exchanged",
                 "keep the data in a folder below it, or restore with --delta");
}

Result<FolderState> advance_folder_swap(const FolderSwap& swap, const FolderActs& acts) {
  Swap work(swap);
  auto state = LB_TRY(work.look());
  switch (state.stage) {
    case FolderStage::none:
    case FolderStage::unfinished:
      LB_TRY(work.fill(acts));
      break;
    case FolderStage::filled:
      LB_TRY(work.verify(acts));
      break;
    case FolderStage::verified:
      LB_TRY(work.exchange(acts));
      break;
    case FolderStage::exchanged:
      LB_TRY(work.begin_use(acts));
      break;
    case FolderStage::swapped:
      return state;
    case FolderStage::undoing:
    case FolderStage::undone:
      return going_back(swap.wish, state);
  }
  return look_at_folder_swap(swap);
}

Result<FolderState> undo_folder_swap(const FolderSwap& swap, const FolderActs& acts) {
  Swap work(swap);
  auto state = LB_TRY(work.look());
  switch (state.stage) {
    case FolderStage::none:
    case FolderStage::undone:
      return state;
    case FolderStage::unfinished:
    case FolderStage::filled:
    case FolderStage::verified:
      LB_TRY(work.withdraw(acts));
      break;
    case FolderStage::exchanged:
    case FolderStage::swapped:
    case FolderStage::undoing:
      LB_TRY(work.go_back(acts));
      break;
  }
  return look_at_folder_swap(swap);
}

Result<std::vector<KeptFolder>> kept_folders(Files& files, Clock& clock, const std::string& live) {
  auto start = cat(path_name(live), ".swap-");
  std::vector<KeptFolder> out;
  auto entries = files.list(path_parent(live));
  if (!entries.ok() && entries.error().kind() == ErrorKind::not_found) return out;
  if (!entries.ok()) return std::move(entries).take_error();
  for (const auto& entry : *entries) {
    if (!entry.name.starts_with(start) || entry.kind != FileKind::regular) continue;
    KeptFolder kept;
    kept.id = entry.name.substr(start.size());
    auto state = look_at_folder_swap({files, clock, {live, kept.id, {}}});
    if (state.ok()) {
      kept.path = state->beside;
      kept.stage = state->stage;
      kept.until = state->until;
      kept.stopped = state->stopped;
    } else {
      kept.trouble = state.error().text();
    }
    out.push_back(std::move(kept));
  }
  return out;
}

Result<std::vector<std::string>> remove_kept_folders(Files& files, Clock& clock,
                                                     const std::string& live) {
  std::vector<std::string> removed;
  auto all = LB_TRY(kept_folders(files, clock, live));
  for (const auto& kept : all) {
    // A swap that can be looked at in one of these stages has its own folder under the live name.
    bool over = kept.stage == FolderStage::swapped || kept.stage == FolderStage::undone;
    if (!over || !kept.until || *kept.until > clock.now()) continue;
    FolderSwap swap{files, clock, {live, kept.id, {}}};
    Swap work(swap);
    LB_TRY(work.look());
    LB_TRY(work.remove_beside(kept.path));
    removed.push_back(kept.path);
  }
  return removed;
}

}  // namespace lb::swap
