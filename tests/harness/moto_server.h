// MotoServer: the S3 of moto (a Python imitation of AWS) on a loopback port, for one program of
// tests. It is no Debian package, so it is used where the
// caller happens to have it, and runs as the caller.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tests/harness/temp_dir.h"
#include "tests/harness/tool_process.h"

namespace lb::test {

class MotoServer {
 public:
  static std::optional<std::string> missing();
  static MotoServer& shared();

  MotoServer();
  ~MotoServer();
  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  TempDir folder_;
  int port_ = 0;
  std::unique_ptr<ToolProcess> process_;
};

}  // namespace lb::test
