#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/view.h"
#include "model/report/runbook_steps.h"

namespace lb::report {

namespace {

using plan::View;

struct Words {
  const plan::Plan& plan;
  const plan::Step& step;
  View what;
};

// "db", "group app", "$store": the subject of restore, choose, assess, bisect.
std::string subject(const View& what) {
  if (what.has("group")) return cat("group ", what.text("group"));
  return what.text("store");
}

// Where the service of a protected target answers: checks and waits by hand ask there.
std::string service_url(const plan::Plan& plan) {
  for (const auto& target : plan.targets) {
    if (target.protect && !target.url.empty()) return target.url;
  }
  return "http://HOST";
}

// "GET /health" as a command.
std::string curl(const plan::Plan& plan, const std::string& request) {
  auto space = request.find(' ');
  auto method = request.substr(0, space);
  auto path = space == std::string::npos ? std::string() : std::string(trim(request.substr(space)));
  auto address = path.starts_with("http") ? path : cat(service_url(plan), path);
  return cat("curl -fsS ", method == "GET" ? "" : cat("-X ", method, " "), "'", address, "'");
}

std::string quoted(const std::string& text) {
  return cat("'", replace_all(text, "'", "'\\''"), "'");
}

std::string address_of(const plan::Plan& plan, const std::string& store) {
  const auto* found = plan.store(store);
  return found == nullptr ? "CONNECTION" : found->address.text();
}

void describe_run(const Words& in, PageStep& out) {
  out.title = in.step.name.empty() ? "Run a command" : in.step.name;
  out.command = in.what.text();
}

void advise_on_database(const Words& in, PageStep& out) {
  out.by_hand.words.push_back(cat(
      "The restored folder is a whole data directory; start a PostgreSQL of the same major version "
      "on it, on a port of its own, and look at the data before anything is exchanged."));
  if (in.what.text("how") == "beside-then-swap") {
    out.by_hand.words.push_back(
        "Then stop who writes, rename the live database, rename the restored one in its place, and "
        "keep the old one until everything has been accepted. Never drop it first.");
  }
}

void describe_restore(const Words& in, PageStep& out) {
  auto what = subject(in.what);
  out.title = cat("Restore ", what, " to ", in.what.text("to"));
  auto at = in.what.text("at");
  bool moment = !at.empty() && at != "latest";
  out.remarks.emplace_back("Point", moment ? at : "the newest, or the one chosen before");
  constexpr std::pair<const char*, const char*> facts[] = {
      {"how", "How"}, {"keep_old", "The old one is kept"}, {"mode", "Mode"}, {"from", "From"}};
  for (const auto& [key, name] : facts) {
    if (in.what.has(key)) out.remarks.emplace_back(name, in.what.text(key));
  }
  auto only = in.what.texts("only");
  if (!only.empty()) out.remarks.emplace_back("Only", join(only, ", "));
  std::vector<std::string> stores = {in.what.text("store")};
  if (const auto* group = in.plan.group(in.what.text("group"))) stores = group->stores;
  // A variable of a run means nothing to a shell.
  auto flag = moment ? cat(" --at ", at.starts_with('$') ? "TIME" : at) : std::string();
  std::string commands;
  for (const auto& name : stores) {
    const auto* store = in.plan.store(name);
    auto kind = store == nullptr ? plan::StoreKind::files : store->kind;
    if (kind != plan::StoreKind::postgres && kind != plan::StoreKind::files) {
      out.by_hand.words.push_back(cat("Restore ", name, " with the tools of its own kind (",
                                      plan::name_of(kind), "): Lifeboat does not do it yet."));
      continue;
    }
    if (kind == plan::StoreKind::postgres) advise_on_database(in, out);
    commands += cat(commands.empty() ? "" : "\n", "lifeboat restore ", name, " --to /srv/restored-",
                    name, flag);
  }
  out.by_hand.commands = commands;
  out.by_hand.words.push_back("Write down the point that was restored, and when.");
}

// How one check is asked by hand.
std::string check_command(const plan::Plan& plan, const plan::Check& check) {
  auto psql = [&](const std::string& sql) { return cat("psql \"$DATABASE\" -c ", quoted(sql)); };
  if (const auto* sql = std::get_if<plan::CheckSql>(&check.what)) return psql(sql->sql);
  if (const auto* count = std::get_if<plan::CheckCount>(&check.what)) {
    std::vector<std::string> lines;
    for (const auto& table : count->tables)
      lines.push_back(psql(cat("SELECT count(*) FROM ", table)));
    return join(lines, "\n");
  }
  if (const auto* fresh = std::get_if<plan::CheckFresh>(&check.what))
    return psql(cat("SELECT max(", fresh->column, ") FROM ", fresh->table));
  const auto* http = std::get_if<plan::CheckHttp>(&check.what);
  // What needs a body, a token or the row of a query is more than a line can say.
  if (http == nullptr || http->json || http->bearer || !http->rows_sql.empty()) return "";
  return curl(plan, cat(http->method, " ", http->path));
}

void describe_verify(const Words& in, PageStep& out) {
  std::vector<std::string> suites;
  for (const auto& item : in.what.items()) suites.push_back(item.text());
  bool all = suites.size() == 1 && suites[0] == "all";
  out.title =
      cat("Check that the restored data is right: ", all ? "all suites" : join(suites, ", "));
  std::vector<std::string> commands;
  for (const auto& suite : in.plan.suites) {
    if (!all && std::find(suites.begin(), suites.end(), suite.name) == suites.end()) continue;
    for (const auto& check : suite.checks) {
      out.boxes.push_back({cat(suite.name, ": ", check.name), check.critical});
      auto command = check_command(in.plan, check);
      if (!command.empty()) commands.push_back(command);
    }
  }
  out.by_hand.commands = join(commands, "\n");
}

void describe_wait(const Words& in, PageStep& out) {
  if (in.what.has("for")) {
    out.title = cat("Wait ", in.what.text("for"));
  } else if (in.what.has("http")) {
    out.title = cat("Wait until ", in.what.text("http"), " answers");
    out.by_hand.commands = cat("until ", curl(in.plan, in.what.text("http")), "; do sleep 5; done");
  } else {
    out.title = "Wait until a command succeeds";
    out.command = in.what.text("run");
    out.by_hand.words = {"Repeat the command until it succeeds."};
  }
  if (in.what.has("limit")) out.remarks.emplace_back("At most", in.what.text("limit"));
}

void describe_ask(const Words& in, PageStep& out) {
  out.title = "Find out and write down";
  for (const auto& [name, kind] : in.what.entries()) {
    auto hint = kind.text() == "time" ? " (date, time, zone)" : "";
    out.answers.push_back(cat(replace_all(name, "_", " "), hint));
  }
}

void describe_choose(const Words& in, PageStep& out) {
  out.title = cat("Choose the recovery point of ", subject(in.what));
  if (in.what.has("before")) out.remarks.emplace_back("Before", in.what.text("before"));
  if (in.what.has("at")) out.remarks.emplace_back("At", in.what.text("at"));
  out.by_hand.commands = "lifeboat ls\nlifeboat info";
  out.by_hand.words = {
      cat("Take the newest point before the moment of loss; of equals one that is ",
          in.what.has("prefer") ? in.what.text("prefer") : "verified", ".")};
  out.answers = {"point", "what is lost with it"};
}

void describe_gate(const Words& in, PageStep& out) {
  auto approver = in.what.text("approve");
  auto task = in.what.text("task");
  const auto* row = in.plan.raci_task(task);
  if (approver.empty() && row != nullptr) approver = join(row->who('A'), ", ");
  out.title = cat("Stop: ", approver.empty() ? "somebody else" : approver, " decides",
                  task.empty() ? "" : cat(" (", task, ")"));
  out.decision = true;
  auto shown = in.what.texts("show");
  for (auto& one : shown) one = replace_all(one, "_", " ");
  if (!shown.empty()) out.remarks.emplace_back("Shown for it", join(shown, ", "));
  if (!approver.empty()) out.remarks.emplace_back("Reached at", reach_of(in.plan, approver));
  out.by_hand.words = {
      "Nobody approves what they asked for themselves. A decision counts only for what "
      "was shown: if it changes, ask again."};
}

void describe_notify(const Words& in, PageStep& out) {
  auto to = in.what.texts("to");
  out.title = cat("Tell ", join(to, ", "), ": ", in.what.text("template"));
  std::vector<std::string> reach;
  for (const auto& person : to) reach.push_back(reach_of(in.plan, person));
  out.remarks.emplace_back("Reached at", join(reach, "; "));
  if (const auto* message = in.plan.message(in.what.text("template"))) {
    if (!message->subject.empty()) out.remarks.emplace_back("Subject", message->subject);
    out.remarks.emplace_back("Text", message->body);
    if (!message->approve.empty()) out.remarks.emplace_back("Approved by", message->approve);
  }
}

void describe_checklist(const Words& in, PageStep& out) {
  out.title = in.step.name.empty() ? "Tick off" : in.step.name;
  for (const auto& item : in.what.items()) {
    bool map = item.node().is_mapping();
    out.boxes.push_back(
        {map ? item.text("item") : item.text(), map && item.boolean("critical", false)});
  }
}

void describe_query(const Words& in, PageStep& out) {
  out.title = cat("Ask ", in.what.text("store"), " and look at the rows");
  out.command = in.what.text("sql");
  out.by_hand.commands = cat("psql \"$DATABASE\" -c ", quoted(in.what.text("sql")));
  out.by_hand.words = {cat("$DATABASE is ", address_of(in.plan, in.what.text("store")), ".")};
  if (in.what.has("expect")) out.remarks.emplace_back("Expected", in.what.text("expect"));
}

void describe_switch(const Words& in, PageStep& out) {
  out.title = in.what.has("to") ? cat("Send traffic to ", in.what.text("to")) : "Send traffic over";
  out.command = in.what.text("run");
  if (in.what.has("write"))
    out.remarks.emplace_back("Connection is written to", in.what.text("write"));
  out.by_hand.words = {
      "Change the connection where the services read it, restart them, then see that "
      "the new place answers and the old one gets no writes."};
}

void describe_status(const Words& in, PageStep& out) {
  std::vector<std::string> names, commands;
  for (const auto& item : in.what.items()) {
    names.push_back(item.text());
    const auto* probe = in.plan.probe(item.text());
    if (probe != nullptr) out.remarks.emplace_back(item.text(), probe->url);
  }
  out.title = cat("Look at the status of ", join(names, ", "));
}

void describe_task(const Words& in, PageStep& out) {
  out.title = in.what.text();
  const auto* task = in.plan.task(in.what.text());
  if (task == nullptr) return;
  out.command = task->run;
  if (!task->review.empty()) out.by_hand.words = {cat("Read and review: ", task->review)};
  if (!task->why.empty()) out.remarks.emplace_back("Why", task->why);
}

std::string joined(const View& what) {
  std::vector<std::string> out;
  for (const auto& item : what.items()) out.push_back(item.text());
  return join(out, ", ");
}

// Verbs that need one sentence.
void describe_plainly(const Words& in, PageStep& out) {
  struct Plain {
    const char *verb, *before, *hand;
  };
  static constexpr Plain known[] = {
      {"preflight", "See that this is in place: ",
       "Space, credentials, network and repository, before anything is changed: lifeboat doctor"},
      {"check", "One check: ", ""},
      {"provision", "Make a new instance", ""},
      {"rotate", "Change credentials and keys: ",
       "Every password, key and token that who broke in may have read; then end all sessions."},
      {"free", "Make room on the disk: ",
       "Logs and temporary files first. Backups only as far as the retention allows: lifeboat "
       "prune -n"},
      {"assess", "Find out what is missing or changed in ",
       "Compare the newest good point with what is there: lifeboat diff POINT live"},
      {"bisect", "Find the last clean moment of ",
       "Restore a point in the middle of the doubtful time, look, and halve the rest; write down "
       "the last good one."},
      {"watch", "Watch: ", ""},
      {"timer", "Clock of the incident: ", "Write down the time."},
      {"banner", "", ""},
      {"manual", "", ""},
      {"document", "Write down: ", ""},
      {"postmortem", "Write the post-mortem: ",
       "What happened, when it was seen, what was lost, what helped, what will be changed and by "
       "whom."},
      {"parallel", "Side by side",
       "The steps below may be done at the same time, by different people."},
      {"use", "The steps of runbook ", ""},
  };
  for (const auto& [verb, before, hand] : known) {
    if (in.step.verb != verb) continue;
    bool mapping = in.what.node().is_mapping();
    auto value = mapping                                                     ? subject(in.what)
                 : in.step.verb == "parallel" || in.step.verb == "provision" ? ""
                                                                             : joined(in.what);
    if (in.step.verb == "watch") value = cat(in.what.text("check"), " for ", in.what.text("for"));
    out.title = cat(before, value);
    if (in.step.verb == "provision") out.command = in.what.text();
    if (*hand != '\0') out.by_hand.words = {hand};
    out.loud = in.step.verb == "banner";
  }
}

using Describe = void (*)(const Words&, PageStep&);
constexpr std::pair<std::string_view, Describe> verbs[] = {
    {"run", describe_run},     {"restore", describe_restore}, {"verify", describe_verify},
    {"wait", describe_wait},   {"ask", describe_ask},         {"choose", describe_choose},
    {"gate", describe_gate},   {"notify", describe_notify},   {"checklist", describe_checklist},
    {"query", describe_query}, {"switch", describe_switch},   {"status", describe_status},
    {"task", describe_task},
};

}  // namespace

void describe_step(const plan::Plan& plan, const plan::Step& step, PageStep& out) {
  Words words{plan, step, View(step.what, plan.files)};
  for (const auto& [verb, describe] : verbs) {
    if (step.verb == verb) return describe(words, out);
  }
  describe_plainly(words, out);
}

}  // namespace lb::report
