#include "stores/postgres/recovery_settings.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "stores/postgres/recovery_log.h"

namespace lb::pg {
namespace {

RecoveryOptions options() {
  RecoveryOptions out;
  out.folder = "/d";
  out.socket_folder = "/s'x";
  out.run_marker = "run-7";
  return out;
}

std::string made(const RecoveryTarget& target, const ServerSettings& settings,
                 bool throwaway = true) {
  auto wishes = options();
  wishes.throwaway = throwaway;
  return make_configuration(wishes, target, settings);
}

TEST(RecoverySettings, ForceIsolation) {
  auto text = made({}, {});
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"listen_addresses", ""},
                                                        {"archive_mode", "off"},
                                                        {"archive_command", ""},
                                                        {"primary_conninfo", ""},
                                                        {"ssl", "off"},
                                                        {"max_logical_replication_workers", "0"},
                                                        {"shared_preload_libraries", ""},
                                                        {"session_preload_libraries", ""},
                                                        {"local_preload_libraries", ""},
                                                        {"unix_socket_directories", "/s'x"},
                                                        {"lifeboat.run", "run-7"},
                                                        {"synchronous_standby_names", ""},
                                                        {"fsync", "off"}}) {
    EXPECT_NE(text.find(cat("\n", name, " = ", quote_setting(value), "\n")), std::string::npos)
        << name;
    EXPECT_EQ(setting_in(text, name), value);
  }
  EXPECT_EQ(made({}, {}, false).find("fsync"), std::string::npos);
}

TEST(RecoverySettings, StopWhereTheTargetSays) {
  RecoveryTarget target;
  target.timeline = 3;
  auto latest = made(target, {});
  EXPECT_EQ(setting_in(latest, "recovery_target_timeline"), "3");
  EXPECT_EQ(latest.find("recovery_target_lsn"), std::string::npos);
  target.stop_lsn = 0x1000028;
  target.inclusive = false;
  auto lsn = made(target, {});
  EXPECT_EQ(setting_in(lsn, "recovery_target_lsn"), "0/1000028");
  EXPECT_EQ(setting_in(lsn, "recovery_target_inclusive"), "off");
  target.at_consistency = true;
  auto immediate = made(target, {});
  EXPECT_EQ(setting_in(immediate, "recovery_target"), "immediate");
  EXPECT_EQ(immediate.find("recovery_target_lsn"), std::string::npos);
}

TEST(RecoverySettings, KnowTheVersion) {
  EXPECT_EQ(
      made({}, {.server_version = 130010, .control = {}, .preload = {}, .restore_command = {}})
          .find("recovery_init_sync_method"),
      std::string::npos);
  auto fifteen =
      made({}, {.server_version = 150018, .control = {}, .preload = {}, .restore_command = {}});
  EXPECT_EQ(setting_in(fifteen, "recovery_prefetch"), "off");
  EXPECT_EQ(setting_in(fifteen, "recovery_init_sync_method"), "syncfs");
}

TEST(RecoverySettings, AreAtLeastThoseOfThePrimary) {
  ServerSettings settings;
  settings.control = {.connections = 700, .prepared_transactions = 11};
  auto text = made({}, settings);
  EXPECT_EQ(setting_in(text, "max_connections"), "700");
  EXPECT_EQ(setting_in(text, "max_prepared_transactions"), "11");
  EXPECT_EQ(setting_in(text, "max_wal_senders"), "0");
  EXPECT_EQ(setting_in(text, "max_locks_per_transaction"), "64");
}

TEST(RecoverySettings, AControlFileOfNoKnownServerIsRefused) {
  Buffer control(8192);
  control[9] = 0x05;  // 1280: PostgreSQL 12's is 1201, nobody's is 1280
  EXPECT_FALSE(parse_control_limits(control).ok());
  control[8] = 0x14;  // 1300
  EXPECT_FALSE(parse_control_limits(control).ok()) << "no connections at all";
  control[181] = 2;  // 512
  EXPECT_EQ(parse_control_limits(control).take().connections, 512u);
  EXPECT_FALSE(parse_control_limits(ByteView(control).first(190)).ok());
}

TEST(RecoverySettings, OnlyLibrariesTheDataNeedsAreLoaded) {
  EXPECT_EQ(needed_libraries("pg_cron, timescaledb,pg_stat_statements,\"$libdir/citus\""),
            "timescaledb,citus");
  EXPECT_EQ(needed_libraries(""), "");
}

TEST(RecoverySettings, ReadAConfigurationAsTheServerDoes) {
  std::string text = "# a = 1\n a = 'x''y\\'z' # c\nA=2 # note\nb 'q'\nc = plain # note\n";
  EXPECT_EQ(setting_in(text, "a"), "2");
  EXPECT_EQ(setting_in("a = 'x''y\\'z' # c\n", "a"), "x'y'z");
  EXPECT_EQ(setting_in(text, "b"), "q");
  EXPECT_EQ(setting_in(text, "c"), "plain");
  EXPECT_EQ(setting_in(text, "d"), "");
}

TEST(RecoverySettings, NothingPointsAtProductionAfterwards) {
  auto text = without_production(
      "work_mem = '64MB'\nprimary_conninfo = 'host=prod password=hunter2'\n  ARCHIVE_MODE = on\n"
      "archive_command = 'cp %p /prod/%f'\nrecovery_target_time = 'x'\nprimary_slot_name 'a'\n");
  EXPECT_EQ(setting_in(text, "archive_mode"), "off");
  EXPECT_EQ(setting_in(text, "work_mem"), "64MB");
  EXPECT_EQ(setting_in(text, "primary_conninfo"), "");
  EXPECT_EQ(setting_in(text, "archive_command"), "");
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
  EXPECT_NE(text.find("Restored by Lifeboat"), std::string::npos);
}

TEST(RecoveryLog, HidesSecrets) {
  EXPECT_EQ(without_secrets("host=a password=abc user=b"), "host=a password=*** user=b");
  EXPECT_EQ(without_secrets("password = 'a b'"), "password = '*** b'");
  EXPECT_EQ(without_secrets("at postgres://me:s3cret@db/x now"), "at postgres://me:***@db/x now");
  EXPECT_EQ(without_secrets("PASSWORD=Abc"), "PASSWORD=***");
  EXPECT_EQ(without_secrets("password authentication failed for user \"x\""),
            "password authentication failed for user \"x\"");
  EXPECT_EQ(without_secrets("see https://example.org/a:b@c"), "see https://example.org/a:b@c");
}

}  // namespace
}  // namespace lb::pg
