// LogStore: the log objects of a repository (w/…). See Repository for the contract. Thread-safe.
#pragma once

#include "storage/repo/core.h"

namespace lb::repo {

class LogStore {
 public:
  explicit LogStore(const Core& core) : core_(core) {}

  Status put(const LogName& name, ByteView bytes, ByteView summary);
  Status put_tail(const LogName& name, std::uint64_t offset, ByteView bytes, ByteView summary);
  Result<std::vector<LogInfo>> list(const std::string& log_id);
  Result<std::vector<std::string>> ids();
  Result<Buffer> get(const LogName& name);
  Result<Buffer> summary(const LogName& name);
  Status put_history(const std::string& log_id, std::uint32_t timeline, ByteView bytes);
  Result<std::optional<Buffer>> history(const std::string& log_id, std::uint32_t timeline);

 private:
  struct Tail {
    std::uint64_t offset = 0;
    std::string key;
  };
  Result<std::vector<Tail>> tails(const LogName& name);
  Status put_sealed(const std::string& key, ByteView bytes, ByteView summary);
  Result<Buffer> open_data(const std::string& key);
  Status remove_tails(const LogName& name);

  const Core& core_;
};

}  // namespace lb::repo
