#include "stores/postgres/page_check.h"

#include <algorithm>
#include <cstring>

#include "foundation/base/assert.h"
#include "foundation/base/text.h"
#include "stores/postgres/page_sums.h"

namespace lb::pg {
namespace {

// The starting values of the 32 sums: random numbers fixed by the format for ever.
constexpr PageSums offsets = {
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756};

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "16384", "16384_fsm", "16384_vm", "16384_init", each with ".1", ".2" … for later gigabytes.
RelationFile parse_name(std::string_view name) {
  RelationFile file;
  const std::size_t dot = name.find('.');
  if (dot != std::string_view::npos) {
    const std::string_view number = name.substr(dot + 1);
    if (!all_digits(number) || number.size() > 6) return {};
    const auto parsed = parse_uint(number);
    if (!parsed.ok()) return {};
    file.segment = static_cast<std::uint32_t>(*parsed);
    name = name.substr(0, dot);
  }
  const std::size_t underscore = name.find('_');
  if (underscore != std::string_view::npos) {
    const std::string_view fork = name.substr(underscore + 1);
    if (fork != "fsm" && fork != "vm" && fork != "init") return {};
    name = name.substr(0, underscore);
  }
  file.relation = all_digits(name);
  return file.relation ? file : RelationFile{};
}

}  // namespace

std::uint16_t page_checksum(ByteView page, std::uint32_t block) {
  LB_ASSERT(page.size() == page_bytes);
  static const auto mix_page = page_sums_ways().front().mix;
  PageSums sum = offsets;
  mix_page(page.data(), sum);
  // Two rounds of zeros, so that the last row is mixed as well as the first.
  std::uint32_t folded = 0;
  for (const std::uint32_t lane : sum) folded ^= mix_page_sum(mix_page_sum(lane, 0), 0);
  return static_cast<std::uint16_t>((folded ^ block) % 65535 + 1);
}

Lsn page_lsn(ByteView page) {
  LB_ASSERT(page.size() >= 8);
  std::uint32_t high = 0, low = 0;
  std::memcpy(&high, page.data(), 4);
  std::memcpy(&low, page.data() + 4, 4);
  return (Lsn{high} << 32) | low;
}

PageVerdict judge_page(ByteView page, std::uint32_t block, Lsn backup_start) {
  std::uint16_t upper = 0, recorded = 0;
  std::memcpy(&recorded, page.data() + 8, 2);
  std::memcpy(&upper, page.data() + 14, 2);
  if (upper == 0) {
    const bool zero = std::all_of(page.begin(), page.end(), [](std::uint8_t b) { return b == 0; });
    return zero ? PageVerdict::fresh : PageVerdict::bad;
  }
  if (page_checksum(page, block) == recorded) return PageVerdict::good;
  return page_lsn(page) >= backup_start ? PageVerdict::changed_since : PageVerdict::bad;
}

RelationFile relation_file(std::string_view path) {
  const std::vector<std::string> parts = split(path, '/');
  const std::string& top = parts[0];
  const bool shared = top == "global" && parts.size() == 2;
  const bool in_base = top == "base" && parts.size() == 3 && all_digits(parts[1]);
  const bool in_space = top == "pg_tblspc" && parts.size() == 5 && all_digits(parts[1]) &&
                        parts[2].starts_with("PG_") && all_digits(parts[3]);
  if (!shared && !in_base && !in_space) return {};
  return parse_name(parts.back());
}

}  // namespace lb::pg
