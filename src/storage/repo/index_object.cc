#include "storage/repo/index_object.h"

#include <algorithm>

#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

constexpr std::size_t entry_bytes = 32;
constexpr std::size_t key_bytes_max = 256;

Error bad_index(const char* what) { return Error(ErrorKind::corrupt, what); }

}  // namespace

Buffer encode_index(Index index) {
  std::sort(index.entries.begin(), index.entries.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  Buffer out;
  ByteWriter writer(out);
  writer.varint(index.packs.size());
  for (const auto& [pack, frame_sizes] : index.packs) {
    writer.text(pack.name);
    writer.varint(pack.bytes);
    writer.raw(pack.sha256);
    writer.varint(frame_sizes.size());
    for (auto size : frame_sizes) writer.varint(size);
  }
  writer.varint(index.entries.size());
  for (const auto& entry : index.entries) {
    writer.raw(entry.id);
    for (auto value : {entry.pack, entry.frame, entry.offset, entry.length}) writer.u32(value);
  }
  return out;
}

namespace {

Result<IndexPack> decode_pack(ByteReader& in) {
  IndexPack out;
  out.pack.name = LB_TRY(in.text(key_bytes_max));
  out.pack.bytes = LB_TRY(in.varint());
  auto digest = LB_TRY(in.raw(out.pack.sha256.size()));
  std::copy(digest.begin(), digest.end(), out.pack.sha256.begin());
  auto frames = LB_TRY(in.varint());
  if (frames > in.left() || out.pack.bytes > 0xFFFFFFFF) return bad_index("a pack is too large");
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < frames; ++i) {
    auto size = LB_TRY(in.varint());
    if (size > 2 * frame_bytes_max) return bad_index("a frame is too large");
    total += size;
    out.frame_sizes.push_back(static_cast<std::uint32_t>(size));
  }
  if (total > out.pack.bytes) return bad_index("frames are larger than their pack");
  return out;
}

}  // namespace

Result<Index> decode_index(ByteView bytes) {
  ByteReader in(bytes);
  Index out;
  auto packs = LB_TRY(in.varint());
  if (packs > in.left()) return bad_index("more packs than bytes");
  for (std::uint64_t i = 0; i < packs; ++i) {
    auto pack = LB_TRY(decode_pack(in));
    out.packs.push_back(std::move(pack));
  }
  auto total = LB_TRY(in.varint());
  if (total > in.left() / entry_bytes || in.left() != total * entry_bytes) {
    return bad_index("entries do not fill the object");
  }
  out.entries.resize(total);
  for (auto& entry : out.entries) {
    auto id = LB_TRY(in.raw(entry.id.size()));
    std::copy(id.begin(), id.end(), entry.id.begin());
    for (auto* value : {&entry.pack, &entry.frame, &entry.offset, &entry.length}) {
      *value = LB_TRY(in.u32());
    }
    bool good = entry.pack < out.packs.size() &&
                entry.frame < out.packs[entry.pack].frame_sizes.size() && entry.length > 0 &&
                entry.length <= chunk_bytes_max && entry.offset <= frame_bytes_max - entry.length;
    if (!good) return bad_index("an entry makes no sense");
  }
  return out;
}

Buffer encode_replaces(const std::vector<std::string>& keys) {
  Buffer out;
  ByteWriter writer(out);
  writer.varint(keys.size());
  for (const auto& key : keys) writer.text(key);
  return out;
}

Result<std::vector<std::string>> decode_replaces(ByteView bytes) {
  ByteReader in(bytes);
  std::vector<std::string> out;
  auto count = LB_TRY(in.varint());
  if (count > in.left()) return bad_index("more keys than bytes");
  for (std::uint64_t i = 0; i < count; ++i) {
    auto key = LB_TRY(in.text(key_bytes_max));
    // Readers leave out what is replaced: nothing but indexes may ever be meant.
    if (!key.starts_with("x/")) return bad_index("it replaces what is no index");
    out.push_back(std::move(key));
  }
  if (!in.done()) return bad_index("goes on after its end");
  return out;
}

Buffer seal_index(const Keyring& keys, Random& random, const std::string& key, Index index) {
  auto bytes = encode_index(std::move(index));
  return seal_object(keys, random, SealFor::writers, key, {bytes});
}

Buffer seal_merged_index(const Keyring& keys, Random& random, const std::string& key,
                         const std::vector<std::string>& replaces, Index index) {
  auto head = encode_replaces(replaces);
  auto bytes = encode_index(std::move(index));
  return seal_object(keys, random, SealFor::writers, key, {head, bytes});
}

Result<IndexObject> open_index(const Keyring& keys, const std::string& key, ByteView object) {
  auto frames = LB_TRY(open_object(keys, key, object));
  std::size_t wanted = is_merged_index(key) ? 2 : 1;
  if (frames.size() != wanted) return bad_index("an index with another number of frames");
  IndexObject out;
  if (wanted == 2) out.replaces = LB_TRY(decode_replaces(frames.front()));
  out.index = LB_TRY(decode_index(frames.back()));
  return out;
}

}  // namespace lb::repo
