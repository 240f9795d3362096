// SmtpServer: a mail server (aiosmtpd) on a loopback port, with a certificate of its own, for one
// test. What it took is read back as files.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/harness/temp_dir.h"
#include "tests/harness/tool_process.h"

namespace lb::test {

struct SmtpBehaviour {
  enum class Tls { starttls, implicit, none };
  Tls tls = Tls::starttls;
  std::string user, password;  // needed when given
  std::string at_data;  // answer to the message instead of taking it: "451 later"; "silence": none
  int times = 1'000'000;     // how often; then it takes them
  std::string at_recipient;  // answer to the recipient: "550 no such user"
  std::string at_starttls;   // answer to STARTTLS, which it offers: "454 not now"
};

struct TakenMail {
  std::string from, to;  // of the envelope; several recipients joined by a comma
  std::string user;      // who authenticated
  bool tls = false;
  std::string data;
};

class SmtpServer {
 public:
  static std::optional<std::string> missing();

  explicit SmtpServer(const SmtpBehaviour& behaviour);
  ~SmtpServer();
  int port() const { return port_; }
  std::string ca() const { return folder_ / "cert.pem"; }
  std::vector<TakenMail> taken() const;  // in the order of arrival
  bool was_given_a_password() const;

 private:
  TempDir folder_;
  int port_ = 0;
  std::unique_ptr<ToolProcess> process_;
};

}  // namespace lb::test
