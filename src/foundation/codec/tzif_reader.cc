#include "foundation/codec/tzif_reader.h"

#include <algorithm>
#include <array>

namespace lb {

namespace {

constexpr std::size_t file_bytes_max = 1 << 20, header_bytes = 44, type_bytes = 6;
constexpr std::int64_t offset_max = 26 * 3600;           // beyond what RFC 8536 lets stand
constexpr std::int64_t seconds_max = 200'000'000'000;  // 6,300 years
constexpr std::int64_t rule_hours_max = 167;

Error damaged(const char* what) {
  return Error(ErrorKind::corrupt, std::string("not a file of a time zone: ") + what);
}

std::int64_t big_endian(ByteView bytes) {
  std::uint64_t out = 0;
  for (const auto byte : bytes) out = (out << 8) | byte;
  if (bytes.size() == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(out));
  return static_cast<std::int64_t>(out);
}

bool accept(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::size_t TzifReader::Header::bytes(std::size_t time_bytes) const {
  return times * time_bytes + times + types * type_bytes + chars + leaps * (time_bytes + 4) +
         isstd + isutc;
}

Result<ByteView> TzifReader::take(std::size_t count) {
  if (count > left_.size()) return damaged("it ends too early");
  auto out = left_.first(count);
  left_ = left_.subspan(count);
  return out;
}

Result<TzifReader::Header> TzifReader::read_header() {
  auto bytes = LB_TRY(take(header_bytes));
  if (text_of(bytes.first(4)) != "TZif") return damaged("it begins with something else");
  Header out;
  out.version = static_cast<char>(bytes[4]);
  std::size_t at = 20;
  for (auto* count : {&out.isutc, &out.isstd, &out.leaps, &out.times, &out.types, &out.chars}) {
    *count = static_cast<std::uint32_t>(big_endian(bytes.subspan(at, 4)));
    if (*count > file_bytes_max) return damaged("it promises too much");
    at += 4;
  }
  return out;
}

Status TzifReader::read_block(const Header& header, std::size_t time_bytes, TimeZone& zone) {
  auto block = LB_TRY(take(header.bytes(time_bytes)));
  if (header.types == 0 || header.types > 256) return damaged("it has no types, or too many");
  const auto times = block.first(header.times * time_bytes);
  const auto kinds = block.subspan(times.size(), header.times);
  const auto types = block.subspan(times.size() + kinds.size(), header.types * type_bytes);
  std::vector<std::int64_t> offsets;
  for (std::size_t i = 0; i < header.types; ++i) {
    offsets.push_back(big_endian(types.subspan(i * type_bytes, 4)));
    if (offsets.back() < -offset_max || offsets.back() > offset_max)
      return damaged("an offset is out of bounds");
  }
  zone.first_ = offsets[0];
  for (std::size_t i = 0; i < header.times; ++i) {
    const auto at = big_endian(times.subspan(i * time_bytes, time_bytes));
    if (kinds[i] >= offsets.size()) return damaged("a change is of no known type");
    if (!zone.changes_.empty() && at <= zone.changes_.back().at)
      return damaged("its changes are out of order");
    zone.changes_.push_back({at, offsets[kinds[i]]});
  }
  return {};
}

bool TzifReader::skip_name(std::string_view& text) {
  std::size_t end = 0;
  if (accept(text, '<')) {
    end = text.find('>');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
    return end >= 3;
  }
  while (end < text.size() &&
         ((text[end] >= 'a' && text[end] <= 'z') || (text[end] >= 'A' && text[end] <= 'Z')))
    ++end;
  text.remove_prefix(end);
  return end >= 3;
}

bool TzifReader::number(std::string_view& text, int digits_max, std::int64_t* out) {
  *out = 0;
  int digits = 0;
  for (; digits < digits_max && !text.empty() && text[0] >= '0' && text[0] <= '9'; ++digits) {
    *out = *out * 10 + (text[0] - '0');
    text.remove_prefix(1);
  }
  return digits > 0;
}

// "[+-]hh[:mm[:ss]]" as seconds.
bool TzifReader::clock(std::string_view& text, std::int64_t hours_max, std::int64_t* out) {
  const bool minus = accept(text, '-');
  if (!minus) accept(text, '+');
  std::int64_t hours = 0, minutes = 0, seconds = 0;
  if (!number(text, 3, &hours) || hours > hours_max) return false;
  if (accept(text, ':') && (!number(text, 2, &minutes) || minutes > 59)) return false;
  if (accept(text, ':') && (!number(text, 2, &seconds) || seconds > 59)) return false;
  *out = (minus ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
  return true;
}

// "M3.5.0/2", "J60", "59"
bool TzifReader::turn(std::string_view& text, TimeZone::Turn* out) {
  std::int64_t month = 0, week = 0, weekday = 0, day = 0;
  if (accept(text, 'M')) {
    const bool fine = number(text, 2, &month) && accept(text, '.') && number(text, 1, &week) &&
                      accept(text, '.') && number(text, 1, &weekday);
    if (!fine || month < 1 || month > 12 || week < 1 || week > 5 || weekday > 6) return false;
    out->form = TimeZone::Turn::Form::month_week_day;
  } else {
    const bool without_leap = accept(text, 'J');
    if (!number(text, 3, &day) || day > 365 || (without_leap && day == 0)) return false;
    out->form = without_leap ? TimeZone::Turn::Form::day_without_leap : TimeZone::Turn::Form::day;
  }
  out->month = static_cast<int>(month);
  out->week = static_cast<int>(week);
  out->weekday = static_cast<int>(weekday);
  out->day = static_cast<int>(day);
  return !accept(text, '/') || clock(text, rule_hours_max, &out->seconds);
}

Status TzifReader::read_rule(TimeZone& zone) {
  auto text = text_of(left_);
  if (!accept(text, '\n')) return damaged("its last line is missing");
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return damaged("its last line does not end");
  text = text.substr(0, end);
  if (text.empty()) return {};
  TimeZone::Rule rule;
  std::int64_t west = 0;
  if (!skip_name(text) || !clock(text, 24, &west)) return damaged("its last line is no rule");
  rule.standard = -west;
  if (!text.empty()) {
    if (!skip_name(text)) return damaged("its last line is no rule");
    rule.has_summer = true;
    rule.summer = rule.standard + 3600;
    if (!text.empty() && text.front() != ',') {
      if (!clock(text, 24, &west)) return damaged("its last line is no rule");
      rule.summer = -west;
    }
    const bool fine = accept(text, ',') && turn(text, &rule.begin) && accept(text, ',') &&
                      turn(text, &rule.end) && text.empty();
    if (!fine) return damaged("its last line is no rule");
  }
  zone.rule_ = rule;
  return {};
}

Result<TimeZone> TzifReader::read() {
  if (left_.size() > file_bytes_max) return damaged("it is too large");
  TimeZone out;
  const auto header = LB_TRY(read_header());
  if (header.version == 0) {
    LB_TRY(read_block(header, 4, out));
  } else {
    LB_TRY(take(header.bytes(4)));  // the same for readers of 1986
    const auto second = LB_TRY(read_header());
    LB_TRY(read_block(second, 8, out));
    LB_TRY(read_rule(out));
  }
  // "The big bang" of some files, and what no clock of ours can say.
  std::erase_if(out.changes_, [&](const auto& change) {
    if (change.at < -seconds_max) out.first_ = change.offset;
    return change.at < -seconds_max || change.at > seconds_max;
  });
  return out;
}

}  // namespace lb
