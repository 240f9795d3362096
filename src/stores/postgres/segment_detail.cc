#include "stores/postgres/segment_detail.h"

namespace lb::pg {

namespace {

constexpr std::uint8_t detail_version = 1;
constexpr std::uint8_t flag_suspects_complete = 1;
constexpr std::uint8_t fork_max = fork_init;

Error bad(const char* what) { return Error(ErrorKind::corrupt, what); }

void put(ByteWriter& out, const RelationId& relation) {
  out.varint(relation.tablespace);
  out.varint(relation.database);
  out.varint(relation.filenode);
}

void put(ByteWriter& out, const DatabaseId& database) {
  out.varint(database.tablespace);
  out.varint(database.database);
}

void put(ByteWriter& out, const Suspect::Rows& rows);
void put(ByteWriter& out, const Suspect& suspect);
Status get(ByteReader& in, Suspect::Rows& rows);
Status get(ByteReader& in, Suspect& suspect);

template <typename List>
void put_all(ByteWriter& out, const List& list) {
  out.varint(list.size());
  for (const auto& item : list) put(out, item);
}

Result<std::uint32_t> get_number(ByteReader& in) {
  auto value = LB_TRY(in.varint());
  if (value > 0xFFFFFFFF) return bad("a number too large");
  return static_cast<std::uint32_t>(value);
}

Status get(ByteReader& in, RelationId& relation) {
  relation.tablespace = LB_TRY(get_number(in));
  relation.database = LB_TRY(get_number(in));
  relation.filenode = LB_TRY(get_number(in));
  return {};
}

Status get(ByteReader& in, DatabaseId& database) {
  database.tablespace = LB_TRY(get_number(in));
  database.database = LB_TRY(get_number(in));
  return {};
}

template <typename Item>
Status get_all(ByteReader& in, std::vector<Item>& out) {
  auto count = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < count; ++i) {
    Item item;
    LB_TRY(get(in, item));
    out.push_back(item);
  }
  return {};
}

template <typename Item>
Status get_all(ByteReader& in, std::set<Item>& out) {
  auto count = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < count; ++i) {
    Item item;
    LB_TRY(get(in, item));
    if (!out.empty() && !(*out.rbegin() < item)) return bad("a list out of order");
    out.insert(out.end(), item);
  }
  return {};
}

void put_forks(ByteWriter& out, const std::map<ForkId, ForkChanges>& forks) {
  out.varint(forks.size());
  for (const auto& [fork, changes] : forks) {
    put(out, fork.relation);
    out.u8(fork.fork);
    // One more than the limit; zero: none.
    out.varint(changes.limit ? std::uint64_t{*changes.limit} + 1 : 0);
    changes.blocks.encode_to(out);
  }
}

Status get_forks(ByteReader& in, std::map<ForkId, ForkChanges>& forks) {
  auto count = LB_TRY(in.varint());
  for (std::uint64_t i = 0; i < count; ++i) {
    ForkId fork;
    LB_TRY(get(in, fork.relation));
    fork.fork = LB_TRY(in.u8());
    if (fork.fork > fork_max) return bad("unknown fork");
    if (!forks.empty() && !(forks.rbegin()->first < fork)) return bad("forks out of order");
    ForkChanges changes;
    auto limit = LB_TRY(in.varint());
    if (limit > std::uint64_t{1} << 32) return bad("an impossible limit");
    if (limit > 0) changes.limit = static_cast<std::uint32_t>(limit - 1);
    changes.blocks = LB_TRY(BlockSet::decode_from(in));
    forks.emplace_hint(forks.end(), fork, std::move(changes));
  }
  return {};
}

void put(ByteWriter& out, const Suspect::Rows& rows) {
  put(out, rows.relation);
  out.varint(rows.deleted);
  out.varint(rows.updated);
}

Status get(ByteReader& in, Suspect::Rows& rows) {
  LB_TRY(get(in, rows.relation));
  rows.deleted = LB_TRY(in.varint());
  rows.updated = LB_TRY(in.varint());
  return {};
}

void put(ByteWriter& out, const Suspect& suspect) {
  out.u32(suspect.xid);
  out.u64(suspect.lsn);
  out.u64(suspect.end_lsn);
  out.signed_varint(to_micros(suspect.time));
  put_all(out, suspect.dropped);
  put_all(out, suspect.created);
  out.varint(suspect.dropped_count);
  out.varint(suspect.created_count);
  put_all(out, suspect.databases_dropped);
  put_all(out, suspect.rows);
}

Status get(ByteReader& in, Suspect& suspect) {
  suspect.xid = LB_TRY(in.u32());
  suspect.lsn = LB_TRY(in.u64());
  suspect.end_lsn = LB_TRY(in.u64());
  auto micros = LB_TRY(in.signed_varint());
  suspect.time = from_micros(micros);
  LB_TRY(get_all(in, suspect.dropped));
  LB_TRY(get_all(in, suspect.created));
  suspect.dropped_count = LB_TRY(in.varint());
  suspect.created_count = LB_TRY(in.varint());
  LB_TRY(get_all(in, suspect.databases_dropped));
  return get_all(in, suspect.rows);
}

Status get_head(ByteReader& in, SegmentDetail& detail) {
  auto version = LB_TRY(in.u8());
  if (version != detail_version) {
    return Error(ErrorKind::unsupported, "detail of a log segment of an unknown version");
  }
  auto flags = LB_TRY(in.u8());
  if (flags > flag_suspects_complete) return bad("unknown flags of a detail");
  detail.suspects_complete = flags == flag_suspects_complete;
  detail.complete_from = LB_TRY(in.u64());
  detail.end_lsn = LB_TRY(in.u64());
  for (auto* sighting : {&detail.wal_level_minimal, &detail.wal_log_hints_off}) {
    sighting->first = LB_TRY(in.varint());
    sighting->last = LB_TRY(in.varint());
  }
  return {};
}

}  // namespace

Buffer encode(const SegmentDetail& detail) {
  Buffer out;
  ByteWriter writer(out);
  writer.u8(detail_version);
  writer.u8(detail.suspects_complete ? flag_suspects_complete : 0);
  writer.u64(detail.complete_from);
  writer.u64(detail.end_lsn);
  for (const auto& sighting : {detail.wal_level_minimal, detail.wal_log_hints_off}) {
    writer.varint(sighting.first);
    writer.varint(sighting.last);
  }
  put_all(writer, detail.created);
  put_all(writer, detail.databases);
  put_all(writer, detail.maps);
  put_forks(writer, detail.forks);
  put_all(writer, detail.suspects);
  return out;
}

Result<SegmentDetail> decode_detail(ByteView bytes) {
  ByteReader in(bytes);
  SegmentDetail detail;
  LB_TRY(get_head(in, detail));
  LB_TRY(get_all(in, detail.created));
  LB_TRY(get_all(in, detail.databases));
  LB_TRY(get_all(in, detail.maps));
  LB_TRY(get_forks(in, detail.forks));
  LB_TRY(get_all(in, detail.suspects));
  if (!in.done()) return bad("detail of a log segment with bytes left over");
  return detail;
}

}  // namespace lb::pg
