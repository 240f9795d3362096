// A BlobStore in a directory. An object is written to a temporary name below tmp/, synced, and
// linked to its final name, so a crash leaves either nothing or the whole object; flush() makes the
// links durable. Files are 0600, folders 0700. Thread-safe; several processes may share the
// directory.
#pragma once

#include <memory>
#include <string>

#include "foundation/sys/clock.h"
#include "foundation/sys/files.h"
#include "foundation/sys/random.h"
#include "storage/blob/blob_store.h"

namespace lb {

enum class MissingFolder { refuse, create };

// Opens the store and removes temporaries more than a day old, which killed processes left.
// not_found (exit 10) when the folder is missing and may not be created.
Result<std::unique_ptr<BlobStore>> open_directory_blobs(Files& files, const Clock& clock,
                                                        Random& random, const std::string& path,
                                                        MissingFolder missing);

}  // namespace lb
