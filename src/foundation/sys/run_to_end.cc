#include "foundation/sys/run_to_end.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>

#include "foundation/base/text.h"

namespace lb {

namespace {
struct Ring {
  int descriptor;
  void operator()() const noexcept {
    std::uint64_t one = 1;
    [[maybe_unused]] auto put = ::write(descriptor, &one, sizeof one);
  }
};
}  // namespace

struct StopSignal::Wake {
  Wake(Descriptor fresh, std::stop_token stop)
      : event(std::move(fresh)), callback(std::move(stop), Ring{event.get()}) {}
  Descriptor event;
  std::stop_callback<Ring> callback;
};

StopSignal::StopSignal(std::stop_token stop)
    : wake_(std::make_unique<Wake>(Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
                                   std::move(stop))) {}
StopSignal::~StopSignal() = default;
int StopSignal::get() const { return wake_->event.get(); }

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

void keep(std::string& kept, const char* piece, std::size_t size, const Command& command) {
  auto room = command.output_max - std::min(command.output_max, kept.size());
  kept.append(piece, command.keep_end ? size : std::min(room, size));
  // Cut seldom, so that a stream of any length costs each byte once or twice.
  if (command.keep_end && kept.size() >= 2 * command.output_max)
    kept.erase(0, kept.size() - command.output_max);
}

void cut_to_end(std::string& kept, const Command& command) {
  if (kept.size() > command.output_max) kept.erase(0, kept.size() - command.output_max);
}

// Reads what is there; false at the end of the stream.
bool drain(int descriptor, std::string& kept, const Command& command) {
  char piece[16384];
  for (;;) {
    auto got = ::read(descriptor, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    keep(kept, piece, static_cast<std::size_t>(got), command);
  }
}

int poll_timeout(SteadyTime end) {
  auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

enum class Outcome { ended, limit, stopped };

Outcome collect(int ended, int stopped, ChildStreams& streams, Finished& kept,
                const Command& command, SteadyTime end) {
  for (;;) {
    pollfd watched[] = {{ended, POLLIN, 0},
                        {stopped, POLLIN, 0},
                        {streams.from_out.get(), POLLIN, 0},
                        {streams.from_err.get(), POLLIN, 0}};
    (void)::poll(watched, std::size(watched), poll_timeout(end));
    if (streams.from_out.valid() && !drain(streams.from_out.get(), kept.output, command)) {
      streams.from_out.reset();
    }
    if (streams.from_err.valid() && !drain(streams.from_err.get(), kept.errors, command)) {
      streams.from_err.reset();
    }
    // A grandchild may hold the streams open for ever: the end of the child is the end. What it
    // wrote before it ended was drained above or is drained by the caller.
    if (watched[0].revents != 0) return Outcome::ended;
    if (watched[1].revents != 0) return Outcome::stopped;
    if (std::chrono::steady_clock::now() >= end) return Outcome::limit;
  }
}

}  // namespace

Result<Finished> wait_for_end(Child& child, int ended, const std::stop_token& stop) {
  StopSignal stopped(stop);
  for (;;) {
    auto finished = LB_TRY(child.poll());
    if (finished) return std::move(*finished);
    if (stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped while a program ran");
    pollfd watched[] = {{ended, POLLIN, 0}, {stopped.get(), POLLIN, 0}};
    (void)::poll(watched, std::size(watched), -1);
  }
}

Result<Finished> run_to_end(Child& child, int ended, ChildStreams streams, const Command& command,
                            Micros limit, const std::stop_token& stop) {
  StopSignal stopped(stop);
  // A year stands for "no limit": the sum must not overflow.
  auto end = std::chrono::steady_clock::now() + std::min<Micros>(limit, std::chrono::hours(8760));
  Finished kept;
  auto outcome = collect(ended, stopped.get(), streams, kept, command, end);
  // It may end by itself at this very moment: then the signal finds nobody, which is fine.
  if (outcome != Outcome::ended) (void)child.signal(SIGKILL);
  auto finished = LB_TRY(wait_for_end(child, ended, {}));
  auto program = printable(command.argv[0]);
  if (outcome != Outcome::ended && command.unfinished != nullptr) {
    cut_to_end(kept.output, command);
    cut_to_end(kept.errors, command);
    *command.unfinished = std::move(kept);
  }
  if (outcome == Outcome::stopped) return Error(ErrorKind::cancelled, cat("stopped ", program));
  if (outcome == Outcome::limit) {
    return Error(ErrorKind::timeout,
                 cat(program, " did not end within ", human_duration(limit), " and was killed"));
  }
  if (streams.from_out.valid()) drain(streams.from_out.get(), kept.output, command);
  if (streams.from_err.valid()) drain(streams.from_err.get(), kept.errors, command);
  cut_to_end(kept.output, command);
  cut_to_end(kept.errors, command);
  finished.output = std::move(kept.output);
  finished.errors = std::move(kept.errors);
  return finished;
}

}  // namespace lb
