// What a run needs of machines: room on disks, ports, programs.
#include <algorithm>
#include <map>

#include "app/cli/run_preflight.h"
#include "app/cli/runbook_looks.h"
#include "operations/runbook/command_programs.h"
#include "stores/files/store.h"
#include "stores/postgres/restore.h"
#include "stores/postgres/target_folder.h"

namespace lb::cli {

namespace {

constexpr Micros request_limit = std::chrono::seconds(10);
constexpr std::size_t port_table_max = 16 << 20;

// What restores take of one file system.
struct DiskNeed {
  std::string folder;  // one that is there
  std::uint64_t bytes = 0;
  std::vector<std::string> written_over;
};

Result<std::uint64_t> bytes_of(repo::SnapshotReader& point, plan::StoreKind kind) {
  if (kind == plan::StoreKind::postgres) return pg::bytes_needed_at_most(point);
  auto need = LB_TRY(files::space_needed(point));
  return need.bytes;
}

// Nothing when this machine does not say who listens.
std::optional<std::vector<std::uint16_t>> taken_ports(Files& files) {
  std::vector<std::uint16_t> out;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    auto text = read_file(files, table, port_table_max);
    // A machine without IPv6 has no such table.
    bool none = !text.ok() && text.error().kind() == ErrorKind::not_found;
    if (none && std::string_view(table) == "/proc/net/tcp6") continue;
    if (!text.ok()) return std::nullopt;
    for (auto port : runbook::listening_ports(std::string(text_of(*text)))) out.push_back(port);
  }
  return out;
}

}  // namespace

void Preflight::disk() {
  auto& files = shell_.world.files;
  std::map<std::uint64_t, DiskNeed> needs;
  for (const auto& going : goings("disk")) {
    auto what = cat("disk for ", going.wanted.store->name, " in ", going.wanted.target->name);
    auto taken = [&]() -> Status {
      auto point = LB_TRY(point_of(*going.wanted.store));
      auto bytes = LB_TRY(bytes_of(*point, going.wanted.store->kind));
      bool server = going.place.folder.empty(), beside = going.wanted.lies_beside();
      auto folder = server ? session_.sandbox_root : going.place.folder;
      auto nearest =
          LB_TRY(nearest_folder(files, beside && !server ? path_parent(folder) : folder));
      auto info = LB_TRY(files.info(nearest + "/."));
      auto& need = needs[info.device];
      need.folder = nearest;
      need.bytes += bytes;
      if (!server && !beside && nearest == folder) need.written_over.push_back(folder);
      if (server)
        add(State::told, cat(what, ": the disk of the server cannot be seen from here; at most ",
                             human_size(point->info().logical_bytes), " go there"));
      return {};
    }();
    if (!taken.ok()) unseen(what, taken.error());
  }
  for (auto& [device, need] : needs) disk_has(need.folder, need.bytes, need.written_over);
  if (!needs.empty() || !needs_.not_known.empty() || !needs_.restores.empty()) return;
  auto space = files.space(session_.plan.folder);
  if (!space.ok()) return unseen("disk", space.error());
  add(State::told, cat("disk: no step restores into a folder; ", human_size(space->available),
                       " free in ", session_.plan.folder));
}

void Preflight::disk_has(const std::string& folder, std::uint64_t bytes,
                         const std::vector<std::string>& written_over) {
  auto space = shell_.world.files.space(folder);
  if (!space.ok()) return unseen(cat("disk of ", folder), space.error());
  auto available = space->available;
  // Going through what is there takes its time: only where it decides.
  for (const auto& over : written_over) {
    if (available >= bytes) break;
    auto present = pg::allocated_bytes(shell_.world.files, over);
    if (!present.ok()) return unseen(cat("disk of ", folder), present.error());
    available += *present;
  }
  auto text = cat("disk of ", folder, ": ", human_size(bytes), " needed, ", human_size(available),
                  " available");
  if (available >= bytes) return add(State::good, text);
  add(State::missing, text, cat("free space in ", folder, ", or restore to a roomier place"));
}

void Preflight::ports() {
  for (const auto& text : needs_.not_known) add(State::unseen, cat("ports: ", text));
  auto taken = taken_ports(shell_.world.files);
  bool any = false;
  for (const auto* target : needs_.targets) {
    if (target->url.empty()) continue;
    any = true;
    port(*target, taken ? &*taken : nullptr);
  }
  if (!any && needs_.not_known.empty())
    add(State::told, "ports: nothing was looked at, no target of the steps has a url");
}

// `taken`: the ports of this machine on which something listens; null: it does not say.
void Preflight::port(const plan::Target& target, const std::vector<std::uint16_t>* taken) {
  auto place = runbook::place_of_url(target.url);
  auto what = cat("port ", place.port, " of target ", target.name);
  if (place.port == 0)
    return add(State::missing, cat("ports: the url of target ", target.name, " names no port"),
               "give it as http://HOST:PORT");
  if (place.local() && taken == nullptr)
    return add(State::unseen, cat(what, ": this machine does not say who listens"),
               cat("see by hand: ss -ltnp 'sport = :", place.port, "'"));
  bool listens =
      place.local() && std::find(taken->begin(), taken->end(), place.port) != taken->end();
  if (place.local() && !listens) return add(State::good, cat(what, " is free"));
  HttpRequest request;
  request.method = "GET";
  request.url = target.url;
  request.limit = request_limit;
  auto answer = shell_.world.http.send(request);
  auto who = cat("see who it is: ss -ltnp 'sport = :", place.port, "'");
  if (place.local() && !target.start.empty())
    return add(State::missing,
               cat(what, " is taken, and ", target.start.front().name, " is to be started there"),
               who);
  if (answer.ok() && place.local())
    return add(State::told, cat(what, " is taken by what answers HTTP ", answer->status));
  if (answer.ok()) return add(State::good, cat(what, " answers: HTTP ", answer->status));
  if (place.local())
    return add(State::missing,
               cat(what, " is taken by what does not speak HTTP: ", answer.error().text()), who);
  // On another machine: it may be down, and that be why the runbook runs.
  add(State::told, cat(what, " does not answer: ", answer.error().text()));
}

void Preflight::tools() {
  std::size_t missing = 0;
  for (const auto& command : needs_.commands) {
    for (const auto& why : missing_programs(shell_, session_.plan.folder, command)) {
      ++missing;
      add(State::missing, cat("tools: ", why), "install it, or put its folder into PATH");
    }
    if (!runbook::programs_of(command).whole)
      add(State::told, cat("tools: not all that '", command, "' starts can be told beforehand"));
  }
  if (needs_.commands.empty())
    add(State::told, "tools: no step of the runbook is a command");
  else if (missing == 0)
    add(State::good, cat("tools: the programs named in ", needs_.commands.size(),
                         " commands are on this machine"));
  bool postgres = std::any_of(needs_.restores.begin(), needs_.restores.end(), [](const auto& one) {
    return one.store->kind == plan::StoreKind::postgres;
  });
  if (postgres) databases("version");
}

}  // namespace lb::cli
