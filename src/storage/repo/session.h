// Session: a SnapshotWriter over a Packer. See repository.h for the contract.
#pragma once

#include <atomic>

#include "storage/repo/frame_reader.h"
#include "storage/repo/known_chunks.h"
#include "storage/repo/packer.h"
#include "storage/repo/row_sorter.h"
#include "storage/repo/snapshot_reader.h"
#include "storage/repo/verdict.h"

namespace lb::repo {

class Session final : public SnapshotWriter {
 public:
  // `previous`: SHA-256 of the store's previous verdict. `parent` may be null.
  static Result<std::unique_ptr<SnapshotWriter>> begin(const Core& core, const std::string& store,
                                                       StoredSnapshot* parent,
                                                       const Digest& previous,
                                                       std::stop_token stop);

  const std::string& id() const override { return id_; }
  Status add(std::string key, Buffer attributes) override;
  Result<std::unique_ptr<ContentStream>> open(std::string key, Cut cut) override;
  Status add_whole(std::span<WholeRow> rows) override;
  Status reuse(const Row& parent_row, Buffer attributes) override;
  Status attach(const std::string& name, ByteView bytes) override;
  Result<std::unique_ptr<AttachmentStream>> open_attachment(const std::string& name) override;
  WriterStats stats() const override;
  Result<SnapshotInfo> commit(const SnapshotMeta& meta) override;

  // For streams: names chunks and stores those that the repository does not have.
  enum class Kind { cut, pages, own };  // where content says, at pages; the repository's own data
  Status store_chunks(std::span<const ByteView> chunks, std::span<ChunkId> ids, Kind kind);
  Result<std::vector<DraftExtent>> store_bytes(ByteView bytes);
  Status add_row(DraftRow row, std::uint64_t logical_bytes);
  void add_attachment(const std::string& name, std::vector<DraftExtent> extents,
                      std::uint64_t bytes);
  Result<DraftExtent> reuse(const Extent& extent, const std::string& key);
  const Core& core() const { return core_; }

 private:
  Session(const Core& core, std::string id, StoredSnapshot* parent, const Digest& previous,
          std::stop_token stop);
  Result<std::vector<Extent>> resolve(const std::vector<DraftExtent>& drafts);
  Result<RowSorter::Piece> set_aside(ByteView rows);
  Result<Buffer> load_piece(const RowSorter::Piece& piece);
  void inherit_packs();
  std::uint32_t pack_number(std::uint32_t map_number);
  using EachRow = std::function<Status(const Row&)>;
  // Cuts rows into blocks and stores them.
  Result<std::vector<BlockRef>> write_blocks(const std::function<Status(const EachRow&)>& give);
  Result<Upper> write_table();
  Status check_meta(const SnapshotMeta& meta) const;
  void fill_info(const SnapshotMeta& meta, SnapshotInfo& info);
  void fill_packs(Verdict& verdict);

  const Core& core_;
  const std::string id_;
  StoredSnapshot* parent_;
  const Digest previous_;
  const std::stop_token stop_;
  KnownChunks known_;
  ChunkMap chunks_;
  Packer packer_;
  RowSorter rows_;
  std::unique_ptr<RowShelf> shelf_;
  bool has_no_shelf_ = false;
  std::optional<Error> shelf_trouble_;  // why, where there should be one
  FrameReader frames_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::vector<DraftExtent>>> attachments_;
  std::map<std::string, std::uint64_t> attachment_bytes_;
  std::vector<VerdictPack> pack_list_;  // of the verdict
  std::map<std::string, std::uint32_t> pack_list_numbers_;
  std::vector<std::uint32_t> pack_cache_;  // map number -> list number + 1
  std::atomic<std::uint64_t> row_count_{0}, logical_bytes_{0}, new_bytes_{0};
  std::atomic<bool> ended_{false};
};

}  // namespace lb::repo
