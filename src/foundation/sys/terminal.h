// Terminal: what a person types: a secret that is not shown and never in the command line or its
// history, and lines while the program goes on with other work; and how wide it is.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "foundation/base/secret.h"

namespace lb {

// One line typed at `terminal` after the prompt, with the echo off while it is typed. unavailable:
// there is no terminal; cancelled: a stop came.
Result<Secret> ask_secret(const std::string& prompt, std::stop_token stop,
                          const std::string& terminal = "/dev/tty");

// How many columns the terminal has now; nothing where there is none, or it does not say.
std::optional<std::size_t> terminal_columns(int descriptor);

// Lines that come in one by one, without waiting for them. One thread.
class TypedLines {
 public:
  explicit TypedLines(int descriptor = 0) : descriptor_(descriptor) {}
  // The next whole line without its end, if there is one. Longer than 64 KiB: cut.
  std::optional<std::string> next();
  bool ended() const { return ended_; }  // nothing more will come

 private:
  void read_more();
  int descriptor_;
  std::string held_;
  bool ended_ = false;
};

}  // namespace lb
