#include "storage/repo/log_store.h"

#include <algorithm>
#include <map>

#include "foundation/base/text.h"
#include "storage/repo/format.h"
#include "storage/repo/sealed_object.h"

namespace lb::repo {

namespace {

constexpr std::size_t piece_bytes = 1 << 20;

Result<std::uint64_t> parse_hex(std::string_view digits) {
  if (digits.empty() || digits.size() > 16) return Error(ErrorKind::corrupt, "not a number");
  std::uint64_t value = 0;
  for (char c : digits) {
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return Error(ErrorKind::corrupt, "not a number");
    value = value << 4 | static_cast<std::uint64_t>(digit);
  }
  return value;
}

}  // namespace

Status LogStore::put_sealed(const std::string& key, ByteView bytes, ByteView summary) {
  std::vector<ByteView> frames = {summary};
  for (auto rest = bytes; !rest.empty(); rest = rest.subspan(std::min(rest.size(), piece_bytes))) {
    frames.push_back(rest.first(std::min(rest.size(), piece_bytes)));
  }
  auto object = seal_object(core_.keys, core_.random, SealFor::readers, key, frames);
  auto put = core_.blobs.put(key, object);
  if (put.ok()) return core_.blobs.flush();
  if (put.error().kind() != ErrorKind::conflict) return put;
  auto there = LB_TRY(open_data(key));
  if (std::equal(there.begin(), there.end(), bytes.begin(), bytes.end()))
    return core_.blobs.flush();
  return Error(ErrorKind::conflict,
               cat("log object ", key, " is in the repository with other content"))
      .with_hint(
          "two different servers write one log: is a clone running with the name of its origin?");
}

Result<Buffer> LogStore::open_data(const std::string& key) {
  auto object = LB_TRY(core_.blobs.get(key));
  auto frames = LB_TRY(open_object(core_.keys, key, object));
  Buffer out;
  for (std::size_t i = 1; i < frames.size(); ++i)
    out.insert(out.end(), frames[i].begin(), frames[i].end());
  return out;
}

Status LogStore::put(const LogName& name, ByteView bytes, ByteView summary) {
  LB_TRY(put_sealed(log_key(name.store, name.timeline, name.segment), bytes, summary));
  return remove_tails(name);
}

Status LogStore::put_tail(const LogName& name, std::uint64_t offset, ByteView bytes,
                          ByteView summary) {
  return put_sealed(log_tail_key(name.store, name.timeline, name.segment, offset), bytes, summary);
}

// The whole segment is durable when this is called: its tails say nothing more.
Status LogStore::remove_tails(const LogName& name) {
  for (const auto& tail : LB_TRY(tails(name))) LB_TRY(core_.blobs.remove(tail.key));
  return {};
}

Result<std::vector<LogStore::Tail>> LogStore::tails(const LogName& name) {
  std::vector<Tail> out;
  auto prefix = log_key(name.store, name.timeline, name.segment) + ".t";
  for (const auto& object : LB_TRY(core_.blobs.list(prefix))) {
    auto offset =
        LB_TRY(parse_hex(std::string_view(object.key).substr(prefix.size())).context(object.key));
    out.push_back({offset, object.key});
  }
  return out;
}

Result<std::vector<LogInfo>> LogStore::list(const std::string& log_id) {
  std::map<LogName, LogInfo> found;
  auto prefix = log_prefix(log_id);
  for (const auto& object : LB_TRY(core_.blobs.list(prefix))) {
    auto parts = split(std::string_view(object.key).substr(prefix.size()), '/');
    if (parts.size() != 2) continue;  // history files
    auto dot = parts[1].find('.');
    LogName name{log_id, 0, 0};
    name.timeline = static_cast<std::uint32_t>(LB_TRY(parse_hex(parts[0]).context(object.key)));
    name.segment = LB_TRY(parse_hex(parts[1].substr(0, dot)).context(object.key));
    auto& info = found[name];
    info.name = name;
    if (dot == std::string::npos) info.complete = true;
  }
  std::vector<LogInfo> out;
  for (auto& [name, info] : found) {
    if (!info.complete) info.durable_bytes = LB_TRY(get(name)).size();
    out.push_back(info);
  }
  return out;
}

Result<std::vector<std::string>> LogStore::ids() {
  std::vector<std::string> out;
  for (const auto& object : LB_TRY(core_.blobs.list("w/"))) {
    auto parts = split(object.key, '/');
    auto id = LB_TRY(unescape_part(parts[1]));
    if (out.empty() || out.back() != id) out.push_back(id);
  }
  return out;
}

Result<Buffer> LogStore::get(const LogName& name) {
  auto whole = open_data(log_key(name.store, name.timeline, name.segment));
  if (whole.ok() || whole.error().kind() != ErrorKind::not_found) return whole;
  auto parts = LB_TRY(tails(name));
  if (parts.empty()) return whole;
  Buffer out;
  for (const auto& tail : parts) {
    // A receiver that began again may have put a part twice, cut otherwise: the overlap is the same
    // log.
    if (tail.offset > out.size()) break;
    auto bytes = LB_TRY(open_data(tail.key));
    if (tail.offset + bytes.size() <= out.size()) continue;
    out.resize(tail.offset);
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

Result<Buffer> LogStore::summary(const LogName& name) {
  auto key = log_key(name.store, name.timeline, name.segment);
  auto whole = core_.blobs.info(key);
  if (whole.ok()) return open_first_frame(core_.keys, key, core_.blobs);
  if (whole.error().kind() != ErrorKind::not_found) return std::move(whole).take_error();
  auto parts = LB_TRY(tails(name));
  if (parts.empty()) return std::move(whole).take_error();
  return open_first_frame(core_.keys, parts.back().key, core_.blobs);
}

Status LogStore::put_history(const std::string& log_id, std::uint32_t timeline, ByteView bytes) {
  return put_sealed(history_key(log_id, timeline), bytes, {});
}

Result<std::optional<Buffer>> LogStore::history(const std::string& log_id, std::uint32_t timeline) {
  auto bytes = open_data(history_key(log_id, timeline));
  if (bytes.ok()) return std::optional<Buffer>(std::move(bytes).take());
  if (bytes.error().kind() == ErrorKind::not_found) return std::optional<Buffer>();
  return std::move(bytes).take_error();
}

}  // namespace lb::repo
