// Attachments of a snapshot in pieces, on their way in and out. See repository.h for the contract.
#pragma once

#include "storage/repo/frame_reader.h"
#include "storage/repo/repository.h"
#include "storage/repo/row_codec.h"

namespace lb::repo {

class Session;
class StoredSnapshot;
struct Attachment;

class SessionAttachment final : public AttachmentStream {
 public:
  SessionAttachment(Session& session, std::string name)
      : session_(session), name_(std::move(name)) {}

  Status write(ByteView bytes) override;
  Status finish() override;

 private:
  Status store();

  Session& session_;
  const std::string name_;
  Buffer waiting_;  // less than a chunk
  std::uint64_t bytes_ = 0;
  std::vector<DraftExtent> extents_;
};

class StoredAttachment final : public AttachmentCursor {
 public:
  // Of a snapshot that outlives it.
  StoredAttachment(const StoredSnapshot& snapshot, const Attachment& attachment);

  Result<ByteView> next() override;

 private:
  const StoredSnapshot& snapshot_;
  const Attachment& attachment_;
  FrameReader frames_;  // its own: what is read once shall not fill the snapshot's cache
  StoredChunk chunk_;
  std::size_t extent_ = 0;
  std::uint64_t given_ = 0;
};

}  // namespace lb::repo
