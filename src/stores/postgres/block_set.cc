#include "stores/postgres/block_set.h"

#include <algorithm>
#include <bit>
#include <iterator>

namespace lb::pg {

namespace {

// A list this long takes as much room as a bitmap.
constexpr std::size_t bitmap_words = 4096;
constexpr unsigned word_bits = 16;
constexpr std::size_t chunk_blocks = bitmap_words * word_bits;
constexpr std::size_t bitmap_bytes = chunk_blocks / 8;
constexpr std::uint8_t kind_gaps = 0, kind_bitmap = 1;

std::size_t varint_bytes(std::uint64_t value) {
  return static_cast<std::size_t>(std::bit_width(value | 1) + 6) / 7;
}

bool bit_at(const std::vector<std::uint16_t>& bitmap, std::uint16_t low) {
  return (bitmap[low / word_bits] >> (low % word_bits) & 1) != 0;
}

void set_bit(std::vector<std::uint16_t>& bitmap, std::uint16_t low) {
  bitmap[low / word_bits] |= static_cast<std::uint16_t>(1u << (low % word_bits));
}

// `use` for each of a list or bitmap, ascending.
template <typename Use>
void for_each(const std::vector<std::uint16_t>& data, bool bitmap, const Use& use) {
  if (!bitmap) {
    for (auto low : data) use(low);
    return;
  }
  for (std::size_t word = 0; word < data.size(); ++word) {
    for (unsigned bits = data[word]; bits != 0; bits &= bits - 1) {
      use(static_cast<std::uint16_t>(word * word_bits +
                                     static_cast<unsigned>(std::countr_zero(bits))));
    }
  }
}

Error bad(const char* what) { return Error(ErrorKind::corrupt, what); }

}  // namespace

bool BlockSet::Chunk::is_bitmap() const { return count >= bitmap_words; }

void BlockSet::Chunk::to_bitmap() {
  std::vector<std::uint16_t> bitmap(bitmap_words, 0);
  for (auto low : data) set_bit(bitmap, low);
  data = std::move(bitmap);
}

bool BlockSet::Chunk::contains(std::uint16_t low) const {
  return is_bitmap() ? bit_at(data, low) : std::binary_search(data.begin(), data.end(), low);
}

bool BlockSet::Chunk::add(std::uint16_t low) {
  if (is_bitmap()) {
    if (bit_at(data, low)) return false;
    set_bit(data, low);
    ++count;
    return true;
  }
  if (data.empty() || data.back() < low) {
    data.push_back(low);
  } else {
    auto place = std::lower_bound(data.begin(), data.end(), low);
    if (*place == low) return false;
    data.insert(place, low);
  }
  if (++count == bitmap_words) to_bitmap();
  return true;
}

void BlockSet::Chunk::merge(const Chunk& other) {
  if (std::size_t{count} + other.count < bitmap_words) {
    std::vector<std::uint16_t> both;
    both.reserve(data.size() + other.data.size());
    std::set_union(data.begin(), data.end(), other.data.begin(), other.data.end(),
                   std::back_inserter(both));
    data = std::move(both);
    count = static_cast<std::uint32_t>(data.size());
    return;
  }
  for_each(other.data, other.is_bitmap(), [this](std::uint16_t low) { add(low); });
}

std::size_t BlockSet::place_of(std::uint16_t high) const {
  if (!chunks_.empty() && chunks_.back().high < high) return chunks_.size();
  auto place = std::lower_bound(chunks_.begin(), chunks_.end(), high,
                                [](const Chunk& chunk, auto value) { return chunk.high < value; });
  return static_cast<std::size_t>(place - chunks_.begin());
}

BlockSet::Chunk& BlockSet::chunk_of(std::uint16_t high) {
  auto place = place_of(high);
  if (place == chunks_.size() || chunks_[place].high != high) {
    chunks_.insert(chunks_.begin() + static_cast<std::ptrdiff_t>(place), Chunk{high, 0, {}});
  }
  return chunks_[place];
}

bool BlockSet::add(std::uint32_t block) {
  return chunk_of(static_cast<std::uint16_t>(block >> 16)).add(static_cast<std::uint16_t>(block));
}

void BlockSet::merge(const BlockSet& other) {
  for (const auto& chunk : other.chunks_) chunk_of(chunk.high).merge(chunk);
}

bool BlockSet::contains(std::uint32_t block) const {
  auto high = static_cast<std::uint16_t>(block >> 16);
  auto place = place_of(high);
  return place < chunks_.size() && chunks_[place].high == high &&
         chunks_[place].contains(static_cast<std::uint16_t>(block));
}

std::uint64_t BlockSet::count() const {
  std::uint64_t sum = 0;
  for (const auto& chunk : chunks_) sum += chunk.count;
  return sum;
}

void BlockSet::list(std::uint64_t first, std::uint64_t end, std::vector<std::uint32_t>& out) const {
  if (first >= end || first / chunk_blocks > 0xFFFF) return;
  for (auto at = place_of(static_cast<std::uint16_t>(first / chunk_blocks));
       at < chunks_.size() && chunks_[at].high * chunk_blocks < end; ++at) {
    const auto base = static_cast<std::uint32_t>(chunks_[at].high * chunk_blocks);
    for_each(chunks_[at].data, chunks_[at].is_bitmap(), [&](std::uint16_t low) {
      const std::uint32_t block = base + low;
      if (block >= first && block < end) out.push_back(block);
    });
  }
}

std::uint64_t BlockSet::memory_bytes() const {
  std::uint64_t sum = chunks_.capacity() * sizeof(Chunk);
  for (const auto& chunk : chunks_) sum += chunk.data.capacity() * sizeof(std::uint16_t);
  return sum;
}

// Of the gaps alone.
std::size_t BlockSet::Chunk::gap_bytes() const {
  std::size_t bytes = 0, next = 0;
  for_each(data, is_bitmap(), [&](std::uint16_t low) {
    bytes += varint_bytes(low - next);
    next = std::size_t{low} + 1;
  });
  return bytes;
}

void BlockSet::encode_to(ByteWriter& out) const {
  out.varint(chunks_.size());
  std::size_t next = 0;
  for (const auto& chunk : chunks_) {
    out.varint(chunk.high - next);
    next = std::size_t{chunk.high} + 1;
    encode_chunk(chunk, out);
  }
}

void BlockSet::encode_chunk(const Chunk& chunk, ByteWriter& out) {
  if (chunk.gap_bytes() < bitmap_bytes) {
    out.u8(kind_gaps);
    out.varint(chunk.count);
    std::size_t next = 0;
    for_each(chunk.data, chunk.is_bitmap(), [&](std::uint16_t low) {
      out.varint(low - next);
      next = std::size_t{low} + 1;
    });
    return;
  }
  out.u8(kind_bitmap);
  Chunk thick = chunk;
  if (!thick.is_bitmap()) thick.to_bitmap();
  for (auto word : thick.data) out.u16(word);
}

Result<BlockSet> BlockSet::decode_from(ByteReader& in) {
  BlockSet out;
  auto chunks = LB_TRY(in.varint());
  std::uint64_t next = 0;
  for (std::uint64_t i = 0; i < chunks; ++i) {
    auto skipped = LB_TRY(in.varint());
    if (skipped > 0xFFFF || next + skipped > 0xFFFF) return bad("blocks beyond the largest file");
    next += skipped;
    out.chunks_.push_back(LB_TRY(decode_chunk(in, static_cast<std::uint16_t>(next))));
    ++next;
  }
  return out;
}

Result<BlockSet::Chunk> BlockSet::decode_chunk(ByteReader& in, std::uint16_t high) {
  auto kind = LB_TRY(in.u8());
  if (kind > kind_bitmap) return bad("unknown form of a set of blocks");
  Chunk chunk{high, 0, {}};
  LB_TRY(kind == kind_gaps ? decode_gaps(in, chunk) : decode_bitmap(in, chunk));
  const bool thick = chunk.gap_bytes() >= bitmap_bytes;
  if (chunk.count == 0 || thick != (kind == kind_bitmap)) {
    return bad("a set of blocks in the wrong form");
  }
  return chunk;
}

Status BlockSet::decode_gaps(ByteReader& in, Chunk& chunk) {
  auto count = LB_TRY(in.varint());
  std::uint64_t next = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto gap = LB_TRY(in.varint());
    if (gap >= chunk_blocks || next + gap >= chunk_blocks) return bad("a block beyond its range");
    chunk.add(static_cast<std::uint16_t>(next + gap));
    next += gap + 1;
  }
  return {};
}

Status BlockSet::decode_bitmap(ByteReader& in, Chunk& chunk) {
  auto words = LB_TRY(in.raw(bitmap_bytes));
  for (std::size_t low = 0; low < chunk_blocks; ++low) {
    if ((words[low / 8] >> (low % 8) & 1) != 0) chunk.add(static_cast<std::uint16_t>(low));
  }
  return {};
}

}  // namespace lb::pg
