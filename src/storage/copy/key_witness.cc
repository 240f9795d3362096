#include "storage/copy/key_witness.h"

#include "foundation/base/text.h"
#include "storage/copy/shape.h"
#include "storage/repo/index_object.h"
#include "storage/repo/log_store.h"
#include "storage/repo/pack_format.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/verdict.h"

namespace lb::copy {

namespace {

Error bad(const std::string& key, const std::string& what) {
  return Error(ErrorKind::corrupt, cat("object ", key, ": ", what)).with_exit(ExitCode::damaged);
}

Status prove_pack(const repo::Core& core, const std::string& key, ByteView pack) {
  auto trailer = LB_TRY(repo::open_trailer(core.keys, key, pack.last(repo::pack_trailer_bytes)));
  auto sealed = pack.subspan(trailer.footer_offset, trailer.footer_bytes);
  auto frames = LB_TRY(repo::open_footer(core.keys, trailer, key, sealed));
  for (std::uint32_t number = 0; number < frames.size(); ++number) {
    const auto& frame = frames[number];
    bool inside = frame.offset <= pack.size() && frame.sealed_bytes <= pack.size() - frame.offset;
    if (!inside) return bad(key, cat("frame ", number, " lies outside"));
    auto bytes = pack.subspan(frame.offset, frame.sealed_bytes);
    LB_TRY(repo::open_frame(core.keys, *trailer.aead, key, number, bytes));
  }
  return {};
}

Result<repo::Verdict> open_verdict(const repo::Core& core, const std::string& key,
                                   ByteView object) {
  auto verdict = repo::open_verdict(core.keys, key.substr(2), object);
  if (!verdict.ok()) return bad(key, verdict.error().message());
  return verdict;
}

}  // namespace

Status prove_object(const repo::Core& core, const std::string& key, ByteView object) {
  LB_TRY(check_shape(key, object));
  if (key.starts_with("p/")) return prove_pack(core, key, object);
  if (key.starts_with("e/")) return open_verdict(core, key, object).status();
  if (key.starts_with("w/")) return repo::open_log_object(core.keys, key, object).status();
  if (key.starts_with("x/")) return repo::open_index(core.keys, key, object).status();
  return is_sealed(key) ? repo::open_object(core.keys, key, object).status() : Status();
}

Result<std::vector<BlobInfo>> KeyWitness::needs_of(const std::string& verdict_key,
                                                   ByteView object) {
  auto verdict = LB_TRY(open_verdict(core_, verdict_key, object));
  std::lock_guard lock(mutex_);
  if (!packs_) {
    packs_.emplace();
    for (auto& pack : LB_TRY(core_.blobs.list("p/"))) packs_->insert(std::move(pack.key));
  }
  std::vector<BlobInfo> out;
  bool all_there = true;
  for (const auto& pack : verdict.packs) {
    if (!pack.needed) continue;
    out.push_back({pack.name, pack.bytes});
    all_there = all_there && packs_->contains(pack.name);
  }
  if (all_there || !verdict.is_snapshot()) return out;
  return settled(verdict, sha256(object));
}

// Of a snapshot that names packs which are not there.
Result<std::vector<BlobInfo>> KeyWitness::settled(const repo::Verdict& verdict,
                                                  const Digest& digest) {
  if (!moves_) LB_TRY(look());
  std::vector<BlobInfo> out;
  std::set<std::string> movers;
  for (const auto& pack : verdict.packs) {
    if (!pack.needed) continue;
    auto instead = packs_->contains(pack.name)
                       ? std::nullopt
                       : moves_->instead_of(pack.name, verdict.info.id, repo::verdict_mark(digest));
    if (!instead) out.push_back({pack.name, pack.bytes});
    if (!instead) continue;
    for (const auto* target : instead->packs()) out.push_back({target->name, target->bytes});
    if (!movers.insert(instead->by->session).second) continue;
    out.push_back(LB_TRY(core_.blobs.info(repo::verdict_key(instead->by->session))));
  }
  return out;
}

Status KeyWitness::look() {
  repo::Moves moves;
  for (const auto& object : LB_TRY(core_.blobs.list("e/"))) {
    auto bytes = core_.blobs.get(object.key);
    auto verdict = bytes.ok() ? repo::open_verdict(core_.keys, object.key.substr(2), *bytes)
                              : Result<repo::Verdict>(bytes.error());
    if (verdict.ok() && verdict->moved) moves.add(verdict->moved);
  }
  moves_ = std::move(moves);
  return {};
}

}  // namespace lb::copy
