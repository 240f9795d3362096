#include "storage/state/run_log.h"

#include <algorithm>
#include <set>

#include "foundation/base/text.h"

namespace lb::state {

using record::JournalEntry;
using record::RunEvent;
using record::RunEventKind;
using record::RunInput;

namespace {

constexpr const char* heads_kind = "run";
constexpr const char* input_prefix = "input-";
constexpr const char* act_prefix = "run ";
constexpr std::size_t runs_max = 10'000;

std::string kind_of(const std::string& run) { return cat("run.", run); }

std::string event_name(std::uint64_t number) {
  auto digits = cat(number);
  return cat(std::string(6 - std::min<std::size_t>(6, digits.size()), '0'), digits);
}

bool is_event(const std::string& name) { return !name.starts_with(input_prefix); }

std::string event_text(const RunEvent& event) { return record::encode(event).dump(); }

// A store that does not answer must not stop a recovery; anything else is a reason to.
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

Error taken(const std::string& run, std::uint64_t number) {
  return Error(ErrorKind::conflict, cat("run ", run, " is driven by another program: event ",
                                        number, " is there already"))
      .with_hint(cat("lifeboat run show ", run, " says who drives it"))
      .with_left("the run, as the other program leaves it")
      .with_exit(ExitCode::locked);
}

// By its name in the repository: the entries of the journal that belong to a run.
std::map<std::string, Json> by_name(const std::vector<JournalEntry>& entries) {
  std::map<std::string, Json> out;
  for (const auto& entry : entries) {
    auto event = record::decode_run_event(entry.details);
    if (event.ok()) out.emplace(event_name(event->number), entry.details);
    auto input = record::decode_run_input(entry.details);
    if (input.ok()) out.emplace(cat(input_prefix, input->id), entry.details);
  }
  return out;
}

JournalEntry entry_of(const std::string& run, const std::string& act, const RunEvent& event) {
  JournalEntry out;
  out.id = cat(run, "-", event_name(event.number));
  out.run = run;
  out.at = event.at;
  out.host = event.host;
  out.act = act;
  if (event.kind == RunEventKind::opened) out.phase = JournalEntry::Phase::intent;
  if (event.kind == RunEventKind::closed) out.phase = JournalEntry::Phase::outcome;
  const auto& result = event.data["result"];
  out.ok = !result.is_string() || result.string() == "done" || result.string() == "skipped";
  out.text = event.text;
  out.details = record::encode(event);
  return out;
}

}  // namespace

Status RunLog::append(const std::string& run, const std::string& act, RunEvent& event) {
  auto kept = keep_local(run, act, event);
  if (!kept.ok()) {
    if (kept.error().kind() != ErrorKind::conflict) return kept;
    return taken(run, event.number);
  }
  if (event.kind == RunEventKind::opened) {
    auto head = Json::object().set("act", act).set("opened", format_time(event.at)).dump();
    if (repository_ != nullptr) {
      auto put = repository_->put_record(heads_kind, run, view_of(head));
      bool refused = !put.ok() && !out_of_reach(put.error());
      if (refused) return std::move(put).context(cat("open run ", run));
    }
  }
  LB_TRY(send_waiting(run));
  return send(run, event_name(event.number), event_text(event));
}

Status RunLog::keep_local(const std::string& run, const std::string& act, const RunEvent& event) {
  return journal_.add(entry_of(run, act, event));
}

// Events are sent in their order, so that others never see a gap: behind one that could not be sent
// the next ones wait. Inputs may come in any order.
Status RunLog::send(const std::string& run, const std::string& name, const std::string& text) {
  if (repository_ == nullptr) {
    behind_ = "the repository cannot be reached";
    return {};
  }
  auto waiting = waiting_.find(run);
  bool waits = waiting != waiting_.end() && waiting->second.begin()->first < name;
  if (waits && is_event(name)) {
    waiting->second[name] = text;
    return {};
  }
  auto put = repository_->put_record(kind_of(run), name, view_of(text));
  if (put.ok()) {
    if (waiting_.empty()) behind_.clear();
    return {};
  }
  if (put.error().kind() == ErrorKind::conflict) return taken(run, *parse_uint(name));
  if (!out_of_reach(put.error())) return std::move(put).context(cat("record run ", run));
  behind_ = put.error().text();
  waiting_[run][name] = text;
  return {};
}

Status RunLog::send_waiting(const std::string& run) {
  auto waiting = waiting_.extract(run);
  if (waiting.empty()) return {};
  for (const auto& [name, text] : waiting.mapped()) LB_TRY(send(run, name, text));
  return {};
}

Result<Json> RunLog::record_of(const std::string& run, const std::string& name) {
  auto key = cat(run, "/", name);
  auto found = seen_.find(key);
  if (found != seen_.end()) return found->second;
  auto bytes = LB_TRY(repository_->get_record(kind_of(run), name).context(cat("read run ", run)));
  auto json = LB_TRY(parse_json(text_of(bytes)).context(cat("read run ", run)));
  seen_.emplace(key, json);
  return json;
}

// Two machines drove the run while neither saw the other: from the first number on under which the
// repository has another event, what was written here belongs to no run any more.
void RunLog::leave_lost_branch(const std::map<std::string, Json>& here,
                               std::map<std::string, Json>& out) {
  lost_.clear();
  auto first = std::find_if(here.begin(), here.end(), [&](const auto& each) {
    return is_event(each.first) && out.contains(each.first) && !(out.at(each.first) == each.second);
  });
  if (first == here.end()) return;
  std::size_t count = 0;
  for (auto each = first; each != here.end(); ++each) {
    if (!is_event(each->first)) continue;
    ++count;
    bool of_repository = out.contains(each->first) && !(out.at(each->first) == each->second);
    if (!of_repository) out.erase(each->first);
  }
  lost_ = cat(count, " events that this machine wrote from number ", first->first,
              " on are no part of the run: another machine drove it meanwhile. What they tell of "
              "happened all the same");
}

// A listing taken while another program writes may show a later event without an earlier one. All
// that come before one that was seen were there then: the next listing has them.
Result<std::vector<std::string>> RunLog::names_of(const std::string& run,
                                                  const std::map<std::string, Json>& here) {
  auto kind = kind_of(run);
  auto names = LB_TRY(repository_->records(kind));
  std::set<std::string> numbers;
  for (const auto& name : names) numbers.insert(name);
  for (const auto& [name, json] : here) numbers.insert(name);
  std::uint64_t next = 1;
  for (const auto& name : numbers) {
    if (is_event(name) && name != event_name(next++)) return repository_->records(kind);
  }
  return names;
}

Status RunLog::fetch(const std::string& run, std::map<std::string, Json>& out) {
  auto names = names_of(run, out);
  if (!names.ok()) {
    behind_ = names.error().text();
    return out_of_reach(names.error()) ? Status() : Status(names.error());
  }
  const auto here = out;
  std::set<std::string> there(names->begin(), names->end());
  for (const auto& name : there) out[name] = LB_TRY(record_of(run, name));
  leave_lost_branch(here, out);
  for (const auto& [name, json] : out) {
    if (!there.contains(name)) LB_TRY(send(run, name, json.dump()));
  }
  return {};
}

Result<std::vector<RunEvent>> RunLog::events(const std::string& run) {
  auto entries = LB_TRY(journal_.entries_of_run(run));
  auto all = by_name(entries);
  std::set<std::string> here;
  for (const auto& [name, json] : all) here.insert(name);
  if (repository_ != nullptr) LB_TRY(fetch(run, all));
  std::vector<RunEvent> out;
  std::string act;
  for (const auto& [name, json] : all) {
    if (!is_event(name)) continue;
    auto event = LB_TRY(record::decode_run_event(json).context(cat("run ", run)));
    if (event.number != out.size() + 1) {
      return Error(ErrorKind::corrupt, cat("run ", run, ": event ", out.size() + 1, " is missing"))
          .with_hint("the machine that drove it last may still have it: resume the run there");
    }
    if (act.empty()) act = cat(act_prefix, event.data["runbook"].string());
    if (!here.contains(name)) LB_TRY(keep_local(run, act, event));
    out.push_back(std::move(event));
  }
  return out;
}

Status RunLog::put(const std::string& run, const std::string& act, RunInput& input) {
  if (input.id.empty()) input.id = journal_.fresh_id();
  JournalEntry entry;
  entry.id = cat(run, "-", input_prefix, input.id);
  entry.run = run;
  entry.at = input.at;
  entry.host = input.host;
  entry.act = act;
  entry.text = cat(input.user, ": ", record::name_of(input.kind),
                   input.step == 0 ? std::string() : cat(" step ", input.step));
  entry.details = record::encode(input);
  LB_TRY(journal_.add(std::move(entry)));
  return send(run, cat(input_prefix, input.id), record::encode(input).dump());
}

Result<std::vector<RunInput>> RunLog::inputs(const std::string& run, bool far) {
  auto entries = LB_TRY(journal_.entries_of_run(run));
  auto all = by_name(entries);
  if (far && repository_ != nullptr) LB_TRY(fetch(run, all));
  std::vector<RunInput> out;
  furthest_ = 0;
  for (const auto& [name, json] : all) {
    if (is_event(name)) {
      auto number = parse_uint(name);
      if (number.ok()) furthest_ = std::max(furthest_, *number);
      continue;
    }
    out.push_back(LB_TRY(record::decode_run_input(json).context(cat("run ", run))));
  }
  return out;
}

Result<std::vector<RunHead>> RunLog::runs(bool far) {
  std::map<std::string, RunHead> out;
  auto begun = LB_TRY(journal_.begun(act_prefix, runs_max));
  for (const auto& entry : begun) {
    out[entry.run] = {entry.run, entry.act.substr(std::string(act_prefix).size()), entry.at, false};
  }
  if (far && repository_ != nullptr) {
    auto ids = LB_TRY(repository_->records(heads_kind).context("list the runs"));
    for (const auto& id : ids) {
      if (out.contains(id)) continue;
      auto bytes = LB_TRY(repository_->get_record(heads_kind, id).context(cat("read run ", id)));
      auto json = LB_TRY(parse_json(text_of(bytes)).context(cat("read run ", id)));
      auto act = json["act"].string();
      if (!act.starts_with(act_prefix)) continue;
      auto opened = LB_TRY(parse_time(json["opened"].string()).context(cat("read run ", id)));
      out[id] = {id, act.substr(std::string(act_prefix).size()), opened, false};
    }
  }
  std::vector<RunHead> heads;
  for (auto& [id, head] : out) {
    for (const auto& entry : LB_TRY(journal_.entries_of_run(id))) {
      head.closed = head.closed || entry.phase == JournalEntry::Phase::outcome;
    }
    heads.push_back(std::move(head));
  }
  return heads;
}

}  // namespace lb::state
