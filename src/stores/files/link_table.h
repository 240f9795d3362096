// LinkTable: the first name of every file with several. A name is forgotten once all names of its
// file were met, so the table holds only files whose other names are still to come. Thread-safe.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "foundation/sys/files.h"

namespace lb::files {

class LinkTable {
 public:
  struct First {
    std::string path;
    std::uint64_t met = 1;
    enum { pending, saved, failed } state = pending;
  };
  using FirstName = std::shared_ptr<First>;  // shared by the walk and the reader of the content

  // The first name of the file when another was met before, else null.
  FirstName find(const FileInfo& info);
  // `path` is the first name; its content is pending.
  FirstName add(const FileInfo& info, const std::string& path);
  void resolve(const FirstName& first, bool saved);
  // Waits for the content of the first name. False when it could not be saved: then `path` has
  // taken its place, pending.
  bool wait_or_replace(const FirstName& first, const std::string& path, std::stop_token stop);
  std::size_t size() const;

 private:
  using Id = std::pair<std::uint64_t, std::uint64_t>;
  mutable std::mutex mutex_;
  std::condition_variable_any resolved_;
  std::map<Id, FirstName> names_;
};

}  // namespace lb::files
