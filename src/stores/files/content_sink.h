// ContentSink: puts fetched content into temporary files beside their final names, and when one is
// complete gives it its attributes and renames it. Files it has not completed are removed with it.
// The repository's threads call it at once.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "stores/files/attribute_writer.h"
#include "stores/files/meter.h"

namespace lb::files {

// One regular file to be written.
struct Placement {
  Placement(std::string path_in, std::string full_in, std::string temporary_in, Attributes wanted)
      : path(std::move(path_in)),
        full(std::move(full_in)),
        temporary(std::move(temporary_in)),
        attributes(std::move(wanted)) {}

  std::string path, full, temporary;
  Attributes attributes;
  std::uint64_t size = 0;
  bool holes = false;           // some of it is not stored
  bool drop_inherited = false;  // see AttributeWriter

  std::mutex mutex;  // guards what follows until the row is done
  std::unique_ptr<File> file;
  bool created = false, finished = false;
  std::atomic<std::uint64_t> kept_back = 0;  // bytes that nobody has sent to the disk yet
};

class ContentSink final : public repo::FetchSink {
 public:
  // `placements` in the order of the rows fetched.
  ContentSink(Files& files, AttributeWriter& attributes, Meter& meter,
              std::deque<Placement>& placements);
  ~ContentSink() override;
  ContentSink(const ContentSink&) = delete;
  ContentSink& operator=(const ContentSink&) = delete;

  Status data(std::size_t row, std::uint64_t offset, ByteView bytes) override;
  Status done(std::size_t row) override;

 private:
  Result<File*> file_of(Placement& placement, std::unique_ptr<File>& for_now);
  Result<std::unique_ptr<File>> create(Placement& placement);
  Status finish(Placement& placement);

  Files& files_;
  AttributeWriter& attributes_;
  Meter& meter_;
  std::deque<Placement>& placements_;
  std::atomic<int> open_ = 0;
};

}  // namespace lb::files
