#include "storage/repo/keyring.h"

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "foundation/crypto/aead.h"
#include "storage/repo/format.h"
#include "storage/repo/put_once.h"

namespace lb::repo {

namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t id_bytes = 16;
constexpr const char* format_name = "lifeboat-repository";
constexpr std::int64_t passes_max = 16;
constexpr std::int64_t memory_bytes_max = 1 << 30;

Error damaged(const std::string& what) {
  return Error(ErrorKind::corrupt, what).with_exit(ExitCode::damaged);
}

Json repo_object(const Keyring& keys) {
  return Json::object()
      .set("format", format_name)
      .set("version", format_version)
      .set("id", keys.repository_id)
      .set("public_key", to_hex(keys.public_key))
      .set("suite", "hmac-sha256 aes-256-gcm x25519 zstd")
      .set("chunk_bytes", Json::array()
                              .push(static_cast<std::uint64_t>(chunk_bytes_min))
                              .push(static_cast<std::uint64_t>(chunk_bytes_normal))
                              .push(static_cast<std::uint64_t>(chunk_bytes_max)))
      .set("frame_bytes", static_cast<std::uint64_t>(frame_bytes))
      .set("pack_bytes", static_cast<std::uint64_t>(pack_bytes));
}

// Text objects end in a line with the SHA-256 of all before it, so that damage is not taken for a
// wrong passphrase.
Buffer with_check(const std::string& text) {
  auto whole = cat(text, "\n", to_hex(sha256(view_of(cat(text, "\n")))), "\n");
  return Buffer(whole.begin(), whole.end());
}

Result<Json> parse_checked(ByteView object) {
  constexpr std::size_t check_line = 2 * sizeof(Digest) + 1;
  Error bad(ErrorKind::corrupt, "its check does not match: it is damaged");
  if (object.size() <= check_line) return bad;
  auto body = object.first(object.size() - check_line);
  auto expected = cat(to_hex(sha256(body)), "\n");
  if (text_of(object.last(check_line)) != expected) return bad;
  return parse_json(text_of(body));
}

// id ‖ public key ‖ private key, but not in a write slot ‖ id key ‖ cut key ‖ write key. The first
// two repeat what `repo` says in the clear, so that an exchanged `repo` object is noticed.
Secret slot_payload(const Keyring& keys, Grant grant) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.raw(view_of(keys.repository_id));
  out.raw(keys.public_key);
  if (grant == Grant::read_and_write) out.raw(keys.private_key.bytes());
  for (const auto* key : {&keys.id_key, &keys.cut_key, &keys.write_key}) out.raw(key->bytes());
  Secret payload{ByteView(bytes)};
  wipe(bytes);
  return payload;
}

const char* name_of(Grant grant) { return grant == Grant::write ? "write" : "read and write"; }

Buffer slot_aad(const std::string& repository_id, Grant grant) {
  auto text = cat("lifeboat slot ", repository_id, " ", name_of(grant));
  return Buffer(text.begin(), text.end());
}

Result<Keyring> read_payload(ByteView payload, Grant grant) {
  ByteReader in(payload);
  Keyring keys;
  auto id = LB_TRY(in.raw(2 * id_bytes));
  keys.repository_id = text_of(id);
  auto public_key = LB_TRY(in.raw(key_bytes));
  std::copy(public_key.begin(), public_key.end(), keys.public_key.begin());
  std::vector<Secret*> order = {&keys.id_key, &keys.cut_key, &keys.write_key};
  if (grant == Grant::read_and_write) order.insert(order.begin(), &keys.private_key);
  for (auto* key : order) {
    auto bytes = LB_TRY(in.raw(key_bytes));
    *key = Secret(bytes);
  }
  if (!in.done()) return Error(ErrorKind::corrupt, "key slot is too long");
  return keys;
}

// A slot is read before anything is trusted: a hostile one must not cost gigabytes or minutes.
Result<PasswordCost> read_cost(const Json& slot) {
  auto passes = slot["passes"].integer(), memory = slot["memory_bytes"].integer();
  if (passes < 1 || passes > passes_max || memory < 8192 || memory > memory_bytes_max) {
    return Error(ErrorKind::corrupt, "asks for a cost out of range");
  }
  return PasswordCost{static_cast<std::uint32_t>(passes), static_cast<std::uint64_t>(memory)};
}

// nullopt: this passphrase does not open this slot, or the slot is of another repository (what an
// interrupted init leaves).
Result<std::optional<Keyring>> try_slot(ByteView object, const std::string& id,
                                        const Secret& passphrase) {
  auto slot = LB_TRY(parse_checked(object));
  bool ours = slot["kind"].string() == "passphrase" && slot["repository"].string() == id;
  if (!ours) return std::optional<Keyring>();
  auto salt_hex = LB_TRY(from_hex(slot["salt"].string()));
  PasswordSalt salt{};
  if (salt_hex.size() != salt.size()) return Error(ErrorKind::corrupt, "salt of the wrong size");
  std::copy(salt_hex.begin(), salt_hex.end(), salt.begin());
  auto sealed = LB_TRY(from_hex(slot["sealed"].string()));
  auto cost = LB_TRY(read_cost(slot));
  auto grant =
      slot["grants"].string() == name_of(Grant::write) ? Grant::write : Grant::read_and_write;
  Aead wrap(LB_TRY(key_from_password(passphrase, salt, cost)));
  auto payload = wrap.open({}, slot_aad(id, grant), sealed);
  if (!payload.ok()) return std::optional<Keyring>();
  auto keys = read_payload(*payload, grant);
  wipe(*payload);
  return std::optional<Keyring>(LB_TRY(std::move(keys)));
}

Result<Json> read_repo_object(BlobStore& blobs) {
  auto object = blobs.get(repo_key);
  if (!object.ok()) {
    auto error = std::move(object).take_error();
    if (error.kind() != ErrorKind::not_found) return error;
    return Error(ErrorKind::not_found, cat("there is no repository in ", blobs.describe()))
        .with_hint("make one with lifeboat init")
        .with_exit(ExitCode::no_repository);
  }
  auto json = parse_checked(*object);
  if (!json.ok()) return damaged(cat("object repo in ", blobs.describe(), " is damaged"));
  if ((*json)["format"].string() != format_name) {
    return damaged(cat("object repo in ", blobs.describe(), " is not a repository's"));
  }
  auto version = (*json)["version"].integer();
  if (version != format_version) {
    return Error(ErrorKind::unsupported, cat("the repository has format version ", version,
                                             ", this program reads ", format_version))
        .with_hint("use a newer lifeboat");
  }
  return json;
}

// Slots alone are what an init leaves that was interrupted: they open nothing and harm nothing.
Status check_vacant(BlobStore& blobs) {
  auto there = LB_TRY(blobs.list(""));
  for (const auto& object : there) {
    if (object.key.starts_with("k/")) continue;
    return Error(ErrorKind::conflict,
                 cat(blobs.describe(), " is not empty (", there.size(), " objects, one is ",
                     object.key, "): nothing was written"))
        .with_hint("give the repository a place of its own");
  }
  return {};
}

}  // namespace

Result<Buffer> make_slot(const Keyring& keys, Grant grant, Random& random, const Secret& passphrase,
                         const PasswordCost& cost) {
  PasswordSalt salt{};
  random.fill(salt);
  Aead wrap(LB_TRY(key_from_password(passphrase, salt, cost)));
  auto payload = slot_payload(keys, grant);
  // The wrapping key is used once, because its salt is fresh: any nonce will do.
  Buffer sealed;
  wrap.seal({}, slot_aad(keys.repository_id, grant), {}, payload.bytes(), sealed);
  return with_check(Json::object()
                        .set("kind", "passphrase")
                        .set("repository", keys.repository_id)
                        .set("grants", name_of(grant))
                        .set("kdf", "argon2id")
                        .set("passes", static_cast<std::uint64_t>(cost.passes))
                        .set("memory_bytes", cost.memory_bytes)
                        .set("salt", to_hex(salt))
                        .set("sealed", to_hex(sealed))
                        .dump());
}

Status make_keyring(BlobStore& blobs, Random& random, const Secret& passphrase,
                    const PasswordCost& cost) {
  if (passphrase.empty()) return Error(ErrorKind::invalid, "the key of the repository is empty");
  LB_TRY(check_vacant(blobs));
  auto seed = Secret(ByteView(random.bytes(key_bytes)));
  auto pair = key_pair_from(seed);
  Keyring keys;
  keys.repository_id = to_hex(random.bytes(id_bytes));
  keys.public_key = pair.public_key;
  keys.private_key = std::move(pair.private_key);
  for (auto* key : {&keys.id_key, &keys.cut_key, &keys.write_key})
    *key = Secret(ByteView(random.bytes(key_bytes)));
  auto slot = LB_TRY(make_slot(keys, Grant::read_and_write, random, passphrase, cost));
  // The slot first: a repository object without a key would look like one and open for nobody.
  LB_TRY(put_once(blobs, slot_key(to_hex(random.bytes(8))), slot));
  LB_TRY(blobs.flush());
  LB_TRY(put_once(blobs, repo_key, with_check(repo_object(keys).dump(2))));
  return blobs.flush();
}

Status check_text_object(BlobStore& blobs, const std::string& key) {
  auto object = LB_TRY(blobs.get(key));
  return parse_checked(object).status();
}

Result<Keyring> open_keyring(BlobStore& blobs, const Secret& passphrase) {
  auto repo = LB_TRY(read_repo_object(blobs));
  auto id = repo["id"].string();
  auto slots = LB_TRY(blobs.list("k/"));
  std::optional<Error> bad_slot;
  for (const auto& slot : slots) {
    auto object = LB_TRY(blobs.get(slot.key));
    auto keys = try_slot(object, id, passphrase);
    if (!keys.ok()) {
      bad_slot = std::move(keys).take_error().context(cat("key slot ", slot.key));
      continue;
    }
    if (!*keys) continue;
    auto ring = std::move(**keys);
    bool same = ring.repository_id == id && to_hex(ring.public_key) == repo["public_key"].string();
    if (!same) return damaged("object repo does not belong to its keys: it was exchanged");
    return ring;
  }
  if (slots.empty())
    return damaged(cat("the repository in ", blobs.describe(), " has no key slot"));
  if (bad_slot) return std::move(*bad_slot).with_exit(ExitCode::damaged);
  return Error(ErrorKind::denied, cat("the key does not open the repository in ", blobs.describe()))
      .with_hint("check the key the plan refers to; nothing was changed")
      .with_exit(ExitCode::wrong_key);
}

}  // namespace lb::repo
