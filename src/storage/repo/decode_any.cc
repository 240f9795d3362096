#include "storage/repo/decode_any.h"

#include "foundation/base/assert.h"
#include "storage/blob/memory_blob_store.h"
#include "storage/repo/condemned.h"
#include "storage/repo/format.h"
#include "storage/repo/frame_form.h"
#include "storage/repo/index_object.h"
#include "storage/repo/keyring.h"
#include "storage/repo/ledger.h"
#include "storage/repo/log_store.h"
#include "storage/repo/moved.h"
#include "storage/repo/pack_format.h"
#include "storage/repo/quarantine.h"
#include "storage/repo/row_codec.h"
#include "storage/repo/sealed_object.h"
#include "storage/repo/verdict.h"

namespace lb::repo {

namespace {

// Encodings are unique but for the length of varints, so the second encoding must equal the first.
void index_again(ByteView bytes) {
  auto first = decode_index(bytes);
  if (!first.ok()) return;
  auto encoded = encode_index(std::move(first).take());
  auto second = decode_index(encoded);
  LB_ASSERT(second.ok() && encode_index(std::move(second).take()) == encoded);
}

void replaces_again(ByteView bytes) {
  auto first = decode_replaces(bytes);
  if (!first.ok()) return;
  auto encoded = encode_replaces(*first);
  auto second = decode_replaces(encoded);
  LB_ASSERT(second.ok() && *second == *first);
}

void upper_again(ByteView bytes) {
  auto first = decode_upper(bytes);
  if (!first.ok()) return;
  auto encoded = encode_upper(*first);
  auto second = decode_upper(encoded);
  LB_ASSERT(second.ok() && encode_upper(*second) == encoded);
}

Buffer encode_rows(const std::vector<Row>& rows) {
  BlockWriter writer;
  for (const auto& row : rows) writer.add(row);
  return writer.take();
}

void block_again(ByteView bytes) {
  auto first = decode_block(bytes);
  if (!first.ok()) return;
  auto encoded = encode_rows(*first);
  auto second = decode_block(encoded);
  LB_ASSERT(second.ok() && encode_rows(*second) == encoded);
}

void head_again(ByteView bytes) {
  auto first = decode_head("s", bytes);
  if (!first.ok()) return;
  auto encoded = encode_head(*first);
  auto second = decode_head("s", encoded);
  LB_ASSERT(second.ok() && encode_head(*second) == encoded);
}

void body_again(ByteView bytes) {
  Verdict first;
  // The head tells how many packs are needed; here the body itself may say.
  for (first.info.packs = 0; first.info.packs < 3; ++first.info.packs) {
    Verdict verdict;
    verdict.info.packs = first.info.packs;
    if (!decode_body(bytes, verdict).ok()) continue;
    auto encoded = encode_body(verdict);
    Verdict again;
    again.info.packs = verdict.info.packs;
    LB_ASSERT(decode_body(encoded, again).ok() && encode_body(again) == encoded);
  }
}

void draft_again(ByteView bytes) {
  ByteReader in(bytes);
  auto first = decode_draft(in);
  if (!first.ok()) return;
  Buffer encoded;
  encode_draft(*first, encoded);
  ByteReader again(encoded);
  auto second = decode_draft(again);
  LB_ASSERT(second.ok() && again.done());
}

void log_head_again(ByteView bytes) {
  auto first = decode_log_head(bytes);
  if (!first.ok()) return;
  auto encoded = encode_log_head(*first);
  auto second = decode_log_head(encoded);
  LB_ASSERT(second.ok() && encode_log_head(*second) == encoded);
}

void moved_again(ByteView bytes) {
  auto first = decode_moved("z", bytes);
  if (!first.ok()) return;
  auto encoded = encode_moved(*first);
  auto second = decode_moved("z", encoded);
  LB_ASSERT(second.ok() && encode_moved(*second) == encoded);
  for (const auto& pack : first->from) {
    for (const auto& frame : pack.frames) {
      LB_ASSERT(pack.find(frame.frame) == &frame && frame.pack < first->packs.size());
      for (const auto& run : pack.runs_of(frame)) {
        auto offset = pack.offset_in(frame, run.offset, run.length);
        LB_ASSERT(offset && *offset + run.length <= frame_bytes_max);
      }
    }
  }
}

void ledger_again(ByteView bytes) {
  auto first = decode_ledger(bytes);
  if (!first.ok()) return;
  auto encoded = encode_ledger(*first);
  auto second = decode_ledger(encoded);
  LB_ASSERT(second.ok() && encode_ledger(*second) == encoded);
}

void condemned_again(ByteView bytes) {
  auto first = decode_packs(bytes);
  if (!first.ok()) return;
  auto second = decode_packs(encode_packs(*first));
  LB_ASSERT(second.ok() && *second == *first);
}

void quarantine_again(ByteView bytes) {
  auto first = decode_quarantine(bytes);
  if (!first.ok()) return;
  auto second = decode_quarantine(encode_quarantine(*first));
  LB_ASSERT(second.ok() && *second == *first);
}

Keyring keys_for_nothing() {
  Keyring keys;
  keys.repository_id = std::string(32, '0');
  auto pair = key_pair_from(Secret(ByteView(Buffer(32, 1))));
  keys.public_key = pair.public_key;
  keys.private_key = std::move(pair.private_key);
  for (auto* key : {&keys.id_key, &keys.cut_key, &keys.write_key}) {
    *key = Secret(ByteView(Buffer(32, 2)));
  }
  return keys;
}

}  // namespace

void decode_any(unsigned decoder, ByteView bytes) {
  switch (decoder % decoder_count) {
    case 0:
      (void)decode_footer(bytes).ok();
      return;
    case 1:
      index_again(bytes);
      return;
    case 2:
      upper_again(bytes);
      return;
    case 3:
      block_again(bytes);
      return;
    case 4:
      head_again(bytes);
      return;
    case 5:
      body_again(bytes);
      return;
    case 6:
      draft_again(bytes);
      return;
    case 7:
      log_head_again(bytes);
      return;
    case 8:
      replaces_again(bytes);
      return;
    case 9:
      moved_again(bytes);
      return;
    case 10:
      ledger_again(bytes);
      return;
    case 11:
      condemned_again(bytes);
      return;
    case 12:
      quarantine_again(bytes);
      return;
    default:
      (void)from_frame_form(bytes, frame_bytes_max).ok();
      return;
  }
}

void open_any(ByteView bytes) {
  static const Keyring keys = keys_for_nothing();
  (void)open_object(keys, "e/x", bytes).ok();
  if (bytes.size() >= pack_trailer_bytes) {
    (void)open_trailer(keys, "p/x/00000000", bytes.last(pack_trailer_bytes)).ok();
  }
  auto name = text_of(bytes.first(std::min<std::size_t>(bytes.size(), 200)));
  auto key = parse_log_key(name);
  LB_ASSERT(!key || parse_log_key(log_key(key->name.store, key->name.timeline, key->name.segment)));
  MemoryBlobStore blobs;
  LB_ASSERT(blobs.put(repo_key, bytes).ok());
  LB_ASSERT(blobs.put(slot_key("0"), bytes).ok());
  (void)check_text_object(blobs, repo_key).ok();
  (void)open_keyring(blobs, Secret(std::string_view("guess"))).ok();
}

}  // namespace lb::repo
