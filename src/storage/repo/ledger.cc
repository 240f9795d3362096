#include "storage/repo/ledger.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/blob/locks.h"

namespace lb::repo {

namespace {

constexpr int attempts_max = 50;

enum class Damaged { refuse, pass_over };

Result<std::vector<std::uint32_t>> ledger_numbers(const Core& core) {
  std::vector<std::uint32_t> out;
  for (const auto& object : LB_TRY(core.blobs.list(ledger_prefix))) {
    if (auto number = care_number(object.key)) out.push_back(*number);
  }
  std::sort(out.rbegin(), out.rend());
  return out;
}

Result<Ledger> ledger_at(const Core& core, std::uint32_t number) {
  auto payload = LB_TRY(get_care(core, ledger_key(number)));
  auto ledger = decode_ledger(payload);
  if (ledger.ok()) return ledger;
  return Error(ErrorKind::corrupt,
               cat("object ", ledger_key(number), ": ", ledger.error().message()))
      .with_exit(ExitCode::damaged);
}

// Nothing: the newest was superseded and removed while we looked.
Result<std::optional<NumberedLedger>> look(const Core& core, Damaged damaged) {
  auto numbers = LB_TRY(ledger_numbers(core));
  for (auto number : numbers) {
    auto ledger = ledger_at(core, number);
    if (ledger.ok()) return std::optional(NumberedLedger{number, std::move(ledger).take()});
    if (ledger.error().kind() == ErrorKind::not_found) return std::optional<NumberedLedger>();
    bool pass = damaged == Damaged::pass_over && ledger.error().kind() == ErrorKind::corrupt;
    if (!pass) return std::move(ledger).take_error();
  }
  return std::optional(NumberedLedger{});
}

Result<NumberedLedger> read(const Core& core, Damaged damaged) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto seen = LB_TRY(look(core, damaged));
    if (seen) return std::move(*seen);
  }
  return Error(ErrorKind::unavailable, "the ledger of the repository changes without end");
}

void encode_holds(const Ledger& ledger, ByteWriter& out) {
  out.varint(ledger.holds.size());
  for (const auto& [session, hold] : ledger.holds) {
    out.text(session);
    out.text(hold.why);
    out.text(hold.by);
    out.signed_varint(to_micros(hold.placed));
    out.u8(hold.until ? 1 : 0);
    if (hold.until) out.signed_varint(to_micros(*hold.until));
  }
}

Status decode_holds(ByteReader& in, Ledger& ledger) {
  auto holds = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < holds; ++i) {
    auto session = LB_TRY(in.text(64));
    Hold hold;
    hold.why = LB_TRY(in.text());
    hold.by = LB_TRY(in.text());
    hold.placed = from_micros(LB_TRY(in.signed_varint()));
    auto limited = LB_TRY(in.u8());
    if (limited != 0) hold.until = from_micros(LB_TRY(in.signed_varint()));
    ledger.holds[session] = std::move(hold);
  }
  return {};
}

Status decode_removed(ByteReader& in, Ledger& ledger) {
  auto logs = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < logs; ++i) {
    auto& ranges = ledger.removed[LB_TRY(in.text())];
    auto count = LB_TRY(in.varint());
    for (std::uint64_t k = 0; k < count; ++k) {
      auto first = LB_TRY(in.varint());
      auto end = LB_TRY(in.varint());
      if (end <= first || (!ranges.empty() && first <= ranges.back().end)) {
        return Error(ErrorKind::corrupt, "ranges of a log are not in order");
      }
      ranges.push_back({first, end});
    }
  }
  return {};
}

}  // namespace

VerdictMark verdict_mark(const Digest& digest) {
  VerdictMark out;
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

bool Ledger::removed_log(const std::string& log_id, std::uint64_t segment) const {
  auto found = removed.find(log_id);
  if (found == removed.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const LogRange& range) {
    return range.first <= segment && segment < range.end;
  });
}

std::vector<LogRange> join_ranges(std::vector<LogRange> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<LogRange> out;
  for (const auto& range : ranges) {
    if (range.end <= range.first) continue;
    if (!out.empty() && range.first <= out.back().end) {
      out.back().end = std::max(out.back().end, range.end);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

Buffer encode_ledger(const Ledger& ledger) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.varint(ledger.closed);
  out.varint(ledger.ended.size());
  for (const auto& [session, mark] : ledger.ended) {
    out.text(session);
    out.raw(mark);
  }
  encode_holds(ledger, out);
  out.varint(ledger.removed.size());
  for (const auto& [log_id, ranges] : ledger.removed) {
    out.text(log_id);
    out.varint(ranges.size());
    for (const auto& range : ranges) {
      out.varint(range.first);
      out.varint(range.end);
    }
  }
  return bytes;
}

Result<Ledger> decode_ledger(ByteView bytes) {
  ByteReader in(bytes);
  Ledger out;
  auto closed = LB_TRY(in.varint());
  if (closed > 0xFFFFFFFF) return Error(ErrorKind::corrupt, "closes more than there can be");
  out.closed = static_cast<std::uint32_t>(closed);
  auto ended = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < ended; ++i) {
    auto session = LB_TRY(in.text(64));
    auto mark = LB_TRY(in.raw(sizeof(VerdictMark)));
    std::copy(mark.begin(), mark.end(), out.ended[session].begin());
  }
  LB_TRY(decode_holds(in, out));
  LB_TRY(decode_removed(in, out));
  if (!in.done()) return Error(ErrorKind::corrupt, "goes on after its end");
  return out;
}

Result<NumberedLedger> read_ledger(const Core& core) { return read(core, Damaged::refuse); }

Result<NumberedLedger> read_ledger_if_whole(const Core& core) {
  return read(core, Damaged::pass_over);
}

Result<Ledger> change_ledger(const Core& core, const std::function<Result<bool>(Ledger&)>& change) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto current = LB_TRY(read_ledger(core));
    auto changed = LB_TRY(change(current.ledger));
    if (!changed) return std::move(current.ledger);
    auto put = put_care(core, ledger_key(current.number + 1), encode_ledger(current.ledger));
    if (!put.ok() && put.error().kind() == ErrorKind::conflict) continue;
    LB_TRY(std::move(put));
    // The one before stays as well: it is what is left when the newest is damaged.
    for (auto number : LB_TRY(ledger_numbers(core))) {
      if (number < current.number) LB_TRY(remove_or_leave(core.blobs, ledger_key(number)));
    }
    return std::move(current.ledger);
  }
  return Error(ErrorKind::unavailable, "others change the ledger of the repository all the time");
}

}  // namespace lb::repo
