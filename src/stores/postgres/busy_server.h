// BusyServer: a real server whose relations change in every way the tests of changed pages know of,
// picked by a seed. For tests only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "foundation/sys/random.h"
#include "tests/harness/postgres_server.h"

namespace lb::pg {

class BusyServer {
 public:
  // Without checksums hint bits are logged by wal_log_hints.
  explicit BusyServer(std::uint64_t seed, bool checksums = true);
  test::PostgresServer& server() { return *server_; }
  // As many steps; each is one of some forty kinds.
  void work(int steps);
  // One of each kind, whatever the chance says.
  void work_through_all();
  int version() const { return version_; }  // major
  // Folders of the cluster's tablespaces, outside its data.
  std::vector<std::string> tablespaces() const { return {space_}; }

 private:
  void set_up();
  void step(std::size_t kind);
  void rows(std::size_t kind);
  void files(std::size_t kind);
  void databases(std::size_t kind);
  void odds(std::size_t kind);
  void empty_the_end();
  void lose_the_end();
  std::string some_table();
  std::uint64_t some(std::uint64_t below) { return random_->below(below); }
  void sql(const std::string& text, const std::string& database = "postgres");

  std::unique_ptr<Random> random_;
  std::unique_ptr<test::PostgresServer> server_;
  std::string space_;
  int version_ = 0;
  int made_ = 0;  // numbers of what is made on the way
};

}  // namespace lb::pg
