#include "operations/runbook/command.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::runbook {

namespace {

constexpr std::size_t output_max = 32 << 10;  // of each stream, in the journal
constexpr Micros kill_limit = std::chrono::seconds(10);
constexpr std::size_t proc_file_max = 4 << 20;

void collect_env(const YamlNode& node, std::vector<std::string>& out) {
  if (node.is_scalar() && node.text.starts_with("env:")) out.push_back(node.text.substr(4));
  for (const auto& item : node.items) collect_env(item, out);
  for (const auto& entry : node.entries) collect_env(entry.value, out);
}

// What opens the repository or signs evidence is nothing a command of a runbook needs, unless the
// step says that it calls lifeboat (key: true).
std::vector<std::string> kept_back(const plan::Plan& plan, bool gives_key) {
  std::vector<std::string> out;
  auto add = [&](const plan::Reference& reference) {
    if (reference.kind == plan::Reference::Kind::env) out.push_back(reference.value);
  };
  if (!gives_key) add(plan.repository.key);
  add(plan.evidence.sign);
  for (const auto& copy : plan.repository.copies) {
    if (!gives_key) add(copy.key);
  }
  return out;
}

bool has_small_letter(const std::string& name) {
  return std::any_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

// What a command said last, as a part of a sentence: a line may be as long as the whole output.
std::string last_line(const std::string& text) {
  constexpr std::size_t said_max = 300;
  auto rest = trim(text);
  auto at = rest.rfind('\n');
  auto line = printable(at == std::string::npos ? rest : rest.substr(at + 1));
  if (line.size() <= said_max) return line;
  auto begin = line.size() - said_max;
  auto inside = [&] { return (static_cast<unsigned char>(line[begin]) & 0xC0) == 0x80; };
  while (begin < line.size() && inside()) ++begin;
  return cat("…", line.substr(begin));
}

// Journals and reports are text, whatever a command prints.
std::string as_text(const std::string& bytes) {
  std::string out;
  for (auto& line : split(bytes, '\n')) {
    if (!out.empty()) out += '\n';
    out += replace_all(printable(replace_all(line, "\t", "    ")), "\\x0d", "");
  }
  return out;
}

// Process -> its words.
std::map<std::string, std::string> survivors(Files& files, const std::string& marker) {
  std::map<std::string, std::string> out;
  auto entries = files.list("/proc");
  if (!entries.ok()) return out;
  const auto wanted = cat("LIFEBOAT_STEP=", marker);
  for (const auto& entry : *entries) {
    if (!parse_uint(entry.name).ok()) continue;
    auto environment = read_file(files, cat("/proc/", entry.name, "/environ"), proc_file_max);
    if (!environment.ok()) continue;
    auto variables = split(text_of(*environment), '\0');
    if (std::find(variables.begin(), variables.end(), wanted) == variables.end()) continue;
    auto words = read_file(files, cat("/proc/", entry.name, "/cmdline"), proc_file_max);
    auto shown = words.ok() ? replace_all(std::string(text_of(*words)), std::string(1, '\0'), " ")
                            : std::string();
    out.emplace(entry.name, printable(trim(shown)));
  }
  return out;
}

// Secrets go before bytes are made text, which may change them, and after: those of several lines.
std::string shown(const std::string& kept, const check::Redactor& redactor) {
  auto clean = kept.size() < output_max ? redactor.clean(kept) : redactor.clean_end(kept);
  return redactor.clean(as_text(clean));
}

}  // namespace

std::string marker_of(const Act& act) {
  return cat(act.run, "/", act.own.number, "/", act.attempt);
}

Environment environment_of(const Act& act, const std::map<std::string, std::string>& own) {
  auto all = own;
  for (const auto& name : kept_back(act.plan, act.step().gives_key)) all.erase(name);
  for (const auto& [name, value] : act.variables) {
    if (has_small_letter(name)) all[name] = value;
  }
  all["LIFEBOAT_RUN"] = act.run;
  all["LIFEBOAT_STEP"] = marker_of(act);
  return {all.begin(), all.end()};
}

ActEnd run_command(World& world, const CommandWish& wish, const check::Redactor& redactor,
                   std::stop_token stop) {
  Command command;
  command.argv = {"/bin/sh", "-c", wish.text};
  command.environment = wish.environment;
  command.directory = wish.folder;
  command.output_max = output_max;
  command.keep_end = true;
  Finished unfinished;
  command.unfinished = &unfinished;
  auto began = world.clock.steady();
  auto finished = world.processes.run(command, wish.limit, stop);
  const auto& kept = finished.ok() ? *finished : unfinished;
  ActEnd out;
  out.ok = finished.ok() && finished->ok();
  out.data.set("took_us", std::int64_t{(world.clock.steady() - began).count()});
  auto output = shown(kept.output, redactor), errors = shown(kept.errors, redactor);
  if (!output.empty()) out.data.set("output", output);
  if (!errors.empty()) out.data.set("errors", errors);
  if (!finished.ok()) {
    out.text = redactor.clean(finished.error().text());
    if (finished.error().kind() == ErrorKind::timeout) out.data.set("limit", true);
    return out;
  }
  if (finished->signal != 0) {
    out.data.set("signal", finished->signal);
    out.text = cat("ended by signal ", finished->signal);
    return out;
  }
  out.data.set("code", finished->exit_code);
  auto said = last_line(errors.empty() ? output : errors);
  out.text = cat("exit code ", finished->exit_code, said.empty() ? "" : ": ", said);
  return out;
}

// A process on its way out may still be in the middle of a write, and one that was looked at may
// have started another since: all are gone when a look finds none.
std::vector<std::string> end_survivors(World& world, const std::string& marker) {
  constexpr int looks_max = 500;
  constexpr Micros look_interval = std::chrono::milliseconds(20);
  std::map<std::string, std::string> ended;
  for (int look = 0; look < looks_max; ++look) {
    auto alive = survivors(world.files, marker);
    if (alive.empty()) break;
    std::string numbers;
    for (const auto& [number, words] : alive) numbers += cat(" ", number);
    ended.insert(alive.begin(), alive.end());
    Command kill;
    kill.argv = {"/bin/sh", "-c", cat("kill -KILL", numbers)};
    (void)world.processes.run(kill, kill_limit, {}).ok();
    (void)world.clock.sleep(look_interval, {});
  }
  std::vector<std::string> out;
  for (const auto& [number, words] : ended) out.push_back(cat(number, " ", words));
  return out;
}

check::Redactor redactor_of(const plan::Plan& plan, const std::map<std::string, std::string>& own) {
  check::Redactor out;
  std::vector<std::string> names;
  collect_env(plan.tree, names);
  for (const auto& [name, value] : own) {
    bool named = std::find(names.begin(), names.end(), name) != names.end();
    if (named || check::looks_secret(name)) out.add(value);
  }
  return out;
}

}  // namespace lb::runbook
