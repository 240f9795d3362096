// Log: where warnings and progress sentences of long-running work go. Errors are returned, not
// logged; a log line is for what a person may want to know and nobody must act on. Thread-safe.
#pragma once

#include <string>

namespace lb {

class Log {
 public:
  virtual ~Log() = default;
  virtual void note(const std::string& line) = 0;
  virtual void warn(const std::string& line) = 0;
};

}  // namespace lb
