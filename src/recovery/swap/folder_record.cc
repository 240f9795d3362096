#include "recovery/swap/folder_record.h"

#include <algorithm>
#include <array>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"

namespace lb::swap {

namespace {

constexpr const char* schema = "lifeboat.folder-swap/1";
constexpr std::uint64_t record_bytes_max = 64 << 10;

struct StepName {
  FolderStep step;
  std::string_view name;
};
constexpr std::array<StepName, 6> steps = {{{FolderStep::filling, "filling"},
                                            {FolderStep::filled, "filled"},
                                            {FolderStep::verified, "verified"},
                                            {FolderStep::swapped, "swapped"},
                                            {FolderStep::undoing, "undoing"},
                                            {FolderStep::undone, "undone"}}};

std::string_view name_of(FolderStep step) {
  return std::find_if(steps.begin(), steps.end(),
                      [&](const auto& each) { return each.step == step; })
      ->name;
}

Error damaged(const std::string& path, const std::string& what) {
  return Error(ErrorKind::corrupt,
               cat(printable(path), " does not tell where the swap stands: ", what))
      .with_hint("look at the folders beside it; nothing was changed");
}

Result<FolderRecord> decode(const std::string& path, const Json& json) {
  FolderRecord record;
  if (json["schema"].string() != schema) return damaged(path, "it is of another kind");
  record.id = json["id"].string();
  record.live = json["live"].string();
  auto named = std::find_if(steps.begin(), steps.end(),
                            [&](const auto& each) { return each.name == json["step"].string(); });
  if (named == steps.end()) return damaged(path, "its step is unknown");
  record.step = named->step;
  // As text: they may exceed what a number of JSON keeps.
  auto old_inode = parse_uint(json["old_inode"].string());
  auto fresh_inode = parse_uint(json["fresh_inode"].string());
  auto since = parse_time(json["since"].string());
  auto keep = parse_duration(json["keep"].string());
  if (!old_inode.ok() || !fresh_inode.ok() || !since.ok() || !keep.ok())
    return damaged(path, "a part is missing");
  record.keep = *keep;
  record.point = json["point"].string();
  if (json["as_of"].is_string())
    record.as_of = LB_TRY(parse_time(json["as_of"].string()).context(printable(path)));
  record.old_inode = *old_inode;
  record.fresh_inode = *fresh_inode;
  record.since = *since;
  record.stopped = json["stopped"].boolean();
  if (json["until"].is_string())
    record.until = LB_TRY(parse_time(json["until"].string()).context(printable(path)));
  return record;
}

Error lost(const std::string& what) {
  return Error(ErrorKind::conflict, what)
      .with_hint("somebody moved or replaced them since; look at the folders, nothing was changed");
}

}  // namespace

Result<std::optional<FolderRecord>> read_folder_record(Files& files, const std::string& path) {
  auto bytes = read_file(files, path, record_bytes_max);
  if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found)
    return std::optional<FolderRecord>();
  if (!bytes.ok()) return std::move(bytes).take_error();
  auto json = parse_json(text_of(*bytes));
  if (!json.ok()) return damaged(path, json.error().message());
  auto record = LB_TRY(decode(path, *json));
  return std::optional(std::move(record));
}

Status write_folder_record(Files& files, const std::string& path, const FolderRecord& record) {
  auto json = Json::object()
                  .set("schema", schema)
                  .set("id", record.id)
                  .set("live", record.live)
                  .set("step", name_of(record.step))
                  .set("old_inode", std::to_string(record.old_inode))
                  .set("fresh_inode", std::to_string(record.fresh_inode))
                  .set("since", format_time(record.since))
                  .set("keep", format_duration(record.keep));
  if (!record.point.empty()) json.set("point", record.point);
  if (record.as_of) json.set("as_of", format_time(*record.as_of));
  if (record.stopped) json.set("stopped", true);
  if (record.until) json.set("until", format_time(*record.until));
  return write_durably(files, path, view_of(json.dump() + "\n"));
}

Result<FolderMove> next_move(const FolderPlaces& places, const FolderRecord& record,
                             bool want_fresh) {
  auto wanted = want_fresh ? record.fresh_inode : record.old_inode;
  auto other = want_fresh ? record.old_inode : record.fresh_inode;
  if (places.live == wanted) {
    auto& own = want_fresh ? places.old : places.fresh;
    auto& strange = want_fresh ? places.fresh : places.old;
    if (own == other && strange == 0) return FolderMove::none;
    if (strange == other && own == 0)
      return want_fresh ? FolderMove::fresh_to_old : FolderMove::old_to_fresh;
    return lost("what had the name before the swap is not beside it any more");
  }
  bool at_fresh = places.fresh == wanted, at_old = places.old == wanted;
  if (!at_fresh && !at_old) return lost("the folder that is to get the name is not there any more");
  if (places.live == 0) return at_fresh ? FolderMove::fresh_to_live : FolderMove::old_to_live;
  if (places.live != other) return lost("what has the name now is not of this swap");
  return at_fresh ? FolderMove::exchange_fresh : FolderMove::exchange_old;
}

}  // namespace lb::swap
