// StageLog: the clock of a drill. Stages may overlap (stores are restored in parallel).
// Thread-safe.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "foundation/sys/clock.h"
#include "model/record/drill_record.h"

namespace lb::drill {

class StageLog {
 public:
  explicit StageLog(const Clock& clock) : clock_(clock) {}

  class Timer {
   public:
    Timer(StageLog& log, std::string name, std::string store);
    void finish(bool ok, std::uint64_t bytes = 0, std::string note = {});
    ~Timer();  // not finished: recorded as failed
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

   private:
    StageLog& log_;
    record::Stage stage_;
    Micros started_;
    bool finished_ = false;
  };

  Timer begin(const std::string& name, const std::string& store = {});
  void add(record::Stage stage);              // measured elsewhere
  std::vector<record::Stage> stages() const;  // by start time

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<record::Stage> stages_;
};

}  // namespace lb::drill
