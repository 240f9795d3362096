// Console: what a person or a script sees. Data goes to stdout, the rest to stderr. Progress only
// on a terminal, else one plain line each 30 s. NO_COLOR obeyed. Thread-safe.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "foundation/base/error.h"
#include "foundation/base/log.h"
#include "foundation/codec/json.h"
#include "foundation/sys/clock.h"
#include "stores/seam/store.h"

namespace lb::cli {

struct ConsoleOptions {
  bool json = false, quiet = false, verbose = false;
  bool out_is_terminal = false, err_is_terminal = false, in_is_terminal = false;
  bool color = false;
};

class Console final : public Log {
 public:
  Console(const Clock& clock, ConsoleOptions options);

  const ConsoleOptions& options() const { return options_; }
  void out(const std::string& text);  // stdout, with a newline added when missing
  // stdout as it is. unavailable when nobody reads it any more.
  Status raw(ByteView bytes);
  void note(const std::string& line) override;  // stderr, not when quiet
  void warn(const std::string& line) override;  // stderr, always
  // One JSON line on stdout (only with --json): {"schema": schema, …}.
  void event(const std::string& schema, Json object);
  // The error as people read it (stderr), or as a JSON summary line with --json.
  void fail(const std::string& verb, const Error& error);
  ProgressSink progress(const std::string& what);
  // One line at the bottom of a terminal, replaced by the next and by whatever else is written; one
  // that ends with "> " stays while somebody types behind it, and comes back after something else.
  void status(const std::string& line);
  void end_progress();

  // Asks on the terminal; empty when there is none.
  std::string ask(const std::string& question);
  std::string bold(const std::string& text) const;
  std::string colored(const std::string& text, int code) const;

 private:
  void write_err(const std::string& text);
  void show(const std::string& what, const Progress& progress);

  const Clock& clock_;
  ConsoleOptions options_;
  std::mutex mutex_;
  bool progress_shown_ = false;
  Micros progress_started_{0}, progress_last_{0};
};

// Aligned columns; the first row is the heading. Columns listed in `right` are right-aligned.
std::string table(const std::vector<std::vector<std::string>>& rows,
                  const std::vector<std::size_t>& right = {});

}  // namespace lb::cli
