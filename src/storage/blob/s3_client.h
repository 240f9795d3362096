// S3Client: one signed request to one bucket, repeated while that makes sense, with every failure
// explained in words an operator can act on. Knows nothing of what the objects mean. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "foundation/sys/clock.h"
#include "foundation/sys/http.h"
#include "foundation/sys/random.h"
#include "storage/blob/s3_sign.h"

namespace lb {

struct S3Settings {
  std::string endpoint;  // "https://s3.example.org" or "http://127.0.0.1:7480", no path
  std::string region = "us-east-1";
  std::string bucket;
  std::string prefix;           // "" or "a/b": no slash at either end
  bool bucket_in_host = false;  // https://bucket.s3.example.org/… instead of …/bucket/…
  S3Credentials credentials;
  std::string ca_file;              // certificates to trust; empty: the system's
  std::optional<Micros> immutable;  // every object is locked for this long when it is put
  bool governance = false;          // the weaker lock: a special right can lift it
  // A request is given up after so long without a byte, and repeated for so long altogether; for
  // less long as long as the service has never answered: then the address may simply be wrong.
  Micros stall = Seconds(30), retry_for = Seconds(60), retry_for_at_first = Seconds(10);
  std::stop_token stop;                            // ends waiting
  std::function<void(const std::string&)> notice;  // may be empty; what the operator should know

  std::string describe() const;  // "s3://bucket/prefix at https://…"
};

struct S3Call {
  std::string method;
  std::string key = {};  // below the prefix; empty: the bucket itself
  NamedTexts query = {}, headers = {};
  ByteView body = {};                // outlives the call
  std::uint64_t body_max = 1 << 20;  // of the answer
  MutableBytes room = {};  // for the body of a good answer of this size; outlives the call
};

struct S3Answer {
  int status = 0;
  NamedTexts headers;
  Buffer body;
  std::size_t in_room = 0;    // bytes that lie in the call's room instead
  std::string code, message;  // of an error, as the engine names it

  std::string header(std::string_view name) const;
  bool good() const { return status >= 200 && status < 300; }
};

class S3Client {
 public:
  S3Client(Http& http, Clock& clock, Random& random, S3Settings settings);

  const S3Settings& settings() const { return settings_; }
  // Any final answer, also of a refusal. Errors: unavailable (nothing reached the store), timeout
  // (something may have), cancelled, corrupt (an answer that cannot be read). exit 20 for both of
  // the first.
  Result<S3Answer> call(const S3Call& call);
  // What a refusal means and what to do; `what` is the act ("put p/1").
  Error explain(const S3Answer& answer, const std::string& what) const;
  // What has to be added to our clock to get the store's; 0 until an answer showed more.
  Micros skew() const { return Micros(skew_.load()); }
  Timestamp now() const { return clock_.now() + skew(); }
  // The store's clock minus ours, from the last answer with a date.
  Micros measured_skew() const { return Micros(measured_skew_.load()); }

 private:
  struct Attempt;

  HttpRequest to_http(const S3Call& call, const std::optional<Digest>& digest) const;
  Attempt once(const S3Call& call, const std::optional<Digest>& digest);
  std::optional<Digest> digest_of(const S3Call& call) const;
  bool adopt_clock(const S3Answer& answer);
  void learn_date(const S3Answer& answer);
  Micros pause(int attempt, const S3Answer* answer);
  Error give_up(const Attempt& last, bool maybe_done, Micros took) const;

  Http& http_;
  Clock& clock_;
  Random& random_;
  const S3Settings settings_;
  std::string host_, base_path_;
  std::atomic<std::int64_t> skew_{0}, measured_skew_{0};
  // A store that was given up is asked only once by each later call, until it answers again:
  // otherwise an unwinding backup would wait as often as it has things to write.
  std::atomic<bool> given_up_{false};
  std::atomic<bool> answered_{false};
};

}  // namespace lb
