// Comparing a value with what the plan expects: exact decimals, durations, sizes, times, text.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "foundation/base/result.h"
#include "model/plan/plan.h"

namespace lb::check {

// ">= 1", "0", "recorded".
std::string text_of(const plan::Comparison& expect);

// `got` none: SQL NULL, equal to nothing but the word null. invalid: an order was asked between
// things that have none ("5 apples" < "2h"), or `recorded` where nothing is recorded.
Result<bool> holds(const plan::Comparison& expect, const std::optional<std::string>& got);

// "12.50" and "12.5" are one number, "1e3" and "1000" too. nullopt: one of them is no number.
std::optional<int> compare_numbers(std::string_view a, std::string_view b);

// One text per number: "12.50" becomes "12.5", "-0" becomes "0". nullopt: not a plain decimal.
std::optional<std::string> canonical_decimal(std::string_view text);

// "1 day 02:03:04.5" and "-00:00:01": an interval as PostgreSQL prints it (30-day months).
std::optional<Micros> parse_interval(std::string_view text);

}  // namespace lb::check
