#include "recovery/drill/evidence.h"

#include <algorithm>
#include <map>

#include "foundation/base/text.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/json.h"
#include "foundation/crypto/hash.h"
#include "model/report/report.h"
#include "storage/state/journal.h"

namespace lb::drill {

namespace {

constexpr const char* evidence_kind = "evidence";
constexpr const char* drill_kind = "drill";
constexpr const char* statement_schema = "lifeboat.evidence/1";
constexpr const char* signed_schema = "lifeboat.signed-evidence/1";
constexpr std::size_t seed_bytes = 32;

std::string digest_of(std::string_view text) { return to_hex(sha256(view_of(text))); }

Result<Evidence> parse_statement(const std::string& statement) {
  auto json = LB_TRY(parse_json(statement));
  if (json["schema"].string() != statement_schema)
    return Error(ErrorKind::corrupt, cat("not of schema ", statement_schema));
  Evidence out;
  out.statement = statement;
  out.id = json["id"].string();
  out.drill = json["drill"].string();
  out.verdict = json["verdict"].string();
  out.record_sha256 = json["record_sha256"].string();
  out.report_sha256 = json["report_sha256"].string();
  out.previous = json["previous"].string();
  out.previous_sha256 = json["previous_sha256"].string();
  if (json["count"].is_int()) out.count = static_cast<std::uint64_t>(json["count"].integer());
  out.key = json["key"].string();
  return out;
}

Result<Evidence> decode(ByteView bytes) {
  auto json = LB_TRY(parse_json(text_of(bytes)));
  if (json["schema"].string() != signed_schema)
    return Error(ErrorKind::corrupt, cat("not of schema ", signed_schema));
  auto out = LB_TRY(parse_statement(json["statement"].string()));
  out.signature = json["signature"].string();
  return out;
}

bool is_signed(const Evidence& evidence) {
  auto key = from_hex(evidence.key);
  auto signature = from_hex(evidence.signature);
  SigningPublicKey fixed{};
  if (!key.ok() || !signature.ok() || key->size() != fixed.size()) return false;
  std::copy(key->begin(), key->end(), fixed.begin());
  return is_signed_by(fixed, view_of(evidence.statement), *signature);
}

// What is wrong with it; empty: nothing.
std::string wrong_with(const Evidence& evidence, const std::string& key,
                       const std::map<std::string, const Evidence*>& by_id,
                       const Result<Buffer>& record) {
  if (!evidence.trouble.empty()) return cat("its statement cannot be read: ", evidence.trouble);
  if (evidence.key != key) return cat("signed by another key: ", printable(evidence.key));
  if (!is_signed(evidence)) return "the signature does not fit the statement";
  if (!record.ok()) return cat("the record of the drill is gone: ", record.error().text());
  if (digest_of(text_of(*record)) != evidence.record_sha256)
    return "the record of the drill is not the one that was signed";
  if (evidence.previous.empty()) return "";
  auto before = by_id.find(evidence.previous);
  if (before == by_id.end())
    return cat("the statement before it, ", evidence.previous, ", is gone");
  if (digest_of(before->second->statement) != evidence.previous_sha256)
    return cat("the statement before it, ", evidence.previous, ", is not the one it follows");
  return "";
}

}  // namespace

Result<Secret> signing_seed(const Secret& text) {
  auto seed = from_hex(trim(text.reveal()));
  if (!seed.ok() || seed->size() != seed_bytes) {
    return Error(ErrorKind::invalid, "evidence: sign: names no signing key")
        .with_hint("64 hex digits, as lifeboat person key FILE writes them");
  }
  Secret out{ByteView(*seed)};
  wipe(*seed);
  return out;
}

Evidence sign_drill(const Secret& seed, const record::DrillRecord& record,
                    const std::string& repository, const std::vector<Evidence>& known) {
  const Evidence* last = nullptr;
  for (const auto& each : known) {
    if (each.trouble.empty()) last = &each;
  }
  auto statement = Json::object();
  statement.set("schema", statement_schema)
      .set("system", record.system)
      .set("repository", repository)
      .set("id", record.id)
      .set("drill", record.drill)
      .set("verdict", record::name_of(record.verdict))
      .set("started", format_time(record.started))
      .set("ended", format_time(record.ended))
      .set("record_sha256", digest_of(record::encode(record).dump()))
      .set("report_sha256", digest_of(report::drill_json(record)))
      .set("count", last == nullptr ? std::uint64_t{1} : last->count + 1)
      .set("previous", last == nullptr ? std::string() : last->id)
      .set("previous_sha256", last == nullptr ? std::string() : digest_of(last->statement))
      .set("key", to_hex(signing_public_key_of(seed)));
  auto out = parse_statement(statement.dump(2) + "\n").take();
  out.signature = to_hex(sign(seed, view_of(out.statement)));
  return out;
}

Status put_evidence(repo::Repository& repository, const Evidence& evidence) {
  auto text = Json::object()
                  .set("schema", signed_schema)
                  .set("statement", evidence.statement)
                  .set("signature", evidence.signature)
                  .dump();
  return repository.put_record(evidence_kind, evidence.id, view_of(text))
      .context(cat("keep the evidence of drill ", evidence.id));
}

Result<std::vector<Evidence>> read_evidence(repo::Repository& repository) {
  std::vector<Evidence> out;
  auto ids = LB_TRY(repository.records(evidence_kind).context("read the evidence"));
  for (const auto& id : ids) {
    auto bytes = repository.get_record(evidence_kind, id);
    auto one = bytes.ok() ? decode(*bytes) : Result<Evidence>(bytes.error());
    if (!one.ok() && one.error().kind() == ErrorKind::unavailable)
      return std::move(one).take_error().context(cat("read the evidence of drill ", id));
    if (one.ok() && one->id != id) one = Error(ErrorKind::corrupt, "it speaks of another drill");
    if (one.ok()) {
      out.push_back(std::move(one).take());
    } else {
      out.emplace_back();
      out.back().id = id;
      out.back().trouble = one.error().text();
    }
  }
  // Identifiers sort by time.
  std::stable_sort(out.begin(), out.end(),
                   [](const Evidence& a, const Evidence& b) { return a.id < b.id; });
  return out;
}

std::string public_key_pem(const std::string& key) {
  // SubjectPublicKeyInfo of id-Ed25519: its head is the same for all keys.
  auto der = from_hex(cat("302a300506032b6570032100", key));
  if (!der.ok()) return "";
  return cat("-----BEGIN PUBLIC KEY-----\n", to_base64(*der), "\n-----END PUBLIC KEY-----\n");
}

Result<std::vector<EvidenceFinding>> judge_evidence(repo::Repository& repository,
                                                    const std::string& key) {
  auto all = LB_TRY(read_evidence(repository));
  auto log = LB_TRY(state::drills(repository));
  std::map<std::string, const Evidence*> by_id;
  for (const auto& each : all) by_id[each.id] = &each;
  std::map<std::string, EvidenceFinding> out;
  for (const auto& each : all) {
    auto record = repository.get_record(drill_kind, each.id);
    auto wrong = wrong_with(each, key, by_id, record);
    out[each.id] = {each.id, each.drill, wrong.empty(),
                    wrong.empty() ? cat(each.verdict, ", signed") : wrong};
  }
  for (const auto& record : log) {
    if (by_id.contains(record.id)) continue;
    bool before = all.empty() || record.id < all.front().id;
    out[record.id] = {record.id, record.drill, before,
                      before ? "from before the first signed one" : "nobody signed it"};
  }
  std::vector<EvidenceFinding> findings;
  for (auto& [id, finding] : out) findings.push_back(std::move(finding));
  return findings;
}

}  // namespace lb::drill
