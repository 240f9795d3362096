#include "storage/repo/row_heap.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "foundation/sys/random.h"
#include "storage/repo/row_codec.h"

namespace lb::repo {
namespace {

TEST(RowHeap, GivesRowsBackInTheOrderOfTheirKeys) {
  auto random = seeded_random(5);
  std::vector<std::string> keys;
  RowHeap heap;
  for (std::size_t i = 0; i < 3000; ++i) {
    auto bytes = random->bytes(1 + i % 40);  // all byte values, also above 127
    std::string key(bytes.begin(), bytes.end());
    keys.push_back(key);
    Buffer encoded;
    // Now and then attributes that need a slab of their own.
    Buffer attributes(i % 500 == 7 ? 300'000 : i % 100, static_cast<std::uint8_t>(i));
    encode_draft({key, attributes, i, {}}, encoded);
    heap.add(encoded);
  }
  heap.sort();
  std::sort(keys.begin(), keys.end());
  ASSERT_EQ(heap.size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    ByteReader in(heap.row(i));
    auto row = decode_draft(in);
    ASSERT_TRUE(row.ok());
    EXPECT_EQ(row->key, keys[i]) << i;
    EXPECT_TRUE(in.done());
  }
}

TEST(RowHeap, CostsLittleMoreThanTheRows) {
  RowHeap heap;
  std::size_t total = 0;
  for (int i = 0; i < 1000; ++i) {
    Buffer encoded;
    encode_draft({"key " + std::to_string(i), Buffer(80), 0, {}}, encoded);
    total += encoded.size();
    heap.add(encoded);
  }
  EXPECT_EQ(heap.bytes(), total + 1000 * 12);
}

}  // namespace
}  // namespace lb::repo
