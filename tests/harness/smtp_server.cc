#include "tests/harness/smtp_server.h"

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "foundation/codec/json.h"
#include "tests/harness/free_port.h"
#include "tests/harness/lifeboat_run.h"

namespace lb::test {
namespace {

constexpr const char* python = "/usr/bin/python3";  // the one that has Debian's packages

// Arguments: folder, port, tls, user, password, answer to data, how often, answer to recipients,
// answer to STARTTLS.
constexpr const char* program = R"(
import asyncio, json, os, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult
folder, port, tls, user, password, at_data, times, at_recipient, at_starttls = sys.argv[1:10]
left = int(times)
count = 0

class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if at_recipient:
            return at_recipient
        envelope.rcpt_tos.append(address)
        return '250 ok'

    async def handle_DATA(self, server, session, envelope):
        global left, count
        if at_data and left > 0:
            left -= 1
            if at_data == 'silence':
                await asyncio.Event().wait()
            return at_data
        count += 1
        taken = {'from': envelope.mail_from, 'to': ','.join(envelope.rcpt_tos),
                 'user': getattr(session, 'lb_user', ''),
                 'tls': session.ssl is not None or tls == 'implicit',
                 'data': envelope.content.decode('utf-8', 'replace')}
        name = os.path.join(folder, 'mail', '%06d' % count)
        with open(name + '.new', 'w') as file:
            file.write(json.dumps(taken))
        os.rename(name + '.new', name)
        return '250 taken as %d' % count

class Server(SMTP):
    async def smtp_STARTTLS(self, arg):
        if at_starttls:
            await self.push(at_starttls)
        else:
            await super().smtp_STARTTLS(arg)

def authenticate(server, session, envelope, mechanism, data):
    open(os.path.join(folder, 'asked'), 'w').close()
    good = data.login.decode() == user and data.password.decode() == password
    if good:
        session.lb_user = user
    return AuthResult(success=good, handled=False)

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.path.join(folder, 'cert.pem'), os.path.join(folder, 'key.pem'))

def serve():
    extra = {'authenticator': authenticate, 'auth_required': True} if user else {}
    if tls == 'starttls':
        # One that refuses to encrypt takes whatever it is given in plain text.
        extra.update(tls_context=context, require_starttls=not at_starttls,
                     auth_require_tls=not at_starttls)
    else:
        extra.update(auth_require_tls=False)
    return Server(Handler(), hostname='localhost', decode_data=False, **extra)

async def main():
    server = await asyncio.get_running_loop().create_server(
        serve, '127.0.0.1', int(port), ssl=context if tls == 'implicit' else None)
    await server.serve_forever()

asyncio.run(main())
)";

std::optional<std::string> look_for_it() {
  TempDir folder;
  ToolProcess probe({python, "-c", "import aiosmtpd"}, folder / "log", SIGKILL, RunAs::caller);
  if (probe.wait() != 0) return "aiosmtpd is not installed (apt-get install python3-aiosmtpd)";
  return std::nullopt;
}

void make_certificate(const TempDir& folder) {
  ToolProcess made({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder / "key.pem", "-out",
                    folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1,DNS:localhost"},
                   folder / "openssl.log", SIGKILL, RunAs::caller);
  if (made.wait() != 0) throw std::runtime_error("openssl: " + read_text(folder / "openssl.log"));
}

std::string word(SmtpBehaviour::Tls tls) {
  if (tls == SmtpBehaviour::Tls::starttls) return "starttls";
  return tls == SmtpBehaviour::Tls::implicit ? "implicit" : "none";
}

}  // namespace

std::optional<std::string> SmtpServer::missing() {
  static const auto reason = look_for_it();
  return reason;
}

SmtpServer::SmtpServer(const SmtpBehaviour& behaviour) : port_(free_port()) {
  make_certificate(folder_);
  std::filesystem::create_directory(folder_ / "mail");
  process_ = std::make_unique<ToolProcess>(
      std::vector<std::string>{python, "-c", program, folder_.path(), std::to_string(port_),
                               word(behaviour.tls), behaviour.user, behaviour.password,
                               behaviour.at_data, std::to_string(behaviour.times),
                               behaviour.at_recipient, behaviour.at_starttls},
      folder_ / "log", SIGKILL, RunAs::caller);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!answers(port_)) {
    if (!process_->running() || std::chrono::steady_clock::now() > end) {
      throw std::runtime_error("the mail server did not start: " + read_text(folder_ / "log"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

SmtpServer::~SmtpServer() {
  if (process_) process_->kill_with_children();
}

std::vector<TakenMail> SmtpServer::taken() const {
  std::vector<TakenMail> out;
  for (const auto& path : files_below(folder_ / "mail")) {
    if (path.ends_with(".new")) continue;
    auto json = parse_json(read_text(path));
    if (!json.ok()) throw std::runtime_error("not JSON: " + path);
    const auto& mail = *json;
    out.push_back({mail["from"].string(), mail["to"].string(), mail["user"].string(),
                   mail["tls"].boolean(), mail["data"].string()});
  }
  return out;
}

bool SmtpServer::was_given_a_password() const { return std::filesystem::exists(folder_ / "asked"); }

}  // namespace lb::test
