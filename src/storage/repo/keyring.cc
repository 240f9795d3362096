#include "storage/repo/keyring.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "storage/keys/key_file.h"
#include "storage/keys/text_object.h"
#include "storage/repo/format.h"
#include "storage/repo/put_once.h"

namespace lb::repo {

namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t id_bytes = 16;
constexpr const char* format_name = "lifeboat-repository";
constexpr std::string_view slot_prefix = "k/";

Error damaged(const std::string& what) {
  return Error(ErrorKind::corrupt, what).with_exit(ExitCode::damaged);
}

Json repo_object(const Keyring& keys) {
  return Json::object()
      .set("format", format_name)
      .set("version", keys.version)
      .set("id", keys.repository_id)
      .set("public_key", to_hex(keys.public_key))
      .set("suite", keys.version == 1 ? "hmac-sha256 aes-256-gcm x25519 zstd"
                                      : "blake3 aes-256-gcm x25519 zstd")
      .set("chunk_bytes", Json::array()
                              .push(static_cast<std::uint64_t>(chunk_bytes_min))
                              .push(static_cast<std::uint64_t>(chunk_bytes_normal))
                              .push(static_cast<std::uint64_t>(chunk_bytes_max)))
      .set("frame_bytes", static_cast<std::uint64_t>(frame_bytes))
      .set("pack_bytes", static_cast<std::uint64_t>(pack_bytes));
}

Result<Keyring> read_payload(ByteView payload, keys::Grant grant) {
  ByteReader in(payload);
  Keyring keys;
  auto id = LB_TRY(in.raw(2 * id_bytes));
  keys.repository_id = text_of(id);
  auto public_key = LB_TRY(in.raw(key_bytes));
  std::copy(public_key.begin(), public_key.end(), keys.public_key.begin());
  std::vector<Secret*> order = {&keys.id_key, &keys.cut_key, &keys.write_key};
  if (grant == keys::Grant::read_and_write) order.insert(order.begin(), &keys.private_key);
  for (auto* key : order) {
    auto bytes = LB_TRY(in.raw(key_bytes));
    *key = Secret(bytes);
  }
  keys.version = in.done() ? 1 : LB_TRY(in.u8());
  if (!in.done()) return Error(ErrorKind::corrupt, "key slot is too long");
  return keys;
}

// nullopt: this slot is not for the opener, or the slot is of another repository (what an
// interrupted init leaves).
Result<std::optional<Keyring>> try_slot(const keys::Slot& slot, const std::string& id,
                                        keys::SlotOpener& opener) {
  if (slot.repository != id) return std::optional<Keyring>();
  auto base = LB_TRY(opener.base_of(slot));
  if (!base) return std::optional<Keyring>();
  auto payload = keys::open_slot(slot, *base);
  if (!payload.ok()) return std::optional<Keyring>();
  auto ring = LB_TRY(read_payload(payload->bytes(), slot.grant));
  ring.slot = slot.id;
  return std::optional<Keyring>(std::move(ring));
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
  auto json = keys::read_text_object(*object);
  if (!json.ok()) return damaged(cat("object repo in ", blobs.describe(), " is damaged"));
  if ((*json)["format"].string() != format_name) {
    return damaged(cat("object repo in ", blobs.describe(), " is not a repository's"));
  }
  auto version = (*json)["version"].integer();
  if (version < format_version_min || version > format_version) {
    return Error(ErrorKind::unsupported,
                 cat("the repository has format version ", version, ", this program reads ",
                     format_version_min, " to ", format_version))
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

// Every passphrase slot has the same salt, known to whoever holds the keys and to nobody before:
// one stretching tries them all.
PasswordSalt salt_of(const Keyring& keys) {
  auto bytes = hkdf_sha256(keys.write_key.bytes(), {},
                           view_of(cat("lifeboat passphrase salt ", keys.repository_id)));
  PasswordSalt salt{};
  std::copy_n(bytes.bytes().begin(), salt.size(), salt.begin());
  return salt;
}

Keyring fresh_keys(Random& random) {
  auto pair = key_pair_from(Secret(ByteView(random.bytes(key_bytes))));
  Keyring keys;
  keys.repository_id = to_hex(random.bytes(id_bytes));
  keys.public_key = pair.public_key;
  keys.private_key = std::move(pair.private_key);
  for (auto* key : {&keys.id_key, &keys.cut_key, &keys.write_key})
    *key = Secret(ByteView(random.bytes(key_bytes)));
  return keys;
}

Status check_key(const Secret& key_text) {
  if (key_text.empty()) return Error(ErrorKind::invalid, "the key of the repository is empty");
  return {};
}

Error no_slot_opens(BlobStore& blobs) {
  return Error(ErrorKind::denied, cat("the key does not open the repository in ", blobs.describe()))
      .with_hint("check the key the plan refers to; nothing was changed")
      .with_exit(ExitCode::wrong_key);
}

}  // namespace

Error may_not_read() {
  return Error(ErrorKind::denied, "this key may write to the repository but not read it")
      .with_hint("use a key that reads: lifeboat key ls lists them")
      .with_exit(ExitCode::wrong_key);
}

keys::Slot begin_slot(const Keyring& keys, const SlotWish& wish, Random& random) {
  keys::Slot slot;
  slot.id = to_hex(random.bytes(id_bytes));
  slot.repository = keys.repository_id;
  slot.name = wish.name;
  slot.grant = wish.grant;
  slot.created = format_time_seconds(wish.created);
  return slot;
}

Secret slot_payload(const Keyring& keys, keys::Grant grant) {
  // id ‖ public key ‖ private key, but not in a write slot ‖ id key ‖ cut key ‖ write key ‖,
  // since version 2, the version. It and the first two repeat what `repo` says in the clear, so
  // that an exchanged `repo` is noticed.
  Buffer bytes;
  bytes.reserve(2 * id_bytes + 5 * key_bytes + 1);
  ByteWriter out(bytes);
  out.raw(view_of(keys.repository_id));
  out.raw(keys.public_key);
  if (grant == keys::Grant::read_and_write) out.raw(keys.private_key.bytes());
  for (const auto* key : {&keys.id_key, &keys.cut_key, &keys.write_key}) out.raw(key->bytes());
  if (keys.version >= 2) out.u8(static_cast<std::uint8_t>(keys.version));
  Secret payload{ByteView(bytes)};
  wipe(bytes);
  return payload;
}

Result<keys::Slot> make_slot(const Keyring& keys, const SlotWish& wish, const Secret& key_text,
                             const PasswordCost& cost, Random& random) {
  LB_TRY(check_key(key_text));
  auto slot = begin_slot(keys, wish, random);
  slot.kind = keys::is_key_file(key_text) ? keys::kind::key_file : keys::kind::passphrase;
  slot.salt = salt_of(keys);
  slot.cost = cost;
  auto opener = LB_TRY(keys::opener_of(key_text));
  auto base = LB_TRY(opener->base_of(slot));
  LB_ASSERT(base.has_value());
  keys::seal_slot(slot, *base, slot_payload(keys, wish.grant));
  return slot;
}

Status make_keyring(BlobStore& blobs, Random& random, const Secret& key_text,
                    const PasswordCost& cost, Timestamp now) {
  LB_TRY(check_key(key_text));
  LB_TRY(check_vacant(blobs));
  auto keys = fresh_keys(random);
  auto slot =
      LB_TRY(make_slot(keys, {"first", keys::Grant::read_and_write, now}, key_text, cost, random));
  // The slot first: a repository object without a key would look like one and open for nobody.
  LB_TRY(put_once(blobs, slot_key(slot.id), keys::write_slot(slot)));
  LB_TRY(blobs.flush());
  LB_TRY(put_once(blobs, repo_key, keys::write_text_object(repo_object(keys).dump(2))));
  return blobs.flush();
}

Status check_text_object(BlobStore& blobs, const std::string& key) {
  auto object = LB_TRY(blobs.get(key));
  return check_text_bytes(key, object);
}

Status check_text_bytes(const std::string& key, ByteView object) {
  if (!key.starts_with(slot_prefix)) return keys::read_text_object(object).status();
  return keys::read_slot(key.substr(slot_prefix.size()), object).status();
}

Result<Keyring> open_keyring(BlobStore& blobs, keys::SlotOpener& opener) {
  auto repo = LB_TRY(read_repo_object(blobs));
  auto id = repo["id"].string();
  auto slots = LB_TRY(blobs.list(std::string(slot_prefix)));
  std::optional<Error> bad_slot;
  for (const auto& object : slots) {
    auto bytes = LB_TRY(blobs.get(object.key));
    auto slot = keys::read_slot(object.key.substr(slot_prefix.size()), bytes);
    if (!slot.ok()) {
      bad_slot = std::move(slot).take_error().context(cat("key slot ", object.key));
      continue;
    }
    auto ring = LB_TRY(try_slot(*slot, id, opener));
    if (!ring) continue;
    bool same = ring->repository_id == id && ring->version == repo["version"].integer() &&
                to_hex(ring->public_key) == repo["public_key"].string();
    if (!same) return damaged("object repo does not belong to its keys: it was exchanged");
    return std::move(*ring);
  }
  if (slots.empty())
    return damaged(cat("the repository in ", blobs.describe(), " has no key slot"));
  if (bad_slot) return std::move(*bad_slot).with_exit(ExitCode::damaged);
  return no_slot_opens(blobs);
}

Result<Keyring> open_keyring(BlobStore& blobs, const Secret& key_text) {
  auto opener = LB_TRY(keys::opener_of(key_text));
  return open_keyring(blobs, *opener);
}

Keyring clone(const Keyring& keys) {
  Keyring out;
  out.version = keys.version;
  out.repository_id = keys.repository_id;
  out.public_key = keys.public_key;
  out.private_key = keys.private_key.clone();
  out.id_key = keys.id_key.clone();
  out.cut_key = keys.cut_key.clone();
  out.write_key = keys.write_key.clone();
  out.slot = keys.slot;
  return out;
}

Result<std::string> repository_id_in(BlobStore& blobs) {
  auto repo = LB_TRY(read_repo_object(blobs));
  return repo["id"].string();
}

}  // namespace lb::repo
