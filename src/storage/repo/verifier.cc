#include "storage/repo/verifier.h"

#include "foundation/base/text.h"
#include "storage/repo/chunk_map.h"
#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

constexpr std::size_t affected_max = 100;

std::string name_of(const SnapshotInfo& info) {
  return cat(info.meta.store, " ", format_time(info.meta.taken));
}

std::string path_name(const Row& row) {
  std::string out = row.key;
  for (auto& c : out) {
    if (c == '\0') c = '/';
  }
  return out.empty() ? "." : printable(out);
}

bool holds(const FooterFrame& frame, const Extent& extent) {
  if (frame.offset != extent.frame_offset || frame.sealed_bytes != extent.frame_size) return false;
  for (const auto& chunk : frame.chunks) {
    if (chunk.offset != extent.offset || chunk.length != extent.length) continue;
    return std::equal(extent.id.begin(), extent.id.end(), chunk.id.begin());
  }
  return false;
}

}  // namespace

Verifier::Verifier(const Core& core, const VerifyOptions& options, std::stop_token stop,
                   VerifyProgress progress)
    : core_(core), options_(options), stop_(stop), progress_(std::move(progress)) {
  report_.fraction = options.fraction;
}

void Verifier::add(const std::string& object, const std::string& problem,
                   const std::string& affected) {
  auto [found, added] = by_object_.try_emplace(cat(object, "\n", problem), report_.findings.size());
  if (added) report_.findings.push_back({object, problem, {}});
  auto& list = report_.findings[found->second].affected;
  bool known = !list.empty() && list.back() == affected;
  if (!affected.empty() && !known && list.size() < affected_max) list.push_back(affected);
}

// Each pack is in the sample or not by its name and the seed, so that a run reads the same packs
// everywhere.
bool Verifier::sampled(const std::string& pack) const {
  if (options_.fraction >= 1) return true;
  if (options_.fraction <= 0) return false;
  Buffer seed;
  ByteWriter(seed).u64(options_.seed);
  auto digest = hmac_sha256(seed, view_of(pack));
  double draw = (digest[0] * 65536.0 + digest[1] * 256.0 + digest[2]) / 16777216.0;
  return draw < options_.fraction;
}

Result<VerifyReport> Verifier::run() {
  LB_TRY(check_verdicts());
  LB_TRY(check_packs());
  LB_TRY(check_snapshots());
  LB_TRY(check_logs());
  LB_TRY(check_small_objects());
  for (const auto& [id, verdict] : verdicts_) {
    (damaged_.contains(id) ? report_.snapshots_damaged : report_.snapshots_ok).push_back(id);
  }
  return std::move(report_);
}

Status Verifier::check_verdicts() {
  std::map<std::string, Digest> by_store;
  for (const auto& object : LB_TRY(core_.blobs.list("e/"))) {
    ++report_.objects;
    auto bytes = core_.blobs.get(object.key);
    if (!bytes.ok()) {
      add(object.key, bytes.error().text(), "a snapshot that can no longer be named");
      continue;
    }
    auto session = object.key.substr(2);
    auto frames = open_object(core_.keys, object.key, *bytes);
    auto verdict =
        frames.ok() ? decode_verdict(session, frames->front()) : Result<Verdict>(frames.error());
    if (!verdict.ok()) {
      add(object.key, verdict.error().message(), cat("the snapshot ", session));
      continue;
    }
    if (verdict->aborted) continue;
    auto& before = by_store[verdict->info.meta.store];
    // Parallel backups of one store may name the same predecessor; a missing one is a gap in the
    // chain.
    if (before != Digest{} && verdict->previous == Digest{}) {
      add(object.key, "does not follow the verdicts before it: one may have been taken away",
          name_of(verdict->info));
    }
    before = sha256(*bytes);
    for (const auto& pack : verdict->packs) {
      if (!pack.needed) continue;
      auto& state = packs_[pack.name];
      state.bytes = pack.bytes;
      state.sha256 = pack.sha256;
      state.known_digest = true;
    }
    ++report_.snapshots;
    verdicts_.emplace(session, std::move(*verdict));
  }
  return {};
}

Status Verifier::check_packs() {
  for (const auto& object : LB_TRY(core_.blobs.list("p/"))) {
    ++report_.objects;
    auto [found, unknown] = packs_.try_emplace(object.key);
    if (unknown) found->second.bytes = object.size;  // of an interrupted or running session
  }
  for (const auto& [name, state] : packs_) {
    if (sampled(name)) total_bytes_ += state.bytes;
  }
  for (auto& [name, state] : packs_) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    ++report_.packs;
    LB_TRY(check_pack(name, state, sampled(name)));
  }
  return {};
}

Status Verifier::check_pack(const std::string& name, PackState& state, bool read) {
  auto info = core_.blobs.info(name);
  if (!info.ok()) {
    add(name, info.error().kind() == ErrorKind::not_found ? "is missing" : info.error().text());
    return {};
  }
  if (info->size != state.bytes) {
    add(name, cat("has ", info->size, " bytes instead of ", state.bytes));
    return {};
  }
  FrameReader frames(core_);
  auto trailer = frames.trailer(name, info->size);
  if (!trailer.ok()) {
    add(name, trailer.error().message());
    return {};
  }
  auto footer_bytes = core_.blobs.get_range(name, trailer->footer_offset, trailer->footer_bytes);
  auto footer = footer_bytes.ok() ? open_footer(core_.keys, *trailer, name, *footer_bytes)
                                  : Result<std::vector<FooterFrame>>(footer_bytes.error());
  if (!footer.ok()) {
    add(name, footer.error().message());
    return {};
  }
  state.frames = std::move(footer).take();
  state.readable = true;
  if (!read) return {};
  auto bytes = core_.blobs.get(name);
  if (!bytes.ok()) {
    state.readable = false;
    add(name, bytes.error().text());
    return {};
  }
  ++report_.packs_read;
  report_.bytes_read += bytes->size();
  if (state.known_digest && sha256(*bytes) != state.sha256)
    add(name, "its bytes are not those that were written");
  for (std::uint32_t number = 0; number < state.frames.size(); ++number) {
    const auto& frame = state.frames[number];
    ++report_.frames;
    if (frame.offset > bytes->size() || frame.sealed_bytes > bytes->size() - frame.offset) {
      state.bad_frames.insert(number);
      continue;
    }
    auto plain = open_frame(core_.keys, *trailer->aead, name, number,
                            ByteView(*bytes).subspan(frame.offset, frame.sealed_bytes));
    bool good = plain.ok() && plain->size() == frame.plain_bytes;
    for (const auto& chunk : frame.chunks) {
      if (!good) break;
      ++report_.chunks;
      good = chunk_digest(core_, ByteView(*plain).subspan(chunk.offset, chunk.length)) == chunk.id;
    }
    if (!good) {
      state.bad_frames.insert(number);
      add(name, cat("frame ", number, " does not open as it was sealed"));
    }
  }
  done_bytes_ += bytes->size();
  if (progress_) progress_(done_bytes_, total_bytes_);
  return {};
}

Status Verifier::check_snapshots() {
  for (const auto& [id, verdict] : verdicts_) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    auto snapshot = StoredSnapshot::open(core_, verdict);
    if (!snapshot.ok()) {
      add(verdict_key(id), snapshot.error().message(), name_of(verdict.info));
      damaged_.insert(id);
      continue;
    }
    LB_TRY(check_snapshot(**snapshot));
  }
  return {};
}

Status Verifier::check_snapshot(StoredSnapshot& snapshot) {
  std::uint64_t rows = 0;
  const auto& info = snapshot.info();
  for (std::size_t number = 0; number < snapshot.blocks().size(); ++number) {
    auto block = snapshot.block(number);
    if (!block.ok()) {
      add(verdict_key(info.id), cat("part of the table cannot be read: ", block.error().message()),
          name_of(info));
      damaged_.insert(info.id);
      continue;
    }
    rows += block->size();
    for (const auto& row : *block) check_row(snapshot, row);
  }
  if (rows != info.rows && !damaged_.contains(info.id)) {
    add(verdict_key(info.id), cat("the table has ", rows, " rows instead of ", info.rows),
        name_of(info));
    damaged_.insert(info.id);
  }
  for (const auto& attachment : snapshot.verdict().attachments) {
    auto bytes = snapshot.attachment(attachment.name);
    if (bytes.ok()) continue;
    add(verdict_key(info.id), cat("attachment ", attachment.name, ": ", bytes.error().message()),
        name_of(info));
    damaged_.insert(info.id);
  }
  return {};
}

void Verifier::check_row(StoredSnapshot& snapshot, const Row& row) {
  std::uint64_t size = 0;
  for (const auto& extent : row.extents) {
    size += extent.length;
    if (extent.hole) continue;
    auto name = snapshot.pack_of(extent);
    auto found = name.ok() ? packs_.find(*name) : packs_.end();
    bool bad = found == packs_.end() || !found->second.readable ||
               extent.frame >= found->second.frames.size() ||
               found->second.bad_frames.contains(extent.frame) ||
               !holds(found->second.frames[extent.frame], extent);
    if (!bad) continue;
    damaged_.insert(snapshot.info().id);
    auto object = name.ok() ? *name : verdict_key(snapshot.info().id);
    add(object, "does not give content that a snapshot needs",
        cat(name_of(snapshot.info()), ": ", path_name(row)));
    return;
  }
  if (size == row.size) return;
  damaged_.insert(snapshot.info().id);
  add(verdict_key(snapshot.info().id), "a row's extents do not add up",
      cat(name_of(snapshot.info()), ": ", path_name(row)));
}

Status Verifier::check_logs() {
  for (const auto& object : LB_TRY(core_.blobs.list("w/"))) {
    ++report_.objects;
    ++report_.log_segments;
    auto bytes = core_.blobs.get(object.key);
    if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found)
      continue;  // a tail superseded meanwhile
    auto frames = bytes.ok() ? open_object(core_.keys, object.key, *bytes)
                             : Result<std::vector<Buffer>>(bytes.error());
    if (frames.ok()) {
      report_.bytes_read += bytes->size();
      continue;
    }
    auto parts = split(object.key, '/');
    auto log = parts.size() > 1 ? unescape_part(parts[1]) : Result<std::string>(std::string());
    add(object.key, frames.error().message(),
        cat("every point of ", log.ok() ? *log : parts[1], " after this part of its log"));
  }
  return {};
}

Status Verifier::check_small_objects() {
  for (const char* prefix : {"i/", "x/", "r/"}) {
    for (const auto& object : LB_TRY(core_.blobs.list(prefix))) {
      ++report_.objects;
      report_.records += object.key[0] == 'r' ? 1u : 0u;
      auto bytes = core_.blobs.get(object.key);
      auto frames = bytes.ok() ? open_object(core_.keys, object.key, *bytes)
                               : Result<std::vector<Buffer>>(bytes.error());
      if (frames.ok() && object.key[0] == 'x') {
        std::vector<std::string> packs;
        std::vector<IndexEntry> entries;
        if (!read_index(frames->front(), packs, entries).ok())
          add(object.key, "the index is malformed");
      }
      if (frames.ok()) continue;
      const char* lost = object.key[0] == 'x'
                             ? "no snapshot; deduplication until the index is rebuilt"
                         : object.key[0] == 'i' ? "no snapshot"
                                                : "a part of the journal or of the drill log";
      add(object.key, frames.error().message(), lost);
    }
  }
  report_.objects += LB_TRY(core_.blobs.list("k/")).size() + 1;
  return {};
}

}  // namespace lb::repo
