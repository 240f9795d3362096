// Ledger: what the care of a repository has decided for good: sessions that ended, points that are
// held, log that was removed, generations that are closed. One object holds all of it; a change is
// the next number put by create-if-absent, so that changes follow one another whoever makes them.
// docs/format.md, "Care".
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/repo/care_object.h"

namespace lb::repo {

// A point that no retention removes.
struct Hold {
  std::string why, by;
  Timestamp placed{};
  std::optional<Timestamp> until;
  bool holds_at(Timestamp now) const { return !until || now < *until; }
};

// Segments [first, end) of a log.
struct LogRange {
  std::uint64_t first = 0, end = 0;
  auto operator<=>(const LogRange&) const = default;
};

// The beginning of the SHA-256 of a verdict; zeros when there was none (an aborted session).
using VerdictMark = std::array<std::uint8_t, 16>;
VerdictMark verdict_mark(const Digest& digest);

struct Ledger {
  std::uint32_t closed = 0;  // generations below this are done with
  // A verdict of one of these says nothing, also when it appears again: a writer whose answer was
  // lost may put it once more.
  std::map<std::string, VerdictMark> ended;
  std::map<std::string, Hold> holds;                     // session -> hold
  std::map<std::string, std::vector<LogRange>> removed;  // log id -> sorted, apart
  bool removed_log(const std::string& log_id, std::uint64_t segment) const;
};

Buffer encode_ledger(const Ledger& ledger);
Result<Ledger> decode_ledger(ByteView bytes);
// Sorted and joined where they touch.
std::vector<LogRange> join_ranges(std::vector<LogRange> ranges);

struct NumberedLedger {
  std::uint32_t number = 0;  // of the object it was read from
  Ledger ledger;
};
// The newest. One that is damaged is an error here: who changes anything must know all of it.
Result<NumberedLedger> read_ledger(const Core& core);
// The newest that can be read: for those who only look.
Result<NumberedLedger> read_ledger_if_whole(const Core& core);

// Applies `change` to the newest ledger and puts the next; again from the start when another was
// faster. `change` returns false when there is nothing to do.
Result<Ledger> change_ledger(const Core& core, const std::function<Result<bool>(Ledger&)>& change);

}  // namespace lb::repo
