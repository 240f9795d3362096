#include "storage/repo/condemned.h"

#include "foundation/base/text.h"
#include "storage/repo/ledger.h"

namespace lb::repo {

namespace {

constexpr int attempts_max = 50;

Result<std::set<std::uint32_t>> numbers(const Core& core, const char* prefix) {
  std::set<std::uint32_t> out;
  for (const auto& object : LB_TRY(core.blobs.list(prefix))) {
    if (auto number = care_number(object.key)) out.insert(*number);
  }
  return out;
}

// False: an object was closed and removed while we looked.
Result<bool> add_packs(const Core& core, const std::string& key, Condemned& out) {
  auto payload = get_care(core, key);
  if (!payload.ok() && payload.error().kind() == ErrorKind::not_found) return false;
  if (!payload.ok() && payload.error().kind() != ErrorKind::corrupt) {
    return std::move(payload).take_error();
  }
  auto packs =
      payload.ok() ? decode_packs(*payload) : Result<std::vector<std::string>>(payload.error());
  if (!packs.ok()) {
    for (auto& pack : LB_TRY(core.blobs.list("p/"))) out.packs.insert(std::move(pack.key));
    out.warnings.push_back(cat("object ", key, " is damaged; all content is stored again"));
    return true;
  }
  out.packs.insert(packs->begin(), packs->end());
  return true;
}

Result<bool> look(const Core& core, Condemned& out) {
  auto condemned = LB_TRY(numbers(core, condemned_prefix));
  auto decided = LB_TRY(numbers(core, decision_prefix));
  if (condemned.empty() && decided.empty()) return true;
  // Last: what is closed by now was deleted before the packs are listed.
  auto closed = LB_TRY(read_ledger_if_whole(core)).ledger.closed;
  auto all = condemned;
  all.insert(decided.begin(), decided.end());
  for (auto number : all) {
    if (number < closed) continue;
    auto key = decided.contains(number) ? decision_key(number) : condemned_key(number);
    auto added = LB_TRY(add_packs(core, key, out));
    if (!added) return false;
  }
  return true;
}

}  // namespace

Buffer encode_packs(const std::vector<std::string>& packs) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.varint(packs.size());
  for (const auto& pack : packs) out.text(pack);
  return bytes;
}

Result<std::vector<std::string>> decode_packs(ByteView bytes) {
  ByteReader in(bytes);
  std::vector<std::string> out;
  auto count = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < count; ++i) out.push_back(LB_TRY(in.text(256)));
  if (!in.done()) return Error(ErrorKind::corrupt, "goes on after its end");
  return out;
}

Result<Condemned> condemned_packs(const Core& core) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    Condemned out;
    auto settled = LB_TRY(look(core, out));
    if (settled) return out;
  }
  return Error(ErrorKind::unavailable, "collections come and go without end");
}

}  // namespace lb::repo
