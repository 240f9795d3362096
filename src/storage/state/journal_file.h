// The journal's file: made with narrow modes, opened, its tables laid out; a damaged one set aside.
// Private to this folder.
#pragma once

#include <memory>
#include <string>

#include "foundation/sys/world.h"
#include "storage/state/database.h"

namespace lb::state {

struct OpenedFile {
  std::unique_ptr<Database> database;
  std::string set_aside;  // where the damaged file is now; empty when it was sound
  std::string damage;     // what was wrong with it
};

Result<OpenedFile> open_journal_file(World& world, const std::string& path);

}  // namespace lb::state
