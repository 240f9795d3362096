#include "operations/notify/mail_text.h"

#include <gtest/gtest.h>

#include "foundation/base/text.h"

namespace lb::notify {
namespace {

const MailHead head{"dr@example.com",
                    "ada@example.com",
                    "shop: recovery started",
                    "4711",
                    from_micros(1'768'269'600'000'000),
                    false};

TEST(MailText, PlainMessage) {
  EXPECT_EQ(mail_text(head, "Hello\n.\nbye"),
            "From: Lifeboat <dr@example.com>\r\nTo: <ada@example.com>\r\n"
            "Subject: shop: recovery started\r\nDate: Tue, 13 Jan 2026 02:00:00 +0000\r\n"
            "Message-ID: <4711@example.com>\r\nAuto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 7bit\r\n\r\nHello\r\n.\r\nbye\r\n");
}

TEST(MailText, LineEndsInTheSubjectAreNoHeads) {
  auto tricky = head;
  tricky.subject = "x\r\nBcc: eve@example.com\n\nbody";
  EXPECT_NE(mail_text(tricky, "b").find("Subject: x  Bcc: eve@example.com  body\r\n"),
            std::string::npos);
  tricky.subject = std::string("ö\r\nBcc: eve@example.com\0x", 25);
  EXPECT_EQ(mail_text(tricky, "b").find("Bcc"), std::string::npos);
}

TEST(MailText, SubjectsOfAllKinds) {
  EXPECT_EQ(mail_subject("Störung"), "=?UTF-8?B?U3TDtnJ1bmc=?=");
  EXPECT_EQ(mail_subject("=?UTF-8?B?eA==?="), "=?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?=");
  std::string text;
  for (int i = 0; i < 40; ++i) text += "ä€";
  for (const auto& line : split(replace_all(mail_subject(text), "\r\n ", "\n"), '\n')) {
    EXPECT_LE(line.size(), 75U);
    EXPECT_TRUE(line.starts_with("=?UTF-8?B?") && line.ends_with("?=")) << line;
    // Whole characters in each word: 2 and 3 bytes in turn.
    EXPECT_EQ(line.find("77+9"), std::string::npos);
  }
  EXPECT_LE(mail_subject(std::string(5000, 'x')).size(), 600U);
  EXPECT_FALSE(mail_subject(std::string(50, '\x80')).empty());
  EXPECT_EQ(mail_subject(""), "");
}

TEST(MailText, BodiesThatAreNotPlainAreEncoded) {
  auto text = mail_text(head, "Größe\r\nzwei\rdrei\n");
  EXPECT_NE(text.find("Content-Transfer-Encoding: base64\r\n\r\n"
                      "R3LDtsOfZQ0KendlaQ0KZHJlaQ0K\r\n"),
            std::string::npos)
      << text;
  auto urgent = head;
  urgent.urgent = true;
  text = mail_text(urgent, std::string(5000, 'x'));
  EXPECT_NE(text.find("Importance: high\r\n"), std::string::npos);
  for (const auto& line : split(text, '\n')) EXPECT_LE(line.size(), 77U);
}

}  // namespace
}  // namespace lb::notify
