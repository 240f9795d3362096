// PostgresServer: a throwaway PostgreSQL for one test, in its own folder, with its own socket and,
// if wished, a free loopback port. Destroyed: server stopped, folder gone. A killed test process
// takes the server with it, and the next test sweeps the folder. Failures are std::runtime_error,
// which fails the test with the message. Use at the start of a test:
//
//   if (const auto reason = lb::test::PostgresServer::missing()) GTEST_SKIP() << *reason;
//   auto server = lb::test::PostgresServer::start();
//   server->sql("CREATE TABLE t (id int)");
//
// Access: over the socket the superuser "postgres" needs no password; every other role does, there
// and on the loopback port (scram-sha-256).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/harness/temp_dir.h"
#include "tests/harness/tool_process.h"

namespace lb::test {

struct PostgresOptions {
  bool checksums = true;
  bool tcp = false;    // listen on a free port of 127.0.0.1
  bool fsync = false;  // tests kill processes, not machines
  std::string wal_level = "replica";
  int max_wal_senders = 10;
  int major = 0;                                                   // 0: that of binaries()
  int segment_mib = 16;                                            // size of a WAL segment
  std::vector<std::pair<std::string, std::string>> settings = {};  // postgresql.conf, last wins
  std::vector<std::string> hba = {};  // lines before the defaults of pg_hba.conf
};

enum class StopMode { fast, immediate, kill };

class PostgresServer {
 public:
  // The reason why no server (of that major version) can be started here, or nothing.
  static std::optional<std::string> missing(int major = 0);
  // The newest below /usr/lib/postgresql, or what LIFEBOAT_TEST_POSTGRES names: tests on another
  // major version need its initdb and postgres, some also its tools.
  static std::string binaries();
  // Of one major version: Debian's, or what tools/postgres-majors fetched below majors_folder();
  // empty without. Those have initdb, postgres and pg_ctl alone.
  static std::string binaries_of(int major);
  static std::string majors_folder();  // holds NN/bin

  static std::unique_ptr<PostgresServer> start(const PostgresOptions& options = {});
  // A streaming standby of `primary`, caught up to now or soon after; its tablespaces are not
  // supported.
  static std::unique_ptr<PostgresServer> standby_of(const PostgresServer& primary,
                                                    const PostgresOptions& options = {});
  ~PostgresServer();

  std::string conninfo(const std::string& database = "postgres") const;  // superuser, by the socket
  std::string conninfo_as(const std::string& role, const std::string& password,
                          const std::string& database = "postgres") const;  // by the port if tcp
  const std::string& folder() const { return folder_.path(); }
  std::string data() const { return folder_ / "data"; }
  std::string socket_folder() const { return folder_ / "socket"; }
  int port() const { return port_; }
  pid_t pid() const { return process_ ? process_->pid() : -1; }
  bool running() const { return process_ && process_->running(); }

  // Runs SQL as superuser. value(): first column of the first row, "" for none or NULL.
  void sql(const std::string& text, const std::string& database = "postgres") const;
  std::string value(const std::string& text, const std::string& database = "postgres") const;
  std::vector<std::vector<std::string>> rows(const std::string& text,
                                             const std::string& database = "postgres") const;
  // CREATE ROLE name LOGIN PASSWORD … attributes ("REPLICATION", "SUPERUSER", "").
  void make_role(const std::string& name, const std::string& password,
                 const std::string& attributes = "") const;

  void stop(StopMode mode = StopMode::fast);
  void start_again();  // after stop(); also after a kill
  void restart(StopMode mode = StopMode::fast);
  void promote() const;  // a standby; returns when it accepts writes
  void reload() const;
  void set(const std::string& name,
           const std::string& value) const;  // postgresql.conf; then reload()
  std::string log_text() const;

  // A client program from binaries(), whatever major the server is, with this server's socket:
  // {"pgbench", "-i", "-s", "5", "postgres"}.
  std::unique_ptr<ToolProcess> start_tool(std::vector<std::string> argv) const;
  void run_tool(const std::vector<std::string>& argv) const;  // to the end; must succeed

 private:
  PostgresServer();
  void configure(const PostgresOptions& options);
  void launch();
  void run_program(const std::vector<std::string>& argv, const std::string& log_name) const;

  TempDir folder_;
  std::string binaries_ = binaries();
  int port_ = 5432;
  bool tcp_ = false;
  mutable std::unique_ptr<ToolProcess> process_;
};

}  // namespace lb::test
