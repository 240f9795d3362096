#include "storage/repo/usage.h"

#include <algorithm>

namespace lb::repo {

namespace {

constexpr Micros day = std::chrono::hours(24);
constexpr Micros window_max = 30 * day;
constexpr Micros window_min = std::chrono::hours(1);
constexpr double years_max = 100;

std::uint64_t& kind_of(Usage& usage, std::string_view key) {
  auto slash = key.find('/');
  auto head = slash == std::string_view::npos ? std::string_view() : key.substr(0, slash);
  if (head == "p") return usage.packs;
  if (head == "x" || head == "m") return usage.indexes;
  if (head == "e") return usage.verdicts;
  if (head == "w") return usage.logs;
  if (head == "r") return usage.records;
  return usage.other;
}

}  // namespace

Usage usage_of(std::span<const BlobInfo> objects, Timestamp now) {
  Usage out;
  auto oldest = now;
  for (const auto& object : objects) {
    kind_of(out, object.key) += object.size;
    // A store that does not tell the time tells nothing of growth.
    if (object.modified == Timestamp{}) continue;
    oldest = std::min(oldest, object.modified);
    if (now - object.modified <= window_max) out.recent += object.size;
  }
  out.window = std::min(window_max, Micros(now - oldest));
  return out;
}

std::optional<std::uint64_t> Usage::bytes_a_day() const {
  if (window < window_min) return std::nullopt;
  auto days = static_cast<double>(window.count()) / static_cast<double>(day.count());
  return static_cast<std::uint64_t>(static_cast<double>(recent) / days);
}

std::optional<Timestamp> full_at(std::uint64_t bytes_a_day, std::uint64_t available,
                                 Timestamp now) {
  if (bytes_a_day == 0) return std::nullopt;
  auto days = static_cast<double>(available) / static_cast<double>(bytes_a_day);
  if (days > years_max * 365) return std::nullopt;
  return now + Micros(static_cast<std::int64_t>(days * static_cast<double>(day.count())));
}

}  // namespace lb::repo
