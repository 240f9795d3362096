#include "operations/notify/mail_text.h"

#include <algorithm>

#include "foundation/base/bytes.h"
#include "foundation/base/text.h"
#include "foundation/codec/base64.h"

namespace lb::notify {

namespace {

constexpr std::size_t subject_bytes_max = 300;
constexpr std::size_t plain_subject_max = 66;  // with its name within a line of 76
constexpr std::size_t encoded_bytes_max = 45;  // 60 letters of base64 within a word of 75
constexpr std::size_t body_line_max = 76;
constexpr std::size_t plain_line_max = 900;  // of 998

bool inside_character(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

// The longest beginning of at most `bytes_max` bytes that cuts no character.
std::string_view beginning(std::string_view text, std::size_t bytes_max) {
  auto end = std::min(bytes_max, text.size());
  while (end > 0 && inside_character(text, end)) --end;
  return text.substr(0, end == 0 ? std::min(bytes_max, text.size()) : end);
}

bool plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 127; });
}

// Lines end with CR LF, and nothing else is taken for a line end.
std::string with_line_ends(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (text[i] == '\n' || text[i] == '\r') {
      out += "\r\n";
    } else if (text[i] != '\0') {
      out += text[i];
    }
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out;
}

bool plain_body(const std::string& text) {
  std::size_t length = 0;
  for (const char c : text) {
    if (c == '\n') length = 0;
    const bool fine = c == '\r' || c == '\n' || c == '\t' || (c >= ' ' && c < 127);
    if (!fine || ++length > plain_line_max) return false;
  }
  return true;
}

std::string in_lines(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += body_line_max)
    out += cat(text.substr(at, body_line_max), "\r\n");
  return out;
}

std::string two_digits(unsigned value) { return cat(value < 10 ? "0" : "", value); }

}  // namespace

std::string mail_date(Timestamp time) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::weekday weekday(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<Seconds>(time - day));
  return cat(days[weekday.c_encoding()], ", ", static_cast<unsigned>(date.day()), " ",
             months[static_cast<unsigned>(date.month()) - 1], " ", static_cast<int>(date.year()),
             " ", two_digits(static_cast<unsigned>(clock.hours().count())), ":",
             two_digits(static_cast<unsigned>(clock.minutes().count())), ":",
             two_digits(static_cast<unsigned>(clock.seconds().count())), " +0000");
}

std::string mail_subject(std::string_view text) {
  std::string line(beginning(text, subject_bytes_max));
  for (auto& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  }
  if (plain(line) && line.size() <= plain_subject_max && line.find("=?") == std::string::npos)
    return line;
  std::string out;
  for (std::string_view left = line; !left.empty();) {
    const auto part = beginning(left, encoded_bytes_max);
    left.remove_prefix(part.size());
    out += cat(out.empty() ? "" : "\r\n ", "=?UTF-8?B?", to_base64(view_of(part)), "?=");
  }
  return out;
}

std::string mail_text(const MailHead& head, std::string_view body) {
  const auto domain = head.from.substr(head.from.find('@') + 1);
  const auto text = with_line_ends(body);
  const bool as_it_is = plain_body(text);
  std::string out =
      cat("From: Lifeboat <", head.from, ">\r\nTo: <", head.to,
          ">\r\nSubject: ", mail_subject(head.subject), "\r\nDate: ", mail_date(head.date),
          "\r\nMessage-ID: <", head.id, "@", domain, ">\r\n");
  if (head.urgent) out += "Importance: high\r\n";
  out += cat("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n",
             "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ",
             as_it_is ? "7bit" : "base64", "\r\n\r\n");
  return out + (as_it_is ? text : in_lines(to_base64(view_of(text))));
}

}  // namespace lb::notify
