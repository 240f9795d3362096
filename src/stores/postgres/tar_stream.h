// TarReader: takes a tar archive in pieces of any size and hands its entries on as they pass.
// Foreign bytes: headers are checked (checksum, numbers, name sizes) and every malformation is
// ErrorKind::corrupt. Knows ustar and the long names of GNU tar. Private to stores/postgres.
#pragma once

#include <cstdint>
#include <string>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace lb::pg {

struct TarEntry {
  enum class Kind { file, directory, symlink } kind = Kind::file;
  std::string name;  // as written, without a leading "./" and a trailing "/"
  std::string link_target;
  std::uint32_t mode = 0;
  std::int64_t mtime = 0;
  std::uint64_t size = 0;
};

class TarSink {
 public:
  virtual ~TarSink() = default;
  virtual Status begin(const TarEntry& entry) = 0;
  virtual Status data(ByteView bytes) = 0;  // of the entry begun last
  virtual Status end() = 0;                 // all bytes of it were given
};

class TarReader {
 public:
  explicit TarReader(TarSink& sink) : sink_(sink) {}
  Status feed(ByteView bytes);
  // No more bytes will come: an archive cut inside an entry is corrupt. The two zero blocks at the
  // end may be missing, as PostgreSQL leaves them out of some archives.
  Status finish();

 private:
  enum class State { header, content, long_text, padding, over };
  Status step(ByteView& bytes);
  Status read_header();
  Status start_entry(TarEntry entry, char type);
  Status take_long_text();
  Status end_content();

  TarSink& sink_;
  State state_ = State::header;
  Buffer block_;            // a header, as far as it came; or a long name
  std::uint64_t left_ = 0;  // of content, long text or padding
  std::uint64_t padding_ = 0;
  char long_type_ = 0;  // 'L' or 'K' while a long text is read
  std::string long_name_, long_link_;
};

}  // namespace lb::pg
