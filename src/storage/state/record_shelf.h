// RecordShelf: a repository that holds records and nothing else, in memory, and can fail on
// request. For the tests of this folder only.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "foundation/base/text.h"
#include "storage/repo/repository.h"

namespace lb::state {

class RecordShelf final : public repo::Repository {
 public:
  std::map<std::pair<std::string, std::string>, Buffer> held;
  int puts = 0, gets = 0;
  std::optional<ErrorKind> put_fails;          // before anything is held
  std::optional<ErrorKind> put_answers;        // after it is held: the answer was lost
  std::map<std::string, ErrorKind> get_fails;  // by id
  std::string put_fails_of;                    // the one put of this id, as unavailable
  std::string unlisted;                        // the next listing leaves this id out
  std::string name = "00112233445566778899aabbccddeeff";

  const std::string& id() const override { return name; }
  std::string describe() const override { return "a shelf"; }
  Status put_record(const std::string& kind, const std::string& id, ByteView bytes) override {
    ++puts;
    if (id == put_fails_of) {
      put_fails_of.clear();
      return Error(ErrorKind::unavailable, "put failed");
    }
    if (put_fails) return Error(*put_fails, "put failed");
    auto found = held.find({kind, id});
    if (found != held.end()) {
      bool same =
          std::equal(bytes.begin(), bytes.end(), found->second.begin(), found->second.end());
      return same ? Status() : Status(Error(ErrorKind::conflict, "exists"));
    }
    held[{kind, id}] = Buffer(bytes.begin(), bytes.end());
    if (put_answers) return Error(*put_answers, "no answer");
    return {};
  }
  Result<std::vector<std::string>> records(const std::string& kind) override {
    std::vector<std::string> out;
    for (const auto& [key, bytes] : held) {
      if (key.first == kind && key.second != unlisted) out.push_back(key.second);
    }
    unlisted.clear();
    return out;
  }
  Result<Buffer> get_record(const std::string& kind, const std::string& id) override {
    ++gets;
    if (get_fails.contains(id)) return Error(get_fails[id], "get failed");
    auto found = held.find({kind, id});
    if (found == held.end()) return Error(ErrorKind::not_found, cat("no record ", id));
    return found->second;
  }
  std::string fresh_id() override { return cat("0batch", 1000 + ++ids_); }

  Result<std::vector<repo::SnapshotInfo>> snapshots() override { return none(); }
  Result<std::unique_ptr<repo::SnapshotReader>> snapshot(const std::string&) override {
    return none();
  }
  Result<std::unique_ptr<repo::SnapshotWriter>> begin(const std::string&, repo::SnapshotReader*,
                                                      std::stop_token) override {
    return none();
  }
  Status put_log(const repo::LogName&, ByteView, ByteView, ByteView) override { return none(); }
  Status put_log_tail(const repo::LogName&, std::uint64_t, ByteView, ByteView) override {
    return none();
  }
  Result<std::vector<repo::LogInfo>> logs(const std::string&) override { return none(); }
  Result<std::vector<std::string>> log_ids() override { return none(); }
  Result<Buffer> get_log(const repo::LogName&) override { return none(); }
  Result<Buffer> get_log_summary(const repo::LogName&) override { return none(); }
  Result<std::optional<Buffer>> get_log_detail(const repo::LogName&) override { return none(); }
  Status put_history(const std::string&, std::uint32_t, ByteView) override { return none(); }
  Result<std::optional<Buffer>> get_history(const std::string&, std::uint32_t) override {
    return none();
  }
  Result<repo::VerifyReport> verify(
      const repo::VerifyOptions&, std::stop_token,
      const std::function<void(std::uint64_t, std::uint64_t)>&) override {
    return none();
  }
  Result<std::uint64_t> stored_bytes() override { return none(); }

 private:
  static Error none() { return Error(ErrorKind::unsupported, "the shelf holds records only"); }
  int ids_ = 0;
};

}  // namespace lb::state
