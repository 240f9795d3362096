// CephServer: a throwaway object store for tests: a Ceph of one monitor, one store in memory and
// one S3 gateway, on loopback ports of its own, in its own folder. It takes ten to twenty seconds
// to start, so the tests of one program share it. Destroyed, or its test process killed: nothing
// stays but the folder, which the next test sweeps. Failures are std::runtime_error. Use:
//
//   if (const auto reason = lb::test::CephServer::missing()) GTEST_SKIP() << *reason;
//   auto& ceph = lb::test::CephServer::shared();
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/harness/temp_dir.h"
#include "tests/harness/tool_process.h"

namespace lb::test {

class CephServer {
 public:
  // The reason why none can be started here, or nothing.
  static std::optional<std::string> missing();
  // Started by the first test that asks, stopped at the end of the program.
  static CephServer& shared();

  CephServer();
  ~CephServer();

  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string access_key() const { return "harness"; }
  std::string secret_key() const { return "harness-secret"; }

  // The gateway alone: the objects stay.
  void stop_gateway();
  void start_gateway();
  void freeze_gateway() const;  // takes connections and answers nothing
  void thaw_gateway() const;

 private:
  void write_configuration();
  void make_keys() const;
  void start_monitor();
  void start_store();
  void make_user() const;
  std::vector<std::string> with_configuration(const std::string& program,
                                              const std::vector<std::string>& words) const;
  void run(const std::vector<std::string>& argv) const;  // must succeed
  std::unique_ptr<ToolProcess> launch(const std::vector<std::string>& argv) const;
  std::string output_of(const std::vector<std::string>& argv) const;

  TempDir folder_;
  int port_ = 0, monitor_port_ = 0, monitor_port_old_ = 0;
  std::unique_ptr<ToolProcess> monitor_, store_, gateway_;
};

}  // namespace lb::test
