#include "recovery/swap/switch.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::swap {

namespace {

constexpr std::uint64_t content_bytes_max = 1 << 20;
constexpr std::size_t id_min = 4, id_max = 26;

std::string before_file(const SwitchWish& wish) { return cat(wish.file, ".before-", wish.id); }
std::string absent_file(const SwitchWish& wish) { return cat(wish.file, ".absent-", wish.id); }
std::string next_file(const SwitchWish& wish) { return cat(wish.file, ".next-", wish.id); }

Status check_wish(const SwitchWish& wish) {
  auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  bool named = wish.id.size() >= id_min && wish.id.size() <= id_max &&
               std::all_of(wish.id.begin(), wish.id.end(), plain);
  if (!named)
    return Error(ErrorKind::invalid, cat("'", printable(wish.id), "' cannot name a switch"));
  if (wish.file.empty() || wish.file.starts_with("/")) return {};
  return Error(ErrorKind::invalid, cat("'", printable(wish.file), "' is no absolute path"));
}

// Nothing when there is no such file.
Result<std::optional<FileInfo>> look_at(Files& files, const std::string& path) {
  auto info = files.info(path);
  if (!info.ok() && info.error().kind() == ErrorKind::not_found) return std::optional<FileInfo>();
  if (!info.ok()) return std::move(info).take_error();
  if (info->kind == FileKind::regular) return std::optional<FileInfo>(*info);
  return Error(ErrorKind::conflict,
               cat(printable(path),
                   info->kind == FileKind::symlink ? " is a symbolic link" : " is no file"))
      .with_hint("name the file itself; nothing was changed");
}

Result<Secret> read_secret(Files& files, const std::string& path) {
  auto bytes = LB_TRY(read_file(files, path, content_bytes_max));
  Secret out{ByteView(bytes)};
  wipe(bytes);
  return out;
}

Status remove_if_there(Files& files, const std::string& path) {
  auto removed = files.remove(path);
  return removed.ok() || removed.error().kind() == ErrorKind::not_found ? Status() : removed;
}

// Under the name of what is on its way, durable with all that belongs to it.
Status write_next(Files& files, const SwitchWish& wish, ByteView content,
                  const std::optional<FileInfo>& like, std::uint32_t mode) {
  auto next = next_file(wish);
  LB_TRY(remove_if_there(files, next));
  auto file = LB_TRY(files.create(next, 0600));
  LB_TRY(file->append(content));
  if (like) LB_TRY(file->set_owner(like->uid, like->gid));
  LB_TRY(file->set_mode(mode));
  LB_TRY(file->sync());
  return file->close();
}

// Whole or not at all, with the owner and mode of `like`.
Status replace(Files& files, const SwitchWish& wish, ByteView content,
               const std::optional<FileInfo>& like) {
  LB_TRY(write_next(files, wish, content, like, like ? like->mode : 0600));
  LB_TRY(files.rename(next_file(wish), wish.file));
  return files.sync_directory(path_parent(wish.file));
}

// Once: what is kept is what the file said before the first change.
Status save(Files& files, const SwitchWish& wish) {
  auto kept = LB_TRY(look_at(files, before_file(wish)));
  auto absent = LB_TRY(look_at(files, absent_file(wish)));
  if (kept || absent) return {};
  auto there = LB_TRY(look_at(files, wish.file));
  if (!there) return write_durably(files, absent_file(wish), {}, 0600);
  auto content = LB_TRY(read_secret(files, wish.file));
  // Its owner is taken over, so that putting it back needs nothing else; nobody else reads it.
  LB_TRY(write_next(files, wish, content.bytes(), there, 0600));
  LB_TRY(files.rename(next_file(wish), before_file(wish)));
  return files.sync_directory(path_parent(wish.file));
}

Status run_hook(const SwitchWish& wish) { return wish.hook ? wish.hook() : Status(); }

Status put_back(Files& files, const SwitchWish& wish) {
  auto before = LB_TRY(look_at(files, before_file(wish)));
  if (before) {
    auto content = LB_TRY(read_secret(files, before_file(wish)));
    // The file that is there has the permissions it had.
    auto there = LB_TRY(look_at(files, wish.file));
    return replace(files, wish, content.bytes(), there ? there : before);
  }
  LB_TRY(remove_if_there(files, wish.file));
  return files.sync_directory(path_parent(wish.file));
}

}  // namespace

Status check_switch_place(const plan::Reference& place) {
  using Kind = plan::Reference::Kind;
  if (place.kind == Kind::file) return {};
  auto what = place.kind == Kind::env ? "an environment variable belongs to processes that run"
              : place.kind == Kind::command ? "a command can be asked, not written"
                                            : "that is no place to write to";
  return Error(ErrorKind::invalid,
               cat("the new connection cannot be written to ", place.text(), ": ", what))
      .with_hint("write: file:PATH, or run: a command that hands it over")
      .with_exit(ExitCode::usage);
}

Result<SwitchStage> look_at_switch(Files& files, const SwitchWish& wish, const Secret& content) {
  LB_TRY(check_wish(wish));
  if (wish.file.empty()) return SwitchStage::none;
  auto before = LB_TRY(look_at(files, before_file(wish)));
  auto absent = LB_TRY(look_at(files, absent_file(wish)));
  auto there = LB_TRY(look_at(files, wish.file));
  if (!before && !absent) return SwitchStage::none;
  if (!there) return SwitchStage::saved;
  auto said = LB_TRY(read_secret(files, wish.file));
  return said.reveal() == content.reveal() ? SwitchStage::written : SwitchStage::saved;
}

Status make_switch(Files& files, const SwitchWish& wish, const Secret& content) {
  auto stage = LB_TRY(look_at_switch(files, wish, content));
  if (!wish.file.empty() && stage != SwitchStage::written) {
    LB_TRY(save(files, wish).context("keep what the file says"));
    auto there = LB_TRY(look_at(files, wish.file));
    LB_TRY(replace(files, wish, content.bytes(), there));
  }
  return run_hook(wish).hint("undo the switch, or mend the hook and go on");
}

Status undo_switch(Files& files, const SwitchWish& wish) {
  LB_TRY(check_wish(wish));
  if (wish.file.empty()) return run_hook(wish);
  auto before = LB_TRY(look_at(files, before_file(wish)));
  auto absent = LB_TRY(look_at(files, absent_file(wish)));
  if (!before && !absent) return {};
  LB_TRY(put_back(files, wish));
  LB_TRY(run_hook(wish).hint("the file is as it was; mend the hook and undo again"));
  return forget_switch(files, wish);
}

Status forget_switch(Files& files, const SwitchWish& wish) {
  LB_TRY(check_wish(wish));
  if (wish.file.empty()) return {};
  for (const auto& path : {next_file(wish), before_file(wish), absent_file(wish)})
    LB_TRY(remove_if_there(files, path));
  return files.sync_directory(path_parent(wish.file));
}

}  // namespace lb::swap
