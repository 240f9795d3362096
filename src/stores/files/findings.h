// Findings: what a backup could not read, and what else is worth telling. Bounded. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "foundation/base/error.h"

namespace lb::files {

class Findings {
 public:
  // An item that is not, or not surely, in the snapshot as it was: the backup ends with exit 3.
  void unread(const std::string& path, const std::string& why);
  void unread(const std::string& path, const Error& error);
  // Worth a line in the snapshot, nothing is lost.
  void note(const std::string& path, const std::string& text);

  // Sorted; after the first 1,000 one line "and N more".
  std::vector<std::string> unread_lines() const;
  std::vector<std::string> all_lines() const;  // unread first, then notes
  std::uint64_t unread_count() const;

 private:
  struct List {
    std::vector<std::string> lines;
    std::uint64_t more = 0;
    void add(std::string line);
    std::vector<std::string> sorted() const;
  };
  mutable std::mutex mutex_;
  List unread_, notes_;
};

// "permission denied", "vanished …": a reason in words that do not repeat the path.
std::string reason(const Error& error);

}  // namespace lb::files
