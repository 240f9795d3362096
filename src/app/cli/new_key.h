// A key that a repository is to be opened with from now on, from the flags of a verb. Secrets come
// by reference or from the terminal, never from the command line itself.
#pragma once

#include "app/cli/args.h"
#include "app/cli/session.h"

namespace lb::cli {

// Flags of every verb that takes a new key.
std::vector<Flag> new_key_flags();

struct NewKey {
  Secret text;       // a passphrase or the text of a key file
  std::string file;  // the key file that was made or read; empty for a passphrase
  bool made = false;
};

// --file PATH: reads that key file, or makes it (0600) when there is none. --passphrase: env:,
// file: or command:, or "ask" at the terminal, twice.
Result<NewKey> read_new_key(const Shell& shell, const References& references, const Args& args);

// usage (exit 2) for passphrases too short to withstand guessing.
Status check_new_key(const Secret& text);

}  // namespace lb::cli
