#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "foundation/base/text.h"
#include "foundation/sys/http.h"
#include "foundation/sys/http_probe.h"

namespace lb {

namespace {

constexpr std::size_t headers_bytes_max = 1 << 20;
constexpr std::uint64_t promised_bytes_max = 64 << 20;

struct EndTransfer {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct EndList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Transfer = std::unique_ptr<CURL, EndTransfer>;
using HeaderList = std::unique_ptr<curl_slist, EndList>;

struct Incoming {
  HttpAnswer answer;
  Buffer* into = nullptr;  // takes the body instead of the answer
  MutableBytes room;       // takes it instead of both once the head of the answer has said so
  bool is_good = false, fits_room = false;
  std::size_t body_max = 0;
  std::size_t headers_bytes = 0;
  bool too_large = false;
  int socket = -1;  // of a connection that was kept
};

// Some servers send the head of an answer and wait until it is acknowledged before they send the
// body. On a kept connection the kernel would sit on that acknowledgement for 40 ms.
void acknowledge_now(int socket) {
  int on = 1;
  // Only speed is at stake.
  if (socket >= 0) (void)::setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

std::size_t take_body(char* data, std::size_t one, std::size_t count, void* to) {
  auto& incoming = *static_cast<Incoming*>(to);
  auto size = one * count;
  if (incoming.fits_room) {
    auto& used = incoming.answer.in_room;
    if (size > incoming.room.size() - used) {
      incoming.too_large = true;
      return 0;
    }
    std::memcpy(incoming.room.data() + used, data, size);
    used += size;
    return size;
  }
  auto before = incoming.into != nullptr ? incoming.into->size() : incoming.answer.body.size();
  if (before + size > incoming.body_max) {
    incoming.too_large = true;
    return 0;
  }
  if (incoming.into != nullptr) {
    incoming.into->insert(incoming.into->end(), data, data + size);
  } else {
    incoming.answer.body.append(data, size);
  }
  return size;
}

// Each answer starts anew: an interim "100 Continue" is not the one that counts.
void begin_answer(std::string_view line, Incoming& incoming) {
  auto status = line.substr(std::min(line.find(' '), line.size() - 1) + 1);
  incoming.is_good = status.starts_with("200") || status.starts_with("206");
  incoming.fits_room = false;
  incoming.answer.in_room = 0;
  incoming.answer.headers.clear();
}

std::size_t take_header(char* data, std::size_t one, std::size_t count, void* to) {
  auto& incoming = *static_cast<Incoming*>(to);
  auto size = one * count;
  incoming.headers_bytes += size;
  if (incoming.headers_bytes > headers_bytes_max) {
    incoming.too_large = true;
    return 0;
  }
  std::string_view line(data, size);
  if (line.starts_with("HTTP/")) begin_answer(line, incoming);
  if (trim(line).empty()) acknowledge_now(incoming.socket);
  auto colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  incoming.answer.headers.emplace_back(lower(trim(line.substr(0, colon))),
                                       std::string(trim(line.substr(colon + 1))));
  const auto& [name, value] = incoming.answer.headers.back();
  if (incoming.into != nullptr && name == "content-length") {
    auto length = parse_uint(value);
    incoming.fits_room = incoming.is_good && !incoming.room.empty() && length.ok() &&
                         *length == incoming.room.size();
    // Room at once for what the server promises, but a promise alone takes no gigabytes.
    if (length.ok() && *length <= incoming.body_max && !incoming.fits_room) {
      incoming.into->reserve(std::min<std::uint64_t>(*length, promised_bytes_max));
    }
  }
  return size;
}

// Without user, password, query and fragment, which may be secrets.
std::string public_part(const std::string& url) {
  auto start = url.find("://");
  start = start == std::string::npos ? 0 : start + 3;
  auto end = std::min(url.find_first_of("?#", start), url.size());
  auto host_end = std::min(url.find('/', start), end);
  auto at = url.rfind('@', host_end);
  auto from = at != std::string::npos && at >= start && at < host_end ? at + 1 : start;
  return printable(cat(url.substr(0, start), url.substr(from, end - from)));
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

Status check(const HttpRequest& request) {
  bool bad = request.method.empty() || has_line_break(request.method) ||
             has_line_break(request.url) || request.limit <= Micros(0);
  for (const auto& [name, value] : request.headers) {
    bad = bad || name.empty() || has_line_break(name) || has_line_break(value) ||
          name.find(':') != std::string::npos;
  }
  auto scheme = lower(std::string_view(request.url).substr(0, 8));
  if (!scheme.starts_with("http://") && !scheme.starts_with("https://")) {
    return Error(ErrorKind::invalid,
                 cat("not an http or https address: ", public_part(request.url)));
  }
  if (bad) {
    return Error(ErrorKind::invalid,
                 cat("request that cannot be sent to ", public_part(request.url)));
  }
  return {};
}

Result<HeaderList> to_list(const HttpRequest& request) {
  HeaderList list;
  auto add = [&](const std::string& line) {
    auto* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) return false;
    (void)list.release();
    list.reset(longer);
    return true;
  };
  // Small bodies go at once instead of after a "100 Continue".
  bool ok = add("Expect:");
  for (const auto& [name, value] : request.headers) {
    // curl drops a header without a value unless it ends in a semicolon.
    ok = ok && add(value.empty() ? cat(name, ";") : cat(name, ": ", value));
  }
  if (!ok) return Error(ErrorKind::exhausted, "out of memory for a request");
  return list;
}

ErrorKind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorKind::timeout;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return ErrorKind::invalid;
    case CURLE_OUT_OF_MEMORY:
      return ErrorKind::exhausted;
    default:
      return ErrorKind::unavailable;
  }
}

void set_safety(CURL* handle) {
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  // Empty, not unset: unset would read the proxy from the environment.
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "lifeboat");
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
}

constexpr long transfer_buffer_bytes = 512 << 10;  // the default of 16 KiB costs system calls
constexpr long connect_ms_max = 10000;

void set_limits(CURL* handle, const HttpRequest& request, bool by_stall) {
  auto limit =
      static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(request.limit).count());
  if (by_stall) {
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, std::max(1L, (limit + 999) / 1000));
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, std::min(limit, connect_ms_max));
    curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, transfer_buffer_bytes);
    curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, transfer_buffer_bytes);
  } else {
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, limit);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, limit);
  }
}

void set_request(CURL* handle, const HttpRequest& request, ByteView body, curl_slist* headers) {
  curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  if (!request.ca_file.empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, request.ca_file.c_str());
  }
  if (request.method == probe_method) curl_easy_setopt(handle, CURLOPT_CONNECT_ONLY, 1L);
  if (request.method == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  } else if (!body.empty() || (request.method != "GET" && request.method != "DELETE")) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    // Never null, which curl would read as "ask the read callback".
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS,
                     body.empty() ? "" : reinterpret_cast<const char*>(body.data()));
  }
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

class RealHttp final : public Http {
 public:
  Result<HttpAnswer> send(const HttpRequest& request) override {
    // A fresh transfer each time: nothing is shared between threads or between requests.
    Transfer transfer(curl_easy_init());
    return perform(transfer.get(), request, view_of(request.body), nullptr);
  }

  Result<HttpAnswer> exchange(const HttpRequest& request, ByteView body, Buffer& into) override {
    into.clear();
    // The one used last: its connection is the least likely to have been closed.
    auto transfer = take_idle();
    auto answer = perform(transfer.get(), request, body, &into);
    if (transfer) keep(std::move(transfer));
    return answer;
  }

  Result<MailAnswer> deliver(const MailRequest& request) override { return send_mail(request); }

 private:
  static constexpr std::size_t idle_max = 64;

  Transfer take_idle() {
    std::lock_guard lock(mutex_);
    if (idle_.empty()) return Transfer(curl_easy_init());
    auto last = std::move(idle_.back());
    idle_.pop_back();
    return last;
  }

  void keep(Transfer transfer) {
    curl_easy_reset(transfer.get());  // all but the connection
    std::lock_guard lock(mutex_);
    if (idle_.size() < idle_max) idle_.push_back(std::move(transfer));
  }

  static Result<HttpAnswer> perform(CURL* handle, const HttpRequest& request, ByteView body,
                                    Buffer* into) {
    LB_TRY(check(request));
    if (handle == nullptr) return Error(ErrorKind::exhausted, "out of memory for a request");
    auto headers = LB_TRY(to_list(request));
    Incoming incoming;
    incoming.into = into;
    if (into != nullptr) incoming.room = request.room;
    incoming.body_max = request.body_max;
    incoming.socket = kept_socket(handle);
    char reason[CURL_ERROR_SIZE] = "";
    set_safety(handle);
    set_limits(handle, request, into != nullptr);
    set_request(handle, request, body, headers.get());
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &incoming);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &take_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &incoming);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason);
    auto start = std::chrono::steady_clock::now();
    auto code = curl_easy_perform(handle);
    incoming.answer.took = std::chrono::floor<Micros>(std::chrono::steady_clock::now() - start);
    return outcome(handle, code, request, reason, std::move(incoming));
  }

  // -1 on a handle that has no connection yet: a fresh one is acknowledged at once anyway.
  static int kept_socket(CURL* handle) {
    curl_socket_t socket = CURL_SOCKET_BAD;
    bool known = curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK;
    return known ? static_cast<int>(socket) : -1;
  }

  static Result<HttpAnswer> outcome(CURL* handle, CURLcode code, const HttpRequest& request,
                                    const std::string& reason, Incoming incoming) {
    auto where = cat(printable(request.method), " ", public_part(request.url));
    if (incoming.too_large) {
      return Error(ErrorKind::invalid,
                   cat(where, ": the answer is larger than ", request.body_max, " bytes"));
    }
    if (code != CURLE_OK) {
      return Error(kind_of(code),
                   cat(where, ": ", reason.empty() ? curl_easy_strerror(code) : reason))
          .with_native(cat("curl ", static_cast<int>(code)));
    }
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    incoming.answer.status = static_cast<int>(status);
    return std::move(incoming.answer);
  }

  std::mutex mutex_;
  std::vector<Transfer> idle_;
};

}  // namespace

bool never_sent(const Error& error) {
  static const std::set<std::string> codes = {
      cat("curl ", int{CURLE_COULDNT_RESOLVE_HOST}), cat("curl ", int{CURLE_COULDNT_CONNECT}),
      cat("curl ", int{CURLE_SSL_CONNECT_ERROR}), cat("curl ", int{CURLE_PEER_FAILED_VERIFICATION}),
      cat("curl ", int{CURLE_SSL_CACERT_BADFILE})};
  return codes.contains(error.native());
}

std::unique_ptr<Http> real_http() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  return std::make_unique<RealHttp>();
}

}  // namespace lb
