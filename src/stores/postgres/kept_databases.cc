#include "stores/postgres/kept_databases.h"

#include <algorithm>
#include <tuple>

#include "foundation/base/text.h"

namespace lb::pg {

namespace {

constexpr std::string_view fresh_word = "_lifeboat_", unfinished_word = "_unfinished";

// What the name of an unfinished one says; nothing when it is no such name.
std::optional<SwapMark> mark_in_name(const std::string& name) {
  auto at = name.rfind(fresh_word);
  if (at == std::string::npos || !name.ends_with(unfinished_word)) return std::nullopt;
  auto from = at + fresh_word.size(), to = name.size() - unfinished_word.size();
  if (from >= to) return std::nullopt;
  SwapMark mark;
  mark.live = name.substr(0, at);
  mark.id = name.substr(from, to - from);
  SwapWish wish{mark.live, mark.id, {}};
  if (!check_swap_wish(wish).ok() || swap_unfinished_name(wish) != name) return std::nullopt;
  return mark;
}

// A comment that somebody copied does not make a database one of ours.
std::optional<KeptDatabase> kept_in(const std::vector<std::optional<std::string>>& row) {
  KeptDatabase kept;
  kept.name = row[0].value_or("");
  auto mark = read_swap_mark(row[1].value_or(""));
  if (mark && name_of_marked(*mark) != kept.name) return std::nullopt;
  if (!mark) {
    mark = mark_in_name(kept.name);
    kept.unfinished = true;
  }
  if (!mark) return std::nullopt;
  kept.mark = *mark;
  return kept;
}

}  // namespace

Result<std::vector<KeptDatabase>> kept_databases(Connection& connection) {
  auto found = LB_TRY(connection.query(
      "SELECT datname, shobj_description(oid, 'pg_database'), CASE WHEN"
      " has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) ELSE 0 END"
      " FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE '%lifeboat.swap/%'"
      " OR datname LIKE '%\\_lifeboat\\_%\\_unfinished'",
      std::vector<std::string>{}));
  std::vector<KeptDatabase> out;
  for (const auto& row : found.rows) {
    auto kept = kept_in(row);
    if (!kept) continue;
    kept->bytes = LB_TRY(parse_uint(row[2].value_or("0")));
    auto live =
        LB_TRY(connection.query("SELECT 1 FROM pg_database WHERE datname = $1", {kept->mark.live}));
    kept->live_present = !live.rows.empty();
    out.push_back(std::move(*kept));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return std::tie(a.mark.live, a.mark.since, a.name) <
           std::tie(b.mark.live, b.mark.since, b.name);
  });
  return out;
}

std::string reason_to_keep(const KeptDatabase& kept, Timestamp now) {
  if (!kept.mark.until) return cat("its swap (run ", kept.mark.id, ") is not finished");
  if (*kept.mark.until > now) return cat("kept until ", format_time_seconds(*kept.mark.until));
  if (kept.live_present) return {};
  return cat("there is no database ", printable(kept.mark.live), ": this may be the last one");
}

Result<CleanedDatabases> remove_kept_databases(Connection& connection, Timestamp now) {
  CleanedDatabases out;
  auto databases = LB_TRY(kept_databases(connection));
  for (const auto& kept : databases) {
    if (!reason_to_keep(kept, now).empty()) continue;
    // Without force: who looks into it has a reason.
    auto dropped = connection.query(cat("DROP DATABASE ", quote_name(kept.name)));
    if (dropped.ok()) {
      out.removed.push_back(kept.name);
      out.bytes += kept.bytes;
    } else {
      out.left.push_back(cat(printable(kept.name), ": ", dropped.error().text()));
    }
  }
  return out;
}

}  // namespace lb::pg
