#include "storage/keys/key_file.h"

#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"

namespace lb::keys {

namespace {

constexpr std::string_view mark = "lifeboat-key-1";
constexpr std::size_t key_digits = 64, check_digits = 8;

std::string check_of(std::string_view line) {
  return to_hex(sha256(view_of(line))).substr(0, check_digits);
}

}  // namespace

bool is_key_file(const Secret& text) { return trim(text.reveal()).starts_with(mark); }

Secret write_key_file(const Secret& key) {
  auto line = cat(mark, " ", to_hex(key.bytes()));
  line.reserve(line.size() + check_digits + 2);
  line += cat(" ", check_of(line), "\n");
  Secret out{std::string_view(line)};
  wipe({reinterpret_cast<std::uint8_t*>(line.data()), line.size()});
  return out;
}

Result<Secret> read_key_file(const Secret& text) {
  auto bad = [](const std::string& why) {
    return Error(ErrorKind::denied, cat("the key file is damaged: ", why))
        .with_hint("take it from where it was copied to when it was made")
        .with_exit(ExitCode::wrong_key);
  };
  auto line = trim(text.reveal());
  constexpr std::size_t key_at = mark.size() + 1, check_at = key_at + key_digits + 1;
  if (line.size() != check_at + check_digits) return bad("its line has another length");
  if (line[key_at - 1] != ' ' || line[check_at - 1] != ' ') return bad("its parts are not apart");
  if (line.substr(check_at) != check_of(line.substr(0, check_at - 1)))
    return bad("its check does not match");
  auto bytes = from_hex(line.substr(key_at, key_digits));
  if (!bytes.ok()) return bad("it is not hexadecimal");
  Secret key{ByteView(*bytes)};
  wipe(*bytes);
  return key;
}

}  // namespace lb::keys
