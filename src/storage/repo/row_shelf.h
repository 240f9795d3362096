// RowShelf: where a session sets rows aside that no longer fit its memory: a file on this host that
// has no name any more and goes with the session. What is read back is checked against a digest
// that never left memory. put() by one thread at a time; get() by any.
#pragma once

#include <memory>
#include <string>

#include "foundation/crypto/hash.h"
#include "foundation/sys/files.h"

namespace lb::repo {

class RowShelf {
 public:
  struct Piece {
    std::uint64_t offset = 0, bytes = 0;
    Digest digest{};
  };

  // Makes the file, which must not exist, and removes its name.
  static Result<std::unique_ptr<RowShelf>> open(Files& files, const std::string& path);
  Result<Piece> put(ByteView bytes);
  Result<Buffer> get(const Piece& piece);

 private:
  explicit RowShelf(std::unique_ptr<File> file) : file_(std::move(file)) {}

  const std::unique_ptr<File> file_;
  std::uint64_t end_ = 0;
};

}  // namespace lb::repo
