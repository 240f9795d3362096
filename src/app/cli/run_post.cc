#include "app/cli/run_post.h"

#include <algorithm>

#include "app/cli/alert_desk.h"
#include "app/cli/incident_desk.h"
#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "model/plan/view.h"

namespace lb::cli {

using runbook::Act;
using runbook::ActEnd;

namespace {

constexpr Micros look_interval = std::chrono::seconds(1);
constexpr Micros incident_interval = std::chrono::seconds(2);
constexpr Micros last_wait = std::chrono::seconds(5);
constexpr Micros end_look = std::chrono::milliseconds(5);
constexpr Micros delivery_wait = std::chrono::seconds(10);
constexpr Micros delivery_look = std::chrono::milliseconds(50);
constexpr std::size_t looked_at_max = 1000;
constexpr Micros update_interval = std::chrono::hours(1);
constexpr const char* not_known = "not known yet";

const std::vector<std::string> no_files;

std::string first_of(const Act& act, std::initializer_list<const char*> names,
                     const std::string& otherwise) {
  for (const char* name : names) {
    auto found = act.variables.find(name);
    if (found != act.variables.end() && !found->second.empty()) return found->second;
  }
  return otherwise;
}

// What templates may say: what the run knows, under the names that built-in ones use, and every
// variable under its own.
plan::TemplateValues values_of(const Act& act, Timestamp now) {
  plan::TemplateValues out;
  auto point = first_of(act, {"point"}, "");
  auto since = first_of(act, {"failed_at", "since"}, format_time_seconds(act.began));
  const auto& rto = act.script.plan->objective.rto;
  out["impact"] =
      first_of(act, {"impact", "failed_component"}, cat("recovery ", act.script.runbook));
  out["since"] = since;
  out["next_update"] = format_time_seconds(now + update_interval);
  out["predicted_end"] = rto ? format_time_seconds(now + *rto) : std::string(not_known);
  out["data_loss"] = point.empty() ? std::string(not_known) : cat("what was written after ", point);
  out["affected"] = first_of(act, {"affected", "affected_data"}, not_known);
  for (const auto& [name, value] : act.variables) out[name] = value;
  return out;
}

std::string invitation_key(const Act& act, const std::string& mark) {
  return cat(act.run, "/", act.own.number, "/", mark.substr(0, 16));
}

std::vector<std::string> words_of(const YamlNode& node) {
  if (node.is_scalar()) return {node.text};
  std::vector<std::string> out;
  for (const auto& item : node.items) out.push_back(item.text);
  return out;
}

}  // namespace

Result<std::string> outbox_identity(const Shell& shell, const Session& session) {
  const auto path = path_join(session.state_folder, "journal.sqlite");
  auto outbox = LB_TRY(state::Outbox::open(shell.world, *session.journal, path));
  return outbox->identity();
}

RunPost::~RunPost() {
  if (postman_ == nullptr) return;
  carrier_.request_stop();
  escalator_.request_stop();
  // What is being sent comes to its end: verbs that are short would cut off each try of it.
  const auto end = shell_.world.clock.steady() + last_wait;
  while (!carrier_ended_ && shell_.world.clock.steady() < end &&
         shell_.world.clock.sleep(end_look, shell_.stop)) {
  }
  cut_.request_stop();
  if (carrier_.joinable()) carrier_.join();
  if (escalator_.joinable()) escalator_.join();
  auto rest = postman_->drain(last_wait, shell_.stop);
  if (!rest.ok()) shell_.console.warn(rest.error().text());
}

Status RunPost::open() {
  const std::lock_guard lock(mutex_);
  if (postman_ != nullptr) return {};
  auto path = path_join(session_.state_folder, "journal.sqlite");
  outbox_ = LB_TRY(state::Outbox::open(shell_.world, *session_.journal, path));
  postman_ = std::make_unique<notify::Postman>(shell_.world, plan_, *session_.references,
                                               *session_.journal, *outbox_);
  carrier_ = std::jthread([this](std::stop_token stop) { carry(stop); });
  return {};
}

Status RunPost::watch(const std::string& incident) {
  incident_ = incident;
  LB_TRY(open());
  escalator_ = std::jthread([this](std::stop_token stop) { escalate(stop); });
  return {};
}

// As incident watch does, of this one. What cannot be read now is tried again; a run goes on.
void RunPost::escalate(std::stop_token stop) {
  state::FactLog log(*session_.journal, session_.repository.get(), "incident");
  auto carrier = carrier_for(shell_, session_, plan_, *postman_, log);
  std::string problem;
  while (!stop.stop_requested()) {
    auto turn = carrier.turn(incident_, true);
    if (turn.ok() && !turn->told.empty())
      shell_.console.note(cat("incident ", incident_, ": told ", join(turn->told, ", ")));
    const auto now_wrong = turn.ok() ? std::string() : turn.error().text();
    if (!now_wrong.empty() && now_wrong != problem)
      shell_.console.warn(cat("incident ", incident_, ": ", now_wrong));
    problem = now_wrong;
    (void)shell_.world.clock.sleep(incident_interval, stop);
  }
}

void RunPost::carry(std::stop_token stop) {
  while (!stop.stop_requested()) {
    auto carried = postman_->deliver_due(stop, cut_.get_token());
    if (carried.ok() && carried->undelivered > 0)
      shell_.console.warn(cat(carried->undelivered,
                              carried->undelivered == 1 ? " message" : " messages",
                              " could not be delivered; lifeboat message ls says which"));
    (void)shell_.world.clock.sleep(look_interval, stop);
  }
  carrier_ended_ = true;
}

Result<ActEnd> RunPost::tell(const Act& act, std::stop_token stop) {
  LB_TRY(open());
  plan::View what(act.step().what, no_files);
  notify::Notice notice;
  notice.template_name = what.text("template");
  notice.to = words_of(*act.step().what.find("to"));
  notice.values = values_of(act, shell_.world.clock.now());
  notice.letter.key = cat(act.run, "/", act.own.number);
  notice.letter.system = plan_.system;
  notice.letter.run = act.run;
  notice.letter.about = act.run;
  auto told = LB_TRY(notify::tell(*postman_, plan_, *session_.journal, *outbox_, notice));
  if (!told.draft.empty()) {
    ask_approval(act, told);
    return when_approved(act, told, stop);
  }
  auto on_the_way = LB_TRY(wait_for_delivery(notice.letter.key, stop));
  // All of them had it when the program died before it could say so.
  const auto& people = told.posted.people.empty() ? notice.to : told.posted.people;
  return ActEnd{true,
                cat("told ", join(people, ", "),
                    told.posted.known > 0 ? cat(" (", told.posted.known, " had it already)") : "",
                    on_the_way),
                Json::object(),
                {}};
}

// Until it has left, this machine alone has the message: the step is not done before, or says so.
Result<std::string> RunPost::wait_for_delivery(const std::string& key, std::stop_token stop) {
  auto& clock = shell_.world.clock;
  const auto end = clock.steady() + delivery_wait;
  for (;;) {
    auto items = LB_TRY(outbox_->items(looked_at_max));
    std::vector<std::string> waiting, failed;
    for (const auto& item : items) {
      if (item.key != key) continue;
      if (item.state == state::OutboxItem::State::waiting) waiting.push_back(item.to);
      if (item.state == state::OutboxItem::State::undelivered) failed.push_back(item.to);
    }
    auto lost = failed.empty() ? std::string() : cat("; not delivered to ", join(failed, ", "));
    if (waiting.empty()) return lost;
    if (clock.steady() >= end)
      return cat(lost, "; on its way to ", join(waiting, ", "), ", which ", shell_.host,
                 " goes on trying");
    if (!clock.sleep(delivery_look, stop))
      return Error(ErrorKind::cancelled, "stopped while a message was on its way");
  }
}

// Whoever approves hears of it; once, however often the step is gone on with.
void RunPost::ask_approval(const Act& act, const notify::Told& told) {
  auto asked = [&]() -> Status {
    const auto shown = LB_TRY(notify::show_draft(*outbox_, told.draft));
    if (shown.draft.state != state::Draft::State::draft) return {};
    notify::Letter letter;
    letter.key = cat("draft/", told.draft, "/", shown.hash.substr(0, 16));
    letter.system = plan_.system;
    letter.run = act.run;
    letter.about = act.run;
    letter.severity = notify::Severity::critical;
    letter.shareable = true;
    letter.subject = cat(plan_.system, ": a message waits for ", told.approve);
    letter.text = cat("For ", join(shown.to, ", "), ":\n\n", shown.subject, "\n\n", shown.text,
                      "\n\nlifeboat message approve ", told.draft,
                      "   holds for exactly this text and these people\n");
    auto posted = postman_->post(std::move(letter), {told.approve});
    return posted.ok() ? Status() : posted.status();
  }();
  if (!asked.ok())
    shell_.console.warn(
        cat(told.approve, " was not told that a message waits: ", asked.error().text()));
}

Result<ActEnd> RunPost::when_approved(const Act& act, const notify::Told& told,
                                      std::stop_token stop) {
  shell_.console.note(
      cat("the message waits for ", told.approve, ": lifeboat message approve ", told.draft));
  for (;;) {
    auto draft = LB_TRY(outbox_->draft(told.draft));
    if (act.waits_for_people != nullptr)
      *act.waits_for_people = draft.state == state::Draft::State::draft;
    if (draft.state == state::Draft::State::dropped)
      return Error(ErrorKind::cancelled, cat("draft ", told.draft, " was dropped"));
    if (draft.state == state::Draft::State::sent)
      return ActEnd{true, cat("sent, approved by ", draft.approved_by), Json::object(), {}};
    if (draft.state == state::Draft::State::approved) {
      auto posted = LB_TRY(notify::send_draft({*postman_, plan_, *session_.journal, *outbox_},
                                              told.draft, shell_.world.clock.now()));
      auto on_the_way = LB_TRY(wait_for_delivery(draft.key, stop));
      return ActEnd{
          true,
          cat("told ", join(posted.people, ", "), ", approved by ", draft.approved_by, on_the_way),
          Json::object(),
          {}};
    }
    if (!shell_.world.clock.sleep(look_interval, stop))
      return Error(ErrorKind::cancelled, "stopped while a draft waited for its approval");
  }
}

Status RunPost::invite(const Act& act, const std::string& person, const std::string& token,
                       const Json& shown) {
  LB_TRY(open());
  notify::Letter letter;
  letter.key = invitation_key(act, runbook::link_mark(token));
  letter.system = plan_.system;
  letter.run = act.run;
  letter.about = act.run;
  letter.severity = notify::Severity::critical;
  letter.subject = cat(plan_.system, ": a decision of ", person, " is needed");
  letter.text = cat("Runbook ", act.script.runbook, ", step ", act.own.number, ".\n\n");
  for (const auto& [name, value] : shown["facts"].members()) {
    letter.text += cat(replace_all(name, "_", " "), ": ",
                       value.is_string() ? value.string() : value.dump(), "\n");
  }
  letter.text += cat("\nlifeboat approve lifeboat:", act.run, "/", act.own.number, "/", token,
                     "\nlifeboat deny lifeboat:", act.run, "/", act.own.number, "/", token,
                     " -m REASON\n\nThe link is for you alone and counts once.\n");
  auto posted = postman_->post(std::move(letter), {person});
  return posted.ok() ? Status() : posted.status();
}

bool RunPost::invited(const Act& act, const std::string& person, const std::string& mark) {
  if (!open().ok()) return true;
  const auto items = outbox_->items(looked_at_max);
  const auto key = invitation_key(act, mark);
  return !items.ok() || std::any_of(items->begin(), items->end(), [&](const auto& item) {
    return item.key == key && item.to == person;
  });
}

void RunPost::report(const std::vector<watch::Finding>& findings) {
  if (plan_.alerts.empty()) return;
  auto posted = [&]() -> Status {
    LB_TRY(open());
    return post_findings(shell_, session_, *postman_, findings);
  }();
  if (!posted.ok())
    shell_.console.warn(cat("not everybody was told of what is wrong: ", posted.error().text()));
}

Status RunPost::inform(const Act& act, const std::string& person, const std::string& text,
                       notify::Severity severity) {
  LB_TRY(open());
  notify::Letter letter;
  letter.key = cat(act.run, "/", act.own.number, "/", act.attempt, "/",
                   to_hex(sha256(view_of(text))).substr(0, 8));
  letter.system = plan_.system;
  letter.run = act.run;
  letter.about = act.run;
  letter.severity = severity;
  letter.shareable = true;
  letter.subject = cat(plan_.system, ": runbook ", act.script.runbook, ", step ", act.own.number);
  letter.text = cat(runbook::title_of(act.step()), "\n\n", text, "\n");
  auto posted = postman_->post(std::move(letter), {person});
  return posted.ok() ? Status() : posted.status();
}

}  // namespace lb::cli
