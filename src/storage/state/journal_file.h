// The journal's file: made with narrow modes, opened, its tables laid out; a damaged one set aside.
// Private to this folder.
#pragma once

#include <memory>
#include <string>

#include "foundation/sys/world.h"
#include "model/record/journal_entry.h"
#include "storage/state/database.h"

namespace lb::state {

struct OpenedFile {
  std::unique_ptr<Database> database;
  std::string set_aside;  // where the damaged file is now; empty when it was sound
  std::string damage;     // what was wrong with it
};

// What the journal says of a file that was set aside.
record::JournalEntry damage_note(const OpenedFile& opened);

Result<OpenedFile> open_journal_file(World& world, const std::string& path);

}  // namespace lb::state
