// For tests of failover and back: a server that was lost follows the one that took its place.
#pragma once

#include <fstream>
#include <map>
#include <string>

#include "tests/harness/postgres_server.h"
#include "tests/integration/archiving.h"

namespace lb::test {

inline void wait_until_caught_up(const PostgresServer& standby, const PostgresServer& primary) {
  const auto end = primary.value("SELECT pg_current_wal_flush_lsn()");
  wait_for([&] {
    return standby.value("SELECT coalesce(pg_last_wal_replay_lsn() >= '" + end + "', false)") ==
           "t";
  });
}

// As a standby, with its own configuration; what only it had is gone.
inline void rejoin(PostgresServer& lost, const PostgresServer& primary) {
  std::map<std::string, std::string> own;
  for (const char* name : {"/postgresql.conf", "/pg_hba.conf"})
    own[name] = read_text(lost.data() + name);
  primary.sql("CHECKPOINT");  // pg_rewind reads the timeline from the control file
  primary.run_tool({"pg_rewind", "-D", lost.data(), "--source-server", primary.conninfo()});
  for (const auto& [name, text] : own) write_text(lost.data() + name, text);
  std::ofstream(lost.data() + "/postgresql.auto.conf", std::ios::app)
      << "primary_conninfo = 'host=" << primary.socket_folder() << " port=" << primary.port()
      << " user=postgres'\n";
  std::ofstream(lost.data() + "/standby.signal").flush();
  give_to_server_user(lost.data() + "/standby.signal");
  lost.start_again();
  wait_until_caught_up(lost, primary);
}

}  // namespace lb::test
