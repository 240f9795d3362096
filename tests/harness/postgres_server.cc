#include "tests/harness/postgres_server.h"

#include <libpq-fe.h>
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

using PgConnection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using PgResult = std::unique_ptr<PGresult, decltype(&PQclear)>;

std::string file_text(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string quoted(const std::string& value) {
  std::string out = "'";
  for (const char c : value) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

PgResult execute(const std::string& conninfo, const std::string& text) {
  const PgConnection connection(PQconnectdb(conninfo.c_str()), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    throw std::runtime_error(PQerrorMessage(connection.get()));
  }
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  PgResult result(PQexec(connection.get(), text.c_str()), PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(text + ": " + PQerrorMessage(connection.get()));
  }
  return result;
}

}  // namespace

std::string PostgresServer::binaries() {
  if (const char* chosen = std::getenv("LIFEBOAT_TEST_POSTGRES")) return chosen;
  for (int major = 18; major >= 13; --major) {
    const std::string folder = "/usr/lib/postgresql/" + std::to_string(major) + "/bin";
    if (::access((folder + "/postgres").c_str(), X_OK) == 0) return folder;
  }
  return {};
}

std::string PostgresServer::majors_folder() {
  if (const char* chosen = std::getenv("LIFEBOAT_POSTGRES_CACHE")) return chosen;
  if (::getuid() == 0) return "/var/cache/lifeboat/postgres";
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache != nullptr && *cache != '\0') return std::string(cache) + "/lifeboat/postgres";
  return std::string(home == nullptr ? "" : home) + "/.cache/lifeboat/postgres";
}

std::string PostgresServer::binaries_of(int major) {
  const std::string tail = std::to_string(major) + "/bin";
  for (const std::string& folder : {"/usr/lib/postgresql/" + tail, majors_folder() + "/" + tail}) {
    if (::access((folder + "/postgres").c_str(), X_OK) == 0) return folder;
  }
  return {};
}

std::optional<std::string> PostgresServer::missing(int major) {
  if (major != 0 && binaries_of(major).empty()) {
    return "no PostgreSQL " + std::to_string(major) +
           " here; tools/postgres-majors fetches one where npm can";
  }
  if (binaries().empty()) return "no PostgreSQL server binaries below /usr/lib/postgresql";
  if (!server_user()) return "running as root, and there is no user postgres to run a server";
  return std::nullopt;
}

PostgresServer::PostgresServer() {
  give_to_server_user(folder_.path());
  std::filesystem::create_directory(socket_folder());
  std::filesystem::permissions(socket_folder(), std::filesystem::perms::owner_all);
  give_to_server_user(socket_folder());
}

std::unique_ptr<PostgresServer> PostgresServer::start(const PostgresOptions& options) {
  std::unique_ptr<PostgresServer> server(new PostgresServer);
  if (options.major != 0) server->binaries_ = binaries_of(options.major);
  std::vector<std::string> argv = {"initdb", "-D",   server->data(), "-U",           "postgres",
                                   "-E",     "UTF8", "--locale=C",   "--auth=trust", "--no-sync"};
  argv.push_back("--wal-segsize=" + std::to_string(options.segment_mib));
  if (options.checksums) argv.push_back("--data-checksums");
  if (!options.checksums && options.major >= 18) argv.push_back("--no-data-checksums");
  server->run_program(argv, "initdb.log");
  server->configure(options);
  server->launch();
  return server;
}

std::unique_ptr<PostgresServer> PostgresServer::standby_of(const PostgresServer& primary,
                                                           const PostgresOptions& options) {
  std::unique_ptr<PostgresServer> server(new PostgresServer);
  server->run_program({"pg_basebackup", "-D", server->data(), "-R", "-c", "fast", "--no-sync", "-d",
                       primary.conninfo()},
                      "basebackup.log");
  server->configure(options);
  server->launch();
  return server;
}

void PostgresServer::configure(const PostgresOptions& options) {
  tcp_ = options.tcp;
  if (tcp_) port_ = free_port();
  std::ofstream conf(data() + "/postgresql.conf", std::ios::app);
  conf << "\n# test harness\nlisten_addresses = '" << (tcp_ ? "127.0.0.1" : "") << "'\n"
       << "port = " << port_ << "\nunix_socket_directories = " << quoted(socket_folder()) << "\n"
       << "fsync = " << (options.fsync ? "on" : "off") << "\nwal_level = " << options.wal_level
       << "\nmax_wal_senders = " << options.max_wal_senders
       << "\nmax_replication_slots = 10\nshared_buffers = 32MB\nmax_connections = 40\n"
       << "logging_collector = off\n";
  for (const auto& [name, value] : options.settings) conf << name << " = " << quoted(value) << "\n";
  std::ofstream hba(data() + "/pg_hba.conf", std::ios::trunc);
  for (const std::string& line : options.hba) hba << line << "\n";
  hba << "local all postgres trust\nlocal replication postgres trust\n"
      << "local all all scram-sha-256\nlocal replication all scram-sha-256\n"
      << "host all all 127.0.0.1/32 scram-sha-256\n"
      << "host replication all 127.0.0.1/32 scram-sha-256\n";
}

void PostgresServer::launch() {
  // SIGQUIT: an immediate shutdown that takes the server's own children with it.
  process_ =
      std::make_unique<ToolProcess>(std::vector<std::string>{binaries_ + "/postgres", "-D", data()},
                                    folder_ / "server.log", SIGQUIT);
  while (PQping(conninfo().c_str()) != PQPING_OK) {
    if (!process_->running()) throw std::runtime_error("server did not start: " + log_text());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

PostgresServer::~PostgresServer() {
  if (process_) process_->kill_with_children();
}

std::string PostgresServer::conninfo(const std::string& database) const {
  return "host=" + socket_folder() + " port=" + std::to_string(port_) +
         " user=postgres dbname=" + quoted(database);
}

std::string PostgresServer::conninfo_as(const std::string& role, const std::string& password,
                                        const std::string& database) const {
  return "host=" + (tcp_ ? std::string("127.0.0.1") : socket_folder()) +
         " port=" + std::to_string(port_) + " user=" + role + " password=" + quoted(password) +
         " dbname=" + quoted(database);
}

void PostgresServer::sql(const std::string& text, const std::string& database) const {
  execute(conninfo(database), text);
}

std::vector<std::vector<std::string>> PostgresServer::rows(const std::string& text,
                                                           const std::string& database) const {
  const PgResult result = execute(conninfo(database), text);
  std::vector<std::vector<std::string>> out;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    out.emplace_back();
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      out.back().emplace_back(PQgetvalue(result.get(), row, column));
    }
  }
  return out;
}

std::string PostgresServer::value(const std::string& text, const std::string& database) const {
  const auto found = rows(text, database);
  return found.empty() || found[0].empty() ? std::string() : found[0][0];
}

void PostgresServer::make_role(const std::string& name, const std::string& password,
                               const std::string& attributes) const {
  sql("CREATE ROLE " + name + " LOGIN PASSWORD " + quoted(password) + " " + attributes);
}

void PostgresServer::stop(StopMode mode) {
  if (!process_) return;
  if (mode == StopMode::kill) {
    process_->kill_with_children();
  } else {
    process_->signal(mode == StopMode::fast ? SIGINT : SIGQUIT);
    process_->wait();
  }
  process_.reset();
}

void PostgresServer::start_again() { launch(); }

void PostgresServer::restart(StopMode mode) {
  stop(mode);
  launch();
}

void PostgresServer::promote() const {
  sql("SELECT pg_promote(true, 600)");
  while (value("SELECT pg_is_in_recovery()") != "f") {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void PostgresServer::reload() const { sql("SELECT pg_reload_conf()"); }

void PostgresServer::set(const std::string& name, const std::string& value) const {
  std::ofstream(data() + "/postgresql.conf", std::ios::app)
      << name << " = " << quoted(value) << "\n";
}

std::string PostgresServer::log_text() const { return file_text(folder_ / "server.log"); }

std::unique_ptr<ToolProcess> PostgresServer::start_tool(std::vector<std::string> argv) const {
  std::vector<std::string> full = {"/usr/bin/env", "PGHOST=" + socket_folder(),
                                   "PGPORT=" + std::to_string(port_), "PGUSER=postgres"};
  argv[0] = binaries() + "/" + argv[0];
  full.insert(full.end(), argv.begin(), argv.end());
  return std::make_unique<ToolProcess>(full, folder_ / "tool.log", SIGKILL);
}

void PostgresServer::run_tool(const std::vector<std::string>& argv) const {
  if (start_tool(argv)->wait() != 0) {
    throw std::runtime_error(argv[0] + " failed: " + file_text(folder_ / "tool.log"));
  }
}

void PostgresServer::run_program(const std::vector<std::string>& argv,
                                 const std::string& log_name) const {
  std::vector<std::string> full = argv;
  full[0] = binaries_ + "/" + full[0];
  if (ToolProcess(full, folder_ / log_name, SIGKILL).wait() != 0) {
    throw std::runtime_error(argv[0] + " failed: " + file_text(folder_ / log_name));
  }
}

}  // namespace lb::test
