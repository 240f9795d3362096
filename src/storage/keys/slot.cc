#include "storage/keys/slot.h"

#include "foundation/base/text.h"
#include "foundation/crypto/aead.h"
#include "storage/keys/text_object.h"

namespace lb::keys {

namespace {

constexpr std::int64_t passes_max = 16;
constexpr std::int64_t memory_bytes_min = 8192, memory_bytes_max = 1 << 30;
constexpr std::size_t shares_max = 255;
constexpr std::size_t name_bytes_max = 40;

Error corrupt(const std::string& what) { return Error(ErrorKind::corrupt, what); }

Secret wrapping_key(const Slot& slot, const Secret& base) {
  return hkdf_sha256(base.bytes(), view_of(slot.id),
                     view_of(cat("lifeboat slot ", slot.kind, " ", slot.repository)));
}

// What stands in the clear and must not be changed: who it is for, and what it grants.
Buffer bound_text(const Slot& slot) {
  Buffer out;
  ByteWriter writer(out);
  for (const auto& part : {slot.repository, slot.id, slot.kind, slot.name,
                           std::string(name_of(slot.grant)), slot.created}) {
    writer.text(part);
  }
  return out;
}

// A slot is read before anything is trusted: a hostile one must not cost gigabytes or minutes.
Status read_passphrase_part(const Json& json, Slot& slot) {
  auto passes = json["passes"].integer(), memory = json["memory_bytes"].integer();
  bool fits = passes >= 1 && passes <= passes_max && memory >= memory_bytes_min &&
              memory <= memory_bytes_max && json["kdf"].string() == "argon2id";
  if (!fits) return corrupt("asks for a cost out of range");
  slot.cost = {static_cast<std::uint32_t>(passes), static_cast<std::uint64_t>(memory)};
  auto salt = LB_TRY(from_hex(json["salt"].string()));
  if (salt.size() != slot.salt.size()) return corrupt("salt of the wrong size");
  std::copy(salt.begin(), salt.end(), slot.salt.begin());
  return {};
}

Status read_shares_part(const Json& json, Slot& slot) {
  auto need = json["need"].integer();
  const auto& digests = json["shares"].items();
  bool fits =
      need >= 1 && static_cast<std::size_t>(need) <= digests.size() && digests.size() <= shares_max;
  if (!fits) return corrupt("numbers of shares out of range");
  slot.need = static_cast<unsigned>(need);
  for (const auto& text : digests) {
    auto bytes = LB_TRY(from_hex(text.string()));
    Digest digest{};
    if (bytes.size() != digest.size()) return corrupt("digest of the wrong size");
    std::copy(bytes.begin(), bytes.end(), digest.begin());
    slot.share_digests.push_back(digest);
  }
  return {};
}

Status read_parts(const Json& json, Slot& slot) {
  slot.kind = json["kind"].string();
  slot.repository = json["repository"].string();
  slot.name = json["name"].string();
  slot.created = json["created"].string();
  if (!slot.known()) return {};
  auto grants = json["grants"].string();
  bool writes = grants == name_of(Grant::write);
  if (!writes && grants != name_of(Grant::read_and_write)) return corrupt("grants nothing known");
  slot.grant = writes ? Grant::write : Grant::read_and_write;
  if (slot.kind == kind::passphrase) LB_TRY(read_passphrase_part(json, slot));
  if (slot.kind == kind::shares) LB_TRY(read_shares_part(json, slot));
  slot.sealed = LB_TRY(from_hex(json["sealed"].string()));
  return {};
}

}  // namespace

const char* name_of(Grant grant) { return grant == Grant::write ? "write" : "read and write"; }

void seal_slot(Slot& slot, const Secret& base, const Secret& payload) {
  slot.sealed.clear();
  // The wrapping key is used once, because the id of the slot is fresh: any nonce will do.
  Aead(wrapping_key(slot, base)).seal({}, bound_text(slot), {}, payload.bytes(), slot.sealed);
}

Result<Secret> open_slot(const Slot& slot, const Secret& base) {
  auto opened = Aead(wrapping_key(slot, base)).open({}, bound_text(slot), slot.sealed);
  if (!opened.ok()) return Error(ErrorKind::denied, cat("does not open key slot ", slot.id));
  Secret payload{ByteView(*opened)};
  wipe(*opened);
  return payload;
}

Buffer write_slot(const Slot& slot) {
  auto json = Json::object()
                  .set("id", slot.id)
                  .set("kind", slot.kind)
                  .set("repository", slot.repository)
                  .set("name", slot.name)
                  .set("grants", name_of(slot.grant))
                  .set("created", slot.created);
  if (slot.kind == kind::passphrase) {
    json.set("kdf", "argon2id")
        .set("passes", static_cast<std::uint64_t>(slot.cost.passes))
        .set("memory_bytes", slot.cost.memory_bytes)
        .set("salt", to_hex(slot.salt));
  }
  if (slot.kind == kind::shares) {
    auto digests = Json::array();
    for (const auto& digest : slot.share_digests) digests.push(to_hex(digest));
    json.set("need", static_cast<std::uint64_t>(slot.need)).set("shares", std::move(digests));
  }
  return write_text_object(json.set("sealed", to_hex(slot.sealed)).dump());
}

Result<Slot> read_slot(const std::string& id, ByteView object) {
  auto json = LB_TRY(read_text_object(object));
  auto own = json["id"].string();
  if (!own.empty() && own != id) return corrupt("lies where another slot belongs");
  Slot slot;
  slot.id = id;
  auto read = read_parts(json, slot);
  if (!read.ok()) return corrupt(read.error().message());
  return slot;
}

Status check_slot_name(const std::string& name) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  bool fits = !name.empty() && name.size() <= name_bytes_max && letter(name[0]);
  for (char c : name) fits = fits && (letter(c) || c == '.' || c == '_' || c == '-');
  if (fits) return {};
  return Error(ErrorKind::invalid, cat("'", printable(name), "' is no name for a key slot"))
      .with_hint("1 to 40 of a-z 0-9 . _ -, beginning with a letter or digit");
}

}  // namespace lb::keys
