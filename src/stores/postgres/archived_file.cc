#include "stores/postgres/archived_file.h"

#include "foundation/base/text.h"
#include "stores/postgres/wal_bytes.h"

namespace lb::pg {

namespace {

std::optional<std::uint32_t> parse_part(std::string_view digits) {
  if (digits.size() != 8) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : digits) {
    const auto digit = std::string_view("0123456789ABCDEF").find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value << 4 | static_cast<std::uint32_t>(digit);
  }
  return value;
}

bool is_label(std::string_view rest) {
  return rest.size() == 16 && rest[0] == '.' && parse_part(rest.substr(1, 8)) &&
         rest.substr(9) == ".backup";
}

Error not_of(const std::string& what) { return Error(ErrorKind::corrupt, what); }

}  // namespace

std::uint64_t ArchivedName::segment(std::uint64_t segment_bytes) const {
  return high * ((std::uint64_t{1} << 32) / segment_bytes) + low;
}

std::optional<ArchivedName> parse_archived_name(std::string_view name) {
  ArchivedName out;
  const auto timeline = parse_part(name.substr(0, 8));
  if (!timeline || *timeline == 0) return std::nullopt;
  out.timeline = *timeline;
  if (name.substr(8) == ".history") {
    out.kind = ArchivedName::Kind::history;
    return out;
  }
  if (name.size() < 24) return std::nullopt;
  const auto high = parse_part(name.substr(8, 8)), low = parse_part(name.substr(16, 8));
  if (!high || !low) return std::nullopt;
  out.high = *high;
  out.low = *low;
  const auto rest = name.substr(24);
  if (rest.empty()) return out;
  if (rest != ".partial" && !is_label(rest)) return std::nullopt;
  out.kind = rest == ".partial" ? ArchivedName::Kind::partial : ArchivedName::Kind::label;
  return out;
}

Result<std::uint64_t> stated_segment_bytes(ByteView bytes) {
  if (bytes.size() < long_header_bytes || page_header_bytes(bytes) != long_header_bytes)
    return Error(ErrorKind::invalid, "the log does not begin with the header of a segment");
  const auto header = LB_TRY(parse_page_header(bytes, load<std::uint64_t>(&bytes[8])));
  return std::uint64_t{header.segment_bytes};
}

Result<PageHeader> check_segment(const ArchivedName& name, ByteView bytes,
                                 std::uint64_t system_identifier) {
  if (bytes.size() < wal_page_bytes || page_header_bytes(bytes) != long_header_bytes)
    return not_of("it does not begin with the header of a log segment");
  const auto stated = LB_TRY(stated_segment_bytes(bytes));
  const Lsn at = name.segment(stated) * stated;
  auto header = LB_TRY(parse_page_header(bytes, at));
  if (bytes.size() != stated)
    return not_of(cat("it has ", bytes.size(), " bytes, and its header says ", stated));
  if (system_identifier != 0 && header.system_identifier != system_identifier)
    return not_of(cat("it belongs to database system ", header.system_identifier, ", not to ",
                      system_identifier));
  // The first segment of a timeline begins with pages of the one before.
  if (header.timeline > name.timeline)
    return not_of(cat("its name says timeline ", name.timeline, ", its header ", header.timeline));
  return header;
}

Result<std::uint64_t> control_system_identifier(ByteView control) {
  if (control.size() < 8) return Error(ErrorKind::corrupt, "pg_control is too short");
  const auto found = load<std::uint64_t>(control.data());
  if (found == 0) return Error(ErrorKind::corrupt, "pg_control names no database system");
  return found;
}

}  // namespace lb::pg
