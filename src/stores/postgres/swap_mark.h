// SwapMark: what the comment of a database beside a live one says of it, so that any machine that
// reaches the server can tell where a swap stands, go on with it or undo it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "foundation/base/time.h"

namespace lb::pg {

// One swap of one database.
struct SwapWish {
  std::string live;  // the database's name, which the new one gets
  std::string id;    // of the run: 4 to 26 letters or digits, case does not matter
  Micros keep{0};    // how long the old one is kept
  // What the new one is filled with: the point and the moment, which the marks carry for whoever
  // goes on later.
  std::string point = {};
  std::optional<Timestamp> as_of = {};
};
// invalid (exit 2) when a part of it cannot be used.
Status check_swap_wish(const SwapWish& wish);

// shop_lifeboat_06fq0kz4, shop_lifeboat_06fq0kz4_unfinished while it fills, shop_old_06fq0kz4:
// lower case, so that nobody has to quote them. Long names are shortened, so that all fit.
std::string swap_new_name(const SwapWish& wish);
std::string swap_unfinished_name(const SwapWish& wish);
std::string swap_old_name(const SwapWish& wish);

struct SwapMark {
  enum class Role {
    filled,    // the new one, all rows there
    verified,  // the new one, its checks passed
    old,       // what had the name before the swap
    undone,    // the new one, after the swap was undone
  };
  std::string id, live;
  Role role = Role::filled;
  Timestamp since{};
  std::string point;
  std::optional<Timestamp> as_of;
  std::optional<Timestamp> until;  // old, undone: kept until then
  // old, undone: what it had before it was put aside.
  std::optional<std::string> comment;
  std::int64_t connections_max = -1;
};
// For people first; the last line is for the program.
std::string write_swap_mark(const SwapMark& mark);
// Nothing when the comment is not one of ours, whole.
std::optional<SwapMark> read_swap_mark(std::string_view comment);
// The name that a database with this mark has.
std::string name_of_marked(const SwapMark& mark);

}  // namespace lb::pg
