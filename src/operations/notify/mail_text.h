// A letter as the text of a mail (RFC 5322): head in plain characters whatever the words hold, body
// in UTF-8, lines within their bounds. Pure.
#pragma once

#include <string>
#include <string_view>

#include "foundation/base/time.h"

namespace lb::notify {

struct MailHead {
  std::string from, to;  // bare addresses
  std::string subject;   // any text; line ends and control characters become spaces
  std::string id;        // of the message, without brackets and domain
  Timestamp date{};
  bool urgent = false;
};

std::string mail_text(const MailHead& head, std::string_view body);

// "Fri, 27 Nov 2026 05:26:23 +0000"
std::string mail_date(Timestamp time);
// What stands behind "Subject: ", folded; encoded (RFC 2047) unless it is plain.
std::string mail_subject(std::string_view text);

}  // namespace lb::notify
