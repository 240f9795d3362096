#include "storage/repo/pack_scan.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/frame_form.h"

namespace lb::repo {

namespace {

constexpr std::uint64_t read_bytes_max = 4 << 20;

// Where every byte of a pack belongs: header, frames one after another, footer, trailer.
bool is_gapless(const PackEnd& end, std::uint64_t size) {
  std::uint64_t at = pack_header_bytes;
  for (const auto& frame : end.frames) {
    if (frame.offset != at || frame.sealed_bytes < aead_tag_bytes) return false;
    at += frame.sealed_bytes;
  }
  return at == end.trailer.footer_offset &&
         at + end.trailer.footer_bytes + pack_trailer_bytes == size;
}

// The frames from `first` on that are read at once.
std::size_t run_end(const std::vector<FooterFrame>& frames, std::size_t first) {
  std::uint64_t bytes = frames[first].sealed_bytes;
  auto last = first + 1;
  while (last < frames.size() && bytes + frames[last].sealed_bytes <= read_bytes_max) {
    bytes += frames[last++].sealed_bytes;
  }
  return last;
}

}  // namespace

Result<PackScanResult> PackScan::run(const std::string& pack, std::uint64_t size,
                                     const Digest* digest, ScanDepth depth,
                                     const ReadProgress& progress) {
  PackScanResult out;
  auto end = reader_.end_of(pack, size);
  if (!end.ok()) {
    out.problems.push_back(end.error().message());
    return out;
  }
  out.readable = true;
  out.bytes_read = end->tail.size();
  if (!is_gapless(*end, size)) {
    out.problems.push_back("its parts do not lie one after another");
  } else {
    auto sealed_end = ByteView(end->tail).last(end->trailer.footer_bytes + pack_trailer_bytes);
    if (digest != nullptr && sha256(sealed_end) != *digest) {
      out.problems.push_back("it is not the pack that was written");
    }
    if (depth != ScanDepth::structure) LB_TRY(read_frames(pack, *end, depth, out, progress));
  }
  out.frames = std::move(end->frames);
  return out;
}

Status PackScan::read_frames(const std::string& pack, const PackEnd& end, ScanDepth depth,
                             PackScanResult& out, const ReadProgress& progress) {
  Buffer header(pack_header_bytes);
  auto got = core_.blobs.get_range_into(pack, 0, header);
  if (!got.ok() || text_of(header) != text_of(pack_header())) {
    out.problems.push_back(got.ok() ? "does not begin as a pack" : got.error().text());
  }
  for (std::size_t first = 0; first < end.frames.size();) {
    if (stop_.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    auto last = run_end(end.frames, first);
    auto before = out.bytes_read;
    read_run(pack, end, {first, last, depth}, out);
    if (!out.readable) return {};
    progress(out.bytes_read - before);
    first = last;
  }
  return {};
}

void PackScan::read_run(const std::string& pack, const PackEnd& end, const Run& run,
                        PackScanResult& out) {
  auto offset = end.frames[run.first].offset;
  auto size = end.frames[run.last - 1].offset + end.frames[run.last - 1].sealed_bytes - offset;
  if (sealed_.size() < size) sealed_.resize(size);
  auto bytes = MutableBytes(sealed_).first(size);
  auto got = core_.blobs.get_range_into(pack, offset, bytes);
  if (!got.ok()) {
    out.readable = false;
    out.problems.push_back(got.error().text());
    return;
  }
  out.bytes_read += size;
  for (auto number = run.first; number < run.last; ++number) {
    const auto& frame = end.frames[number];
    out.chunks += frame.chunks.size();
    auto sealed = bytes.subspan(frame.offset - offset, frame.sealed_bytes);
    if (is_good(pack, end, static_cast<std::uint32_t>(number), sealed, run.depth)) continue;
    out.bad.push_back(static_cast<std::uint32_t>(number));
    out.problems.push_back(cat("frame ", number, " does not open as it was sealed"));
  }
}

bool PackScan::is_good(const std::string& pack, const PackEnd& end, std::uint32_t number,
                       MutableBytes sealed, ScanDepth depth) {
  const auto& frame = end.frames[number];
  auto form = open_form(core_.keys, *end.trailer.aead, pack, number, sealed);
  if (!form.ok()) return false;
  auto plain_bytes = plain_size_of(*form, frame_bytes_max);
  if (!plain_bytes.ok() || *plain_bytes != frame.plain_bytes) return false;
  if (depth != ScanDepth::content) return true;
  auto plain = from_frame_form(*form, frame_bytes_max, plain_);
  if (!plain.ok()) return false;
  chunks_.clear();
  for (const auto& chunk : frame.chunks) {
    chunks_.push_back(plain->subspan(chunk.offset, chunk.length));
  }
  digests_.resize(chunks_.size());
  core_.id_mac.of_many(chunks_, digests_);
  for (std::size_t i = 0; i < digests_.size(); ++i) {
    if (digests_[i] != frame.chunks[i].id) return false;
  }
  return true;
}

}  // namespace lb::repo
