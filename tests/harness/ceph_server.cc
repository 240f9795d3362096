#include "tests/harness/ceph_server.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "tests/harness/free_port.h"

namespace lb::test {
namespace {

using std::chrono::milliseconds;

constexpr auto start_max = std::chrono::seconds(240);  // on a machine that does much else
const std::string binaries = "/usr/bin/";
constexpr const char* programs[] = {"ceph",    "ceph-authtool", "ceph-mon",  "ceph-osd",
                                    "radosgw", "radosgw-admin", "monmaptool"};

std::string text_of_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string fresh_uuid() {
  auto text = text_of_file("/proc/sys/kernel/random/uuid");
  return text.substr(0, 36);
}

void make_folder(const std::string& path) {
  std::filesystem::create_directory(path);
  give_to_server_user(path);
}

}  // namespace

std::optional<std::string> CephServer::missing() {
  for (const char* name : programs) {
    if (::access((binaries + name).c_str(), X_OK) != 0) {
      return std::string(name) + " is not installed (packages ceph-mon ceph-osd radosgw)";
    }
  }
  if (!server_user()) return "no user postgres to run it as";
  return std::nullopt;
}

CephServer& CephServer::shared() {
  static CephServer server;
  return server;
}

CephServer::CephServer()
    : port_(free_port()), monitor_port_(free_port()), monitor_port_old_(free_port()) {
  give_to_server_user(folder_.path());
  for (const char* name : {"mon", "osd", "rgw", "log", "run"}) make_folder(folder_ / name);
  write_configuration();
  make_keys();
  start_monitor();
  start_store();
  make_user();
  start_gateway();
}

CephServer::~CephServer() {
  for (auto* one : {&gateway_, &store_, &monitor_}) {
    if (*one) (*one)->kill_with_children();
  }
}

void CephServer::write_configuration() {
  const std::string address = "[v2:127.0.0.1:" + std::to_string(monitor_port_) +
                              ",v1:127.0.0.1:" + std::to_string(monitor_port_old_) + "]";
  std::ofstream out(folder_ / "ceph.conf");
  out << "[global]\nfsid = " << fresh_uuid() << "\nmon host = " << address
      << "\nmon initial members = a\n"
      // The gateway does not start against a monitor that asks for no keys.
      << "auth cluster required = cephx\nauth service required = cephx\n"
      << "auth client required = cephx\nauth allow insecure global id reclaim = false\n"
      << "public addr = 127.0.0.1\ncluster addr = 127.0.0.1\nms bind ipv6 = false\n"
      << "keyring = " << folder_ / "keyring"
      << "\nrun dir = " << folder_ / "run"
      << "\nlog file = " << folder_ / "log/$name.log"
      << "\nadmin socket = " << folder_ / "run/$name"
      << "\npid file = \nmon data = " << folder_ / "mon"
      << "\nosd data = " << folder_ / "osd"
      << "\nosd objectstore = memstore\nmemstore device bytes = 4294967296\n"
      // One store, no replicas, few groups.
      << "osd pool default size = 1\nosd pool default min size = 1\nosd crush chooseleaf type = 0\n"
      << "osd pool default pg num = 8\nosd pool default pgp num = 8\n"
      << "osd pool default pg autoscale mode = off\nmon max pg per osd = 2000\n"
      << "mon allow pool size one = true\nmon warn on pool no redundancy = false\n"
      << "mon data avail warn = 1\nmon data avail crit = 1\n"
      << "[client.rgw]\nrgw data = " << folder_ / "rgw"
      << "\nrgw frontends = beast endpoint=127.0.0.1:" << port_
      << "\nrgw dns name = localhost\nrgw enable ops log = false\nrgw enable usage log = false\n";
  if (!out.flush()) throw std::runtime_error("cannot write ceph.conf");
}

std::vector<std::string> CephServer::with_configuration(
    const std::string& program, const std::vector<std::string>& words) const {
  std::vector<std::string> out = {binaries + program, "-c", folder_ / "ceph.conf"};
  out.insert(out.end(), words.begin(), words.end());
  return out;
}

std::unique_ptr<ToolProcess> CephServer::launch(const std::vector<std::string>& argv) const {
  return std::make_unique<ToolProcess>(argv, folder_ / "log/started", SIGKILL);
}

void CephServer::run(const std::vector<std::string>& argv) const {
  ToolProcess tool(argv, folder_ / "log/tools", SIGKILL);
  if (tool.wait() == 0) return;
  throw std::runtime_error(argv[0] + " failed: " + text_of_file(folder_ / "log/tools"));
}

std::string CephServer::output_of(const std::vector<std::string>& argv) const {
  const std::string path = folder_ / "log/output";
  std::filesystem::remove(path);
  ToolProcess(argv, path, SIGKILL).wait();
  return text_of_file(path);
}

void CephServer::make_keys() const {
  const std::string tool = binaries + "ceph-authtool", ring = folder_ / "keyring";
  run({tool, ring, "--create-keyring", "--gen-key", "-n", "mon.", "--cap", "mon", "allow *"});
  run({tool, ring, "--gen-key", "-n", "client.admin", "--cap", "mon", "allow *", "--cap", "osd",
       "allow *"});
  run({tool, ring, "--gen-key", "-n", "client.rgw", "--cap", "mon", "allow rwx", "--cap", "osd",
       "allow rwx"});
  run({tool, ring, "--gen-key", "-n", "osd.0", "--cap", "mon", "allow profile osd", "--cap", "osd",
       "allow *"});
}

void CephServer::start_monitor() {
  const std::string map = folder_ / "monmap";
  const std::string address = "[v2:127.0.0.1:" + std::to_string(monitor_port_) +
                              ",v1:127.0.0.1:" + std::to_string(monitor_port_old_) + "]";
  const auto conf = text_of_file(folder_ / "ceph.conf");
  const auto fsid = conf.substr(conf.find("fsid = ") + 7, 36);
  run({binaries + "monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, map});
  run(with_configuration("ceph-mon",
                         {"--mkfs", "-i", "a", "--monmap", map, "--keyring", folder_ / "keyring"}));
  monitor_ = launch(with_configuration("ceph-mon", {"-f", "-i", "a"}));
}

void CephServer::start_store() {
  const auto id = fresh_uuid();
  run(with_configuration("ceph", {"--connect-timeout", "120", "osd", "new", id}));
  run(with_configuration("ceph-osd", {"-i", "0", "--mkfs", "--osd-uuid", id}));
  store_ = launch(with_configuration("ceph-osd", {"-f", "-i", "0"}));
  const auto end = std::chrono::steady_clock::now() + start_max;
  while (output_of(with_configuration("ceph", {"osd", "stat"})).find("1 up") == std::string::npos) {
    if (!store_->running() || std::chrono::steady_clock::now() > end) {
      throw std::runtime_error("the store of ceph did not start: " +
                               text_of_file(folder_ / "log/started"));
    }
    std::this_thread::sleep_for(milliseconds(200));
  }
}

void CephServer::make_user() const {
  run(with_configuration("radosgw-admin", {"-n", "client.rgw", "user", "create", "--uid=harness",
                                           "--display-name=harness", "--access-key=" + access_key(),
                                           "--secret-key=" + secret_key()}));
}

void CephServer::start_gateway() {
  gateway_ = launch(with_configuration("radosgw", {"-f", "-n", "client.rgw"}));
  const auto end = std::chrono::steady_clock::now() + start_max;
  while (!answers(port_)) {
    if (!gateway_->running() || std::chrono::steady_clock::now() > end) {
      throw std::runtime_error("the gateway of ceph did not start: " +
                               text_of_file(folder_ / "log/started"));
    }
    std::this_thread::sleep_for(milliseconds(100));
  }
}

void CephServer::stop_gateway() {
  if (gateway_) gateway_->kill_with_children();
  gateway_.reset();
}

// A signal takes effect when each thread has seen it: until then a request may still be served.
void CephServer::freeze_gateway() const {
  gateway_->signal(SIGSTOP);
  auto stopped = [&] {
    auto tasks = "/proc/" + std::to_string(gateway_->pid()) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
      auto text = text_of_file(task.path() / "stat");
      auto name_end = text.rfind(')');
      if (name_end == std::string::npos || text.substr(name_end, 4) != ") T ") return false;
    }
    return true;
  };
  while (!stopped()) std::this_thread::sleep_for(milliseconds(5));
}
void CephServer::thaw_gateway() const { gateway_->signal(SIGCONT); }

}  // namespace lb::test
