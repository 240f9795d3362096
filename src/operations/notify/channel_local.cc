// Mail and commands.
#include <algorithm>

#include "foundation/base/text.h"
#include "operations/notify/channel_parts.h"
#include "operations/notify/mail_text.h"

namespace lb::notify {

namespace {

struct MailPlace {
  std::string host;
  int port = 0;
};

// "mail.example.org", "mail.example.org:2525", "[::1]:25".
Result<MailPlace> parse_place(std::string_view text, const std::string& tls) {
  MailPlace out;
  const auto closing = text.rfind(']');
  const auto colon = text.find(':', closing == std::string_view::npos ? 0 : closing);
  out.host = text.substr(0, colon);
  out.port = tls == "implicit" ? 465 : tls == "none" ? 25 : 587;
  if (colon != std::string_view::npos) {
    auto port = parse_uint(text.substr(colon + 1));
    const bool fine = port.ok() && *port > 0 && *port < 65536;
    out.port = fine ? static_cast<int>(*port) : 0;
  }
  if (out.host.empty() || out.port == 0) {
    return Error(ErrorKind::invalid, "what the reference gives is not the address of a mail server")
        .with_hint("host, or host:port");
  }
  return out;
}

MailRequest::Tls tls_of(const std::string& word) {
  if (word == "none") return MailRequest::Tls::none;
  return word == "implicit" ? MailRequest::Tls::implicit : MailRequest::Tls::starttls;
}

// 5xx of the server, a wrong certificate or password: the same tomorrow. 4xx: perhaps not.
Sent::How how(const Error& error) {
  const bool for_good = error.kind() == ErrorKind::denied || error.kind() == ErrorKind::invalid;
  return for_good && !error.native().starts_with("SMTP 4") ? Sent::How::refused : Sent::How::again;
}

std::string letter_text(const Letter& letter) {
  return cat("Subject: ", replace_all(letter.subject, "\n", " "),
             "\nSeverity: ", name_of(letter.severity), "\nSystem: ", letter.system, "\n\n",
             letter.text, letter.text.ends_with('\n') ? "" : "\n");
}

// Values of the environment that a command may print when it fails.
std::vector<std::string_view> secret_values(const std::map<std::string, std::string>& environment) {
  static const std::vector<std::string> marks = {"KEY",    "TOKEN", "SECRET", "PASS",
                                                 "CREDEN", "HOOK",  "URL",    "DSN"};
  std::vector<std::string_view> out;
  for (const auto& [name, value] : environment) {
    const bool marked = std::any_of(marks.begin(), marks.end(), [&name = name](const auto& mark) {
      return name.find(mark) != std::string::npos;
    });
    if (marked) out.emplace_back(value);
  }
  return out;
}

constexpr int cannot_run = 126, not_found = 127;

}  // namespace

Result<Sent> send_smtp(const Attempt& attempt) {
  const auto& channel = attempt.route.channel;
  if (attempt.route.email.empty()) {
    return Error(ErrorKind::invalid, cat(attempt.route.person, " has no mail address"));
  }
  auto address = LB_TRY(attempt.references.secret(channel.address));
  auto place = LB_TRY(parse_place(address.reveal(), channel.tls));
  MailRequest request;
  request.host = place.host;
  request.port = place.port;
  request.tls = tls_of(channel.tls);
  if (!channel.user.empty()) request.user = LB_TRY(attempt.references.secret(channel.user));
  if (!channel.password.empty())
    request.password = LB_TRY(attempt.references.secret(channel.password));
  request.from = channel.from;
  request.to = {attempt.route.email};
  request.limit = channel.limit;
  if (!channel.ca.empty()) request.ca_file = attempt.references.absolute(channel.ca);
  MailHead head{channel.from,           attempt.route.email,
                attempt.letter.subject, message_id(attempt.letter, attempt.route.person),
                attempt.letter.at,      attempt.letter.severity == Severity::critical};
  request.data = mail_text(head, attempt.letter.text);
  auto sent = attempt.world.http.deliver(request);
  Sent out;
  out.how = sent.ok() ? Sent::How::delivered : how(sent.error());
  out.text = without_secrets(sent.ok() ? sent->text : sent.error().text(),
                             {request.password.reveal(), request.user.reveal()});
  return out;
}

Result<Sent> send_command(const Attempt& attempt) {
  const auto& channel = attempt.route.channel;
  Command command;
  command.argv = {"/bin/sh", "-c", channel.command};
  command.directory = attempt.references.folder();
  command.input = letter_text(attempt.letter);
  const auto& environment = attempt.references.environment();
  for (const auto& [name, value] : environment) command.environment.emplace_back(name, value);
  command.environment.emplace_back("LIFEBOAT_MESSAGE_ID",
                                   message_id(attempt.letter, attempt.route.person));
  command.environment.emplace_back("LIFEBOAT_TO", attempt.route.person);
  auto done = LB_TRY(attempt.world.processes.run(command, channel.limit, attempt.stop));
  Sent out;
  if (done.ok()) {
    out.how = Sent::How::delivered;
    out.text = "the command ended with exit code 0";
    return out;
  }
  const bool cannot = done.exit_code == cannot_run || done.exit_code == not_found;
  out.how = cannot ? Sent::How::refused : Sent::How::again;
  const auto ended =
      done.signal != 0 ? cat("signal ", done.signal) : cat("exit code ", done.exit_code);
  const auto said = trim(done.errors);
  const auto last =
      said.substr(said.rfind('\n') == std::string_view::npos ? 0 : said.rfind('\n') + 1);
  out.text = without_secrets(cat("the command ended with ", ended, last.empty() ? "" : ": ", last),
                             secret_values(environment));
  return out;
}

}  // namespace lb::notify
