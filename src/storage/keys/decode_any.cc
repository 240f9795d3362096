#include "storage/keys/decode_any.h"

#include "foundation/base/assert.h"
#include "foundation/base/text.h"
#include "storage/keys/key_file.h"
#include "storage/keys/recovery_kit.h"
#include "storage/keys/slot_opener.h"
#include "storage/keys/text_object.h"

namespace lb::keys {

namespace {

bool same(const Secret& a, const Secret& b) { return equal_constant_time(a.bytes(), b.bytes()); }

void slot_again(ByteView object) {
  const std::string id(32, '0');
  auto first = read_slot(id, object);
  if (!first.ok() || !first->known()) return;
  auto encoded = write_slot(*first);
  auto second = read_slot(id, encoded);
  LB_ASSERT(second.ok() && write_slot(*second) == encoded);
  // Opening with a key made for nothing: refused, whatever the slot says.
  LB_ASSERT(!open_slot(*first, Secret(ByteView(Buffer(32, 1)))).ok());
}

void key_file_again(ByteView bytes) {
  Secret text{bytes};
  if (!is_key_file(text)) return;
  auto first = read_key_file(text);
  if (!first.ok()) return;
  auto second = read_key_file(write_key_file(*first));
  LB_ASSERT(second.ok() && same(*first, *second));
}

void share_again(ByteView bytes) {
  auto first = read_share(Secret{bytes}, "odd");
  if (!first.ok()) return;
  auto second = read_share(write_share(*first, "nowhere"), "odd");
  LB_ASSERT(second.ok() && same(first->share.value, second->share.value));
  LB_ASSERT(first->repository == second->repository && first->kit == second->kit);
  LB_ASSERT(first->share.number == second->share.number && first->need == second->need);
}

}  // namespace

void decode_any(unsigned decoder, ByteView bytes) {
  switch (decoder % decoder_count) {
    case 0:
      return slot_again(bytes);
    case 1:
      return slot_again(write_text_object(std::string(text_of(bytes))));
    case 2:
      return key_file_again(bytes);
    default:
      return share_again(bytes);
  }
}

}  // namespace lb::keys
