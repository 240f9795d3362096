#include "recovery/mount/content_reader.h"

#include <algorithm>

#include "recovery/mount/piece_sink.h"

namespace lb::mount {

namespace {

constexpr std::uint64_t request_bytes_max = 1 << 20;

}  // namespace

ContentReader::ContentReader(const ReadLimits& limits, std::stop_token stop)
    : cache_(limits.cache_bytes), threads_(std::move(stop)) {
  for (unsigned i = 0; i < limits.ahead_threads; ++i) {
    threads_.run([this](std::stop_token token) { return work(token); });
  }
}

std::shared_ptr<OpenFile> ContentReader::open(std::shared_ptr<PointTree> tree, std::uint64_t table,
                                              NumberedRow row) {
  ++open_files_;
  return std::make_shared<OpenFile>(std::move(tree), table, std::move(row));
}

void ContentReader::close(const std::shared_ptr<OpenFile>& file) {
  if (!file->closed.exchange(true)) --open_files_;
}

Result<std::vector<Part>> ContentReader::read(const std::shared_ptr<OpenFile>& file,
                                              std::uint64_t offset, std::uint64_t size) {
  std::vector<Part> parts;
  auto total = file->row->size;
  if (offset >= total) return parts;
  size = std::min(size, total - offset);
  look_ahead(file, offset, size);
  for (auto at = offset; at < offset + size;) {
    auto number = piece_at(file->pieces, at);
    if (number == file->pieces.size()) {
      return Error(ErrorKind::corrupt, "its extents do not add up to its size");
    }
    const auto& piece = file->pieces[number];
    Part part{nullptr, at - piece.offset, 0};
    part.size = std::min(piece.size - part.offset, offset + size - at);
    if (!piece.hole) part.bytes = LB_TRY(this->piece(*file, number));
    at += part.size;
    parts.push_back(std::move(part));
  }
  return parts;
}

Result<SharedBytes> ContentReader::piece(const OpenFile& file, std::size_t number) {
  return cache_.get(key_of(file, number), [&]() -> Result<Buffer> {
    auto part = part_of(*file.row, file.pieces, number, number + 1);
    return file.tree->snapshot().read(part, 0, part.size);
  });
}

void ContentReader::look_ahead(const std::shared_ptr<OpenFile>& file, std::uint64_t offset,
                               std::uint64_t size) {
  // All windows together fill half of the cache at most, so that nothing read
  // ahead is pushed out before its reader comes.
  auto share = cache_.bytes_max() / 2 / std::max(1u, open_files_.load());
  ReadWindow::Range range;
  {
    std::lock_guard lock(file->window_mutex);
    range = file->window.next(offset, size, std::min(share, window_bytes_max));
  }
  if (range.empty() || range.from >= file->row->size) return;
  Task task{file, 0, 0};
  std::uint64_t bytes = 0;
  for (auto i = piece_at(file->pieces, range.from); i < file->pieces.size(); ++i) {
    const auto& piece = file->pieces[i];
    if (piece.offset >= range.to) break;
    bool wanted = !piece.hole && cache_.reserve(key_of(*file, i));
    if (!wanted || bytes >= request_bytes_max) {
      order(std::exchange(task, {file, i, i}));
      bytes = 0;
    }
    if (!wanted) continue;
    if (task.first == task.last) task.first = i;
    task.last = i + 1;
    bytes += piece.size;
  }
  order(std::move(task));
}

void ContentReader::order(Task task) {
  if (task.first == task.last) return;
  std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  ordered_.notify_one();
}

Status ContentReader::work(const std::stop_token& stop) {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      if (!ordered_.wait(lock, stop, [&] { return !tasks_.empty(); })) return {};
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    load(task, stop);
  }
}

// Runs of pieces that no reader has taken to itself meanwhile.
void ContentReader::load(const Task& task, const std::stop_token& stop) {
  const auto& file = *task.file;
  auto first = task.first;
  for (auto i = task.first; i < task.last; ++i) {
    bool mine = cache_.start(key_of(file, i));
    if (mine && file.closed) {
      cache_.give_up(key_of(file, i));
      mine = false;
    }
    if (mine) continue;
    load_run(file, first, i, stop);
    first = i + 1;
  }
  load_run(file, first, task.last, stop);
}

// What fails here is left to the reader that wants it: it tries again and gets
// the reason.
void ContentReader::load_run(const OpenFile& file, std::size_t first, std::size_t last,
                             const std::stop_token& stop) {
  if (first >= last) return;
  PieceSink sink(file.pieces, first, last);
  auto part = part_of(*file.row, file.pieces, first, last);
  auto fetched = file.tree->snapshot().fetch({&part, 1}, sink, 1, stop);
  for (auto i = first; i < last; ++i) {
    if (fetched.ok() || sink.whole(i)) {
      cache_.put(key_of(file, i), sink.take(i));
    } else {
      cache_.give_up(key_of(file, i));
    }
  }
}

}  // namespace lb::mount
