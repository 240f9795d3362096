// Stage: several actors on one store, one store call at a time, in an order drawn from a seed: for
// tests only. An actor waits before each of its calls until the stage gives it the turn; it may be
// passed over for as long as the seed likes. Its calls may fail, lose their answer, or be its last.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "foundation/base/text.h"
#include "foundation/sys/clock.h"
#include "foundation/sys/random.h"
#include "storage/blob/blob_store.h"

namespace lb::repo {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seeded_random(seed)) {}
  std::uint64_t below(std::uint64_t limit) {
    std::uint64_t value = 0;
    for (auto byte : random_->bytes(8)) value = value << 8 | byte;
    return value % limit;
  }
  bool one_in(std::uint64_t n) { return n > 0 && below(n) == 0; }

 private:
  std::unique_ptr<Random> random_;
};

// One in how many calls; 0: never.
struct StageFaults {
  std::uint64_t fail = 0, lost_answer = 0, die = 0, clock_jump = 0;
  std::uint64_t dies_at = 0;       // exactly this call of an actor is its last; 0: none
  std::size_t page = 0;            // lists come in pages of so many keys, a turn each; 0: at once
  std::uint64_t power_cut_at = 0;  // the call, of all actors, at which everything ends; 0: none
};

class Stage {
 public:
  Stage(BlobStore& inner, std::uint64_t seed, const StageFaults& faults)
      : inner_(inner), dice_(seed), faults_(faults) {}

  class Actor;
  // `play` gets a store and a clock of its own.
  void add(const std::string& name, std::function<void(BlobStore&, SimClock&)> play,
           Timestamp start, bool mortal = true);
  void run();
  // Called after each call that took effect, alone.
  std::function<void(const std::string& actor, const std::string& call)> after_call;
  bool power_cut() const { return cut_; }
  std::uint64_t calls() const { return calls_; }
  const std::string& trace() const { return trace_; }

 private:
  bool all_wait();
  Actor& choose();

  BlobStore& inner_;
  Dice dice_;
  const StageFaults faults_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Actor>> actors_;
  Actor* turn_ = nullptr;
  bool busy_ = false, cut_ = false;
  std::uint64_t calls_ = 0;
  std::string trace_;
};

class Stage::Actor final : public BlobStore {
 public:
  Actor(Stage& stage, std::string who, Timestamp start, bool may_die)
      : clock(start), stage_(stage), name_(std::move(who)), mortal_(may_die) {}

  Status put(const std::string& key, ByteView bytes) override {
    return call<Status>(cat("put ", key), true, [&] { return stage_.inner_.put(key, bytes); });
  }
  Status flush() override {
    return call<Status>("flush", false, [&] { return stage_.inner_.flush(); });
  }
  Result<Buffer> get(const std::string& key) override {
    return call<Result<Buffer>>(cat("get ", key), false, [&] { return stage_.inner_.get(key); });
  }
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override {
    return call<Result<Buffer>>(cat("get ", key), false,
                                [&] { return stage_.inner_.get_range(key, offset, size); });
  }
  Result<BlobInfo> info(const std::string& key) override {
    return call<Result<BlobInfo>>(cat("info ", key), false,
                                  [&] { return stage_.inner_.info(key); });
  }
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override {
    std::vector<BlobInfo> out;
    auto last = after;
    for (;;) {
      auto page = LB_TRY(call<Result<std::vector<BlobInfo>>>(
          cat("list ", prefix), false, [&] { return stage_.inner_.list(prefix, last); }));
      auto size = stage_.faults_.page;
      bool whole = size == 0 || page.size() <= size;
      if (!whole) page.resize(size);
      out.insert(out.end(), page.begin(), page.end());
      if (whole) return out;
      last = out.back().key;
    }
  }
  Status remove(const std::string& key) override {
    return call<Status>(cat("remove ", key), false, [&] { return stage_.inner_.remove(key); });
  }
  std::string describe() const override { return "stage"; }

  SimClock clock;
  std::jthread thread;
  int waiting = 0;
  bool finished = false;
  std::uint64_t priority = 0;

 private:
  template <typename T, typename Act>
  T call(const std::string& what, bool changes, const Act& act) {
    std::unique_lock lock(stage_.mutex_);
    if (dead_) return Error(ErrorKind::unavailable, "the actor is dead");
    ++waiting;
    stage_.changed_.notify_all();
    stage_.changed_.wait(lock, [&] { return stage_.turn_ == this || stage_.cut_; });
    --waiting;
    stage_.turn_ = nullptr;
    auto fault = next_fault();
    if (fault) return std::move(*fault);
    stage_.busy_ = true;
    bool lost = changes && stage_.dice_.one_in(stage_.faults_.lost_answer);
    stage_.trace_ += cat(name_, ": ", what, lost ? " (answer lost)\n" : "\n");
    T result = act();
    if (stage_.after_call) stage_.after_call(name_, what);
    stage_.busy_ = false;
    stage_.changed_.notify_all();
    if (lost) return Error(ErrorKind::timeout, "no answer");
    return result;
  }

  std::optional<Error> next_fault() {
    const auto& faults = stage_.faults_;
    ++stage_.calls_;
    ++calls_;
    if (stage_.calls_ == faults.power_cut_at) stage_.cut_ = true;
    bool dies = mortal_ && (stage_.dice_.one_in(faults.die) || calls_ == faults.dies_at);
    if (dies || stage_.cut_) {
      dead_ = true;
      stage_.trace_ += cat(name_, ": dies\n");
      stage_.changed_.notify_all();
      return Error(ErrorKind::unavailable, "the actor is dead");
    }
    if (stage_.dice_.one_in(faults.clock_jump)) {
      auto year = Micros(std::chrono::hours(24 * 365));
      clock.set_wall(clock.now() + (stage_.dice_.one_in(2) ? year : -year));
    }
    if (!stage_.dice_.one_in(faults.fail)) return std::nullopt;
    stage_.trace_ += cat(name_, ": 503\n");
    return Error(ErrorKind::unavailable, "503");
  }

  Stage& stage_;
  const std::string name_;
  const bool mortal_;
  bool dead_ = false;
  std::uint64_t calls_ = 0;
};

inline void Stage::add(const std::string& name, std::function<void(BlobStore&, SimClock&)> play,
                       Timestamp start, bool mortal) {
  actors_.push_back(std::make_unique<Actor>(*this, name, start, mortal));
  auto& actor = *actors_.back();
  actor.thread = std::jthread([this, &actor, play = std::move(play)] {
    play(actor, actor.clock);
    std::lock_guard lock(mutex_);
    actor.finished = true;
    changed_.notify_all();
  });
}

inline bool Stage::all_wait() {
  if (busy_ || turn_ != nullptr) return false;
  for (const auto& actor : actors_) {
    if (!actor->finished && actor->waiting == 0) return false;
  }
  return true;
}

// The one that matters most, until the dice change their mind: so some are passed over for long.
inline Stage::Actor& Stage::choose() {
  Actor* best = nullptr;
  for (const auto& actor : actors_) {
    if (dice_.one_in(12)) actor->priority = dice_.below(1000);
    if (actor->finished) continue;
    if (best == nullptr || actor->priority > best->priority) best = actor.get();
  }
  return *best;
}

inline void Stage::run() {
  std::unique_lock lock(mutex_);
  auto all_finished = [&] {
    return std::all_of(actors_.begin(), actors_.end(),
                       [](const auto& actor) { return actor->finished; });
  };
  while (!cut_) {
    changed_.wait(lock, [&] { return all_wait(); });
    if (all_finished()) break;
    turn_ = &choose();
    changed_.notify_all();
    changed_.wait(lock, [&] { return turn_ == nullptr || cut_; });
  }
  changed_.wait(lock, all_finished);
  lock.unlock();
  for (auto& actor : actors_) actor->thread.join();
}

}  // namespace lb::repo
