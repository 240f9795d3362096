#include "recovery/archive/instance.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "foundation/crypto/hash.h"

namespace lb::archive {

namespace {

constexpr std::size_t token_digits = 32;

std::string kind_of(const std::string& log_id) { return cat("instance ", log_id); }

std::string eight_digits(std::uint32_t value) {
  Buffer bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  return to_hex(bytes);
}

std::optional<std::uint32_t> parse_eight(std::string_view digits) {
  const auto bytes = from_hex(digits);
  if (!bytes.ok() || bytes->size() != 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const auto byte : *bytes) value = value << 8 | byte;
  return value;
}

bool is_token(std::string_view text) { return text.size() == token_digits && from_hex(text).ok(); }

// Empty where the machine has no id.
std::string machine_id(Files& files) {
  const auto bytes = read_file(files, "/etc/machine-id", 4096);
  return bytes.ok() ? std::string(trim(text_of(*bytes))) : std::string();
}

Error refused(const std::string& log_id, Standing standing) {
  const auto why = standing == Standing::disputed
                       ? "two servers began to write it at the same moment"
                       : "another server was admitted to write it";
  return Error(ErrorKind::denied, cat("this server may not write the log ", log_id, ": ", why))
      .with_hint(
          "a clone or a test restore must not archive: set archive_mode = off there. After a real "
          "failover or move, run lifeboat wal admit on the host that is the primary now")
      .with_exit(ExitCode::refused);
}

}  // namespace

Result<std::string> instance_token(Files& files, const std::string& data_folder,
                                   const std::string& host) {
  const auto facts = LB_TRY(files.info(data_folder).context("look at the data directory"));
  auto machine = machine_id(files);
  if (machine.empty()) machine = cat("host ", host);
  Buffer bound;
  ByteWriter out(bound);
  out.text("lifeboat instance 1");
  out.text(machine);
  out.text(data_folder);
  out.u64(facts.inode);
  return to_hex(sha256(bound)).substr(0, token_digits);
}

std::string record_name(const Admission& admission) {
  return cat(eight_digits(admission.number), "-", eight_digits(admission.timeline), "-",
             admission.token);
}

std::vector<Admission> parse_admissions(const std::vector<std::string>& names) {
  std::vector<Admission> out;
  for (const auto& name : names) {
    const auto parts = split(name, '-');
    if (parts.size() != 3 || !is_token(parts[2])) continue;
    const auto number = parse_eight(parts[0]), timeline = parse_eight(parts[1]);
    if (number && timeline) out.push_back({*number, *timeline, parts[2]});
  }
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return record_name(a) < record_name(b); });
  return out;
}

std::string no_instance() { return std::string(token_digits, '0'); }

Standing standing_of(const std::vector<Admission>& admissions, const std::string& token) {
  std::uint32_t newest = 0;
  for (const auto& admission : admissions) {
    if (admission.token != no_instance()) newest = std::max(newest, admission.number);
  }
  if (newest == 0) return Standing::nobody;
  bool ours = false, others = false;
  for (const auto& admission : admissions) {
    if (admission.number != newest || admission.token == no_instance()) continue;
    (admission.token == token ? ours : others) = true;
  }
  if (others && ours) return Standing::disputed;
  return ours ? Standing::admitted : Standing::another;
}

Result<std::vector<Admission>> read_admissions(repo::Repository& repository,
                                               const std::string& log_id) {
  const auto names = LB_TRY(repository.records(kind_of(log_id)));
  return parse_admissions(names);
}

Status admit(repo::Repository& repository, const std::string& log_id, const std::string& token,
             std::uint32_t timeline, const AdmittedBy& by) {
  const auto known = LB_TRY(read_admissions(repository, log_id));
  const Admission fresh{known.empty() ? 1 : known.back().number + 1, timeline, token};
  const auto text = Json::object()
                        .set("host", by.host)
                        .set("data_folder", by.data_folder)
                        .set("reason", by.reason)
                        .set("at", format_time(by.at))
                        .dump();
  LB_TRY(repository.put_record(kind_of(log_id), record_name(fresh), view_of(text))
             .context("record the server that writes the log"));
  const auto after = LB_TRY(read_admissions(repository, log_id));
  const auto standing = standing_of(after, token);
  if (standing == Standing::admitted || token == no_instance()) return {};
  return Error(ErrorKind::conflict, "another server was admitted at the same moment")
      .with_hint("run lifeboat wal admit again on the one that is the primary")
      .with_exit(ExitCode::refused);
}

Status meet_instance(repo::Repository& repository, const std::string& log_id,
                     const std::string& token, std::uint32_t timeline, const AdmittedBy& by) {
  const auto known = LB_TRY(read_admissions(repository, log_id));
  const auto standing = standing_of(known, token);
  if (standing == Standing::admitted) return {};
  if (standing == Standing::nobody) return admit(repository, log_id, token, timeline, by);
  return refused(log_id, standing);
}

}  // namespace lb::archive
