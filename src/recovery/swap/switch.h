// Points clients at another place: writes the new connection where they read it, runs the hook that
// tells them, and puts both back when that is asked. See old_watch.h for proving what it did.
//
// What the file said before stands beside it, in FILE.before-ID (0600; FILE.absent-ID when there
// was none), from before the first change until forget_switch(). A process that is killed anywhere
// leaves one whole text in the file; doing it again, or undoing it, finishes.
#pragma once

#include <functional>
#include <string>

#include "foundation/base/secret.h"
#include "foundation/sys/files.h"
#include "model/plan/value_types.h"

namespace lb::swap {

// Where a plan may say to write: refused (exit 2) with what to do instead unless it is file:PATH.
Status check_switch_place(const plan::Reference& place);

struct SwitchWish {
  std::string id;    // of the run: 4 to 26 letters or digits
  std::string file;  // absolute; empty: the hook does it all
  // Of the program that is told, where there is one. It may run more than once, and runs after the
  // file was put back, too.
  std::function<Status()> hook = {};
};

enum class SwitchStage {
  none,     // the file is as it was
  saved,    // what it said is kept, it may not say the new thing yet
  written,  // it says the new thing
};
// `content` is what the file is to say. conflict when it is a link or no file.
Result<SwitchStage> look_at_switch(Files& files, const SwitchWish& wish, const Secret& content);

// Owner and permissions of a file that is there stay; a new one is for its owner alone (0600).
Status make_switch(Files& files, const SwitchWish& wish, const Secret& content);
// Nothing to do when nothing is kept.
Status undo_switch(Files& files, const SwitchWish& wish);
// There is no way back after this: what the file said, a secret, is removed.
Status forget_switch(Files& files, const SwitchWish& wish);

}  // namespace lb::swap
