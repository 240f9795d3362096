#include "storage/repo/key_slots.h"

#include <algorithm>
#include <tuple>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/put_once.h"

namespace lb::repo {

namespace {

constexpr std::size_t key_bytes = 32;
constexpr unsigned shares_max = 255;

// Opens the repository for reading by one person or machine alone. A kit is not counted: its shares
// lie in many hands.
bool opens_alone(const SlotLine& line) {
  return line.problem.empty() && line.slot.grant == keys::Grant::read_and_write &&
         (line.slot.kind == keys::kind::passphrase || line.slot.kind == keys::kind::key_file);
}

Error none_named(const std::string& name, const std::vector<SlotLine>& lines) {
  std::vector<std::string> names;
  for (const auto& line : lines) names.push_back(line.slot.name);
  auto near = nearest(name, names);
  return Error(ErrorKind::not_found, cat("there is no key slot '", printable(name), "'"))
      .with_hint(near.empty() ? std::string("lifeboat key ls lists them")
                              : cat("did you mean ", near, "?"))
      .with_exit(ExitCode::usage);
}

// Ids of the slots of this name; the id itself names a damaged slot.
Result<std::vector<std::string>> ids_of(const std::vector<SlotLine>& lines,
                                        const std::string& name) {
  std::vector<std::string> out;
  for (const auto& line : lines) {
    bool named = line.problem.empty() ? line.slot.name == name : line.slot.id == name;
    if (named) out.push_back(line.slot.id);
  }
  if (out.empty()) return none_named(name, lines);
  return out;
}

bool contains(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

Status check_one_is_left(const std::vector<SlotLine>& lines, const std::vector<std::string>& ids) {
  for (const auto& line : lines) {
    if (opens_alone(line) && !contains(ids, line.slot.id)) return {};
  }
  return Error(ErrorKind::denied,
               "no passphrase or key file would be left that reads the repository: nothing was "
               "removed")
      .with_hint("add another first: lifeboat key add")
      .with_exit(ExitCode::refused);
}

}  // namespace

Result<std::vector<SlotLine>> list_slots(BlobStore& blobs, const std::string& repository_id,
                                         const std::string& opened) {
  std::vector<SlotLine> out;
  const std::string prefix = slot_key("");
  for (const auto& object : LB_TRY(blobs.list(prefix))) {
    auto id = object.key.substr(prefix.size());
    auto bytes = blobs.get(object.key);
    // Another host may just have removed it.
    if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found) continue;
    auto slot = keys::read_slot(id, LB_TRY(std::move(bytes)));
    SlotLine line;
    line.slot.id = id;
    if (slot.ok()) {
      line.slot = std::move(*slot);
      if (line.slot.repository != repository_id) continue;
      line.in_use = id == opened;
    } else {
      line.problem = slot.error().message();
    }
    out.push_back(std::move(line));
  }
  std::sort(out.begin(), out.end(), [](const SlotLine& a, const SlotLine& b) {
    return std::tie(a.slot.name, a.slot.created, a.slot.id) <
           std::tie(b.slot.name, b.slot.created, b.slot.id);
  });
  return out;
}

KeySlots::KeySlots(BlobStore& blobs, Clock& clock, Random& random, const Keyring& keys)
    : blobs_(blobs), clock_(clock), random_(random), keys_(keys) {}

Result<std::vector<SlotLine>> KeySlots::list() {
  return list_slots(blobs_, keys_.repository_id, keys_.slot);
}

Status KeySlots::check_may_grant() const {
  if (keys_.may_read()) return {};
  return Error(ErrorKind::denied, "this key may write to the repository but not change its keys")
      .with_hint("use a key that may read")
      .with_exit(ExitCode::wrong_key);
}

Status KeySlots::check_free(const std::string& name) {
  LB_TRY(keys::check_slot_name(name));
  for (const auto& line : LB_TRY(list())) {
    if (line.slot.name != name) continue;
    return Error(ErrorKind::conflict, cat("there is a key slot '", name, "' already"))
        .with_hint(cat("choose another name, or lifeboat key rotate ", name))
        .with_exit(ExitCode::refused);
  }
  return {};
}

Status KeySlots::put(const keys::Slot& slot) {
  LB_TRY(put_once(blobs_, slot_key(slot.id), keys::write_slot(slot)).context("put the key slot"));
  return blobs_.flush();
}

Status KeySlots::add(const std::string& name, keys::Grant grant, const Secret& key_text,
                     const PasswordCost& cost) {
  LB_TRY(check_may_grant());
  LB_TRY(check_free(name));
  return put(LB_TRY(make_slot(keys_, {name, grant, clock_.now()}, key_text, cost, random_)));
}

Result<std::vector<keys::KitShare>> KeySlots::add_kit(const std::string& name, unsigned need,
                                                      unsigned count) {
  LB_TRY(check_may_grant());
  if (need < 1 || need > count || count > shares_max) {
    return Error(ErrorKind::invalid,
                 cat("cannot make ", count, " shares of which ", need, " are needed"));
  }
  LB_TRY(check_free(name));
  auto grant = keys::Grant::read_and_write;
  auto slot = begin_slot(keys_, {name, grant, clock_.now()}, random_);
  slot.kind = keys::kind::shares;
  auto bytes = random_.bytes(need * key_bytes);
  Secret fresh{ByteView(bytes)};
  wipe(bytes);
  auto shares = keys::make_kit(slot, need, count, fresh, slot_payload(keys_, grant));
  LB_TRY(put(slot));
  return shares;
}

Status KeySlots::check_remove(const std::string& name) {
  LB_TRY(check_may_grant());
  auto lines = LB_TRY(list());
  return check_one_is_left(lines, LB_TRY(ids_of(lines, name)));
}

Status KeySlots::remove(const std::string& name) {
  LB_TRY(check_remove(name));
  auto lines = LB_TRY(list());
  return remove_slots(LB_TRY(ids_of(lines, name)));
}

// Two hosts may each remove what the other counts on. So the bytes are kept in hand until it is
// seen that a slot is left; else they go back.
Status KeySlots::remove_slots(const std::vector<std::string>& ids) {
  std::vector<std::pair<std::string, Buffer>> kept;
  for (const auto& id : ids) {
    auto bytes = blobs_.get(slot_key(id));
    if (bytes.ok()) kept.emplace_back(slot_key(id), std::move(bytes).take());
    LB_TRY(blobs_.remove(slot_key(id)).context("remove the key slot"));
  }
  LB_TRY(blobs_.flush());
  auto left = check_one_is_left(LB_TRY(list()), ids);
  if (left.ok()) return {};
  for (const auto& [key, bytes] : kept) LB_TRY(put_once(blobs_, key, bytes));
  LB_TRY(blobs_.flush());
  return left;
}

Status KeySlots::rotate(const std::string& name, const Secret& key_text, const PasswordCost& cost) {
  LB_TRY(check_may_grant());
  auto lines = LB_TRY(list());
  auto old = LB_TRY(ids_of(lines, name));
  auto grant = keys::Grant::write;
  for (const auto& line : lines) {
    if (!contains(old, line.slot.id)) continue;
    if (!line.problem.empty() || line.slot.kind == keys::kind::shares) {
      return Error(ErrorKind::invalid, cat("key slot '", name, "' is ",
                                           line.problem.empty() ? "a recovery kit" : "damaged"))
          .with_hint("make a new one, then remove this one");
    }
    if (line.slot.grant == keys::Grant::read_and_write) grant = line.slot.grant;
  }
  auto slot = LB_TRY(make_slot(keys_, {name, grant, clock_.now()}, key_text, cost, random_));
  LB_TRY(put(slot));
  return remove_slots(old);
}

}  // namespace lb::repo
