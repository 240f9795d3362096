#include "foundation/sys/mail.h"

#include <gtest/gtest.h>

#include <functional>

#include "foundation/sys/http.h"
#include "foundation/sys/test_server.h"

namespace lb {
namespace {

MailRequest mail_to(int port) {
  MailRequest out;
  out.host = "127.0.0.1";
  out.port = port;
  out.tls = MailRequest::Tls::none;
  out.from = "a@example.com";
  out.to = {"b@example.com"};
  out.data = "Subject: x\r\n\r\nx\r\n";
  out.limit = std::chrono::milliseconds(300);
  return out;
}

std::string outcome(const MailRequest& request) {
  auto sent = real_http()->deliver(request);
  return sent.ok() ? "sent" : std::string(name_of(sent.error().kind()));
}

TEST(Mail, AServerThatAcceptsAndHangsEnds) {
  TestServer server([](const std::string&) { return "silence"; });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(outcome(mail_to(server.port())), "timeout");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_EQ(server.connections(), 1);
}

TEST(Mail, NobodyListening) {
  auto sent = real_http()->deliver(mail_to(1));
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(sent.error().native(), "curl 7");
}

TEST(Mail, NothingReadableLeavesTheMachine) {
  auto request = mail_to(25);
  request.host = "mail.example.com";
  EXPECT_EQ(outcome(request), "denied");
  for (const char* host : {"localhost", "127.0.0.1", "127.8.0.1", "[::1]", "LOCALHOST"})
    EXPECT_TRUE(is_loopback_host(host)) << host;
  for (const char* host : {"127.0.0.1.example.com", "127.0.0", "10.0.0.1", "127.0.0.256", ""})
    EXPECT_FALSE(is_loopback_host(host)) << host;
}

TEST(Mail, WhatWouldSmuggleLinesIsRefused) {
  const std::function<void(MailRequest&)> tricks[] = {
      [](MailRequest& mail) { mail.from = "a@example.com>\r\nRCPT TO:<x@example.com"; },
      [](MailRequest& mail) { mail.to = {"b@example.com\nDATA"}; },
      [](MailRequest& mail) { mail.to = {"b@example.com c@example.com"}; },
      [](MailRequest& mail) { mail.to = {""}; },
      [](MailRequest& mail) { mail.to.clear(); },
      [](MailRequest& mail) { mail.host = "127.0.0.1/x?y"; },
      [](MailRequest& mail) { mail.host = "user@127.0.0.1"; },
      [](MailRequest& mail) { mail.hello = "x\r\nMAIL"; },
      [](MailRequest& mail) { mail.data = "Subject: x\r\n\r\na\n.\nMAIL FROM:<x>\r\n"; },
      [](MailRequest& mail) { mail.data = "Subject: x\r\n\r\na\r.\r\n"; },
      [](MailRequest& mail) { mail.data = std::string("a\0b\r\n", 5); },
      [](MailRequest& mail) { mail.limit = Micros(0); },
      [](MailRequest& mail) { mail.port = 0; },
  };
  for (const auto& trick : tricks) {
    auto request = mail_to(1);
    trick(request);
    EXPECT_EQ(outcome(request), "invalid");
  }
}

}  // namespace
}  // namespace lb
