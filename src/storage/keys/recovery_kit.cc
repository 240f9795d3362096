#include "storage/keys/recovery_kit.h"

#include "foundation/base/text.h"

namespace lb::keys {

namespace {

constexpr std::size_t key_bytes = 32;

Error wrong(const std::string& what) {
  return Error(ErrorKind::denied, what).with_exit(ExitCode::wrong_key);
}

Secret part_of(const Secret& bytes, std::size_t from, std::size_t size) {
  return Secret(ByteView(bytes.bytes().subspan(from, size)));
}

}  // namespace

std::vector<KitShare> make_kit(Slot& slot, unsigned need, unsigned count, const Secret& fresh,
                               const Secret& payload) {
  LB_ASSERT(slot.kind == kind::shares && fresh.size() == need * key_bytes);
  auto base = part_of(fresh, 0, key_bytes);
  auto parts = split_secret(base, need, count, part_of(fresh, key_bytes, (need - 1) * key_bytes));
  slot.need = need;
  slot.share_digests.clear();
  std::vector<KitShare> out;
  for (auto& part : parts) {
    slot.share_digests.push_back(sha256(part.value.bytes()));
    out.push_back({slot.repository, slot.id, need, count, std::move(part), {}});
  }
  seal_slot(slot, base, payload);
  return out;
}

Status check_one_kit(const std::vector<KitShare>& shares) {
  if (shares.empty()) return wrong("no shares were given");
  const auto& first = shares.front();
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const auto& share = shares[i];
    if (share.repository != first.repository || share.kit != first.kit) {
      return wrong(cat(share.source, " is a share of another kit than ", first.source))
          .with_hint(cat(first.source, " is of repository ", first.repository, ", kit ", first.kit,
                         "; ", share.source, " of repository ", share.repository, ", kit ",
                         share.kit));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (shares[j].share.number != share.share.number) continue;
      return wrong(cat(shares[j].source, " and ", share.source, " are the same share, number ",
                       int{share.share.number}));
    }
  }
  return {};
}

Result<Secret> join_kit(const Slot& slot, const std::vector<KitShare>& shares) {
  LB_TRY(check_one_kit(shares));
  std::vector<KeyShare> parts;
  for (const auto& share : shares) {
    std::size_t number = share.share.number;
    bool true_share = number >= 1 && number <= slot.share_digests.size() &&
                      sha256(share.share.value.bytes()) == slot.share_digests[number - 1];
    if (!true_share) {
      return wrong(cat(share.source, " (share ", number, ") is not what the kit was made with"))
          .with_hint("it was altered; use another share");
    }
    parts.push_back({share.share.number, share.share.value.clone()});
  }
  if (parts.size() < slot.need) {
    return wrong(cat(parts.size(), " of the ", slot.need, " shares that are needed were given"));
  }
  return join_shares(parts);
}

}  // namespace lb::keys
