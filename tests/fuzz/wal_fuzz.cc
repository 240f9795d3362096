// Fuzz target of the log reader. The first byte picks the door: whole pages through the scanner
// (whose checksums stop most inputs), a record's inside, which the checksum would hide from the
// fuzzer, records sealed with the right checksum, a summary, or a detail.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "foundation/base/assert.h"
#include "stores/postgres/changed_pages.h"
#include "stores/postgres/wal_changes.h"
#include "stores/postgres/wal_crc.h"
#include "stores/postgres/wal_page.h"
#include "stores/postgres/wal_reader.h"
#include "stores/postgres/wal_record.h"

namespace {

void scan_pages(lb::ByteView bytes, std::size_t slice) {
  auto scanner = lb::pg::WalScanner::create(
      1 << 20, 0, {.commits = true, .aborts = false, .row_deltas = true, .detail = true});
  for (std::size_t from = 0; from < bytes.size(); from += slice) {
    auto part = bytes.subspan(from, std::min(slice, bytes.size() - from));
    if (!scanner->feed(part).ok()) return;
  }
}

// What is told is told again the same.
void detail_again(const lb::pg::SegmentDetail& detail) {
  auto again = lb::pg::decode_detail(lb::pg::encode(detail));
  LB_ASSERT(again.ok() && *again == detail);
}

void read_inside(lb::ByteView record, int version) {
  auto body = lb::pg::parse_record_body(record, version);
  if (!body.ok()) return;
  auto header = lb::pg::read_record_header(record);
  (void)lb::pg::parse_transaction_end(header, body->main, version).ok();
  (void)lb::pg::parse_restore_point(body->main).ok();
  (void)lb::pg::parse_running_transactions(body->main).ok();
  (void)lb::pg::parse_checkpoint(body->main).ok();
  (void)lb::pg::parse_multi_insert_count(body->main).ok();
  lb::pg::ChangeCollector changes(0);
  if (changes.add(header, record, version, 8).ok()) detail_again(changes.take(8));
}

// Cuts the input into records: resource manager, info, length, body. They go into one first page.
void scan_sealed(lb::ByteView input) {
  constexpr std::uint64_t start = 1 << 20;
  lb::Buffer page;
  lb::ByteWriter writer(page);
  for (unsigned value : {0xD110u, 2u}) writer.u16(static_cast<std::uint16_t>(value));
  writer.u32(1);
  for (std::uint64_t value : {start, std::uint64_t{0}, std::uint64_t{77}}) writer.u64(value);
  for (std::uint32_t value : {1u << 20, 8192u}) writer.u32(value);
  std::uint64_t previous = 0;
  while (input.size() >= 3 && page.size() + 300 < lb::pg::wal_page_bytes) {
    auto body = input.subspan(3, std::min<std::size_t>(input[2], input.size() - 3));
    auto at = page.size();
    writer.u32(static_cast<std::uint32_t>(lb::pg::record_header_bytes + body.size()));
    writer.u32(100 + input[0] / 16);
    writer.u64(previous);
    writer.u8(input[1]);
    writer.u8(input[0] % 16);
    writer.u16(0);
    auto crc = lb::pg::crc32c_add(lb::pg::crc32c_begin(), body);
    writer.u32(lb::pg::crc32c_end(lb::pg::crc32c_add(crc, lb::ByteView(page).subspan(at))));
    writer.raw(body);
    while (page.size() % 8 != 0) page.push_back(0);
    previous = start + at;
    input = input.subspan(3 + body.size());
  }
  auto scanner = lb::pg::WalScanner::create(
      start, 0, {.commits = true, .aborts = false, .row_deltas = true, .detail = true});
  if (!scanner->feed(page).ok()) return;
  (void)scanner->row_deltas("90:105:91,103", ~std::uint64_t{0}).ok();
  (void)lb::pg::encode(scanner->take_summary());
  detail_again(scanner->take_detail());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  lb::ByteView bytes(data + 2, size - 2);
  switch (data[0] % 5) {
    case 0:
      scan_pages(bytes, std::size_t{data[1]} + 1);
      break;
    case 1:
      if (bytes.size() >= lb::pg::record_header_bytes) read_inside(bytes, 13 + data[1] % 6);
      break;
    case 2:
      scan_sealed(bytes);
      break;
    case 3:
      (void)lb::pg::decode_summary(bytes).ok();
      break;
    default: {
      auto detail = lb::pg::decode_detail(bytes);
      if (!detail.ok()) break;
      detail_again(*detail);
      lb::pg::ChangedPages pages;
      pages.add(*detail);
      for (const auto& [fork, changes] : detail->forks) (void)pages.blocks(fork, data[1], 300);
    }
  }
  return 0;
}
