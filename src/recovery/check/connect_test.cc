// connect: what accepts passes, what refuses fails, what cannot be asked is an error.
#include <gtest/gtest.h>

#include "foundation/sys/http_probe.h"
#include "foundation/sys/test_folder.h"
#include "recovery/check/checks_fixture.h"

namespace lb::check {
namespace {

using record::CheckState;

class ConnectToStores : public PostgresTest {};

TEST_F(ConnectToStores, TheRestoredDatabaseAnswers) {
  CopyBench bench;
  auto right = bench.run_what(plan::CheckConnect{"db"});
  EXPECT_EQ(right.state, CheckState::pass) << all_text(right);
  EXPECT_EQ(right.examined, 1u);
  EXPECT_EQ(right.store, "db");
  EXPECT_EQ(right.kind, "connect");
}

TEST_F(ConnectToStores, AServerThatIsAwayOrLetsNobodyInFails) {
  CopyBench bench;
  auto right = bench.store().connection;
  for (const char* wrong : {" dbname=gone", " user=nobody_here", " port=1"}) {
    bench.store().connection = cat(right, wrong);
    auto result = bench.run_what(plan::CheckConnect{"db"});
    EXPECT_EQ(result.state, CheckState::fail) << wrong << "\n" << all_text(result);
    EXPECT_NE(result.reason.find("db accepts no connection: "), std::string::npos) << result.reason;
    EXPECT_EQ(result.examined, 1u);
  }
}

TEST_F(ConnectToStores, TheWrongServerOrNoneToAskIsAnError) {
  CopyBench bench;
  bench.store().run_marker = "another run";
  auto other = bench.run_what(plan::CheckConnect{"db"});
  EXPECT_EQ(other.state, CheckState::error) << all_text(other);
  EXPECT_NE(other.reason.find("marker"), std::string::npos) << other.reason;
  bench.store().run_marker = run_marker;
  bench.store().connection = "not a connection string";
  EXPECT_EQ(bench.run_what(plan::CheckConnect{"db"}).state, CheckState::error);
}

TEST(Connect, TheRootOfRestoredFilesIsListed) {
  TestFolder folder;
  CheckBench bench;
  CheckedStore media;
  media.name = "media";
  media.folder = folder.path();
  bench.context.stores.push_back(std::move(media));
  ASSERT_TRUE(bench.files->make_directory(folder / "videos", 0755).ok());
  auto right = bench.run_what(plan::CheckConnect{"media"});
  EXPECT_EQ(right.state, CheckState::pass) << all_text(right);
  EXPECT_EQ(right.got, "1 entries in its root");
  EXPECT_EQ(right.store, "media");

  bench.context.stores[0].folder = folder / "gone";
  auto gone = bench.run_what(plan::CheckConnect{"media"});
  EXPECT_EQ(gone.state, CheckState::fail) << all_text(gone);
  bench.context.stores[0].folder = "";
  EXPECT_EQ(bench.run_what(plan::CheckConnect{"media"}).state, CheckState::error);
}

TEST(Connect, AServiceAnswersAtTheUrlOfItsTarget) {
  CheckBench bench([](const HttpRequest&) { return answer_of(503, ""); });
  bench.context.service_urls = {{"api", "http://127.0.0.1:8000"}, {"worker", ""}};
  auto right = bench.run_what(plan::CheckConnect{"api"});
  EXPECT_EQ(right.state, CheckState::pass) << "any status is an answer\n" << all_text(right);
  EXPECT_EQ(right.store, "");
  EXPECT_EQ(bench.http.requests().at(0).url, "http://127.0.0.1:8000");

  auto unknown = bench.run_what(plan::CheckConnect{"worker"});
  EXPECT_EQ(unknown.state, CheckState::error) << all_text(unknown);
  EXPECT_NE(unknown.reason.find("listens is not known"), std::string::npos) << unknown.reason;
  // A store that is not here must not be taken for the service that answers at the target's url.
  auto absent = bench.run_what(plan::CheckConnect{"cache"});
  EXPECT_EQ(absent.state, CheckState::error) << all_text(absent);
  EXPECT_EQ(bench.http.requests().size(), 1u);
}

TEST(Connect, AUrlThatRefusesFails) {
  Error told(ErrorKind::unavailable, "refused");
  CheckBench bench([&](const HttpRequest&) -> Result<HttpAnswer> { return Error(told); });
  told = Error(ErrorKind::unavailable, "refused").with_native("curl 7");
  auto refused = bench.run_what(plan::CheckConnect{"https://ada:hunter2@localhost:1/x?token=t"});
  EXPECT_EQ(refused.state, CheckState::fail) << all_text(refused);
  EXPECT_EQ(all_text(refused).find("hunter2"), std::string::npos);
  EXPECT_EQ(all_text(refused).find("token=t"), std::string::npos);
  told = Error(ErrorKind::timeout, "no answer").with_native("curl 28");
  EXPECT_EQ(bench.run_what(plan::CheckConnect{"http://localhost:1"}).state, CheckState::fail);
  // Not the far side, but what would have asked it.
  told = Error(ErrorKind::unavailable, "the sandbox has been stopped");
  EXPECT_EQ(bench.run_what(plan::CheckConnect{"http://localhost:1"}).state, CheckState::error);
}

TEST(Connect, APortIsAskedOnlyInsideASandbox) {
  CheckBench bench([](const HttpRequest& request) -> Result<HttpAnswer> {
    if (request.url == "http://localhost:6379") return HttpAnswer();
    return Error(ErrorKind::unavailable, "refused").with_native("curl 7");
  });
  auto outside = bench.run_what(plan::CheckConnect{"tcp://localhost:6379"});
  EXPECT_EQ(outside.state, CheckState::error) << all_text(outside);
  EXPECT_TRUE(bench.http.requests().empty());
  bench.context.sandboxed = true;
  auto right = bench.run_what(plan::CheckConnect{"tcp://localhost:6379"});
  EXPECT_EQ(right.state, CheckState::pass) << all_text(right);
  EXPECT_EQ(bench.http.requests().at(0).method, probe_method);
  EXPECT_EQ(bench.run_what(plan::CheckConnect{"tcp://localhost:1"}).state, CheckState::fail);
  EXPECT_EQ(bench.run_what(plan::CheckConnect{"tcp://localhost"}).state, CheckState::error);
}

}  // namespace
}  // namespace lb::check
