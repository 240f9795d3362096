#include "stores/postgres/swap_mark.h"

#include <algorithm>
#include <array>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "stores/postgres/table_name.h"

namespace lb::pg {

namespace {

constexpr std::string_view line_start = "lifeboat.swap/1 ";
constexpr std::size_t name_bytes_max = 63;
constexpr std::size_t id_min = 4, id_max = 26;
constexpr const char* unfinished_suffix =
    "_unfinished";  // as a database that is being moved has it

struct RoleName {
  SwapMark::Role role;
  std::string_view name;
};
constexpr std::array<RoleName, 4> roles = {{{SwapMark::Role::filled, "filled"},
                                            {SwapMark::Role::verified, "verified"},
                                            {SwapMark::Role::old, "old"},
                                            {SwapMark::Role::undone, "undone"}}};

bool plain_id(std::string_view id) {
  auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  return id.size() >= id_min && id.size() <= id_max && std::all_of(id.begin(), id.end(), plain);
}

std::string_view name_of(SwapMark::Role role) {
  return std::find_if(roles.begin(), roles.end(),
                      [&](const auto& each) { return each.role == role; })
      ->name;
}

std::optional<SwapMark::Role> role_of(std::string_view name) {
  for (const auto& each : roles) {
    if (each.name == name) return each.role;
  }
  return std::nullopt;
}

std::string words_for(const SwapMark& mark) {
  auto live = printable(mark.live);
  switch (mark.role) {
    case SwapMark::Role::filled:
      return cat("filled by lifeboat to become ", live, ", not checked yet (run ", mark.id, ")");
    case SwapMark::Role::verified:
      return cat("filled and checked by lifeboat to become ", live, " (run ", mark.id, ")");
    case SwapMark::Role::old:
      return cat(live, " as it was before run ", mark.id, " of lifeboat, kept until ",
                 format_time_seconds(mark.until.value_or(mark.since)));
    case SwapMark::Role::undone:
      return cat("was ", live, " by run ", mark.id,
                 " of lifeboat until that was undone, kept until ",
                 format_time_seconds(mark.until.value_or(mark.since)));
  }
  return {};
}

bool kept(SwapMark::Role role) {
  return role == SwapMark::Role::old || role == SwapMark::Role::undone;
}

}  // namespace

Status check_swap_wish(const SwapWish& wish) {
  if (wish.live.empty() || wish.live.size() > name_bytes_max)
    return Error(ErrorKind::invalid, cat("'", printable(wish.live), "' is no name of a database"));
  if (!valid_utf8(wish.live))
    return Error(ErrorKind::invalid, "the database's name is not UTF-8: it cannot be swapped");
  if (!plain_id(wish.id))
    return Error(ErrorKind::invalid, cat("'", printable(wish.id), "' cannot name a swap"));
  if (wish.keep >= Micros(0)) return {};
  return Error(ErrorKind::invalid, "the old database cannot be kept for less than no time");
}

std::string swap_new_name(const SwapWish& wish) {
  // As long as the unfinished one, so that one is the other with its end cut off.
  auto whole = name_with_suffix(wish.live, cat("_lifeboat_", lower(wish.id), unfinished_suffix));
  return whole.substr(0, whole.size() - std::string_view(unfinished_suffix).size());
}

std::string swap_unfinished_name(const SwapWish& wish) {
  return swap_new_name(wish) + unfinished_suffix;
}

std::string swap_old_name(const SwapWish& wish) {
  return name_with_suffix(wish.live, cat("_old_", lower(wish.id)));
}

std::string write_swap_mark(const SwapMark& mark) {
  auto json = Json::object()
                  .set("id", mark.id)
                  .set("live", mark.live)
                  .set("role", name_of(mark.role))
                  .set("since", format_time(mark.since));
  if (!mark.point.empty()) json.set("point", mark.point);
  if (mark.as_of) json.set("as_of", format_time(*mark.as_of));
  if (mark.until) json.set("until", format_time(*mark.until));
  if (kept(mark.role)) {
    json.set("comment", mark.comment ? Json(*mark.comment) : Json());
    json.set("connections_max", mark.connections_max);
  }
  return cat(words_for(mark), "\n", line_start, json.dump());
}

std::optional<SwapMark> read_swap_mark(std::string_view comment) {
  auto at = comment.rfind('\n');
  if (at == std::string_view::npos) return std::nullopt;
  auto line = comment.substr(at + 1);
  if (!line.starts_with(line_start)) return std::nullopt;
  auto parsed = parse_json(line.substr(line_start.size()));
  if (!parsed.ok()) return std::nullopt;
  const auto& json = *parsed;
  auto role = role_of(json["role"].string());
  auto since = parse_time(json["since"].string());
  SwapMark mark;
  mark.id = json["id"].string();
  mark.live = json["live"].string();
  if (!role || !since.ok() || !check_swap_wish({mark.live, mark.id, {}}).ok()) return std::nullopt;
  mark.role = *role;
  mark.since = *since;
  mark.point = json["point"].string();
  if (auto as_of = parse_time(json["as_of"].string()); as_of.ok()) mark.as_of = *as_of;
  if (!kept(mark.role)) return mark;
  auto until = parse_time(json["until"].string());
  if (!until.ok()) return std::nullopt;
  mark.until = *until;
  if (json["comment"].is_string()) mark.comment = json["comment"].string();
  mark.connections_max = json["connections_max"].integer(-1);
  return mark;
}

std::string name_of_marked(const SwapMark& mark) {
  SwapWish wish{mark.live, mark.id, {}};
  return mark.role == SwapMark::Role::old ? swap_old_name(wish) : swap_new_name(wish);
}

}  // namespace lb::pg
