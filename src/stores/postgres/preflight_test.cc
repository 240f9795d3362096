#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "stores/postgres/taken_backup.h"

namespace lb::pg {
namespace {

class Preflight : public testing::Test {
 protected:
  std::unique_ptr<repo::SnapshotReader> snapshot(const std::string& fingerprint,
                                                 int version = 150018, std::uint64_t bytes = 100) {
    details_.server_version = version;
    auto writer = repository_.begin("db", nullptr, {}).take();
    auto stream = writer->open("base/1", repo::Cut::pages).take();
    stream->hole(bytes).take();
    stream->finish({}).take();
    if (!fingerprint.empty()) writer->attach(attachment_fingerprint, view_of(fingerprint)).take();
    repo::SnapshotMeta meta;
    meta.details = encode(details_).dump();
    return repository_.snapshot(writer->commit(meta).take().id).take();
  }
  const Diagnosis* failing(const PreflightOutcome& outcome) {
    for (const auto& finding : outcome.findings) {
      if (!finding.ok) return &finding;
    }
    return nullptr;
  }
  RealWorld real_;
  MemoryRepository repository_;
  SnapshotDetails details_ = MemoryRepository::snapshot_details(1, 2);
  test::TempDir temporary_;
};

TEST_F(Preflight, PassesForWhatIsInstalled) {
  if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto reader = snapshot(R"({"databases": [{"extensions": [{"name": "plpgsql"}]}]})");
  auto outcome = preflight(real_.world, *reader, {}, temporary_ / "not/yet/there");
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  auto found = failing(*outcome);
  EXPECT_EQ(found, nullptr) << found->text;
  EXPECT_GE(outcome->bytes_needed, 64u << 20);
  EXPECT_GT(outcome->bytes_available, 0u);
}

TEST_F(Preflight, AMissingExtensionIsNamed) {
  if (const auto reason = test::PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto reader = snapshot(R"({"databases": [{"extensions": [{"name": "timescaledb"}]}]})");
  auto outcome = preflight(real_.world, *reader, {}, temporary_.path());
  ASSERT_TRUE(outcome.ok());
  auto found = failing(*outcome);
  ASSERT_NE(found, nullptr);
  EXPECT_NE(found->text.find("timescaledb"), std::string::npos);
  EXPECT_NE(found->hint.find("apt"), std::string::npos);
}

TEST_F(Preflight, AnotherMajorVersionIsNamedWithItsPackage) {
  auto reader = snapshot({}, 990001);
  auto outcome = preflight(real_.world, *reader, {}, temporary_.path());
  ASSERT_TRUE(outcome.ok());
  auto found = failing(*outcome);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->text,
            "the sandbox lacks PostgreSQL 99: no server of that version is installed here");
  EXPECT_NE(found->hint.find("apt install postgresql-99"), std::string::npos);
  EXPECT_EQ(find_binaries(*real_.files, 990001).error().exit_code(), ExitCode::target_unreachable);
}

}  // namespace
}  // namespace lb::pg
