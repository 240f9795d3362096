#include "recovery/swap/destructive_act.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::swap {

namespace {

constexpr std::size_t word_width = 9;

std::string line(std::string word, const std::string& text) {
  word.resize(std::max(word_width, word.size() + 1), ' ');
  return cat(word, text, "\n");
}

std::string what_of(const Overwritten& each) {
  return cat(printable(each.what),
             each.bytes ? cat(" (", human_size(*each.bytes), ")") : std::string(" (size unknown)"));
}

}  // namespace

std::string data_loss(const DestructiveAct& act) {
  if (!act.as_of) return "all that was written after the point; how much that is, is not known";
  auto end = act.last_write.value_or(act.now);
  if (act.last_write && end <= *act.as_of) return "none: nothing was written after the point";
  auto span = human_duration(std::max(Micros(0), end - *act.as_of));
  auto since = cat("all that was written after ", format_time_seconds(*act.as_of));
  if (!act.last_write) return cat(since, ", up to ", span);
  return cat(since, ", up to ", format_time_seconds(end), ": ", span);
}

std::string shown(const DestructiveAct& act) {
  auto out = line("host", printable(act.host));
  out += line("target", cat(printable(act.target), ": ", printable(act.place)));
  out += line("store", printable(act.store));
  out += line("point",
              cat(printable(act.point),
                  act.as_of ? cat(", as of ", format_time_seconds(*act.as_of)) : std::string()));
  out += line("loses", data_loss(act));
  for (const auto& each : act.overwritten) out += line("replaces", what_of(each));
  out += line("keeps", act.kept ? cat("the old one for ", format_duration(*act.kept))
                                : std::string("nothing of it"));
  for (const auto& note : act.notes) out += line("note", printable(note));
  out.pop_back();
  return out;
}

Status check_typed_name(const DestructiveAct& act, std::string_view typed) {
  if (typed == act.target && !typed.empty()) return {};
  return Error(ErrorKind::denied, typed.empty() ? "not confirmed: nothing was changed"
                                                : "the name does not match: nothing was changed")
      .with_hint(cat("type ", printable(act.target), ", or give --confirm ", printable(act.target)))
      .with_exit(ExitCode::refused);
}

}  // namespace lb::swap
