// What people write in runbooks, read as values: inline marks removed, labels, names, spans of
// time, how often something happens, kinds of stores. Pure; plain searches, linear in the text.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/time.h"

namespace lb::adopt {

// Without the marks of **strong** and `code`; [link](address) becomes "link (address)", unless the
// address is a place in the same document. One line.
std::string plain(std::string_view text);
// The address of the first link, or of the first code span that looks like a path; else empty.
std::string link_of(std::string_view text);

struct Labelled {
  std::string label, value;  // both plain; label is empty when the text has none
  bool strong = false;       // the label is written **so**
};
// "**RPO (…):** 1 hour", "Retention: 7 days". "**Verification**:" has an empty value.
Labelled labelled(std::string_view text);

// "Scenario 1: File Storage Loss" -> "File Storage Loss"; "2. Manual Export" -> "Manual Export".
std::string without_number(std::string_view title);
// A name of the plan: lower-case letters, digits and -; at most 60 of them; never empty.
std::string slug(std::string_view text);

// Lower-case words of letters and digits.
std::vector<std::string> words_of(std::string_view text);
// Whether a word that begins so is there: "delet" finds "deletion". Each entry may be two words.
bool mentions(std::string_view text, std::initializer_list<std::string_view> starts);

struct Span {
  std::string text;  // as the plan writes it: "24h", "15m", "6mo"
  Micros length{0};
};
// The first "24 hours", "≤ 1 hour", "15 min", "7-day" of a text.
std::optional<Span> find_span(std::string_view text);
std::vector<Span> find_spans(std::string_view text);

// The first "hourly", "every 15 minutes", "Quarterly" of a text, as a schedule of the plan.
std::optional<Span> find_cadence(std::string_view text);

// The first "January 13, 2026", "13 Jan 2026" or "2026-01-13" of a text, as "2026-01-13". Dates of
// which nobody can tell the day from the month are none.
std::optional<std::string> find_date(std::string_view text);

// "postgres", "redis", "firestore", "bucket", "files" or empty: what the words speak of.
std::string store_kind(std::string_view text);

// Whether a line of the text holds something that must not stand in a plan.
bool holds_secret(std::string_view text);

}  // namespace lb::adopt
