#include "storage/collect/moved_packs.h"

#include <algorithm>
#include <utility>

#include "storage/repo/format.h"
#include "storage/repo/frame_form.h"
#include "storage/repo/put_once.h"

namespace lb::repo {

namespace {

// Tiny chunks must not make a footer larger than its pack.
constexpr std::size_t pack_chunks_max = 64 << 10;

}  // namespace

MovedPackWriter::MovedPackWriter(const Core& core, std::string session)
    : core_(core),
      session_(std::move(session)),
      pack_bytes_max_(std::clamp<std::size_t>(core.options.memory_bytes / 3, 1 << 20, pack_bytes)) {
}

void MovedPackWriter::open() {
  packs_.push_back({pack_key(session_, static_cast<std::uint32_t>(packs_.size())), 0, {}});
  key_ = make_pack_key(core_.keys, core_.random);
  bytes_.clear();
  bytes_.reserve(pack_bytes_max_ + 2 * frame_bytes_max);
  auto header = pack_header();
  bytes_.insert(bytes_.end(), header.begin(), header.end());
  chunks_ = 0;
}

Status MovedPackWriter::make_room() {
  bool full = bytes_.size() >= pack_bytes_max_ || chunks_ >= pack_chunks_max;
  if (!frames_.empty() && full) LB_TRY(close());
  if (frames_.empty()) open();
  return {};
}

Result<MovedFrame> MovedPackWriter::add(const FormParts& form, const FooterFrame& frame) {
  LB_TRY(make_room());
  return append(form, frame);
}

MovedFrame MovedPackWriter::append(const FormParts& form, const FooterFrame& frame) {
  auto sealed_bytes = form.size() + aead_tag_bytes;
  MovedFrame out{
      0, static_cast<std::uint32_t>(packs_.size() - 1), static_cast<std::uint32_t>(frames_.size()),
      static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(sealed_bytes)};
  auto footer = frame;
  footer.offset = out.offset;
  footer.sealed_bytes = out.size;
  chunks_ += footer.chunks.size();
  bytes_.resize(bytes_.size() + sealed_bytes);
  seal_frame(core_.keys, *key_.aead, packs_.back().name, out.number, form,
             MutableBytes(bytes_).subspan(out.offset, sealed_bytes));
  frames_.push_back(std::move(footer));
  return out;
}

Result<MovedFrame> MovedPackWriter::gather(ByteView plain, std::span<const FooterChunk> chunks) {
  std::size_t size = 0;
  for (const auto& chunk : chunks) size += chunk.length;
  if (plain_.size() + size > frame_bytes_max) LB_TRY(seal_gathered());
  MovedFrame out;
  out.number = static_cast<std::uint32_t>(gathered_.size());
  out.base = static_cast<std::uint32_t>(plain_.size());
  for (const auto& chunk : chunks) {
    auto bytes = plain.subspan(chunk.offset, chunk.length);
    plain_chunks_.push_back({chunk.id, static_cast<std::uint32_t>(plain_.size()), chunk.length});
    plain_.insert(plain_.end(), bytes.begin(), bytes.end());
  }
  auto full = plain.size() < long_frame_bytes ? frame_bytes : long_frame_bytes;
  if (plain_.size() >= full) LB_TRY(seal_gathered());
  return out;
}

Status MovedPackWriter::seal_gathered() {
  if (plain_.empty()) return {};
  FooterFrame frame{0, 0, static_cast<std::uint32_t>(plain_.size()),
                    std::exchange(plain_chunks_, {})};
  LB_TRY(make_room());  // first: the form lies in memory of the thread's, which others may use
  gathered_.push_back(append(frame_form_of(plain_), frame));
  plain_.clear();
  return {};
}

Status MovedPackWriter::close() {
  auto& pack = packs_.back();
  auto footer = seal_footer(core_.keys, key_, pack.name, bytes_.size(), frames_);
  bytes_.insert(bytes_.end(), footer.begin(), footer.end());
  pack.bytes = bytes_.size();
  pack.sha256 = sha256(footer);
  LB_TRY(put_once(core_.blobs, pack.name, bytes_));
  stored_bytes_ += pack.bytes;
  auto position = static_cast<std::uint32_t>(index_.packs.size());
  IndexPack indexed{pack, {}};
  for (std::uint32_t number = 0; number < frames_.size(); ++number) {
    indexed.frame_sizes.push_back(frames_[number].sealed_bytes);
    for (const auto& chunk : frames_[number].chunks) {
      index_.entries.push_back({short_id(chunk.id), position, number, chunk.offset, chunk.length});
    }
  }
  index_.packs.push_back(std::move(indexed));
  frames_.clear();
  return index_.packs.size() < packs_per_index ? Status() : put_index();
}

Status MovedPackWriter::put_index() {
  if (index_.packs.empty()) return {};
  // An index must never be durable before the packs it names.
  LB_TRY(core_.blobs.flush());
  auto key = index_key(session_, next_index_++);
  auto object = seal_index(core_.keys, core_.random, key, std::exchange(index_, Index{}));
  stored_bytes_ += object.size();
  return put_once(core_.blobs, key, object);
}

Status MovedPackWriter::finish() {
  LB_TRY(seal_gathered());
  if (!frames_.empty()) LB_TRY(close());
  LB_TRY(put_index());
  return core_.blobs.flush();
}

}  // namespace lb::repo
