#include "storage/blob/s3_client.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "storage/blob/s3_refusal.h"

namespace lb {

namespace {

constexpr std::size_t unsigned_bytes_min = 1 << 20;
constexpr Micros pause_first = std::chrono::milliseconds(100);
constexpr Micros pause_max = Seconds(5);
// Engines refuse requests that are a quarter of an hour off.
constexpr Micros skew_borne = Seconds(240);

std::string host_of(const std::string& endpoint) {
  auto start = endpoint.find("://");
  return endpoint.substr(start == std::string::npos ? 0 : start + 3);
}

std::string scheme_of(const std::string& endpoint) {
  return endpoint.substr(0, endpoint.find("://"));
}

// By number: a name could lead anywhere.
bool is_loopback(std::string_view host) {
  if (host.starts_with("[::1]")) return true;
  auto address = host.substr(0, host.find(':'));
  return address.starts_with("127.") &&
         address.find_first_not_of("0123456789.") == std::string_view::npos;
}

// What people open where it lies is shown by a browser then, instead of saved.
const char* content_type(const std::string& key) {
  if (key.ends_with(".html")) return "text/html; charset=utf-8";
  if (key.ends_with(".md")) return "text/plain; charset=utf-8";
  return "application/octet-stream";
}

bool is_passing(const S3Answer& answer) {
  static constexpr std::string_view codes[] = {"SlowDown",
                                               "RequestTimeout",
                                               "InternalError",
                                               "ServiceUnavailable",
                                               "ConditionalRequestConflict",
                                               "OperationAborted"};
  if (answer.status >= 500 && answer.status != 501) return true;
  return answer.status == 429 ||
         std::find(std::begin(codes), std::end(codes), answer.code) != std::end(codes);
}

}  // namespace

std::string S3Settings::describe() const {
  return cat("s3://", bucket, prefix.empty() ? "" : "/", prefix, " at ", endpoint);
}

std::string S3Answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

// One try: an answer or an error.
struct S3Client::Attempt {
  std::optional<S3Answer> answer;
  std::optional<Error> error;
};

S3Client::S3Client(Http& http, Clock& clock, Random& random, S3Settings settings)
    : http_(http), clock_(clock), random_(random), settings_(std::move(settings)) {
  auto host = host_of(settings_.endpoint);
  host_ = settings_.bucket_in_host ? cat(settings_.bucket, ".", host) : host;
  base_path_ = settings_.bucket_in_host ? "/" : cat("/", settings_.bucket, "/");
}

HttpRequest S3Client::to_http(const S3Call& call, const std::optional<Digest>& digest) const {
  S3Request request{call.method, host_, base_path_, call.query, call.headers};
  if (call.key.empty()) {
    // Of a bucket: "/bucket", which every engine takes; "/" when it is in the host name.
    if (request.path.size() > 1) request.path.pop_back();
  } else {
    request.path += settings_.prefix.empty() ? call.key : cat(settings_.prefix, "/", call.key);
  }
  HttpRequest out;
  out.method = call.method;
  out.headers = s3_sign(request, digest, settings_.credentials, settings_.region, now());
  auto query = s3_query(call.query);
  out.url = cat(scheme_of(settings_.endpoint), "://", host_, s3_encode(request.path, true),
                query.empty() ? "" : "?", query);
  // Only now: proxies may rewrite it, so it is not signed.
  if (!call.body.empty()) out.headers.emplace_back("content-type", content_type(call.key));
  out.limit = settings_.stall;
  out.body_max = static_cast<std::size_t>(std::max<std::uint64_t>(call.body_max, 64 << 10));
  out.ca_file = settings_.ca_file;
  out.room = call.room;
  return out;
}

// What TLS protects, or what takes no way at all, need not be hashed here and once more over there:
// for packs that costs more than sealing them.
std::optional<Digest> S3Client::digest_of(const S3Call& call) const {
  bool safe = scheme_of(settings_.endpoint) == "https" || is_loopback(host_of(settings_.endpoint));
  if (safe && call.body.size() >= unsigned_bytes_min) return std::nullopt;
  return sha256(call.body);
}

S3Client::Attempt S3Client::once(const S3Call& call, const std::optional<Digest>& digest) {
  Attempt out;
  S3Answer answer;
  auto got = http_.exchange(to_http(call, digest), call.body, answer.body);
  if (!got.ok()) {
    out.error = std::move(got).take_error();
    return out;
  }
  answered_ = true;
  answer.status = got->status;
  answer.headers = std::move(got->headers);
  answer.in_room = got->in_room;
  if (!answer.good()) read_refusal(answer);
  learn_date(answer);
  out.answer = std::move(answer);
  return out;
}

void S3Client::learn_date(const S3Answer& answer) {
  auto date = parse_http_date(answer.header("date"));
  if (date.ok())
    measured_skew_ = std::chrono::floor<Seconds>(*date - clock_.now()).count() * 1000000;
}

// True when the refusal came from the clocks alone and the next try will use the store's.
bool S3Client::adopt_clock(const S3Answer& answer) {
  if (answer.status != 403) return false;
  auto date = parse_http_date(answer.header("date"));
  if (!date.ok()) return false;
  auto off = std::chrono::abs(*date - now());
  if (answer.code != "RequestTimeTooSkewed" && off < skew_borne) return false;
  auto skew = Micros(*date - clock_.now());
  bool first = skew_.exchange(skew.count()) == 0;
  if (off < Seconds(2)) return false;  // adopted already, and refused all the same
  if (first && settings_.notice) {
    settings_.notice(cat("the clock of this machine is ", human_duration(std::chrono::abs(skew)),
                         skew > Micros(0) ? " behind" : " ahead of", " that of ",
                         settings_.describe(), ": requests are signed with the store's time"));
  }
  return true;
}

Micros S3Client::pause(int attempt, const S3Answer* answer) {
  auto wait = std::min(pause_max, pause_first * (1 << std::min(attempt, 10)));
  if (answer != nullptr) {
    auto asked = parse_uint(answer->header("retry-after"));
    if (asked.ok()) wait = std::max(wait, std::min<Micros>(pause_max * 2, Seconds(*asked)));
  }
  // Between half and all of it: many writers that were refused together do not return together.
  auto half = static_cast<std::uint64_t>(wait.count() / 2);
  return Micros(half + random_.below(half + 1));
}

Error S3Client::give_up(const Attempt& last, bool maybe_done, Micros took) const {
  auto kind = maybe_done ? ErrorKind::timeout : ErrorKind::unavailable;
  auto tried =
      cat(settings_.describe(), " does not answer (tried for ", human_duration(took), "): ");
  if (last.answer) {
    auto reason = cat("HTTP ", last.answer->status, " ", last.answer->code);
    return Error(kind, cat(tried, trim(reason)))
        .with_exit(ExitCode::store_unreachable)
        .with_hint("the service is overloaded or broken; run again later: what was stored is kept");
  }
  bool tls = last.error->native() == "curl 60" || last.error->native() == "curl 77";
  return Error(kind, cat(tried, last.error->message()))
      .with_native(last.error->native())
      .with_exit(ExitCode::store_unreachable)
      .with_hint(tls ? "name the certificates to trust with s3: {ca: FILE}"
                     : "is the endpoint right, the service up, and no firewall between? what was "
                       "stored is kept");
}

Result<S3Answer> S3Client::call(const S3Call& call) {
  auto digest = digest_of(call);
  auto start = clock_.steady();
  bool maybe_done = false;
  for (int attempt = 0;; ++attempt) {
    auto tried = once(call, digest);
    if (tried.answer && !is_passing(*tried.answer)) {
      if (attempt < 3 && adopt_clock(*tried.answer)) continue;
      given_up_ = false;
      return std::move(*tried.answer);
    }
    if (tried.error) {
      auto kind = tried.error->kind();
      bool passing = kind == ErrorKind::unavailable || kind == ErrorKind::timeout;
      if (!passing) return std::move(*tried.error);
      // A certificate does not become good by asking again.
      bool hopeless = tried.error->native() == "curl 60" || tried.error->native() == "curl 77";
      if (hopeless) return give_up(tried, false, clock_.steady() - start);
      maybe_done = maybe_done || !never_sent(*tried.error);
    } else {
      maybe_done = true;
    }
    auto wait = pause(attempt, tried.answer ? &*tried.answer : nullptr);
    auto took = clock_.steady() - start;
    auto limit = answered_ ? settings_.retry_for
                           : std::min(settings_.retry_for, settings_.retry_for_at_first);
    if (given_up_ || took + wait > limit) {
      given_up_ = true;
      return give_up(tried, maybe_done, took);
    }
    if (!clock_.sleep(wait, settings_.stop)) {
      return Error(ErrorKind::cancelled, cat("stopped while waiting for ", settings_.describe()));
    }
  }
}

Error S3Client::explain(const S3Answer& answer, const std::string& what) const {
  return explain_refusal(settings_, answer, what);
}

}  // namespace lb
