#include "storage/repo/verifier.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/flow/task_group.h"
#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

constexpr std::size_t affected_max = 100;

std::string name_of(const SnapshotInfo& info) {
  return cat(info.meta.store, " ", format_time(info.meta.taken));
}

bool holds(const std::vector<FooterFrame>& frames, std::uint32_t number, std::uint32_t offset,
           std::uint64_t length, const ChunkId& id) {
  if (number >= frames.size()) return false;
  const auto& chunks = frames[number].chunks;  // in order of their offsets
  auto found = std::lower_bound(
      chunks.begin(), chunks.end(), offset,
      [](const FooterChunk& chunk, std::uint32_t wanted) { return chunk.offset < wanted; });
  return found != chunks.end() && found->offset == offset && found->length == length &&
         short_id(found->id) == id;
}

bool holds(const std::vector<FooterFrame>& frames, const Extent& extent) {
  return holds(frames, extent.frame, extent.offset, extent.length, extent.id) &&
         frames[extent.frame].offset == extent.frame_offset &&
         frames[extent.frame].sealed_bytes == extent.frame_size;
}

// A number in [0, 1) that depends on the seed and the name alone, so that a run with the same seed
// reads the same objects everywhere.
double draw(std::uint64_t seed, const std::string& name) {
  Buffer key;
  ByteWriter(key).u64(seed);
  auto digest = hmac_sha256(key, view_of(name));
  return (digest[0] * 65536.0 + digest[1] * 256.0 + digest[2]) / 16777216.0;
}

}  // namespace

Verifier::Verifier(const Core& core, const VerifyOptions& options, std::stop_token stop,
                   VerifyProgress progress)
    : core_(core), options_(options), stop_(std::move(stop)), progress_(std::move(progress)) {
  report_.fraction = options.fraction;
}

Status Verifier::check_stop() const {
  if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
  return {};
}

void Verifier::add(const std::string& object, const std::string& problem,
                   const std::string& affected) {
  std::lock_guard lock(mutex_);
  auto number = report_.findings.size();
  auto [found, added] = by_problem_.try_emplace(cat(object, "\n", problem), number);
  if (added) {
    report_.findings.push_back({object, problem, {}});
    by_object_.try_emplace(object, number);
  }
  auto& list = report_.findings[found->second].affected;
  bool known = !list.empty() && list.back() == affected;
  if (!affected.empty() && !known && list.size() < affected_max) list.push_back(affected);
}

void Verifier::hit(const std::string& object, const std::string& problem,
                   const std::string& affected) {
  auto known = by_object_.find(object);
  add(object, known == by_object_.end() ? problem : report_.findings[known->second].problem,
      affected);
}

bool Verifier::chance(const std::string& object) const {
  return options_.fraction >= 1 || draw(options_.seed, object) < options_.fraction;
}

Result<VerifyReport> Verifier::run() {
  LB_TRY(check_text_objects());
  LB_TRY(check_verdicts());
  LB_TRY(check_packs());
  LB_TRY(check_snapshots());
  LB_TRY(check_indexes());
  LB_TRY(check_logs());
  LB_TRY(check_small_objects());
  for (const auto& [id, verdict] : verdicts_) {
    (damaged_.contains(id) ? report_.snapshots_damaged : report_.snapshots_ok).push_back(id);
  }
  return std::move(report_);
}

Status Verifier::check_text_objects() {
  std::vector<std::string> keys = {repo_key};
  for (const auto& slot : LB_TRY(core_.blobs.list("k/"))) keys.push_back(slot.key);
  for (const auto& key : keys) {
    ++report_.objects;
    auto good = repo::check_text_object(core_.blobs, key);
    if (good.ok()) continue;
    add(key, good.error().message(), "opening the repository with this key");
  }
  return {};
}

Status Verifier::check_verdicts() {
  std::map<std::string, Digest> digests;
  bool all_readable = true;
  for (const auto& object : LB_TRY(core_.blobs.list("e/"))) {
    ++report_.objects;
    auto session = object.key.substr(2);
    auto bytes = core_.blobs.get(object.key);
    auto frames = bytes.ok() ? open_object(core_.keys, object.key, *bytes)
                             : Result<std::vector<Buffer>>(bytes.error());
    auto verdict = frames.ok() ? decode_verdict(session, *frames) : Result<Verdict>(frames.error());
    if (!verdict.ok()) {
      add(object.key, verdict.error().message(), cat("the snapshot ", session));
      report_.snapshots_damaged.push_back(session);
      all_readable = false;
      continue;
    }
    if (verdict->aborted) continue;
    digests.emplace(session, sha256(*bytes));
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
  // Behind a damaged verdict the chain cannot be followed, and that one is named already.
  if (all_readable) check_chain(digests);
  return {};
}

void Verifier::check_chain(const std::map<std::string, Digest>& digests) {
  std::set<Digest> known;
  for (const auto& [id, digest] : digests) known.insert(digest);
  for (const auto& [id, verdict] : verdicts_) {
    if (verdict.previous == Digest{} || known.contains(verdict.previous)) continue;
    add(verdict_key(id), "the snapshot before it is missing",
        cat("a snapshot of ", verdict.info.meta.store, " before ",
            format_time(verdict.info.meta.taken)));
  }
}

// By bytes, in the order of the draw: the wanted part and at least one pack.
void Verifier::choose_sample() {
  std::vector<std::pair<double, PackState*>> order;
  std::uint64_t all = 0;
  for (auto& [name, state] : packs_) {
    order.emplace_back(draw(options_.seed, name), &state);
    all += state.bytes;
  }
  std::sort(order.begin(), order.end());
  auto wanted = options_.fraction <= 0 ? 0.0 : static_cast<double>(all) * options_.fraction;
  for (auto& [number, state] : order) {
    state->read = options_.fraction >= 1 || static_cast<double>(total_bytes_) < wanted;
    if (state->read) total_bytes_ += state->bytes;
  }
}

Status Verifier::check_packs() {
  for (const auto& object : LB_TRY(core_.blobs.list("p/"))) {
    ++report_.objects;
    auto [found, unknown] = packs_.try_emplace(object.key);
    if (unknown) found->second.bytes = object.size;  // of an interrupted or running session
  }
  choose_sample();
  std::vector<std::pair<const std::string*, PackState*>> order;
  for (auto& [name, state] : packs_) order.emplace_back(&name, &state);
  report_.packs = order.size();
  return for_each_parallel(order.size(), core_.options.workers, stop_, [&](std::size_t i) {
    return check_pack(*order[i].first, *order[i].second);
  });
}

Status Verifier::check_pack(const std::string& name, PackState& state) {
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
  if (!state.read) return {};
  auto bytes = core_.blobs.get(name);
  if (!bytes.ok()) {
    state.readable = false;
    add(name, bytes.error().text());
    return {};
  }
  check_pack_bytes(name, state, *trailer->aead, *bytes);
  return {};
}

void Verifier::check_pack_bytes(const std::string& name, PackState& state, const Aead& key,
                                ByteView bytes) {
  std::uint64_t chunks = 0;
  for (std::uint32_t number = 0; number < state.frames.size(); ++number) {
    const auto& frame = state.frames[number];
    bool inside = frame.offset <= bytes.size() && frame.sealed_bytes <= bytes.size() - frame.offset;
    auto plain = inside ? open_frame(core_.keys, key, name, number,
                                     bytes.subspan(frame.offset, frame.sealed_bytes))
                        : Result<Buffer>(Error(ErrorKind::corrupt, "lies outside"));
    bool good = plain.ok() && plain->size() == frame.plain_bytes;
    for (const auto& chunk : frame.chunks) {
      if (!good) break;
      ++chunks;
      good = chunk_digest(core_, ByteView(*plain).subspan(chunk.offset, chunk.length)) == chunk.id;
    }
    if (good) continue;
    state.bad_frames.insert(number);
    add(name, cat("frame ", number, " does not open as it was sealed"));
  }
  if (state.bad_frames.empty() && state.known_digest && sha256(bytes) != state.sha256) {
    add(name, "its bytes are not those that were written");
  }
  std::lock_guard lock(mutex_);
  ++report_.packs_read;
  report_.bytes_read += bytes.size();
  report_.frames += state.frames.size();
  report_.chunks += chunks;
  done_bytes_ += bytes.size();
  if (progress_) progress_(done_bytes_, total_bytes_);
}

Status Verifier::check_snapshots() {
  for (const auto& [id, verdict] : verdicts_) {
    LB_TRY(check_stop());
    auto snapshot = StoredSnapshot::open(core_, id);
    if (!snapshot.ok()) {
      hit(verdict_key(id), snapshot.error().message(), name_of(verdict.info));
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
  auto broken = [&](const std::string& problem) {
    add(verdict_key(info.id), problem, name_of(info));
    damaged_.insert(info.id);
  };
  for (std::size_t number = 0; number < snapshot.blocks().size(); ++number) {
    LB_TRY(check_stop());
    auto block = snapshot.block(number);
    if (!block.ok()) {
      broken(cat("the part of its table from '", printable_key(snapshot.blocks()[number].first_key),
                 "' on cannot be read: ", block.error().message()));
      rows += snapshot.blocks()[number].rows;
      continue;
    }
    rows += block->size();
    for (const auto& row : *block) check_row(snapshot, row);
  }
  if (rows != info.rows) broken(cat("its table has ", rows, " rows instead of ", info.rows));
  for (const auto& attachment : snapshot.verdict().attachments) {
    auto bytes = snapshot.attachment(attachment.name);
    if (!bytes.ok()) broken(cat("attachment ", attachment.name, ": ", bytes.error().message()));
  }
  return {};
}

void Verifier::check_row(StoredSnapshot& snapshot, const Row& row) {
  const auto& info = snapshot.info();
  auto path = cat(name_of(info), ": ", printable_key(row.key));
  std::uint64_t size = 0;
  for (const auto& extent : row.extents) {
    size += extent.length;
    if (extent.hole) continue;
    auto name = snapshot.pack_of(extent);
    auto found = name.ok() ? packs_.find(*name) : packs_.end();
    bool good = found != packs_.end() && found->second.readable &&
                !found->second.bad_frames.contains(extent.frame) &&
                holds(found->second.frames, extent);
    if (good) continue;
    damaged_.insert(info.id);
    hit(name.ok() ? *name : verdict_key(info.id), "does not give content that a snapshot needs",
        path);
    return;
  }
  if (size == row.size) return;
  damaged_.insert(info.id);
  add(verdict_key(info.id), "a row's extents do not add up", path);
}

Status Verifier::check_indexes() {
  for (const auto& object : LB_TRY(core_.blobs.list("x/"))) {
    LB_TRY(check_stop());
    ++report_.objects;
    auto bytes = core_.blobs.get(object.key);
    auto frames = bytes.ok() ? open_object(core_.keys, object.key, *bytes)
                             : Result<std::vector<Buffer>>(bytes.error());
    auto index = frames.ok() ? decode_index(frames->front()) : Result<Index>(frames.error());
    if (index.ok()) {
      check_index(object.key, *index);
    } else {
      add(object.key, index.error().message(), "no snapshot; what it lists is stored again");
    }
  }
  return {};
}

// A pack that an index names and that is not there is no damage in itself: nothing deduplicates
// against it, and if a snapshot needs it, that has been said.
void Verifier::check_index(const std::string& key, const Index& index) {
  for (const auto& entry : index.entries) {
    auto pack = packs_.find(index.packs[entry.pack].pack.name);
    if (pack == packs_.end() || !pack->second.readable) continue;
    if (holds(pack->second.frames, entry.frame, entry.offset, entry.length, entry.id)) continue;
    add(key, cat("names a chunk that is not in ", pack->first));
    return;
  }
}

Status Verifier::check_logs() {
  std::map<LogName, LogHead> segments;
  for (const auto& object : LB_TRY(core_.blobs.list("w/"))) {
    LB_TRY(check_stop());
    auto key = parse_log_key(object.key);
    if (!key) continue;
    ++report_.objects;
    ++report_.log_segments;
    check_log(*key, object);
    if (key->kind != LogKey::Kind::segment) continue;
    auto first = open_first_frame(core_.keys, object.key, core_.blobs);
    auto head = first.ok() ? decode_log_head(*first) : Result<LogHead>(first.error());
    segments.emplace(key->name, head.ok() ? std::move(head).take() : LogHead{});
  }
  check_log_gaps(segments);
  return {};
}

void Verifier::check_log(const LogKey& key, const BlobInfo& object) {
  auto affected = cat("every point of ", key.name.store, " after this part of its log");
  std::optional<Error> problem;
  if (chance(object.key)) {
    auto bytes = core_.blobs.get(object.key);
    auto opened = bytes.ok() ? open_log_object(core_.keys, object.key, *bytes)
                             : Result<LogObject>(bytes.error());
    if (opened.ok()) report_.bytes_read += bytes->size();
    if (!opened.ok()) problem = opened.error();
  } else {
    auto first = open_first_frame(core_.keys, object.key, core_.blobs);
    if (!first.ok()) problem = first.error();
  }
  // A tail may be superseded, and removed, while we look.
  bool gone = problem && problem->kind() == ErrorKind::not_found;
  if (problem && !(gone && key.kind == LogKey::Kind::tail)) {
    add(object.key, gone ? "is missing" : problem->message(), affected);
  }
}

// A segment says whether the one before it was in the repository when it came. Where it was and no
// longer is, it was lost here; where it never came, the log has a hole, which is no damage of the
// repository and told by those who read the log.
void Verifier::check_log_gaps(const std::map<LogName, LogHead>& segments) {
  for (const auto& [name, head] : segments) {
    if (!head.follows) continue;
    auto before = name;
    --before.segment;
    if (segments.contains(before)) continue;
    auto key = log_key(before.store, before.timeline, before.segment);
    if (core_.blobs.info(key).ok()) continue;  // it came after the listing
    add(key, "is missing", cat("every point of ", name.store, " after this part of its log"));
  }
}

Status Verifier::check_small_objects() {
  for (const char* prefix : {"i/", "r/"}) {
    for (const auto& object : LB_TRY(core_.blobs.list(prefix))) {
      LB_TRY(check_stop());
      ++report_.objects;
      bool record = object.key[0] == 'r';
      report_.records += record ? 1u : 0u;
      auto bytes = core_.blobs.get(object.key);
      auto frames = bytes.ok() ? open_object(core_.keys, object.key, *bytes)
                               : Result<std::vector<Buffer>>(bytes.error());
      if (frames.ok()) continue;
      add(object.key, frames.error().message(),
          record ? "a part of the journal or of the drill log" : "no snapshot");
    }
  }
  return {};
}

}  // namespace lb::repo
