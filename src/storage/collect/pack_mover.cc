#include "storage/collect/pack_mover.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/frame_form.h"
#include "storage/repo/frame_reader.h"

namespace lb::repo {

namespace {

constexpr std::uint64_t read_bytes_max = 4 << 20;

Error damaged_pack(const std::string& pack, const std::string& what) {
  return Error(ErrorKind::corrupt, cat("object ", pack, ": ", what)).with_exit(ExitCode::damaged);
}

Error damaged_frame(const std::string& pack, std::uint32_t number) {
  return damaged_pack(pack, cat("frame ", number, " does not hold the chunks it should"));
}

// Frames that lie next to one another, read at once.
struct Run {
  std::vector<std::uint32_t> frames;
  std::uint64_t offset = 0, size = 0;
};

std::vector<Run> runs_of(const std::vector<LiveChunk>& live,
                         const std::vector<FooterFrame>& frames) {
  std::vector<Run> out;
  for (const auto& chunk : live) {
    const auto& frame = frames[chunk.frame];
    if (!out.empty() && out.back().frames.back() == chunk.frame) continue;
    bool joins = !out.empty() && out.back().offset + out.back().size == frame.offset &&
                 out.back().size + frame.sealed_bytes <= read_bytes_max;
    if (!joins) out.push_back({{}, frame.offset, 0});
    out.back().frames.push_back(chunk.frame);
    out.back().size += frame.sealed_bytes;
  }
  return out;
}

// What snapshots name of a frame, as the footer has it; empty: the two do not fit together.
std::vector<FooterChunk> live_in(const std::vector<LiveChunk>& live, std::uint32_t number,
                                 const FooterFrame& frame) {
  std::vector<FooterChunk> out;
  auto next = std::lower_bound(live.begin(), live.end(), LiveChunk{number, 0, 0});
  for (const auto& chunk : frame.chunks) {
    if (next == live.end() || next->frame != number) break;
    if (next->offset != chunk.offset || next->length != chunk.length) continue;
    out.push_back(chunk);
    ++next;
  }
  if (next != live.end() && next->frame == number) return {};
  return out;
}

}  // namespace

// A pack while it is rewritten.
struct PackMover::OldPack {
  const RepackPlan::Pack& plan;
  const PackEnd& end;
  Buffer plain = {};
};

Status PackMover::run(const RepackPlan::Pack& pack, MovedPack& places) {
  FrameReader reader(core_);
  auto end = LB_TRY(reader.end_of(pack.name, pack.bytes));
  bool fits = pack.opened.size() == end.frames.size() &&
              (pack.live.empty() || pack.live.back().frame < end.frames.size());
  if (!fits) return damaged_pack(pack.name, "has fewer frames than snapshots name");
  OldPack old{pack, end};
  Buffer sealed;
  for (const auto& run : runs_of(pack.live, end.frames)) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    sealed.resize(run.size);
    LB_TRY(reader.read(pack.name, run.offset, sealed));
    for (auto number : run.frames) {
      const auto& frame = end.frames[number];
      auto bytes = MutableBytes(sealed).subspan(frame.offset - run.offset, frame.sealed_bytes);
      auto form = LB_TRY(open_form(core_.keys, *end.trailer.aead, pack.name, number, bytes));
      auto moved = LB_TRY(move_frame(old, number, form, places));
      moved.frame = number;
      places.frames.push_back(moved);
    }
  }
  return {};
}

bool PackMover::holds(ByteView plain, const std::vector<FooterChunk>& chunks) {
  std::vector<ByteView> bytes;
  for (const auto& chunk : chunks) bytes.push_back(plain.subspan(chunk.offset, chunk.length));
  digests_.resize(chunks.size());
  core_.id_mac.of_many(bytes, digests_);
  return std::equal(
      digests_.begin(), digests_.end(), chunks.begin(),
      [](const Digest& digest, const FooterChunk& chunk) { return digest == chunk.id; });
}

// A frame that is opened is put together anew only when its chunks are what their ids say: damage
// is not carried on under a new seal, and what is not understood is moved as it is.
Result<MovedFrame> PackMover::move_frame(OldPack& old, std::uint32_t number, ByteView form,
                                         MovedPack& places) {
  const auto& frame = old.end.frames[number];
  if (!old.plan.opened[number]) return out_.add({{}, form}, frame);
  auto live = live_in(old.plan.live, number, frame);
  auto plain = from_frame_form(form, frame_bytes_max, old.plain);
  bool whole = plain.ok() && plain->size() == frame.plain_bytes && !live.empty();
  if (!whole || !holds(*plain, live)) {
    damaged_.push_back(damaged_frame(old.plan.name, number).message());
    return out_.add({{}, form}, frame);
  }
  auto moved = LB_TRY(out_.gather(*plain, live));
  moved.first_run = static_cast<std::uint32_t>(places.runs.size());
  for (const auto& chunk : live) {
    bool joins = places.runs.size() > moved.first_run &&
                 places.runs.back().offset + places.runs.back().length == chunk.offset;
    if (joins) {
      places.runs.back().length += chunk.length;
    } else {
      places.runs.push_back({chunk.offset, chunk.length});
    }
  }
  moved.runs = static_cast<std::uint32_t>(places.runs.size()) - moved.first_run;
  return moved;
}

}  // namespace lb::repo
