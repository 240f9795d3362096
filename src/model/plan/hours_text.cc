#include "model/plan/hours_text.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/scalar_form.h"

namespace lb::plan {

namespace {

// Digits alone: "+9" and " 9" are no parts of a time.
Result<int> digits(std::string_view text, std::size_t count) {
  const bool plain = text.size() == count && std::all_of(text.begin(), text.end(), [](char c) {
                       return c >= '0' && c <= '9';
                     });
  if (!plain) return Error(ErrorKind::invalid, "digits expected");
  auto value = LB_TRY(parse_int(text));
  return static_cast<int>(value);
}

Result<std::size_t> day_number(std::string_view text) {
  const auto& names = day_names();
  auto found = std::find(names.begin(), names.end(), lower(text));
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  return Error(ErrorKind::invalid, cat("'", shown(text), "' is not a day of the week"))
      .with_hint("write mon, tue, wed, thu, fri, sat, sun, or mon-fri");
}

}  // namespace

const std::vector<std::string>& day_names() {
  static const std::vector<std::string> names = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  return names;
}

Result<std::vector<std::string>> parse_days(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = LB_TRY(day_number(text.substr(0, dash)));
  auto last = first;
  if (dash != std::string_view::npos) last = LB_TRY(day_number(text.substr(dash + 1)));
  std::vector<std::string> out;
  for (auto day = first;; day = (day + 1) % 7) {
    out.push_back(day_names()[day]);
    if (day == last) return out;
  }
}

Result<Micros> parse_time_of_day(std::string_view text) {
  const auto wrong = [&] {
    return Error(ErrorKind::invalid, cat("'", shown(text), "' is not a time of day"))
        .with_hint("write 09:00 or 17:30");
  };
  if (text.size() != 5 || text[2] != ':') return wrong();
  auto hour = digits(text.substr(0, 2), 2), minute = digits(text.substr(3), 2);
  if (!hour.ok() || !minute.ok() || *minute > 59 || *hour * 60 + *minute > 24 * 60) return wrong();
  return Micros(std::chrono::minutes(*hour * 60 + *minute));
}

Result<std::chrono::year_month_day> parse_date(std::string_view text) {
  const auto wrong = [&] {
    return Error(ErrorKind::invalid, cat("'", shown(text), "' is not a date"))
        .with_hint("write 2026-12-25");
  };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return wrong();
  auto year = digits(text.substr(0, 4), 4), month = digits(text.substr(5, 2), 2),
       day = digits(text.substr(8), 2);
  if (!year.ok() || !month.ok() || !day.ok()) return wrong();
  const std::chrono::year_month_day out{std::chrono::year(*year),
                                        std::chrono::month(static_cast<unsigned>(*month)),
                                        std::chrono::day(static_cast<unsigned>(*day))};
  if (!out.ok()) return wrong();
  return out;
}

Status check_zone_name(std::string_view text) {
  bool fine = !text.empty() && text.size() <= 100 && text.front() != '/' &&
              text.find("..") == std::string_view::npos &&
              text.find("//") == std::string_view::npos;
  for (const char c : text) {
    fine = fine && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '/' || c == '_' || c == '-' || c == '+');
  }
  if (fine) return {};
  return Error(ErrorKind::invalid, cat("'", shown(text), "' is not a time zone"))
      .with_hint("write a name such as Europe/Berlin, or UTC");
}

}  // namespace lb::plan
