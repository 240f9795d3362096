#include "stores/postgres/timeline_history.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::pg {

namespace {

// "1\t0/3000000\treason": the parent and where it was left. Blank lines and comments are nothing.
Result<std::optional<LogIndex::Switch>> parse_line(std::string_view line) {
  line = trim(line.substr(0, line.find('#')));
  if (line.empty()) return std::optional<LogIndex::Switch>();
  auto first = line.find_first_of(" \t");
  auto rest = first == std::string_view::npos ? std::string_view() : trim(line.substr(first));
  auto parent = parse_uint(line.substr(0, first));
  auto at = parse_lsn(rest.substr(0, rest.find_first_of(" \t")));
  if (!parent.ok() || *parent == 0 || *parent > 0xffffffffu || !at.ok()) {
    return Error(ErrorKind::corrupt,
                 cat("timeline history: malformed line '", printable(line), "'"));
  }
  return std::optional(LogIndex::Switch{0, static_cast<std::uint32_t>(*parent), *at});
}

}  // namespace

Result<std::vector<LogIndex::Switch>> parse_history(std::uint32_t timeline, std::string_view text) {
  std::vector<LogIndex::Switch> switches;
  for (const auto& line : split(text, '\n')) {
    auto found = LB_TRY(parse_line(line));
    if (!found) continue;
    if (!switches.empty() && found->parent <= switches.back().parent) {
      return Error(ErrorKind::corrupt, "timeline history: timelines do not ascend");
    }
    if (found->parent >= timeline) {
      return Error(ErrorKind::corrupt, "timeline history: a parent is not older than its child");
    }
    if (!switches.empty()) switches.back().timeline = found->parent;
    switches.push_back(*found);
  }
  if (!switches.empty()) switches.back().timeline = timeline;
  return switches;
}

std::vector<Generation> descent_of(const std::vector<LogIndex::Switch>& switches,
                                   std::uint32_t timeline) {
  std::vector<Generation> line{{timeline, std::nullopt}};
  for (;;) {
    auto found = std::find_if(switches.begin(), switches.end(), [&](const auto& entry) {
      return entry.timeline == line.back().timeline;
    });
    if (found == switches.end()) break;
    line.push_back({found->parent, found->at});
  }
  std::reverse(line.begin(), line.end());
  return line;
}

}  // namespace lb::pg
