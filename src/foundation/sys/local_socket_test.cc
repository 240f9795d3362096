#include "foundation/sys/local_socket.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "foundation/sys/test_folder.h"

namespace lb {
namespace {

constexpr Micros soon = Seconds(10);

Buffer bytes_of(std::size_t size) {
  Buffer out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7);
  return out;
}

TEST(LocalSocket, CarriesMessagesBothWaysAlsoLargeOnesFromALongPath) {
  TestFolder folder;
  const auto deep = folder / std::string(120, 'd');
  std::filesystem::create_directories(deep);
  auto listener = listen_local(deep + "/agent");
  ASSERT_TRUE(listener.ok()) << listener.error().text();
  std::jthread server([&] {
    auto taken = (*listener)->accept(soon, {});
    ASSERT_TRUE(taken.ok() && *taken != nullptr);
    auto message = (*taken)->receive(8 << 20, soon);
    ASSERT_TRUE(message.ok()) << message.error().text();
    EXPECT_TRUE((*taken)->send(*message, soon).ok());
    EXPECT_TRUE((*taken)->send({}, soon).ok());
  });
  auto client = connect_local(deep + "/agent", soon);
  ASSERT_TRUE(client.ok()) << client.error().text();
  const auto sent = bytes_of(5 << 20);
  ASSERT_TRUE((*client)->send(sent, soon).ok());
  auto answer = (*client)->receive(8 << 20, soon);
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_EQ(*answer, sent);
  auto empty = (*client)->receive(8 << 20, soon);
  ASSERT_TRUE(empty.ok());
  EXPECT_TRUE(empty->empty());
  struct stat facts {};
  ASSERT_EQ(::stat((deep + "/agent").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
}

TEST(LocalSocket, NobodyListeningIsNotFound) {
  TestFolder folder;
  auto none = connect_local(folder / "agent", soon);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().kind(), ErrorKind::not_found);
  { auto listener = listen_local(folder / "agent"); }
  EXPECT_FALSE(std::filesystem::exists(folder / "agent"));
}

TEST(LocalSocket, OneListenerAPathAndWhatADeadOneLeftIsReplaced) {
  TestFolder folder;
  std::ofstream(folder / "agent") << "left behind";
  auto first = listen_local(folder / "agent");
  ASSERT_TRUE(first.ok()) << first.error().text();
  auto second = listen_local(folder / "agent");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind(), ErrorKind::conflict);
  first->reset();
  EXPECT_TRUE(listen_local(folder / "agent").ok());
}

TEST(LocalSocket, WaitsEndAtTheirLimits) {
  TestFolder folder;
  auto listener = listen_local(folder / "agent");
  ASSERT_TRUE(listener.ok());
  auto nobody = (*listener)->accept(std::chrono::milliseconds(20), {});
  ASSERT_TRUE(nobody.ok());
  EXPECT_EQ(*nobody, nullptr);
  auto client = connect_local(folder / "agent", soon);
  ASSERT_TRUE(client.ok());
  auto silent = (*client)->receive(100, std::chrono::milliseconds(20));
  ASSERT_FALSE(silent.ok());
  EXPECT_EQ(silent.error().kind(), ErrorKind::timeout);
  std::stop_source stop;
  stop.request_stop();
  auto stopped = (*listener)->accept(soon, stop.get_token());
  ASSERT_TRUE(stopped.ok());
  EXPECT_EQ(*stopped, nullptr);
}

TEST(LocalSocket, SaysWhenTheOtherSideIsGoneOrSendsTooMuch) {
  TestFolder folder;
  auto listener = listen_local(folder / "agent");
  auto client = connect_local(folder / "agent", soon);
  ASSERT_TRUE(listener.ok() && client.ok());
  auto taken = (*listener)->accept(soon, {});
  ASSERT_TRUE(taken.ok() && *taken != nullptr);
  ASSERT_TRUE((*client)->send(bytes_of(200), soon).ok());
  auto much = (*taken)->receive(100, soon);
  ASSERT_FALSE(much.ok());
  EXPECT_EQ(much.error().kind(), ErrorKind::corrupt);
  taken->reset();
  auto answer = (*client)->receive(100, soon);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().kind(), ErrorKind::unavailable);
}

}  // namespace
}  // namespace lb
