#include "foundation/sys/test_server.h"
#include "operations/notify/channel.h"
#include "operations/notify/notify_testing.h"
#include "tests/harness/lifeboat_run.h"
#include "tests/harness/smtp_server.h"

namespace lb::notify {
namespace {

using test::SmtpBehaviour;
using test::SmtpServer;

std::string word(Sent::How how) {
  if (how == Sent::How::delivered) return "delivered";
  return how == Sent::How::again ? "again" : "refused";
}

struct Local {
  RealWorld real;
  std::map<std::string, std::string> environment = {{"PATH", "/usr/bin:/bin"},
                                                    {"MAIL_USER", "lifeboat"},
                                                    {"MAIL_PASSWORD", "p4ssw0rd"},
                                                    {"WRONG_PASSWORD", "wr0ngpass"}};
  Sent send(const std::string& channel, const Letter& what = letter("k")) {
    auto plan = plan_of(
        cat("channels: {c: {", channel, "}}\npeople: {ada: {email: ada@example.com, via: c}}\n"));
    auto routes = routes_of(plan, plan.people.at(0));
    References references(real.world, environment, real.folder / ".");
    return send_letter(real.world, references, routes.at(0), what, {});
  }
  Sent mail(const SmtpServer& server, const std::string& more, const Letter& what = letter("k")) {
    return send(cat("smtp: \"localhost:", server.port(), "\", from: dr@example.com, ca: \"",
                    server.ca(), "\"", more),
                what);
  }
};

#define NEEDS_SMTP() \
  if (auto why = SmtpServer::missing()) GTEST_SKIP() << *why

TEST(Mail, StartTlsWithAuthentication) {
  NEEDS_SMTP();
  SmtpBehaviour behaviour;
  behaviour.user = "lifeboat";
  behaviour.password = "p4ssw0rd";
  SmtpServer server(behaviour);
  Local local;
  auto what = letter("k");
  what.subject = "Störung\r\nBcc: eve@example.com";
  what.text = "Zeile\n.\nfrom here\n";
  auto sent = local.mail(server, ", user: env:MAIL_USER, password: env:MAIL_PASSWORD", what);
  EXPECT_EQ(word(sent.how), "delivered") << sent.text;
  EXPECT_EQ(sent.text, "250 taken as 1");
  auto mails = server.taken();
  ASSERT_EQ(mails.size(), 1U);
  EXPECT_TRUE(mails[0].tls);
  EXPECT_EQ(mails[0].user, "lifeboat");
  EXPECT_EQ(mails[0].from, "dr@example.com");
  EXPECT_EQ(mails[0].to, "ada@example.com");
  EXPECT_EQ(mails[0].data.find("Bcc"), std::string::npos);
  EXPECT_NE(mails[0].data.find(cat("Message-ID: <", message_id(what, "ada"), "@example.com>")),
            std::string::npos);
  EXPECT_TRUE(mails[0].data.ends_with("\r\n\r\nZeile\r\n.\r\nfrom here\r\n")) << mails[0].data;

  auto wrong = local.mail(server, ", user: env:MAIL_USER, password: env:WRONG_PASSWORD");
  EXPECT_EQ(word(wrong.how), "refused") << wrong.text;
  EXPECT_NE(wrong.text.find("535"), std::string::npos) << wrong.text;
  EXPECT_EQ(wrong.text.find("wr0ngpass"), std::string::npos) << wrong.text;
  EXPECT_EQ(server.taken().size(), 1U);
}

TEST(Mail, ImplicitTls) {
  NEEDS_SMTP();
  SmtpBehaviour behaviour;
  behaviour.tls = SmtpBehaviour::Tls::implicit;
  SmtpServer server(behaviour);
  Local local;
  auto sent = local.mail(server, ", tls: implicit");
  EXPECT_EQ(word(sent.how), "delivered") << sent.text;
  ASSERT_EQ(server.taken().size(), 1U);
  EXPECT_TRUE(server.taken()[0].tls);
}

TEST(Mail, ACertificateThatNobodyVouchesForIsRefused) {
  NEEDS_SMTP();
  SmtpServer server(SmtpBehaviour{}), other(SmtpBehaviour{});
  Local local;
  auto sent = local.send(cat("smtp: \"localhost:", server.port(),
                             "\", from: dr@example.com, ca: \"", other.ca(), "\""));
  EXPECT_NE(word(sent.how), "delivered");
  EXPECT_NE(sent.text.find("certificate"), std::string::npos) << sent.text;
  EXPECT_TRUE(server.taken().empty());
}

TEST(Mail, WithoutEncryptionOnlyOnThisMachineAndWhenTold) {
  NEEDS_SMTP();
  SmtpBehaviour behaviour;
  behaviour.tls = SmtpBehaviour::Tls::none;
  SmtpServer server(behaviour);
  Local local;
  auto sent = local.mail(server, "");
  EXPECT_EQ(word(sent.how), "refused");
  EXPECT_NE(sent.text.find("offers no STARTTLS, so nothing was sent"), std::string::npos)
      << sent.text;
  EXPECT_EQ(word(local.mail(server, ", tls: none").how), "delivered");
  EXPECT_EQ(server.taken().size(), 1U);
  local.environment["ELSEWHERE"] = "mail.example.com:25";
  sent = local.send("smtp: env:ELSEWHERE, from: dr@example.com, tls: none");
  EXPECT_EQ(word(sent.how), "refused");
  EXPECT_NE(sent.text.find("readable on the way"), std::string::npos) << sent.text;
}

// Somebody between could strip the encryption off, if that were enough to go on without it.
TEST(Mail, AServerThatOffersStartTlsAndRefusesItIsToldNothing) {
  NEEDS_SMTP();
  SmtpBehaviour behaviour;
  behaviour.at_starttls = "454 4.7.0 TLS not available";
  behaviour.user = "lifeboat";
  behaviour.password = "p4ssw0rd";
  SmtpServer server(behaviour);
  Local local;
  auto sent = local.mail(server, ", user: env:MAIL_USER, password: env:MAIL_PASSWORD");
  EXPECT_NE(word(sent.how), "delivered") << sent.text;
  EXPECT_TRUE(server.taken().empty());
  EXPECT_FALSE(server.was_given_a_password());
}

// Whether it arrived nobody knows: it is sent again, under the same Message-ID.
TEST(Mail, AServerThatTakesTheTextAndHangsEnds) {
  NEEDS_SMTP();
  SmtpBehaviour behaviour;
  behaviour.at_data = "silence";
  behaviour.times = 1;
  SmtpServer server(behaviour);
  Local local;
  auto sent = local.mail(server, ", limit: 2s");
  EXPECT_EQ(word(sent.how), "again") << sent.text;
  EXPECT_LT(sent.took, Micros(Seconds(30)));
  EXPECT_EQ(word(local.mail(server, "").how), "delivered");
}

TEST(Mail, RefusalsForNowAndForGood) {
  NEEDS_SMTP();
  SmtpBehaviour later;
  later.at_data = "451 4.3.0 come back later";
  later.times = 1;
  SmtpServer busy(later);
  Local local;
  auto sent = local.mail(busy, "");
  EXPECT_EQ(word(sent.how), "again");
  EXPECT_NE(sent.text.find("451 4.3.0 come back later"), std::string::npos) << sent.text;
  EXPECT_EQ(word(local.mail(busy, "").how), "delivered");
  SmtpBehaviour unknown;
  unknown.at_recipient = "550 5.1.1 no such user";
  SmtpServer strict(unknown);
  sent = local.mail(strict, "");
  EXPECT_EQ(word(sent.how), "refused");
  EXPECT_NE(sent.text.find("550 5.1.1 no such user"), std::string::npos) << sent.text;
}

TEST(Mail, AServerThatHangsEnds) {
  TestServer server([](const std::string&) { return "silence"; });
  Local local;
  auto sent = local.send(
      cat("smtp: \"127.0.0.1:", server.port(), "\", from: dr@example.com, limit: 300ms"));
  EXPECT_EQ(word(sent.how), "again");
  EXPECT_LT(sent.took, Micros(Seconds(5)));
}

TEST(Commands, GetTheMessageOnTheirInput) {
  Local local;
  const auto out = local.real.folder / "got";
  auto sent = local.send(cat("command: \"cat > '", out, "'; echo $LIFEBOAT_TO >> '", out, "'\""));
  EXPECT_EQ(word(sent.how), "delivered") << sent.text;
  EXPECT_EQ(test::read_text(out),
            "Subject: shop: recovery started\nSeverity: info\nSystem: shop\n\n"
            "No orders since 02:14.\nNext message 03:00.\nada\n");
}

TEST(Commands, FailuresAndLimits) {
  Local local;
  auto failed = local.send("command: \"echo first >&2; echo bad $MAIL_PASSWORD >&2; exit 3\"");
  EXPECT_EQ(word(failed.how), "again");
  EXPECT_EQ(failed.text, "the command ended with exit code 3: bad …");
  EXPECT_EQ(word(local.send("command: ./not-there").how), "refused");
  auto hangs = local.send("command: sleep 60, limit: 200ms");
  EXPECT_EQ(word(hangs.how), "again");
  EXPECT_LT(hangs.took, Micros(Seconds(10)));
  auto forks = local.send("command: \"sleep 61 & exec sleep 61\", limit: 200ms");
  EXPECT_EQ(word(forks.how), "again");
  EXPECT_LT(forks.took, Micros(Seconds(10)));
}

}  // namespace
}  // namespace lb::notify
