// Args: the command line, declared as tables and parsed strictly. Pure. Unknown flags and verbs
// come back as ErrorKind::invalid (exit 2) with "did you mean". `--help` of a verb starts with
// examples.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "foundation/base/result.h"

namespace lb::cli {

struct Flag {
  std::string name;   // "at", without dashes
  char letter = 0;    // "-n"
  std::string value;  // shown as --at TIME; empty: a switch
  std::string help;
  bool repeats = false;
};

struct VerbHelp {
  std::string name;                   // "plan check"
  std::string summary;                // one line
  std::vector<std::string> examples;  // at least two, each "command   # what it does"
  std::string usage;                  // "restore STORE|GROUP --to TARGET [flags]"
  std::vector<Flag> flags;
  std::size_t positionals_max = 0;
};

class Args {
 public:
  std::vector<std::string> positionals;
  bool has(const std::string& flag) const;
  std::string get(const std::string& flag, std::string fallback = {}) const;
  std::vector<std::string> all(const std::string& flag) const;

  std::map<std::string, std::vector<std::string>> flags;
};

// Flags every verb takes: --plan, --json, --quiet, --verbose, --help.
const std::vector<Flag>& common_flags();

Result<Args> parse_args(const VerbHelp& verb, const std::vector<std::string>& words);
std::string help_text(const VerbHelp& verb);

}  // namespace lb::cli
