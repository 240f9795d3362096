#include "foundation/base/text.h"
#include "stores/postgres/wal_reader.h"

namespace lb::pg {

namespace {

constexpr std::uint8_t summary_version = 1;
constexpr std::uint8_t flag_commits = 1, flag_ended = 2;

void put_commit(ByteWriter& writer, const Commit& commit) {
  writer.u32(commit.xid);
  writer.u64(commit.lsn);
  writer.u64(commit.end_lsn);
  writer.signed_varint(to_micros(commit.time));
}

Result<Timestamp> get_time(ByteReader& reader) {
  auto micros = LB_TRY(reader.signed_varint());
  return from_micros(micros);
}

Result<Commit> get_commit(ByteReader& reader) {
  auto xid = LB_TRY(reader.u32());
  auto lsn = LB_TRY(reader.u64());
  auto end_lsn = LB_TRY(reader.u64());
  auto time = LB_TRY(get_time(reader));
  return Commit{xid, lsn, end_lsn, time, false};
}

Status get_restore_points(ByteReader& reader, LogSummary& summary) {
  auto count = LB_TRY(reader.varint());
  for (std::uint64_t i = 0; i < count; ++i) {
    auto name = LB_TRY(reader.text(64));
    auto end_lsn = LB_TRY(reader.u64());
    auto time = LB_TRY(get_time(reader));
    summary.restore_points.push_back({name, end_lsn, time});
  }
  return {};
}

}  // namespace

Buffer encode(const LogSummary& summary) {
  Buffer out;
  ByteWriter writer(out);
  bool has_commits = summary.first_commit && summary.last_commit && summary.min_commit_time &&
                     summary.max_commit_time;
  writer.u8(summary_version);
  writer.u8(static_cast<std::uint8_t>((has_commits ? flag_commits : 0) |
                                      (summary.ended ? flag_ended : 0)));
  writer.u64(summary.first_lsn);
  writer.u64(summary.end_lsn);
  writer.u64(summary.system_identifier);
  writer.u32(summary.timeline);
  writer.varint(summary.records);
  writer.varint(summary.commits);
  if (has_commits) {
    put_commit(writer, *summary.first_commit);
    put_commit(writer, *summary.last_commit);
    writer.signed_varint(to_micros(*summary.min_commit_time));
    writer.signed_varint(to_micros(*summary.max_commit_time));
  }
  writer.varint(summary.restore_points.size());
  for (const auto& point : summary.restore_points) {
    writer.text(point.name);
    writer.u64(point.end_lsn);
    writer.signed_varint(to_micros(point.time));
  }
  return out;
}

Result<LogSummary> decode_summary(ByteView bytes) {
  ByteReader reader(bytes);
  LogSummary summary;
  auto version = LB_TRY(reader.u8());
  if (version != summary_version) {
    return Error(ErrorKind::unsupported, cat("log summary of version ", version));
  }
  auto flags = LB_TRY(reader.u8());
  summary.ended = (flags & flag_ended) != 0;
  summary.first_lsn = LB_TRY(reader.u64());
  summary.end_lsn = LB_TRY(reader.u64());
  summary.system_identifier = LB_TRY(reader.u64());
  summary.timeline = LB_TRY(reader.u32());
  summary.records = LB_TRY(reader.varint());
  summary.commits = LB_TRY(reader.varint());
  if ((flags & flag_commits) != 0) {
    summary.first_commit = LB_TRY(get_commit(reader));
    summary.last_commit = LB_TRY(get_commit(reader));
    summary.min_commit_time = LB_TRY(get_time(reader));
    summary.max_commit_time = LB_TRY(get_time(reader));
  }
  LB_TRY(get_restore_points(reader, summary));
  if (!reader.done()) return Error(ErrorKind::corrupt, "log summary with bytes left over");
  return summary;
}

}  // namespace lb::pg
