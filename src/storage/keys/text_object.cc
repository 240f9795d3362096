#include "storage/keys/text_object.h"

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"

namespace lb::keys {

Buffer write_text_object(const std::string& json) {
  auto whole = cat(json, "\n", to_hex(sha256(view_of(cat(json, "\n")))), "\n");
  return Buffer(whole.begin(), whole.end());
}

Result<Json> read_text_object(ByteView object) {
  constexpr std::size_t check_line = 2 * sizeof(Digest) + 1;
  Error bad(ErrorKind::corrupt, "its check does not match: it is damaged");
  if (object.size() <= check_line) return bad;
  auto body = object.first(object.size() - check_line);
  auto expected = cat(to_hex(sha256(body)), "\n");
  if (text_of(object.last(check_line)) != expected) return bad;
  auto json = parse_json(text_of(body));
  if (!json.ok()) return Error(ErrorKind::corrupt, json.error().message());
  return json;
}

}  // namespace lb::keys
