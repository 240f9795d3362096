#include "operations/incident/claims.h"

#include "foundation/base/text.h"

namespace lb::incident {

namespace {

constexpr unsigned claims_max = 1000;

// One from the future was made where the clock is wrong, and says nothing about when it ends.
bool is_void(const std::string& claim, Timestamp now) {
  const auto at = claim.rfind('@');
  const auto made =
      at == std::string::npos ? Result<Timestamp>(Timestamp{}) : parse_time(claim.substr(at + 1));
  return !made.ok() || now - *made > claim_lasts || *made - now > claim_lasts;
}

}  // namespace

// The first claim that is ours or that nobody has; those before it are void.
bool claimed(state::FactLog& log, const Clock& clock, const Claim& claim) {
  const auto now = clock.now();
  const auto prefix = cat(claim.holder, "@");
  for (unsigned number = 1; number <= claims_max; ++number) {
    const auto holder =
        log.claim(claim.member, cat(claim.what, ".", number), cat(prefix, format_time(now)));
    if (!holder.ok() || holder->starts_with(prefix)) return true;
    if (!is_void(*holder, now)) return false;
  }
  return true;
}

}  // namespace lb::incident
