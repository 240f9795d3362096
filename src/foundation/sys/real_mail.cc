#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>

#include "foundation/base/text.h"
#include "foundation/sys/mail.h"

namespace lb {

namespace {

struct EndTransfer {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct EndList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

constexpr std::size_t line_bytes_max = 300;

struct Talk {
  std::string_view left;  // of the message, not sent yet
  std::string last_line;  // of the server
  std::string refusal;    // its last line that says no: a "221 Bye" follows it
};

std::size_t give_data(char* to, std::size_t one, std::size_t count, void* from) {
  auto& talk = *static_cast<Talk*>(from);
  const auto size = std::min(one * count, talk.left.size());
  std::memcpy(to, talk.left.data(), size);
  talk.left.remove_prefix(size);
  return size;
}

std::size_t take_line(char* data, std::size_t one, std::size_t count, void* to) {
  auto& talk = *static_cast<Talk*>(to);
  const auto size = one * count;
  talk.last_line.assign(trim(std::string_view(data, std::min(size, line_bytes_max))));
  const bool no = !talk.last_line.empty() && (talk.last_line[0] == '4' || talk.last_line[0] == '5');
  if (no) talk.refusal = talk.last_line;
  return size;
}

std::size_t drop(char*, std::size_t one, std::size_t count, void*) { return one * count; }

// One word without what ends an address, a line or a command.
bool bare_address(const std::string& text) {
  return !text.empty() && text.size() <= 254 && std::none_of(text.begin(), text.end(), [](char c) {
    return c <= ' ' || c == 127 || c == '<' || c == '>';
  });
}

bool host_name(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_:[]").find(c) != std::string_view::npos;
  });
}

// A line end that is not CR LF would let some servers see the end of the message inside it.
bool whole_lines(const std::string& data) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data[i] == '\0') return false;
    if (data[i] == '\r' && (i + 1 == data.size() || data[i + 1] != '\n')) return false;
    if (data[i] == '\n' && (i == 0 || data[i - 1] != '\r')) return false;
  }
  return true;
}

Status check(const MailRequest& request) {
  const bool fine = host_name(request.host) && host_name(request.hello) && request.port > 0 &&
                    request.port < 65536 && bare_address(request.from) && !request.to.empty() &&
                    std::all_of(request.to.begin(), request.to.end(), bare_address) &&
                    whole_lines(request.data) && request.limit > Micros(0);
  if (!fine) {
    return Error(ErrorKind::invalid, cat("mail that cannot be sent to ", printable(request.host)));
  }
  if (request.tls == MailRequest::Tls::none && !is_loopback_host(request.host)) {
    return Error(ErrorKind::denied,
                 cat("mail to ", request.host, " would be readable on the way: nothing was sent"))
        .with_hint("leave tls: out, or use tls: implicit");
  }
  return {};
}

ErrorKind kind_of(CURLcode code, long reply) {
  if (code == CURLE_OPERATION_TIMEDOUT) return ErrorKind::timeout;
  if (code == CURLE_OUT_OF_MEMORY) return ErrorKind::exhausted;
  if (code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED || reply >= 500) {
    return ErrorKind::denied;
  }
  return ErrorKind::unavailable;
}

Error failure(const MailRequest& request, CURLcode code, long reply, const std::string& reason,
              const Talk& talk) {
  auto why = reason.empty() ? std::string(curl_easy_strerror(code)) : reason;
  const bool refused = reply >= 400 && code != CURLE_OPERATION_TIMEDOUT;
  if (code == CURLE_USE_SSL_FAILED) {
    why = "the server offers no STARTTLS, so nothing was sent";
  } else if (refused && !talk.refusal.empty()) {
    why = cat("the server answered ", printable(talk.refusal));
  }
  Error error(kind_of(code, refused ? reply : 0),
              cat("mail server ", request.host, ":", request.port, ": ", why));
  return std::move(error).with_native(refused ? cat("SMTP ", reply)
                                              : cat("curl ", static_cast<int>(code)));
}

void set_server(CURL* handle, const MailRequest& request) {
  const bool implicit = request.tls == MailRequest::Tls::implicit;
  const auto url =
      cat(implicit ? "smtps" : "smtp", "://", request.host, ":", request.port, "/", request.hello);
  const auto limit =
      static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(request.limit).count());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle, CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, limit);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, limit);
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  const bool plain = request.tls == MailRequest::Tls::none;
  curl_easy_setopt(handle, CURLOPT_USE_SSL, plain ? long{CURLUSESSL_NONE} : long{CURLUSESSL_ALL});
  if (!request.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, request.ca_file.c_str());
}

// curl wants texts that end in a zero; they are wiped when it has its own.
void set_login(CURL* handle, const MailRequest& request) {
  if (request.user.empty() && request.password.empty()) return;
  for (const auto& [option, secret] : {std::pair{CURLOPT_USERNAME, &request.user},
                                       std::pair{CURLOPT_PASSWORD, &request.password}}) {
    std::string text(secret->reveal());
    curl_easy_setopt(handle, option, text.c_str());
    wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  }
}

// curl takes its leave with QUIT, and waits two minutes for the answer of a server that hangs,
// whatever the limit: longer than others leave the message to this sender. It finds an end instead.
void wait_for_no_farewell(CURL* handle) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  const auto code = curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, &socket);
  if (code == CURLE_OK && socket != CURL_SOCKET_BAD) (void)::shutdown(socket, SHUT_RD);
}

}  // namespace

bool is_loopback_host(const std::string& host) {
  const auto name = lower(host);
  if (name == "localhost" || name == "::1" || name == "[::1]") return true;
  const auto parts = split(name, '.');
  return parts.size() == 4 && parts[0] == "127" &&
         std::all_of(parts.begin(), parts.end(), [](const auto& part) {
           auto number = parse_uint(part);
           return number.ok() && *number < 256;
         });
}

Result<MailAnswer> send_mail(const MailRequest& request) {
  LB_TRY(check(request));
  std::unique_ptr<CURL, EndTransfer> transfer(curl_easy_init());
  auto* handle = transfer.get();
  std::unique_ptr<curl_slist, EndList> to;
  bool ok = handle != nullptr;
  for (const auto& address : request.to) {
    auto* longer = curl_slist_append(to.get(), address.c_str());
    ok = ok && longer != nullptr;
    if (longer == nullptr) break;
    (void)to.release();
    to.reset(longer);
  }
  if (!ok) return Error(ErrorKind::exhausted, "out of memory for a mail");
  Talk talk{request.data, {}, {}};
  char reason[CURL_ERROR_SIZE] = "";
  set_server(handle, request);
  set_login(handle, request);
  curl_easy_setopt(handle, CURLOPT_MAIL_FROM, request.from.c_str());
  curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, to.get());
  curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.data.size()));
  curl_easy_setopt(handle, CURLOPT_READFUNCTION, &give_data);
  curl_easy_setopt(handle, CURLOPT_READDATA, &talk);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &take_line);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &talk);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &drop);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason);
  const auto start = std::chrono::steady_clock::now();
  const auto code = curl_easy_perform(handle);
  long reply = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &reply);
  wait_for_no_farewell(handle);
  if (code != CURLE_OK) return failure(request, code, reply, reason, talk);
  return MailAnswer{printable(talk.last_line),
                    std::chrono::floor<Micros>(std::chrono::steady_clock::now() - start)};
}

}  // namespace lb
