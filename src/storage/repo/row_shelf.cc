#include "storage/repo/row_shelf.h"

namespace lb::repo {

Result<std::unique_ptr<RowShelf>> RowShelf::open(Files& files, const std::string& path) {
  auto file = LB_TRY(files.create(path, 0600));
  LB_TRY(files.remove(path));
  return std::unique_ptr<RowShelf>(new RowShelf(std::move(file)));
}

Result<RowShelf::Piece> RowShelf::put(ByteView bytes) {
  LB_TRY(file_->write_at(bytes, end_));
  Piece piece{end_, bytes.size(), sha256(bytes)};
  end_ += bytes.size();
  return piece;
}

Result<Buffer> RowShelf::get(const Piece& piece) {
  Buffer out(piece.bytes);
  auto got = LB_TRY(file_->read_at(out, piece.offset));
  if (got == out.size() && sha256(out) == piece.digest) return out;
  return Error(ErrorKind::corrupt, "rows that were set aside on this host came back changed")
      .with_hint("look after the disk with the cache folder, then run the backup again");
}

}  // namespace lb::repo
