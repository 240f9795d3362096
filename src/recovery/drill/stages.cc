#include "recovery/drill/stages.h"

#include <algorithm>

namespace lb::drill {

StageLog::Timer::Timer(StageLog& log, std::string name, std::string store)
    : log_(log), started_(log.clock_.steady()) {
  stage_.name = std::move(name);
  stage_.store = std::move(store);
  stage_.started = log.clock_.now();
}

void StageLog::Timer::finish(bool ok, std::uint64_t bytes, std::string note) {
  if (finished_) return;
  finished_ = true;
  stage_.took = log_.clock_.steady() - started_;
  stage_.ok = ok;
  stage_.bytes = bytes;
  stage_.note = std::move(note);
  std::lock_guard lock(log_.mutex_);
  log_.stages_.push_back(stage_);
}

StageLog::Timer::~Timer() { finish(false); }

StageLog::Timer StageLog::begin(const std::string& name, const std::string& store) {
  return Timer(*this, name, store);
}

void StageLog::add(record::Stage stage) {
  std::lock_guard lock(mutex_);
  stages_.push_back(std::move(stage));
}

std::vector<record::Stage> StageLog::stages() const {
  std::lock_guard lock(mutex_);
  auto out = stages_;
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.started < b.started; });
  return out;
}

}  // namespace lb::drill
