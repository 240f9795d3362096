// StoredSnapshot: a SnapshotReader over a verdict. See repository.h for the contract.
#pragma once

#include "storage/repo/frame_reader.h"
#include "storage/repo/row_codec.h"
#include "storage/repo/verdict.h"

namespace lb::repo {

class StoredSnapshot final : public SnapshotReader {
 public:
  // not_found: no such snapshot, or its session made none.
  static Result<std::unique_ptr<StoredSnapshot>> open(const Core& core, const std::string& id);

  // Of a snapshot's verdict that was opened.
  static Result<std::unique_ptr<StoredSnapshot>> of(const Core& core, const std::string& id,
                                                    const std::vector<Buffer>& frames);

  const SnapshotInfo& info() const override { return verdict_.info; }
  Result<std::unique_ptr<RowCursor>> rows(const std::string& key_prefix) override;
  Result<std::optional<Row>> find(const std::string& key) override;
  std::vector<TableBlock> outline() const override;
  Result<std::vector<Row>> block_rows(std::size_t block) override;
  Result<std::optional<Buffer>> attachment(const std::string& name) override;
  Result<std::unique_ptr<AttachmentCursor>> open_attachment(const std::string& name) override;
  Result<Buffer> read(const Row& row, std::uint64_t offset, std::uint64_t size) override;
  Status fetch(std::span<const Row> rows, FetchSink& sink, unsigned workers,
               std::stop_token stop) override;
  Status leave_out_present(std::span<Row> rows, PresentContent& present, unsigned workers,
                           std::stop_token stop) override;
  Result<bool> same_content(
      const Row& row,
      const std::function<Result<std::size_t>(MutableBytes, std::uint64_t)>& read_at) override;

  const Verdict& verdict() const { return verdict_; }
  const std::vector<BlockRef>& blocks() const { return blocks_; }
  // Where the blocks of the levels above lie. They were read when the snapshot was opened.
  const std::vector<Extent>& upper_extents() const { return upper_extents_; }
  Result<std::vector<Row>> block(std::size_t number);
  Result<std::string> pack_of(const Extent& extent) const;
  // Of what was read in one piece: as many as there should be?
  Status check_bytes(std::uint64_t got, std::uint64_t wanted) const;
  FrameReader& frames() { return frames_; }
  const Core& core() const { return core_; }

 private:
  StoredSnapshot(const Core& core, Verdict verdict)
      : core_(core), verdict_(std::move(verdict)), frames_(core) {}
  Result<Buffer> content(const std::vector<Extent>& extents, std::uint64_t bytes);
  Status descend(Upper upper);
  // Of a hole: a piece of it.
  Result<bool> is_content(const Extent& extent, ByteView piece);
  // The last block that begins at or before the key.
  std::size_t block_for(const std::string& key) const;

  const Core& core_;
  const Verdict verdict_;
  FrameReader frames_;
  std::vector<BlockRef> blocks_;
  std::vector<Extent> upper_extents_;
};

// "base/5/16384": NUL, which some stores put between the parts of a key, is shown as '/'.
std::string printable_key(const std::string& key);

}  // namespace lb::repo
