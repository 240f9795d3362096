// EntryIds: ids that sort by time, also within one millisecond of one process. 26 characters: 48
// bits of milliseconds and 80 random bits in base 32. Thread-safe. Private to this folder.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <string>

#include "foundation/base/time.h"
#include "foundation/sys/random.h"

namespace lb::state {

class EntryIds {
 public:
  explicit EntryIds(Random& random) : random_(random) {}
  std::string next(Timestamp now);

 private:
  Random& random_;
  std::mutex mutex_;
  std::array<std::uint8_t, 16> last_{};
};

// The millisecond an id was made in; nothing when it is no such id.
std::optional<Timestamp> time_of_id(const std::string& id);

}  // namespace lb::state
