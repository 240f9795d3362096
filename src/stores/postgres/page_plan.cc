#include "stores/postgres/page_plan.h"

#include <algorithm>
#include <map>

#include "stores/postgres/page_check.h"

namespace lb::pg {
namespace {

constexpr std::uint32_t window_pages = 16;  // of a chunk that is read whole
// A window is read whole when so many of its pages are read anyway, or when it would be made of
// pieces of so many chunks.
constexpr std::uint32_t window_reads_max = 8;
constexpr std::size_t window_chunks_max = 8;
// Of a chunk less than this part is needed: the rest of it is read as well, and the chunk is free.
constexpr std::uint32_t needed_part_min = 4;  // a quarter

constexpr std::uint32_t hole = 0xFFFFFFFF;

class Planner {
 public:
  Planner(const repo::Row& parent, std::uint64_t size)
      : pages_(static_cast<std::uint32_t>((size + page_bytes - 1) / page_bytes)),
        read_(pages_, false),
        chunk_(pages_, hole) {
    locate(parent);
    // Behind what the parent holds whole, or where the file ends inside a page.
    const std::uint64_t kept = std::min(parent.size, size) / page_bytes;
    for (auto page = static_cast<std::uint32_t>(kept); page < pages_; ++page) read_[page] = true;
  }

  void mark(const std::vector<std::uint32_t>& changed) {
    for (const std::uint32_t page : changed) {
      if (page < pages_) read_[page] = true;
    }
  }

  void free_chunks() {
    std::vector<std::uint32_t> needed(chunk_pages_.size(), 0);
    for (std::uint32_t page = 0; page < pages_; ++page) {
      if (!read_[page] && chunk_[page] != hole) ++needed[chunk_[page]];
    }
    for (std::uint32_t page = 0; page < pages_; ++page) {
      if (read_[page] || chunk_[page] == hole) continue;
      const std::uint32_t of = chunk_[page];
      if (needed[of] * needed_part_min < chunk_pages_[of]) read_[page] = true;
    }
  }

  void join_windows() {
    for (std::uint32_t first = 0; first < pages_; first += window_pages) {
      const std::uint32_t end = std::min(pages_, first + window_pages);
      std::uint32_t reads = 0;
      std::vector<std::uint32_t> chunks;
      for (std::uint32_t page = first; page < end; ++page) {
        if (read_[page]) {
          ++reads;
        } else if (chunk_[page] != hole) {
          chunks.push_back(chunk_[page]);
        }
      }
      if (reads == 0) continue;
      std::sort(chunks.begin(), chunks.end());
      const auto distinct =
          static_cast<std::size_t>(std::unique(chunks.begin(), chunks.end()) - chunks.begin());
      if (reads < window_reads_max && distinct < window_chunks_max) continue;
      for (std::uint32_t page = first; page < end; ++page) read_[page] = true;
    }
  }

  std::vector<PageStep> steps() const {
    std::vector<PageStep> out;
    for (std::uint32_t page = 0; page < pages_; ++page) {
      if (out.empty() || out.back().read != read_[page]) out.push_back({read_[page], page, 0});
      ++out.back().count;
    }
    return out;
  }

 private:
  // Which chunk holds each page. A page that is not wholly inside one is read.
  void locate(const repo::Row& parent) {
    std::map<repo::ChunkId, std::uint32_t> numbers;
    std::uint64_t at = 0;
    for (const repo::Extent& extent : parent.extents) {
      const std::uint64_t end = at + extent.length;
      std::uint32_t number = hole;
      if (!extent.hole) {
        const auto fresh = static_cast<std::uint32_t>(chunk_pages_.size());
        number = numbers.try_emplace(extent.id, fresh).first->second;
        const auto whole =
            static_cast<std::uint32_t>((extent.chunk_bytes() + page_bytes - 1) / page_bytes);
        if (number == fresh) chunk_pages_.push_back(whole);
      }
      for (std::uint64_t page = at / page_bytes; page * page_bytes < end && page < pages_; ++page) {
        const bool inside = page * page_bytes >= at && (page + 1) * page_bytes <= end;
        if (inside) {
          chunk_[page] = number;
        } else {
          read_[page] = true;
        }
      }
      at = end;
    }
  }

  const std::uint32_t pages_;
  std::vector<bool> read_;
  std::vector<std::uint32_t> chunk_;        // of each page, or `hole`
  std::vector<std::uint32_t> chunk_pages_;  // of each chunk
};

}  // namespace

std::vector<PageStep> plan_pages(const repo::Row& parent, std::uint64_t size,
                                 const std::vector<std::uint32_t>& changed) {
  Planner planner(parent, size);
  planner.mark(changed);
  planner.free_chunks();
  planner.join_windows();
  return planner.steps();
}

}  // namespace lb::pg
