#include "storage/repo/log_store.h"

#include <algorithm>
#include <map>
#include <set>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/heal.h"
#include "storage/repo/put_once.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

constexpr std::size_t piece_bytes = 1 << 20;
constexpr std::uint64_t segment_bytes_max = 0xFFFFFFFF;
// Far below what a frame may hold. A segment whose detail is larger has none.
constexpr std::size_t detail_bytes_max = 64 << 20;
constexpr std::uint8_t form_plain = 1, form_with_detail = 2;

std::optional<std::uint64_t> parse_hex(std::string_view digits, std::size_t width) {
  if (digits.size() != width) return std::nullopt;
  std::uint64_t value = 0;
  for (char c : digits) {
    auto digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value << 4 | digit;
  }
  return value;
}

std::string key_of(const LogName& name) { return log_key(name.store, name.timeline, name.segment); }

std::string folder_of(const LogName& name) {
  return log_timeline_prefix(name.store, name.timeline);
}

Error damaged(const std::string& key, const Error& why) {
  return Error(why.kind(), cat("object ", key, ": ", why.message())).with_exit(ExitCode::damaged);
}

}  // namespace

Buffer encode_log_head(const LogHead& head) {
  Buffer out;
  ByteWriter writer(out);
  writer.u8(head.has_detail ? form_with_detail : form_plain);
  writer.varint(head.offset);
  writer.varint(head.bytes);
  writer.u8(head.follows ? 1 : 0);
  writer.raw(head.summary);
  return out;
}

Result<LogHead> decode_log_head(ByteView bytes) {
  ByteReader in(bytes);
  LogHead head;
  auto form = LB_TRY(in.u8());
  head.offset = LB_TRY(in.varint());
  head.bytes = LB_TRY(in.varint());
  auto follows = LB_TRY(in.u8());
  if ((form != form_plain && form != form_with_detail) || follows > 1 ||
      head.offset > segment_bytes_max || head.bytes > segment_bytes_max) {
    return Error(ErrorKind::corrupt, "unknown form of a log object");
  }
  head.follows = follows == 1;
  head.has_detail = form == form_with_detail;
  auto summary = LB_TRY(in.raw(in.left()));
  head.summary.assign(summary.begin(), summary.end());
  return head;
}

std::optional<LogKey> parse_log_key(std::string_view key) {
  auto parts = split(key, '/');
  if (parts.size() < 3 || parts.size() > 4 || parts[0] != "w") return std::nullopt;
  auto id = unescape_part(parts[1]);
  auto timeline = parse_hex(std::string_view(parts[2]).substr(0, 8), 8);
  if (!id.ok() || !timeline) return std::nullopt;
  LogKey out;
  out.name = {*id, static_cast<std::uint32_t>(*timeline), 0};
  auto rest = std::string_view(parts[2]).substr(8);
  if (parts.size() == 3) {
    out.kind = LogKey::Kind::history;
    return rest == ".history" ? std::optional(out) : std::nullopt;
  }
  auto segment = parse_hex(std::string_view(parts[3]).substr(0, 16), 16);
  if (!rest.empty() || !segment) return std::nullopt;
  out.name.segment = *segment;
  rest = std::string_view(parts[3]).substr(16);
  if (rest.empty()) return out;
  auto offset = rest.starts_with(".t") ? parse_hex(rest.substr(2), 8) : std::nullopt;
  if (!offset) return std::nullopt;
  out.kind = LogKey::Kind::tail;
  out.offset = *offset;
  return out;
}

Result<LogObject> open_log_object(const Keyring& keys, const std::string& key, ByteView object) {
  LogObject out;
  std::size_t frames = 0;
  auto take = [&](std::size_t number, ByteView plain) -> Status {
    ++frames;
    if (number == 0) {
      auto head = decode_log_head(plain);
      if (!head.ok()) return damaged(key, head.error());
      out.head = std::move(head).take();
      out.data.reserve(out.head.bytes);
    } else if (number > 1 || !out.head.has_detail) {
      out.data.insert(out.data.end(), plain.begin(), plain.end());
    }
    return {};
  };
  LB_TRY(open_each_frame(keys, key, object, take));
  if (out.head.has_detail && frames < 2)
    return damaged(key, Error(ErrorKind::corrupt, "its detail is missing"));
  auto named = parse_log_key(key);
  bool fits = out.data.size() == out.head.bytes && named && named->offset == out.head.offset;
  if (!fits) return damaged(key, Error(ErrorKind::corrupt, "holds other data than it says"));
  return out;
}

namespace {

Error cannot_compare(const std::string& key) {
  return Error(ErrorKind::conflict, cat("log object ", key,
                                        " is in the repository already, and this key may not read "
                                        "it to compare"))
      .with_hint("do two hosts write one log? a key that reads can tell");
}

}  // namespace

Status LogStore::put_sealed(const std::string& key, const LogHead& head, ByteView bytes,
                            ByteView detail) {
  auto first = encode_log_head(head);
  std::vector<ByteView> frames = {first};
  if (head.has_detail) frames.push_back(detail);
  for (auto rest = bytes; !rest.empty(); rest = rest.subspan(std::min(rest.size(), piece_bytes))) {
    frames.push_back(rest.first(std::min(rest.size(), piece_bytes)));
  }
  auto object = seal_object(core_.keys, core_.random, SealFor::readers, key, frames);
  auto put = put_once(core_.blobs, key, object);
  bool taken = !put.ok() && put.error().kind() == ErrorKind::conflict;
  if (taken && !core_.keys.may_read()) return cannot_compare(key);
  if (taken) {
    object = {};  // as large as what is read now
    auto there = LB_TRY(open_data(key));
    if (!std::equal(there.begin(), there.end(), bytes.begin(), bytes.end())) {
      return Error(ErrorKind::conflict,
                   cat("log object ", key, " is in the repository with other content"))
          .with_hint(
              "two different servers write one log: is a clone running with the name of its "
              "origin?");
    }
    put = {};
  }
  LB_TRY(std::move(put));
  return core_.blobs.flush();
}

Result<Buffer> LogStore::open_data(const std::string& key) {
  auto read = [&](BlobStore& from) -> Result<LogObject> {
    auto object = LB_TRY(from.get(key));
    return open_log_object(core_.keys, key, object);
  };
  auto opened = LB_TRY(read_healing(core_.blobs, key, read));
  return std::move(opened.data);
}

Result<LogHead> LogStore::open_head(const std::string& key) {
  auto first = LB_TRY(open_first_frame(core_.keys, key, core_.blobs));
  auto head = decode_log_head(first);
  if (!head.ok()) return damaged(key, head.error());
  return head;
}

Status LogStore::put(const LogName& name, ByteView bytes, ByteView summary, ByteView detail) {
  const bool has_detail = !detail.empty() && detail.size() <= detail_bytes_max;
  LogHead head{0, bytes.size(), false, Buffer(summary.begin(), summary.end()), has_detail};
  if (name.segment > 0) {
    // Tells later whether a neighbour that is missing was lost here, or never came.
    auto before = name;
    --before.segment;
    head.follows = core_.blobs.info(key_of(before)).ok();
  }
  auto put = put_sealed(key_of(name), head, bytes, detail);
  const bool taken = !put.ok() && put.error().kind() == ErrorKind::conflict;
  // A server hands a segment over again when it died before it heard of the first time, and a
  // backup may have brought it. With a key that cannot compare, refusing would end its archiving
  // for ever, and believing could lose its log: it is kept beside, where verify compares.
  if (taken && !core_.keys.may_read()) return put_tail(name, 0, bytes, summary);
  LB_TRY(std::move(put));
  remove_tails(name);
  return {};
}

Status LogStore::put_tail(const LogName& name, std::uint64_t offset, ByteView bytes,
                          ByteView summary) {
  if (offset > segment_bytes_max) return Error(ErrorKind::invalid, "the tail starts too far out");
  for (;;) {
    LogHead head{offset, bytes.size(), false, Buffer(summary.begin(), summary.end()), false};
    const auto key = log_tail_key(name.store, name.timeline, name.segment, offset);
    auto put = put_sealed(key, head, bytes);
    if (put.ok()) remember_tail(name, key);
    bool elsewhere = !put.ok() && put.error().kind() == ErrorKind::conflict &&
                     !core_.keys.may_read() && bytes.size() > 1;
    if (!elsewhere) return put;
    // What an earlier run put cannot be read with this key, so this run tells its part again from
    // the next byte on. The tail in the way holds at least one byte: no gap comes of it.
    ++offset;
    bytes = bytes.subspan(1);
  }
}

// Where nobody looked yet the first look finds it.
void LogStore::remember_tail(const LogName& name, const std::string& key) {
  std::lock_guard lock(mutex_);
  const auto known = tails_.find(folder_of(name));
  if (known != tails_.end()) known->second.insert(key);
}

// The whole segment is durable when this is called: its tails say nothing more, and one that cannot
// be removed (a writer may lack the right) is superseded all the same.
void LogStore::remove_tails(const LogName& name) {
  if (!look_for_tails(name)) return;
  std::vector<std::string> superseded;
  {
    std::lock_guard lock(mutex_);
    auto& known = tails_[folder_of(name)];
    const auto prefix = key_of(name) + ".t";
    for (auto at = known.lower_bound(prefix); at != known.end() && at->starts_with(prefix);)
      superseded.push_back(known.extract(at++).value());
  }
  for (const auto& key : superseded) (void)core_.blobs.remove(key);
}

bool LogStore::look_for_tails(const LogName& name) {
  const auto folder = folder_of(name);
  std::lock_guard lock(mutex_);
  if (tails_.contains(folder)) return true;
  auto listed = core_.blobs.list(folder);
  if (!listed.ok()) return false;
  auto& known = tails_[folder];
  for (auto& object : *listed) {
    const auto key = parse_log_key(object.key);
    if (key && key->kind == LogKey::Kind::tail) known.insert(std::move(object.key));
  }
  return true;
}

Result<std::vector<LogStore::Tail>> LogStore::chain(const LogName& name) {
  std::vector<Tail> out;
  std::uint64_t end = 0;
  for (const auto& object : LB_TRY(core_.blobs.list(key_of(name) + ".t"))) {
    auto key = parse_log_key(object.key);
    if (!key || key->offset > end) break;
    auto head = open_head(object.key);
    // The whole segment may land while we look, and its tails go.
    if (!head.ok() && head.error().kind() == ErrorKind::not_found) continue;
    Tail tail{object.key, {}};
    tail.head = LB_TRY(std::move(head));
    // A receiver that began again may have put a part twice, cut otherwise: it is the same log.
    if (tail.end() <= end && !out.empty()) continue;
    end = tail.end();
    out.push_back(std::move(tail));
  }
  return out;
}

Result<std::vector<LogInfo>> LogStore::list(const std::string& log_id) {
  std::map<LogName, LogInfo> found;
  for (const auto& object : LB_TRY(core_.blobs.list(log_prefix(log_id)))) {
    auto key = parse_log_key(object.key);
    if (!key || key->kind == LogKey::Kind::history) continue;
    auto& info = found[key->name];
    info.name = key->name;
    if (key->kind == LogKey::Kind::segment) info.complete = true;
  }
  std::vector<LogInfo> out;
  for (auto& [name, info] : found) {
    // With a key that may only write, how far tails reach stays unknown.
    if (!info.complete && core_.keys.may_read()) {
      auto tails = LB_TRY(chain(name));
      if (!tails.empty()) info.durable_bytes = tails.back().end();
    }
    out.push_back(info);
  }
  return out;
}

Result<std::vector<std::string>> LogStore::ids() {
  std::set<std::string> out;
  for (const auto& object : LB_TRY(core_.blobs.list("w/"))) {
    if (auto key = parse_log_key(object.key)) out.insert(key->name.store);
  }
  return std::vector<std::string>(out.begin(), out.end());
}

Result<Buffer> LogStore::get(const LogName& name) {
  auto whole = open_data(key_of(name));
  if (whole.ok() || whole.error().kind() != ErrorKind::not_found) return whole;
  auto tails = LB_TRY(chain(name));
  if (tails.empty()) {
    // The segment may have become whole between the two looks.
    return open_data(key_of(name));
  }
  Buffer out;
  for (const auto& tail : tails) {
    auto bytes = open_data(tail.key);
    if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found) return open_data(key_of(name));
    auto data = LB_TRY(std::move(bytes));
    out.resize(tail.head.offset);
    out.insert(out.end(), data.begin(), data.end());
  }
  return out;
}

Result<Buffer> LogStore::summary(const LogName& name) {
  auto key = key_of(name);
  auto whole = open_head(key);
  if (!whole.ok() && whole.error().kind() == ErrorKind::not_found) {
    auto tails = LB_TRY(chain(name));
    if (!tails.empty()) return std::move(tails.back().head.summary);
    whole = open_head(key);
  }
  auto head = LB_TRY(std::move(whole));
  return std::move(head.summary);
}

Result<std::optional<Buffer>> LogStore::detail(const LogName& name) {
  const auto key = key_of(name);
  auto wants_more = [](const std::vector<Buffer>& frames) {
    auto head = decode_log_head(frames.front());
    return frames.size() < 2 && head.ok() && head->has_detail;
  };
  auto frames = open_leading_frames(core_.keys, key, core_.blobs, wants_more);
  if (!frames.ok() && frames.error().kind() == ErrorKind::not_found) {
    return std::optional<Buffer>();
  }
  auto opened = LB_TRY(std::move(frames));
  auto head = decode_log_head(opened.front());
  if (!head.ok()) return damaged(key, head.error());
  if (!head->has_detail) return std::optional<Buffer>();
  return std::optional<Buffer>(std::move(opened[1]));
}

Status LogStore::put_history(const std::string& log_id, std::uint32_t timeline, ByteView bytes) {
  auto key = history_key(log_id, timeline);
  // A history never changes; one that is there cannot be compared by a key that may only write.
  if (!core_.keys.may_read() && core_.blobs.info(key).ok()) return {};
  return put_sealed(key, {0, bytes.size(), false, {}, false}, bytes);
}

Result<std::optional<Buffer>> LogStore::history(const std::string& log_id, std::uint32_t timeline) {
  auto bytes = open_data(history_key(log_id, timeline));
  if (bytes.ok()) return std::optional<Buffer>(std::move(bytes).take());
  if (bytes.error().kind() == ErrorKind::not_found) return std::optional<Buffer>();
  return std::move(bytes).take_error();
}

}  // namespace lb::repo
