#include "stores/files/content_sink.h"

#include "foundation/base/text.h"

namespace lb::files {

namespace {
// Well below the usual limit of 1,024: rows whose content lies in many packs stay open for long.
constexpr int open_max = 200;
// The disk works while the rest is fetched, instead of all at the end.
constexpr std::uint64_t kept_back_max = 8 << 20;
}  // namespace

ContentSink::ContentSink(Files& files, AttributeWriter& attributes, Meter& meter,
                         std::deque<Placement>& placements)
    : files_(files), attributes_(attributes), meter_(meter), placements_(placements) {}

ContentSink::~ContentSink() {
  for (auto& placement : placements_) {
    if (!placement.created || placement.finished) continue;
    placement.file.reset();
    // Best effort: what stays behind is swept by the next restore.
    (void)files_.remove(placement.temporary);
  }
}

Result<std::unique_ptr<File>> ContentSink::create(Placement& placement) {
  auto file = LB_TRY(files_.create(placement.temporary, 0600));
  placement.created = true;
  if (placement.holes) LB_TRY(file->truncate(placement.size));
  return file;
}

// The open file, kept open while few are; else opened `for_now`.
Result<File*> ContentSink::file_of(Placement& placement, std::unique_ptr<File>& for_now) {
  std::lock_guard lock(placement.mutex);
  if (placement.file) return placement.file.get();
  auto file = placement.created ? files_.open_write(placement.temporary) : create(placement);
  if (!file.ok()) return std::move(file).take_error();
  if (open_.fetch_add(1) < open_max) {
    placement.file = std::move(file).take();
    return placement.file.get();
  }
  open_.fetch_sub(1);
  for_now = std::move(file).take();
  return for_now.get();
}

Status ContentSink::data(std::size_t row, std::uint64_t offset, ByteView bytes) {
  auto& placement = placements_[row];
  std::unique_ptr<File> for_now;
  auto* file = LB_TRY(file_of(placement, for_now));
  LB_TRY(file->write_at(bytes, offset));
  if (placement.kept_back.fetch_add(bytes.size()) + bytes.size() >= kept_back_max) {
    placement.kept_back = 0;
    file->write_behind({0, placement.size});
  }
  if (for_now) LB_TRY(for_now->close());
  meter_.bytes(bytes.size());
  return {};
}

Status ContentSink::done(std::size_t row) {
  auto& placement = placements_[row];
  std::lock_guard lock(placement.mutex);
  return finish(placement);
}

Status ContentSink::finish(Placement& placement) {
  if (!placement.created) {
    placement.file = LB_TRY(create(placement));
    open_.fetch_add(1);
  }
  LB_TRY(attributes_.apply(placement.temporary, placement.attributes, placement.drop_inherited,
                           placement.file.get()));
  if (placement.file) {
    LB_TRY(placement.file->close());
    placement.file.reset();
    open_.fetch_sub(1);
  }
  LB_TRY(files_.rename(placement.temporary, placement.full));
  placement.finished = true;
  meter_.item(placement.path);
  return {};
}

}  // namespace lb::files
