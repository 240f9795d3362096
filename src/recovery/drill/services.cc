// The part of a drill after the restore: services, checks, description, clean-up.
#include "foundation/base/text.h"
#include "model/plan/reader.h"
#include "recovery/check/recorded.h"
#include "recovery/check/redactor.h"
#include "recovery/drill/runner.h"
#include "stores/postgres/snapshot_details.h"

namespace lb::drill {

namespace {

constexpr Micros service_start_limit = Seconds(60);
constexpr Micros service_poll = Micros(50000);
constexpr std::size_t log_tail_bytes = 2000;
constexpr std::size_t secret_bytes_min = 4;

std::string tail_of(Files& files, const std::string& path) {
  auto file = files.open_read(path);
  if (!file.ok()) return {};
  auto info = (*file)->info();
  if (!info.ok()) return {};
  auto size = info->size;
  auto from = size > log_tail_bytes ? size - log_tail_bytes : 0;
  Buffer bytes(size - from);
  auto got = (*file)->read_at(bytes, from);
  if (!got.ok()) return {};
  return std::string(trim(text_of(ByteView(bytes).first(*got))));
}

std::string variable_name(const std::string& store, const std::string& suffix) {
  std::string out = "LIFEBOAT_";
  for (char c : store) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    out += letter ? static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c) : '_';
  }
  return cat(out, "_", suffix);
}

}  // namespace

std::string database_url(const pg::RecoveryServer& server, const std::string& database) {
  return cat(server.conninfo(), " dbname='",
             replace_all(replace_all(database, "\\", "\\\\"), "'", "\\'"), "'");
}

Result<Environment> Runner::service_environment() {
  Environment out = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                     {"LANG", "C.UTF-8"},
                     {"HOME", path_join(folder_, "work")},
                     {"LIFEBOAT_RUN", run_marker_}};
  std::vector<std::pair<std::string, std::string>> places;  // "$db" -> where the restored copy is
  for (const auto& drilled : stores_) {
    bool database = drilled.server != nullptr;
    auto place =
        database ? database_url(*drilled.server, drilled.choice.details->database) : drilled.folder;
    out.emplace_back(variable_name(drilled.store->name, database ? "URL" : "PATH"), place);
    places.emplace_back(cat("$", drilled.store->name), place);
  }
  for (const auto& [name, reference] : target_->environment) {
    auto value = LB_TRY(tools_.references.secret(reference));
    std::string text(value.reveal());
    // A number of workers is none, and a report without its numbers would say nothing.
    bool secret = text.size() >= secret_bytes_min || check::looks_secret(name);
    if (secret && reference.kind != plan::Reference::Kind::literal) secrets_.push_back(text);
    for (const auto& [word, place] : places) {
      if (text == word) text = place;
    }
    out.emplace_back(name, text);
  }
  return out;
}

Status Runner::start_services(std::stop_token stop) {
  if (target_ == nullptr || target_->start.empty()) return {};
  auto environment = LB_TRY(service_environment());
  for (const auto& service : target_->start) {
    auto timer = stages_.begin(cat("start ", service.name));
    Command command;
    command.argv = {"/bin/sh", "-c", service.command};
    command.environment = environment;
    command.directory = request_.plan_folder;
    command.log_path = path_join(path_join(folder_, "work"), cat(service.name, ".log"));
    services_.emplace_back(
        service.name,
        LB_TRY(sandbox_->start(command).context(cat("start service ", service.name))));
    service_logs_[service.name] = command.log_path;
    timer.finish(true);
  }
  if (target_->url.empty()) return {};
  auto timer = stages_.begin("wait for service");
  auto http = sandbox_->http();
  auto served = wait_until_served(*http, stop);
  timer.finish(served.ok());
  return served;
}

Status Runner::wait_until_served(Http& http, std::stop_token stop) {
  auto& clock = tools_.world.clock;
  auto deadline = clock.steady() + service_start_limit;
  for (;;) {
    for (auto& [name, child] : services_) {
      auto finished = LB_TRY(child->poll());
      if (!finished) continue;
      auto log =
          tail_of(tools_.world.files, path_join(path_join(folder_, "work"), cat(name, ".log")));
      bool missing = finished->exit_code == 126 || finished->exit_code == 127;
      ending_.sandbox_lacks = missing;
      return Error(missing ? ErrorKind::unsupported : ErrorKind::unavailable,
                   cat("service ", name, " ended with exit code ", finished->exit_code,
                       log.empty() ? "" : cat(": ", printable(log))))
          .with_hint(missing ? "install what the service's command needs on this machine"
                             : "the service's log is quoted; a service must not need anything but "
                               "the restored stores");
    }
    HttpRequest request;
    request.url = target_->url;
    request.limit = Seconds(2);
    if (http.send(request).ok()) return {};
    if (clock.steady() > deadline) {
      return Error(ErrorKind::timeout, cat("no service answers at ", target_->url, " after ",
                                           human_duration(service_start_limit)));
    }
    if (!clock.sleep(service_poll, stop)) return Error(ErrorKind::cancelled, "stopped");
  }
}

check::CheckedStore Runner::checked(DrilledStore& drilled) const {
  check::CheckedStore out;
  out.name = drilled.store->name;
  out.kind = drilled.store->kind;
  out.snapshot = drilled.snapshot.get();
  out.folder = drilled.folder;
  if (drilled.server == nullptr) return out;
  out.connection = database_url(*drilled.server, drilled.choice.details->database);
  out.run_marker = run_marker_;
  check::take_recorded(out, *drilled.server);
  return out;
}

Status Runner::serve(std::stop_token stop) {
  if (served_) return {};
  LB_TRY(start_services(stop));
  served_ = true;
  return {};
}

check::CheckContext Runner::check_context(Http& http, std::stop_token stop) const {
  check::CheckContext out{tools_.world, http, target_ != nullptr ? target_->url : "", {}, {}, stop};
  out.loss_moment = record_.loss_moment;
  out.environment = tools_.references.environment();
  out.sandboxed = true;
  out.service_logs = service_logs_;
  out.secrets = secrets_;
  if (target_ == nullptr) return out;
  bool alone = target_->start.size() == 1;
  for (const auto& service : target_->start)
    out.service_urls[service.name] = alone ? target_->url : "";
  return out;
}

Result<HttpAnswer> Runner::ask(const HttpRequest& request) {
  return sandbox_->http()->send(request);
}

Result<std::vector<record::CheckResult>> Runner::check(const std::vector<std::string>& suites,
                                                       std::stop_token stop) {
  auto http = sandbox_->http();
  auto context = check_context(*http, stop);
  for (auto& drilled : stores_) {
    if (restored_.contains(drilled.store->name)) context.stores.push_back(checked(drilled));
  }
  std::vector<record::CheckResult> out;
  for (const auto& name : suites) {
    const auto* suite = request_.plan.suite(name);
    LB_ASSERT(suite != nullptr);
    if (!suites_run_.insert(name).second) {
      for (const auto& result : record_.checks) {
        if (result.suite == name) out.push_back(result);
      }
      continue;
    }
    auto timer = stages_.begin(cat("check ", name));
    auto results = check::run_suite(*suite, context, saved_);
    auto judged = check::judge(results);
    timer.finish(judged.verdict == record::Verdict::pass, 0, judged.reason);
    if (results.empty()) {
      record_.findings.push_back(
          {"failure", cat("Suite ", name, " ran no check"), "Give the suite at least one check."});
    }
    for (const auto& result : results) forget_check(result);
    record_.checks.insert(record_.checks.end(), results.begin(), results.end());
    out.insert(out.end(), results.begin(), results.end());
  }
  return out;
}

// The last look counts, in the report too.
void Runner::forget_check(const record::CheckResult& again) {
  std::erase_if(record_.checks, [&](const auto& known) {
    return known.suite == again.suite && known.name == again.name && known.store == again.store;
  });
}

Result<record::CheckResult> Runner::check_one(const std::string& suite, const plan::Check& check,
                                              std::stop_token stop) {
  auto http = sandbox_->http();
  auto context = check_context(*http, stop);
  for (auto& drilled : stores_) {
    if (restored_.contains(drilled.store->name)) context.stores.push_back(checked(drilled));
  }
  auto timer = stages_.begin(cat("check ", check.name));
  auto results = check::run_suite({suite, {check}, check.place}, context, saved_);
  if (results.empty())
    return Error(ErrorKind::invalid, cat("check ", check.name, " gave no result"));
  auto result = results.front();
  timer.finish(result.state == record::CheckState::pass, 0, "");
  forget_check(result);
  record_.checks.push_back(result);
  return result;
}

std::optional<RestoredDatabase> Runner::database_of(const std::string& store) const {
  for (const auto& drilled : stores_) {
    bool there = drilled.store->name == store && restored_.contains(store);
    if (!there || drilled.server == nullptr) continue;
    return RestoredDatabase{database_url(*drilled.server, drilled.choice.details->database),
                            run_marker_};
  }
  return std::nullopt;
}

Status Runner::run_checks(std::stop_token stop) {
  if (request_.moment) {
    auto http = sandbox_->http();
    auto context = check_context(*http, stop);
    for (auto& drilled : stores_) context.stores.push_back(checked(drilled));
    LB_TRY(check_moment(context));
  }
  LB_TRY(check(request_.drill.checks, stop));
  auto blocked = sandbox_->blocked();
  if (!blocked.ok()) return std::move(blocked).take_error();
  record_.isolation.blocked_count = blocked->count;
  record_.isolation.blocked_destinations = blocked->destinations;
  record_.isolation.blocked_method = blocked->method;
  return {};
}

void Runner::describe_stores() {
  auto explained = plan::explain(request_.plan, {}, record_.started);
  for (const auto& drilled : stores_) {
    record::StoreResult out;
    const auto& snapshot = drilled.choice.snapshot;
    const auto& own = drilled.store->objective;
    out.store = drilled.store->name;
    out.kind = plan::name_of(drilled.store->kind);
    out.point = snapshot.id;
    out.point_taken = snapshot.meta.taken;
    if (!request_.moment) out.target_rpo = own.rpo ? own.rpo : record_.target_rpo;
    out.target_rto = own.rto ? own.rto : record_.target_rto;
    out.goal = own.goal;
    for (const auto& line : explained.lines) {
      if (line.store == out.store) out.worst_case_loss = line.worst_loss;
    }
    out.bytes = drilled.restored.bytes;
    out.items = drilled.restored.items;
    if (drilled.took.count() > 0 && !ending_.error) out.measured_restore = drilled.took;
    if (drilled.server != nullptr) {
      const auto& reached = drilled.server->reached();
      // Whatever was committed when the base backup ended is in it, also when the log adds nothing.
      out.reached = snapshot.meta.taken;
      bool newer = reached.last_commit && *reached.last_commit > snapshot.meta.taken;
      if (newer) out.reached = reached.last_commit;
      out.next_commit = drilled.next_commit;
      out.reached_note =
          cat(newer ? "newest commit" : "end of the base backup, no newer commit", ", LSN ",
              pg::format_lsn(reached.lsn), " on timeline ", reached.timeline);
    } else if (drilled.restored.items > 0) {
      out.reached = snapshot.meta.started;
      out.reached_note = "start of the snapshot";
    }
    for (const auto& check : record_.checks) {
      if (check.store != out.store) continue;
      ++out.checks_total;
      if (check.state == record::CheckState::pass) ++out.checks_passed;
    }
    record_.stores.push_back(std::move(out));
  }
}

void Runner::clean_up() {
  auto timer = stages_.begin("clean up");
  Status status;
  for (auto& [name, child] : services_) {
    if (auto killed = child->signal(9); !killed.ok()) tools_.log.note(killed.error().text());
  }
  services_.clear();
  for (auto& drilled : stores_) drilled.server.reset();
  if (sandbox_) status = sandbox_->stop();
  sandbox_.reset();
  if (status.ok() && !folder_.empty() && !request_.keep)
    status = remove_sandbox_folder(tools_.world.files, folder_);
  if (!status.ok()) tools_.log.warn(status.error().text());
  record_.cleaned_up = status.ok() && !request_.keep;
  timer.finish(status.ok(), 0, request_.keep ? cat("kept in ", folder_) : "");
}

}  // namespace lb::drill
