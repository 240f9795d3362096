#include "stores/postgres/server_lack.h"

#include <gtest/gtest.h>

namespace lb::pg {
namespace {

TEST(ServerLack, IsTheMachinesNotTheBackups) {
  for (const char* said :
       {"FATAL:  could not access file \"timescaledb\": No such file or directory",
        "ERROR:  could not load library \"/usr/lib/x.so\": undefined symbol: f",
        "FATAL:  resource manager with ID 138 not registered | HINT:  Include the extension module",
        "FATAL:  database locale is incompatible with operating system | DETAIL:  The database was "
        "initialized with LC_COLLATE \"de_AT.UTF-8\",  which is not recognized by setlocale().",
        "FATAL:  database files are incompatible with server | DETAIL:  The database cluster was "
        "initialized with BLCKSZ 16384, but the server was compiled with BLCKSZ 8192.",
        "PANIC:  could not write to file \"pg_wal/xlogtemp.9\": No space left on device",
        "FATAL:  could not map anonymous shared memory: Cannot allocate memory"}) {
    auto lack = lack_told_by(said);
    ASSERT_TRUE(lack.has_value()) << said;
    EXPECT_EQ(lack->kind(), ErrorKind::unsupported) << said;
    EXPECT_EQ(lack->exit_code(), ExitCode::target_unreachable) << said;
    EXPECT_FALSE(lack->hint().empty()) << said;
    EXPECT_NE(lack->text().find(said), std::string::npos) << "the server's own words stay";
  }
}

TEST(ServerLack, DamageIsNeverTakenForOne) {
  for (const char* said :
       {"", "PANIC:  could not locate a valid checkpoint record",
        "FATAL:  could not open file \"base/5/1259\": No such file or directory",
        "ERROR:  invalid page in block 7 of relation base/5/16384",
        "FATAL:  incorrect checksum in control file",
        "ERROR:  could not access status of transaction 731",
        "FATAL:  recovery ended before configured recovery target was reached"}) {
    EXPECT_FALSE(lack_told_by(said).has_value()) << said;
  }
}

}  // namespace
}  // namespace lb::pg
