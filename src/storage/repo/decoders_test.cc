// Odd bytes through every decoder: valid encodings changed, cut and joined at random, and plain
// noise. What the fuzzers in tests/fuzz do for hours, this does for a second in every build.
#include <gtest/gtest.h>

#include <numeric>

#include "foundation/sys/random.h"
#include "storage/repo/condemned.h"
#include "storage/repo/decode_any.h"
#include "storage/repo/format.h"
#include "storage/repo/frame_form.h"
#include "storage/repo/index_object.h"
#include "storage/repo/ledger.h"
#include "storage/repo/log_store.h"
#include "storage/repo/moved.h"
#include "storage/repo/quarantine.h"
#include "storage/repo/row_codec.h"
#include "storage/repo/verdict.h"

namespace lb::repo {
namespace {

std::vector<Extent> some_extents(Random& random) {
  std::vector<Extent> out;
  for (std::uint64_t i = 0; i < 1 + random.below(5); ++i) {
    Extent extent;
    extent.length = 1 + random.below(chunk_bytes_max);
    extent.hole = random.below(4) == 0;
    if (!extent.hole) {
      random.fill(extent.id);
      extent.pack = static_cast<std::uint32_t>(random.below(3));
      extent.frame = static_cast<std::uint32_t>(random.below(200));
      extent.frame_offset = random.below(1 << 25);
      extent.frame_size = static_cast<std::uint32_t>(random.below(frame_bytes_max));
      extent.offset = static_cast<std::uint32_t>(random.below(1000));
    }
    out.push_back(extent);
  }
  return out;
}

// Some extents become parts of their chunks, with other parts of them behind.
void some_parts(Random& random, std::vector<Extent>& extents) {
  std::vector<Extent> out;
  for (auto extent : extents) {
    if (extent.hole || random.below(2) == 0) {
      out.push_back(extent);
      continue;
    }
    extent.chunk_length = static_cast<std::uint32_t>(extent.length);
    for (auto n = random.below(3) + 1; n > 0; --n) {
      extent.skip = static_cast<std::uint32_t>(random.below(extent.chunk_length));
      extent.length = 1 + random.below(extent.chunk_length - extent.skip);
      out.push_back(extent);
      if (random.below(2) == 0) out.push_back({1 + random.below(9), true, {}});
    }
  }
  extents = std::move(out);
}

std::vector<Row> some_rows(Random& random) {
  std::vector<Row> rows;
  for (int i = 0; i < 20; ++i) {
    Row row;
    row.key = "dir/" + std::to_string(1000 + i);
    row.attributes = random.bytes(random.below(30));
    row.extents = some_extents(random);
    some_parts(random, row.extents);
    for (const auto& extent : row.extents) row.size += extent.length;
    rows.push_back(std::move(row));
  }
  return rows;
}

Verdict some_verdict(Random& random) {
  Verdict verdict;
  verdict.info.id = "s";
  verdict.info.meta.store = "db";
  verdict.info.meta.details = "{}";
  verdict.info.meta.warnings = {"one", "two"};
  verdict.info.rows = 5;
  verdict.info.packs = 1;
  random.fill(verdict.previous);
  verdict.packs = {{"p/a/00000000", 1000, {}, true}, {"p/b/00000000", 7, {}, false}};
  verdict.attachments = {{"note", 10, some_extents(random)}};
  return verdict;
}

Index some_index(Random& random) {
  Index index;
  index.packs = {{{"p/a/00000000", 5000, {}}, {100, 200, 300}}};
  for (int i = 0; i < 30; ++i) {
    IndexEntry entry;
    random.fill(entry.id);
    entry.frame = static_cast<std::uint32_t>(random.below(3));
    entry.length = 1 + static_cast<std::uint32_t>(random.below(1000));
    index.entries.push_back(entry);
  }
  return index;
}

void add_runs(Random& random, MovedFrame& frame, MovedPack& pack) {
  frame.base = static_cast<std::uint32_t>(random.below(9));
  frame.first_run = static_cast<std::uint32_t>(pack.runs.size());
  frame.runs = 1 + static_cast<std::uint32_t>(random.below(4));
  std::uint32_t end = 0;
  for (std::uint32_t i = 0; i < frame.runs; ++i) {
    auto gap = static_cast<std::uint32_t>(random.below(1000));
    auto length = 1 + static_cast<std::uint32_t>(random.below(50'000));
    pack.runs.push_back({end + gap, length});
    end += gap + length;
  }
}

Moved some_moved(Random& random) {
  Moved moved;
  moved.session = "z";
  for (int i = 0; i < 3; ++i) {
    IdBytes id;
    random.fill(id);
    random.fill(moved.looked[id_text(id)]);
  }
  moved.packs = {{"p/c/00000000", 1 << 20, {}}, {"p/c/00000001", 1 << 20, {}}};
  for (const char* name : {"p/a/00000000", "p/a/00000001", "p/b/00000000"}) {
    MovedPack pack{name, {}, {}};
    MovedFrame next;
    next.offset = 8;
    for (std::uint32_t i = 0; i < 9; ++i) {
      next.frame += static_cast<std::uint32_t>(random.below(3)) + (i > 0 ? 1 : 0);
      next.size = static_cast<std::uint32_t>(1 + random.below(60'000));
      auto frame = next;
      if (random.below(4) == 0) frame = {next.frame, 1, 77 + i, 5, next.size};
      if (random.below(2) == 0) add_runs(random, frame, pack);
      pack.frames.push_back(frame);
      ++next.number;
      next.offset += next.size;
      if (frame.whole() || random.below(2) == 0) continue;
      frame.frame = ++next.frame;  // the same new frame holds what is left of another
      add_runs(random, frame, pack);
      pack.frames.push_back(frame);
    }
    moved.from.push_back(std::move(pack));
  }
  return moved;
}

Ledger some_ledger(Random& random) {
  Ledger ledger;
  ledger.closed = static_cast<std::uint32_t>(random.below(9));
  for (int i = 0; i < 4; ++i) {
    IdBytes id;
    random.fill(id);
    random.fill(ledger.ended[id_text(id)]);
    ledger.holds[id_text(id)] = {"audit", "ann@host", from_micros(5), std::nullopt};
  }
  ledger.holds.begin()->second.until = from_micros(9);
  ledger.removed["db"] = {{1, 4}, {6, 1 + 6 + random.below(1 << 20)}};
  ledger.removed["other log"] = {};
  return ledger;
}

// By decoder, as decode_any numbers them; the footer has no encoder of its own and starts from
// noise.
std::vector<Buffer> seeds(Random& random) {
  std::vector<Buffer> out(decoder_count);
  out[0] = random.bytes(200);
  out[1] = encode_index(some_index(random));
  out[2] =
      encode_upper({2, {{"a", 5, 100, some_extents(random)}, {"b", 6, 7, some_extents(random)}}});
  BlockWriter block;
  for (const auto& row : some_rows(random)) block.add(row);
  out[3] = block.take();
  out[4] = encode_head(some_verdict(random));
  out[5] = encode_body(some_verdict(random));
  encode_draft({"key", {1, 2, 3}, 10, {{10, false, {}}}}, out[6]);
  out[7] = encode_log_head({5, 6, true, {1, 2, 3}, true});
  out[8] = encode_replaces({"x/a.00000000", "x/b.00000001"});
  out[9] = encode_moved(some_moved(random));
  out[10] = encode_ledger(some_ledger(random));
  out[11] = encode_packs({"p/a/00000000", "p/b/00000001"});
  out[12] = encode_quarantine({"e/a", "p/a/00000000", "x/b.00000001"});
  out[13] = to_frame_form(Buffer(5000, 'x'));
  return out;
}

Buffer mutate(Buffer bytes, Random& random) {
  for (std::uint64_t i = 0; i < 1 + random.below(4) && !bytes.empty(); ++i) {
    auto at = static_cast<std::ptrdiff_t>(random.below(bytes.size()));
    switch (random.below(5)) {
      case 0:
        bytes[static_cast<std::size_t>(at)] ^= static_cast<std::uint8_t>(1 << random.below(8));
        break;
      case 1:
        bytes[static_cast<std::size_t>(at)] = 0xFF;
        break;
      case 2:
        bytes.erase(bytes.begin() + at, bytes.end());
        break;
      case 3:
        bytes.insert(bytes.begin() + at, 5, 0x80);
        break;
      default:
        bytes.erase(bytes.begin() + at);
        break;
    }
  }
  return bytes;
}

TEST(Decoders, OddBytesNeverCrash) {
  auto random = seeded_random(11);
  for (int round = 0; round < 300; ++round) {
    auto all = seeds(*random);
    for (unsigned decoder = 0; decoder < decoder_count; ++decoder) {
      decode_any(decoder, all[decoder]);
      for (int i = 0; i < 8; ++i) decode_any(decoder, mutate(all[decoder], *random));
      decode_any(decoder, random->bytes(random->below(100)));
    }
  }
  for (int round = 0; round < 500; ++round) open_any(random->bytes(random->below(300)));
}

TEST(Decoders, WhatWasEncodedDecodesToTheSame) {
  auto random = seeded_random(12);
  auto rows = some_rows(*random);
  BlockWriter block;
  for (const auto& row : rows) block.add(row);
  auto again = decode_block(block.take()).take();
  ASSERT_EQ(again.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(again[i].key, rows[i].key);
    EXPECT_EQ(again[i].attributes, rows[i].attributes);
    EXPECT_EQ(again[i].size, rows[i].size);
    ASSERT_EQ(again[i].extents.size(), rows[i].extents.size());
    for (std::size_t e = 0; e < rows[i].extents.size(); ++e) {
      EXPECT_EQ(again[i].extents[e].id, rows[i].extents[e].id);
      EXPECT_EQ(again[i].extents[e].frame_offset, rows[i].extents[e].frame_offset);
      EXPECT_EQ(again[i].extents[e].skip, rows[i].extents[e].skip);
      EXPECT_EQ(again[i].extents[e].chunk_length, rows[i].extents[e].chunk_length);
      EXPECT_EQ(again[i].extents[e].hole, rows[i].extents[e].hole);
    }
  }
  auto verdict = some_verdict(*random);
  auto head = decode_head("s", encode_head(verdict)).take();
  EXPECT_EQ(head.info.meta.warnings, verdict.info.meta.warnings);
  EXPECT_EQ(head.previous, verdict.previous);
  ASSERT_TRUE(decode_body(encode_body(verdict), head).ok());
  EXPECT_EQ(head.packs[1].name, "p/b/00000000");
  EXPECT_FALSE(head.packs[1].needed);
}

TEST(Decoders, WhatWasMovedDecodesToTheSame) {
  auto random = seeded_random(13);
  for (int round = 0; round < 50; ++round) {
    auto moved = some_moved(*random);
    auto again = decode_moved("z", encode_moved(moved)).take();
    EXPECT_EQ(again.looked, moved.looked);
    ASSERT_EQ(again.from.size(), moved.from.size());
    for (std::size_t i = 0; i < moved.from.size(); ++i) {
      ASSERT_EQ(again.from[i].name, moved.from[i].name);
      ASSERT_EQ(again.from[i].frames.size(), moved.from[i].frames.size());
      for (std::size_t f = 0; f < moved.from[i].frames.size(); ++f) {
        const auto &x = moved.from[i].frames[f], &y = again.from[i].frames[f];
        EXPECT_EQ(std::tie(x.frame, x.pack, x.number, x.offset, x.size, x.base, x.runs),
                  std::tie(y.frame, y.pack, y.number, y.offset, y.size, y.base, y.runs));
        auto wanted = moved.from[i].runs_of(x), got = again.from[i].runs_of(y);
        ASSERT_TRUE(std::equal(wanted.begin(), wanted.end(), got.begin(), got.end(),
                               [](const MovedRun& a, const MovedRun& b) {
                                 return a.offset == b.offset && a.length == b.length;
                               }));
      }
    }
  }
}

TEST(Decoders, RunsSayWhereChunksLie) {
  MovedPack pack{"p/a/00000000", {}, {{100, 50}, {200, 10}}};
  MovedFrame frame{3, 0, 7, 8, 1000, 40, 0, 2};
  EXPECT_EQ(pack.offset_in(frame, 100, 50), 40u);
  EXPECT_EQ(pack.offset_in(frame, 120, 30), 60u);
  EXPECT_EQ(pack.offset_in(frame, 200, 10), 90u);
  for (auto [offset, length] :
       {std::pair(99u, 2u), {120u, 31u}, {150u, 1u}, {205u, 6u}, {0u, 1u}}) {
    EXPECT_FALSE(pack.offset_in(frame, offset, length)) << offset;
  }
  EXPECT_FALSE(pack.offset_in(frame, 100, UINT64_MAX / 2));
  frame.runs = 0;
  EXPECT_EQ(pack.offset_in(frame, 205, 6), 205u) << "moved whole";
}

TEST(Decoders, AMoveThatMakesNoSenseIsRefused) {
  auto random = seeded_random(14);
  auto refused = [](const Moved& moved) {
    return !decode_moved(moved.session, encode_moved(moved)).ok();
  };
  auto good = some_moved(*random);
  EXPECT_FALSE(refused(good));
  auto moved = good;
  moved.session = "0";
  EXPECT_TRUE(refused(moved)) << "it looked at what is newer";
  moved = good;
  moved.from[0].frames[2].pack = 2;
  EXPECT_TRUE(refused(moved)) << "no such pack";
  moved = good;
  moved.packs[0].bytes = 100;
  moved.packs[1].bytes = 100;
  EXPECT_TRUE(refused(moved)) << "beyond the end of the pack";
  moved = good;
  moved.from[0] = {"p/a/00000000", {{0, 0, 0, 8, 100, 5, 0, 1}}, {{0, frame_bytes_max - 5}}};
  EXPECT_FALSE(refused(moved));
  moved.from[0].frames[0].base = 6;
  EXPECT_TRUE(refused(moved)) << "beyond the largest frame";
  moved.from[0].runs[0] = {10, 0};
  EXPECT_TRUE(refused(moved)) << "a run of nothing";
  moved.from[0].runs[0] = {frame_bytes_max, 1};
  EXPECT_TRUE(refused(moved)) << "a run of no frame";
  moved.from[0] = {"p/a/00000000", {{0, 0, 0, 8, 9}, {1, 0, 0, 8, 9}}, {}};
  EXPECT_TRUE(refused(moved)) << "two whole frames in one";
  moved = good;
  std::swap(moved.from[0], moved.from[1]);
  EXPECT_TRUE(refused(moved)) << "out of order";
}

TEST(Names, EscapedPartsComeBack) {
  std::string all(256, '\0');
  std::iota(all.begin(), all.end(), static_cast<char>(0));
  auto escaped = escape_part(all);
  EXPECT_EQ(escaped.find('/'), std::string::npos);
  EXPECT_EQ(escaped.find('.'), std::string::npos);
  EXPECT_EQ(unescape_part(escaped).value(), all);
  EXPECT_EQ(escape_part("db-71_x"), "db-71_x");
  auto key = parse_log_key(log_tail_key("my db/1", 3, 0x12, 0x400));
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->name, (LogName{"my db/1", 3, 0x12}));
  EXPECT_EQ(key->offset, 0x400u);
  EXPECT_EQ(key->kind, LogKey::Kind::tail);
  EXPECT_EQ(parse_log_key(history_key("a", 2))->kind, LogKey::Kind::history);
  for (const char* odd : {"", "w", "w/", "w/a", "w/a/b", "w/a/0000000", "w/a/00000001/", "x/a/b/c",
                          "w/a/00000001/0123", "w/a/00000001/0000000000000001.t",
                          "w/a/00000001/0000000000000001.tzz"}) {
    EXPECT_FALSE(parse_log_key(odd).has_value()) << odd;
  }
}

}  // namespace
}  // namespace lb::repo
