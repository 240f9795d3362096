// What a repository occupies, by kind of object, and how fast it grows. Pure.
#pragma once

#include <optional>
#include <span>

#include "foundation/base/time.h"
#include "storage/blob/blob_store.h"

namespace lb::repo {

struct Usage {
  // Stored bytes.
  std::uint64_t packs = 0, indexes = 0, verdicts = 0, logs = 0, records = 0, other = 0;
  std::uint64_t total() const { return packs + indexes + verdicts + logs + records + other; }
  // Growth: what was put in the `window` before now and is still there. The window is the last 30
  // days, or less when the oldest object is younger; nothing below an hour is told.
  std::uint64_t recent = 0;
  Micros window{0};
  std::optional<std::uint64_t> bytes_a_day() const;
};
Usage usage_of(std::span<const BlobInfo> objects, Timestamp now);

// When `available` bytes are used up at that rate; nothing when that is more than 100 years away.
std::optional<Timestamp> full_at(std::uint64_t bytes_a_day, std::uint64_t available, Timestamp now);

}  // namespace lb::repo
