#include "operations/notify/postman.h"

#include <algorithm>
#include <array>

#include "foundation/base/text.h"
#include "foundation/flow/task_group.h"

namespace lb::notify {

namespace {

using state::OutboxItem;

constexpr unsigned workers = 4;  // one service that hangs does not hold up the others
constexpr Micros lease_beyond_limit = std::chrono::minutes(1);
constexpr Micros pause_shortest = std::chrono::milliseconds(200), pause_longest = Seconds(5);
constexpr const char* undelivered_prefix = "undelivered/";

double chance(Random& random) { return static_cast<double>(random.below(1001)) / 1000; }

Letter alert_letter(const OutboxItem& item, const Letter& letter, const Progress& progress) {
  Letter out = letter;
  const bool about_one = letter.key.starts_with(undelivered_prefix);
  out.key = cat(undelivered_prefix, item.id);
  out.about = out.key;
  out.event = Event::trigger;
  out.tried.push_back(item.to);
  if (!about_one) out.subject = cat("Not delivered to ", item.to, ": ", letter.subject);
  out.text =
      cat("This message did not reach ", item.to, ". Tried: ", what_was_tried(progress), "\n\n");
  out.text += letter.shareable
                  ? letter.text
                  : cat("Its text is for ", letter.tried.empty() ? item.to : letter.tried.front(),
                        " alone.\n");
  out.shareable = true;
  return out;
}

record::JournalEntry entry_for(const Letter& letter, const std::string& text) {
  record::JournalEntry out;
  out.act = "message";
  out.run = letter.run;
  out.text = text;
  out.details = Json::object().set("key", letter.key);
  return out;
}

}  // namespace

Micros Postman::lease() const {
  Micros longest = plan::channel_limit_default;
  for (const auto& channel : plan_.channels) longest = std::max(longest, channel.limit);
  return longest + lease_beyond_limit;
}

OutboxItem Postman::item_for(const Letter& letter, const std::string& person) const {
  const auto now = world_.clock.now();
  OutboxItem out;
  out.key = letter.key;
  out.to = person;
  out.made = out.next = now;
  out.expires = now + (letter.limit > Micros(0) ? letter.limit : limit_for(letter.severity));
  out.letter = encode(letter);
  out.progress = encode(Progress{});
  return out;
}

Result<std::vector<OutboxItem>> Postman::items_for(Letter letter,
                                                   const std::vector<std::string>& to) const {
  if (letter.key.empty() || letter.subject.empty())
    return Error(ErrorKind::internal, "a message needs a key and a subject");
  if (letter.at == Timestamp{}) letter.at = world_.clock.now();
  letter.system = plan_.system;
  std::vector<OutboxItem> out;
  for (const auto& person : people_of(plan_, to)) out.push_back(item_for(letter, person));
  if (!out.empty()) return out;
  return Error(ErrorKind::invalid,
               cat("message \"", letter.subject, "\" is for nobody: ", join(to, ", ")))
      .with_hint("name people of people: in the plan who have an address");
}

Result<Posted> Postman::post(Letter letter, const std::vector<std::string>& to) {
  auto items = LB_TRY(items_for(letter, to));
  Posted out;
  const auto count = items.size();
  auto fresh = LB_TRY(outbox_.put(std::move(items)));
  for (const auto& item : fresh) out.people.push_back(item.to);
  out.known = count - fresh.size();
  LB_TRY(note_posted(letter, fresh));
  return out;
}

Status Postman::note_posted(const Letter& letter, const std::vector<OutboxItem>& stored) {
  if (stored.empty()) return {};
  std::vector<std::string> people;
  for (const auto& item : stored) people.push_back(item.to);
  auto entry = entry_for(letter, cat("Message \"", letter.subject, "\" for ", join(people, ", ")));
  if (letter.shareable) entry.details.set("text", letter.text);
  return journal_.add(std::move(entry));
}

Result<Carried> Postman::deliver_due(std::stop_token stop, std::stop_token cut) {
  std::array<Carried, workers> parts;
  TaskGroup group(cut);
  const auto waiting = LB_TRY(outbox_.waiting());
  const auto count = std::min<std::size_t>(workers, waiting);
  for (std::size_t i = 0; i < count; ++i) {
    group.run(
        [this, &part = parts[i], &stop](std::stop_token token) { return work(part, stop, token); });
  }
  auto done = group.wait();
  if (!done.ok() && done.error().kind() != ErrorKind::cancelled)
    return std::move(done).take_error();
  Carried out;
  for (const auto& part : parts) {
    out.delivered += part.delivered;
    out.failed += part.failed;
    out.undelivered += part.undelivered;
  }
  return out;
}

Result<Carried> Postman::drain(Micros limit, std::stop_token stop) {
  const auto end = world_.clock.steady() + limit;
  Carried out;
  for (;;) {
    auto part = LB_TRY(deliver_due(stop));
    out.delivered += part.delivered;
    out.failed += part.failed;
    out.undelivered += part.undelivered;
    auto due = LB_TRY(outbox_.next_due());
    if (!due) return out;
    const auto wait = std::clamp<Micros>(*due - world_.clock.now(), pause_shortest, pause_longest);
    if (world_.clock.steady() + wait > end || !world_.clock.sleep(wait, stop)) return out;
  }
}

Status Postman::work(Carried& carried, std::stop_token stop, std::stop_token cut) {
  while (!stop.stop_requested() && !cut.stop_requested()) {
    auto item = LB_TRY(outbox_.claim(lease()));
    if (!item) return {};
    LB_TRY(carry(std::move(*item), carried, cut));
  }
  return {};
}

After Postman::attempt(const OutboxItem& item, const Letter& letter, std::stop_token stop,
                       std::string* channel) {
  std::vector<Route> routes;
  if (const auto* person = plan_.person(item.to)) routes = routes_of(plan_, *person);
  std::vector<std::string> names;
  for (const auto& route : routes) names.push_back(route.channel.name);
  After out;
  // What cannot be read back was tried an unknown number of times; trying anew loses nothing.
  auto known = decode_progress(item.progress);
  out.progress = fitted(known.ok() ? *known : Progress{}, names);
  const auto now = world_.clock.now();
  const auto choice = choose(out.progress, now, item.clock_went_back);
  if (!choice.route) {
    out.next = choice.next;
    if (choice.next == Timestamp::max()) out.state = After::State::undelivered;
    return out;
  }
  const auto& route = routes.at(*choice.route);
  *channel = route.channel.name;
  auto sent = send_letter(world_, references_, route, letter, stop);
  return after_attempt(std::move(out.progress), *choice.route, sent, world_.clock.now(),
                       item.expires, chance(world_.random));
}

Status Postman::carry(OutboxItem item, Carried& carried, std::stop_token stop) {
  auto letter = decode_letter(item.letter);
  After after;
  std::string channel;
  if (letter.ok()) {
    after = attempt(item, *letter, stop, &channel);
  } else {
    after.state = After::State::undelivered;
    after.progress.routes.push_back({"outbox", 1, {}, true, letter.error().text()});
  }
  auto done = finish(std::move(item), letter.ok() ? *letter : Letter{}, after, channel);
  // Whoever took the row over since counts it.
  if (!done.ok() && done.error().kind() == ErrorKind::conflict) return {};
  LB_TRY(std::move(done));
  if (after.state == After::State::delivered) ++carried.delivered;
  if (after.state == After::State::undelivered) ++carried.undelivered;
  if (after.state == After::State::waiting && !channel.empty()) ++carried.failed;
  return {};
}

std::vector<OutboxItem> Postman::alert_about(const OutboxItem& item, const Letter& letter,
                                             const Progress& progress) const {
  const auto next = next_person(plan_, item.to, letter.tried);
  if (next.empty()) return {};
  return {item_for(alert_letter(item, letter, progress), next)};
}

Status Postman::finish(OutboxItem item, const Letter& letter, const After& after,
                       const std::string& channel) {
  item.progress = encode(after.progress);
  const auto tried = what_was_tried(after.progress);
  if (after.state == After::State::waiting) {
    item.next = after.next;
    item.note = tried;
    return outbox_.settle(item);
  }
  const bool arrived = after.state == After::State::delivered;
  item.state = arrived ? OutboxItem::State::delivered : OutboxItem::State::undelivered;
  item.note = arrived ? cat("by ", channel, ": ", tried)
                      : cat(after.progress.routes.empty() ? "no channel of the plan reaches "
                                                          : "did not reach ",
                            item.to, ": ", tried);
  if (!letter.shareable) {
    auto rest = letter;
    rest.text.clear();
    item.letter = encode(rest);
  }
  std::vector<OutboxItem> more;
  if (!arrived) more = alert_about(item, letter, after.progress);
  const auto next = more.empty() ? std::string() : more.front().to;
  LB_TRY(outbox_.settle(item, std::move(more)));
  auto entry = entry_for(
      letter,
      arrived ? cat("Message \"", letter.subject, "\" reached ", item.to, " by ", channel)
              : cat("Message \"", letter.subject, "\" did not reach ", item.to, ": ", tried,
                    next.empty() ? "; nobody is left to be told" : cat("; ", next, " is told")));
  entry.ok = arrived;
  entry.details.set("message", item.id).set("to", item.to).set("state", name_of(item.state));
  return journal_.add(std::move(entry));
}

}  // namespace lb::notify
