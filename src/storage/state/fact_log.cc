#include "storage/state/fact_log.h"

#include "foundation/base/text.h"

namespace lb::state {

using record::Fact;
using record::JournalEntry;

namespace {

constexpr const char* claim_prefix = "claim-";
constexpr std::size_t members_max = 10'000;

// A store that does not answer keeps nobody from saying what must be said.
bool out_of_reach(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::exhausted:
    case ErrorKind::denied:
    case ErrorKind::not_found:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string FactLog::kind_of(const std::string& member) const { return cat(family_, ".", member); }

// The intent names the member, so that it is found by the beginning of its act; each fact is an
// outcome, so that no member counts as an act that was interrupted.
Status FactLog::keep(const std::string& member, const Fact& fact) {
  JournalEntry head;
  head.id = cat(family_, "-", member);
  head.run = member;
  head.at = fact.at;
  head.host = fact.host;
  head.act = cat(family_, " ", member);
  head.phase = JournalEntry::Phase::intent;
  head.text = fact.text;
  JournalEntry entry = head;
  entry.id = cat(family_, "-", member, "-", fact.id);
  entry.phase = JournalEntry::Phase::outcome;
  entry.text = cat(fact.by, fact.by.empty() ? "" : ": ", fact.kind, fact.text.empty() ? "" : ", ",
                   fact.text);
  entry.details = record::encode(fact);
  auto made = journal_.add(std::move(head));
  if (!made.ok() && made.error().kind() != ErrorKind::conflict) return made;
  return journal_.add(std::move(entry));
}

Status FactLog::send(const std::string& member, const std::string& name, const std::string& text) {
  if (repository_ == nullptr) {
    behind_ = "the repository cannot be reached";
    return {};
  }
  auto put = repository_->put_record(kind_of(member), name, view_of(text));
  if (put.ok()) return {};
  if (!out_of_reach(put.error()))
    return std::move(put).context(cat("record ", family_, " ", member));
  behind_ = put.error().text();
  return {};
}

Status FactLog::send_head(const std::string& member) {
  if (repository_ == nullptr || heads_sent_.contains(member)) return {};
  auto head = Json::object().set("schema", cat("lifeboat.", family_, "/1")).dump();
  auto put = repository_->put_record(family_, member, view_of(head));
  if (put.ok() || put.error().kind() == ErrorKind::conflict) {
    heads_sent_.insert(member);
    return {};
  }
  if (!out_of_reach(put.error()))
    return std::move(put).context(cat("record ", family_, " ", member));
  behind_ = put.error().text();
  return {};
}

Status FactLog::put(const std::string& member, Fact& fact) {
  if (fact.id.empty()) fact.id = journal_.fresh_id();
  LB_TRY(keep(member, fact));
  LB_TRY(send_head(member));
  return send(member, fact.id, record::encode(fact).dump());
}

Status FactLog::exchange(const std::string& member, std::vector<Fact>& facts) {
  behind_.clear();
  auto names = repository_->records(kind_of(member));
  if (!names.ok()) {
    behind_ = names.error().text();
    return out_of_reach(names.error()) ? Status() : Status(names.error());
  }
  std::set<std::string> here, there(names->begin(), names->end());
  const auto known = facts.size();
  for (const auto& fact : facts) here.insert(fact.id);
  for (const auto& name : there) {
    if (here.contains(name) || name.starts_with(claim_prefix)) continue;
    auto what = cat("read ", family_, " ", member);
    auto bytes = LB_TRY(repository_->get_record(kind_of(member), name).context(what));
    auto json = LB_TRY(parse_json(text_of(bytes)).context(what));
    auto fact = LB_TRY(record::decode_fact(json).context(what));
    auto kept = keep(member, fact);
    if (!kept.ok() && kept.error().kind() != ErrorKind::conflict) return kept;
    facts.push_back(std::move(fact));
  }
  if (known > 0) LB_TRY(send_head(member));
  for (std::size_t i = 0; i < known; ++i) {
    if (!there.contains(facts[i].id))
      LB_TRY(send(member, facts[i].id, record::encode(facts[i]).dump()));
  }
  return {};
}

Result<std::vector<Fact>> FactLog::facts(const std::string& member, bool far) {
  std::vector<Fact> out;
  for (const auto& entry : LB_TRY(journal_.entries_of_run(member))) {
    if (entry.phase != JournalEntry::Phase::outcome) continue;
    out.push_back(LB_TRY(record::decode_fact(entry.details).context(cat(family_, " ", member))));
  }
  if (far && repository_ != nullptr) LB_TRY(exchange(member, out));
  record::sort_facts(out);
  return out;
}

Result<std::vector<std::string>> FactLog::members(bool far) {
  std::set<std::string> out;
  for (const auto& entry : LB_TRY(journal_.begun(cat(family_, " "), members_max)))
    out.insert(entry.run);
  if (far && repository_ != nullptr) {
    auto ids = repository_->records(family_);
    if (ids.ok()) {
      out.insert(ids->begin(), ids->end());
    } else {
      if (!out_of_reach(ids.error())) return std::move(ids).take_error();
      behind_ = ids.error().text();
    }
  }
  return std::vector<std::string>(out.begin(), out.end());
}

Result<std::string> FactLog::claim(const std::string& member, const std::string& what,
                                   const std::string& holder) {
  if (repository_ == nullptr)
    return Error(ErrorKind::unavailable, "the repository cannot be reached");
  const auto name = cat(claim_prefix, what);
  auto put = repository_->put_record(kind_of(member), name, view_of(holder));
  if (put.ok()) return holder;
  if (put.error().kind() != ErrorKind::conflict) return std::move(put).take_error();
  auto bytes = LB_TRY(repository_->get_record(kind_of(member), name));
  return std::string(text_of(bytes));
}

}  // namespace lb::state
