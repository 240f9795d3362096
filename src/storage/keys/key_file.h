// Key files: a random key of 32 bytes as one line of text, `lifeboat-key-1 <64 hex> <8 hex>`; the
// last part is the beginning of the SHA-256 of what stands before it. Pure.
#pragma once

#include "foundation/base/secret.h"

namespace lb::keys {

// Whether the text is meant as a key file's, so that a damaged one is not taken for a passphrase.
bool is_key_file(const Secret& text);
Secret write_key_file(const Secret& key);          // 32 bytes; ends with a line feed
Result<Secret> read_key_file(const Secret& text);  // wrong_key (exit 12) with what is wrong

}  // namespace lb::keys
