#include "stores/postgres/snapshot_details.h"

#include "foundation/base/text.h"

namespace lb::pg {
namespace {

Error malformed(const std::string& what) {
  return Error(ErrorKind::corrupt, cat("snapshot details: ", what));
}

Result<Lsn> lsn_of(const Json& json, std::string_view name) {
  return parse_lsn(json[name].string()).context(cat("snapshot details: ", name));
}

Result<std::uint32_t> u32_of(const Json& json, const char* name) {
  const std::int64_t value = json[name].integer(-1);
  if (value < 0 || value > 0xFFFFFFFF) return malformed(cat(name, " is not a number"));
  return static_cast<std::uint32_t>(value);
}

Result<Tablespace> decode_tablespace(const Json& json) {
  Tablespace tablespace;
  tablespace.oid = LB_TRY(u32_of(json, "oid"));
  tablespace.name = json["name"].string();
  tablespace.location = json["location"].string();
  return tablespace;
}

}  // namespace

Json encode(const SnapshotDetails& details) {
  Json json = Json::object();
  json.set("system_identifier", details.system_identifier)
      .set("server_version", details.server_version)
      .set("timeline", std::int64_t{details.timeline})
      .set("start_lsn", format_lsn(details.start_lsn))
      .set("stop_lsn", format_lsn(details.stop_lsn))
      .set("segment_bytes", details.segment_bytes)
      .set("checksums", details.checksums)
      .set("hints_logged", details.hints_logged)
      .set("database", details.database)
      .set("log_id", details.log_id)
      .set("data_bytes", details.data_bytes);
  Json tablespaces = Json::array();
  for (const Tablespace& tablespace : details.tablespaces) {
    tablespaces.push(Json::object()
                         .set("oid", std::int64_t{tablespace.oid})
                         .set("name", tablespace.name)
                         .set("location", tablespace.location));
  }
  json.set("tablespaces", std::move(tablespaces));
  Json bad = Json::array();
  for (const std::string& page : details.bad_pages) bad.push(page);
  json.set("bad_pages", std::move(bad));
  json.set("way", details.way).set("mode", details.mode).set("bytes_read", details.bytes_read);
  if (!details.why_full.empty()) json.set("why_full", details.why_full);
  if (details.tables_carried > 0) json.set("tables_carried", details.tables_carried);
  return json.set("since_full_read", std::int64_t{details.since_full_read});
}

Result<SnapshotDetails> decode_details(const std::string& json_text) {
  const Json json = LB_TRY(parse_json(json_text).context("snapshot details"));
  SnapshotDetails details;
  details.system_identifier = json["system_identifier"].string();
  details.server_version = static_cast<int>(json["server_version"].integer());
  details.timeline = LB_TRY(u32_of(json, "timeline"));
  details.start_lsn = LB_TRY(lsn_of(json, "start_lsn"));
  details.stop_lsn = LB_TRY(lsn_of(json, "stop_lsn"));
  details.segment_bytes = LB_TRY(u32_of(json, "segment_bytes"));
  details.checksums = json["checksums"].boolean();
  details.hints_logged = json["hints_logged"].boolean();
  details.database = json["database"].string();
  details.log_id = json["log_id"].string();
  details.data_bytes = static_cast<std::uint64_t>(json["data_bytes"].integer());
  for (const Json& item : json["tablespaces"].items()) {
    Tablespace tablespace = LB_TRY(decode_tablespace(item));
    details.tablespaces.push_back(std::move(tablespace));
  }
  for (const Json& item : json["bad_pages"].items()) details.bad_pages.push_back(item.string());
  details.way = json["way"].string();
  details.mode = json["mode"].string();
  details.why_full = json["why_full"].string();
  details.bytes_read = static_cast<std::uint64_t>(json["bytes_read"].integer());
  details.tables_carried = static_cast<std::uint64_t>(json["tables_carried"].integer());
  details.since_full_read = static_cast<std::uint32_t>(json["since_full_read"].integer());
  if (details.system_identifier.empty() || details.log_id.empty()) return malformed("no identity");
  const std::uint64_t size = details.segment_bytes;
  if (size < (1 << 20) || size > (1 << 30) || (size & (size - 1)) != 0) {
    return malformed("impossible segment size");
  }
  return details;
}

}  // namespace lb::pg
