// FakeS3: a small S3 service behind the Http seam, for tests: buckets in memory, with the ways real
// engines answer and the ways bad ones do. Counts what it is asked. Thread-safe.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "foundation/sys/clock.h"
#include "foundation/sys/http.h"

namespace lb {

// What is wrong with the engine.
enum class S3Flaw {
  none,
  overwrites,      // 200 for every PUT, the condition ignored
  no_conditions,   // 501 for a condition
  forgets_marks,   // metadata is not kept
  ignores_ranges,  // a whole object for every part that is asked
  shifted_ranges,  // the part beside the one that is asked
  short_ranges,    // fewer bytes than asked
  no_end_ranges,   // a whole object when its end is asked
  unsorted_lists,  // keys in the wrong order
  endless_lists,   // the first page again and again
  foreign_lists,   // keys that nobody asked for
  broken_xml,      // a listing that is cut
  page_for_list,   // the HTML of a proxy
  skewed,          // its clock is 40 minutes ahead, and requests must fit it
  ignores_locks,   // takes the lock headers and deletes anyway
  forgets_locks,   // takes the lock headers and shows none
  shortens_locks,  // keeps the lock for a moment only
};

// What happens to single requests, beginning with the `from`-th of those that match.
struct S3Trouble {
  std::string method = {};  // empty: any
  int from = 0, count = 0;
  int status = 0;                 // this answer, nothing done
  bool lost = false;              // done, and the answer never comes
  bool unreached = false;         // not done, no connection
  std::string code = "SlowDown";  // of an answer with a status
};

class FakeS3 final : public Http {
 public:
  explicit FakeS3(Clock& clock, S3Flaw flaw = S3Flaw::none) : clock_(clock), flaw_(flaw) {}

  Result<HttpAnswer> send(const HttpRequest& request) override;
  void set_trouble(S3Trouble trouble);
  void set_flaw(S3Flaw flaw) { flaw_ = flaw; }
  void refuse(int status, std::string code, std::string message = {});  // everything from now on

  void hold(const std::string& key) { held_ = key; }  // by law; empty: nothing
  int asked(const std::string& method) const;         // empty: all
  std::vector<std::string> urls() const;
  std::string last_content() const;  // what the last request said of its body
  std::size_t page_keys = 1000;

 private:
  struct Object {
    std::string body, mark;
    std::string lock_until;
    std::string version;
  };
  struct Parts {
    std::string path, key;
    std::map<std::string, std::string> query, headers;
  };

  static Parts take_apart(const HttpRequest& request);
  HttpAnswer answer(int status, std::string body = {}) const;
  static std::string error_xml(const std::string& code, const std::string& message);
  HttpAnswer act(const HttpRequest& request, const Parts& parts);
  HttpAnswer put(const HttpRequest& request, const Parts& parts);
  HttpAnswer get(const HttpRequest& request, const Parts& parts);
  HttpAnswer list(const Parts& parts);
  HttpAnswer remove(const Parts& parts);
  bool locked(const Object& object) const;
  Timestamp now() const;

  Clock& clock_;
  std::atomic<S3Flaw> flaw_;
  mutable std::mutex mutex_;
  std::map<std::string, Object> objects_;
  std::map<std::string, int> counts_;
  std::vector<std::string> urls_, contents_;
  std::string held_;
  S3Trouble trouble_;
  int matched_ = 0;
  HttpAnswer refusal_;
};

}  // namespace lb
