// TroubleLog: one line for each file that could not be read, however often it
// is tried. Thread-safe.
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "foundation/base/error.h"
#include "foundation/base/log.h"

namespace lb::mount {

class TroubleLog {
 public:
  explicit TroubleLog(Log& log) : log_(log) {}
  void report(const std::string& path, const Error& error);

 private:
  Log& log_;
  std::mutex mutex_;
  std::set<std::string> named_;
};

}  // namespace lb::mount
