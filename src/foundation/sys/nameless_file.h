// NamelessFile: a file that is written before anybody may see it, and gets its name at once when it
// is whole. Until then it belongs to this process alone: after a crash nothing is left. Used for
// log that a server is about to ask for. One thread at a time.
#pragma once

#include <memory>
#include <string>

#include "foundation/base/bytes.h"
#include "foundation/sys/descriptor.h"

namespace lb {

class NamelessFile {
 public:
  // Mode 0600, on the file system of `folder`; unsupported where that cannot do it.
  static Result<std::unique_ptr<NamelessFile>> write(const std::string& folder, ByteView bytes);
  explicit NamelessFile(Descriptor file) : file_(std::move(file)) {}

  // Takes the place of what is at `path`, on the same file system. Once.
  Status replace(const std::string& path);

 private:
  Descriptor file_;
};

}  // namespace lb
