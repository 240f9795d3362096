// Stream: the ContentStream of a Session. Cuts what is written into chunks and hands them over
// several at a time, because several are hashed faster than one after another. One thread.
#pragma once

#include "storage/repo/repository.h"
#include "storage/repo/row_codec.h"

namespace lb::repo {

class Session;

class Stream final : public ContentStream {
 public:
  Stream(Session& session, std::string key, Cut cut) : session_(session), cut_(cut) {
    row_.key = std::move(key);
  }

  Status write(ByteView bytes) override;
  Status write_last(ByteView bytes) override;
  Status hole(std::uint64_t length) override;
  Status reuse(const Row& parent_row, std::uint64_t offset, std::uint64_t length) override;
  Status write_apart(ByteView bytes) override;
  Status finish(Buffer attributes) override;

 private:
  // An extent whose chunk is not stored yet: it lies in apart_.
  struct Gathered {
    std::size_t extent = 0;
    std::size_t offset = 0;
  };
  Status store_apart();
  void append(const DraftExtent& extent);
  std::size_t next_length(ByteView bytes) const;
  std::size_t certain_starts(ByteView bytes) const;
  Result<std::size_t> take_chunks(ByteView bytes, std::size_t starts);
  Status store(std::vector<ByteView>& chunks);
  Status take_waiting();

  Session& session_;
  const Cut cut_;
  DraftRow row_;
  Buffer waiting_;  // written, and not cut yet
  std::uint64_t logical_bytes_ = 0;
  Buffer apart_;
  std::vector<Gathered> gathered_;
  const Row* reused_ = nullptr;  // the row reused last, and where in it
  std::size_t reused_extent_ = 0;
  std::uint64_t reused_at_ = 0;
};

}  // namespace lb::repo
