// Mail: one message handed to a mail server over SMTP, by Http::deliver. Encrypted, except to a
// server on this machine; certificates always checked; a time limit always, so that a server that
// accepts and says nothing ends. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "foundation/base/secret.h"
#include "foundation/base/time.h"

namespace lb {

struct MailRequest {
  enum class Tls { starttls, implicit, none };
  std::string host;  // name or address; "[::1]" in brackets
  int port = 587;
  Tls tls = Tls::starttls;  // starttls: refused when the server does not offer it
  Secret user, password;    // both empty: without authentication
  std::string from;         // bare addresses of the envelope
  std::vector<std::string> to;
  std::string data;             // head and body as sent: lines end with CR LF
  Micros limit = Seconds(30);   // all of it
  std::string ca_file;          // certificates to trust, PEM; empty: the system's
  std::string hello = "local";  // the name this machine gives itself
};

struct MailAnswer {
  std::string text;  // the server's last line: "250 queued as 4711"
  Micros took{0};
};

// "localhost", 127.0.0.0/8, ::1: what is sent there does not leave the machine.
bool is_loopback_host(const std::string& host);

// Over libcurl. Errors: invalid (what cannot be sent), denied (refused by the server or by the rule
// of encryption), unavailable, timeout (it may have arrived). native(): "SMTP 550", else "curl 7".
Result<MailAnswer> send_mail(const MailRequest& request);

}  // namespace lb
