#include "app/cli/console.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "app/cli/text_width.h"
#include "foundation/base/text.h"
#include "foundation/sys/terminal.h"

namespace lb::cli {

namespace {

constexpr std::size_t usual_width = 100, width_min = 20, width_max = 140;

// A line that is as wide as the terminal would go on in the next, and stay there when it is
// replaced.
std::size_t line_width() {
  auto columns = terminal_columns(fileno(stderr));
  return columns ? std::clamp(*columns - 1, width_min, width_max) : usual_width;
}

// A guess has no fractions of a second.
std::string time_left(double seconds) {
  auto whole = static_cast<std::int64_t>(std::ceil(seconds));
  return whole < 60 ? cat(whole, " s") : human_duration(Seconds(whole));
}

}  // namespace

Console::Console(const Clock& clock, ConsoleOptions options) : clock_(clock), options_(options) {}

void Console::write_err(const std::string& text) {
  if (progress_shown_) std::fputs("\r\x1b[K", stderr);
  progress_shown_ = false;
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

void Console::out(const std::string& text) {
  std::lock_guard lock(mutex_);
  if (progress_shown_) write_err("");
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!text.empty() && text.back() != '\n') std::fputc('\n', stdout);
  std::fflush(stdout);
}

Status Console::raw(ByteView bytes) {
  std::lock_guard lock(mutex_);
  if (progress_shown_) write_err("");
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() &&
      std::fflush(stdout) == 0) {
    return {};
  }
  return Error(ErrorKind::unavailable, "standard output cannot be written")
      .with_exit(ExitCode::failed);
}

void Console::note(const std::string& line) {
  if (options_.quiet) return;
  std::lock_guard lock(mutex_);
  write_err(line + "\n");
}

void Console::warn(const std::string& line) {
  std::lock_guard lock(mutex_);
  write_err(cat(colored("warning: ", 33), line, "\n"));
}

void Console::event(const std::string& schema, Json object) {
  if (!options_.json) return;
  Json line = Json::object();
  line.set("schema", schema);
  for (const auto& [name, value] : object.members()) line.set(name, value);
  out(line.dump());
}

void Console::fail(const std::string& verb, const Error& error) {
  if (options_.json) {
    event("lifeboat.summary/1", Json::object()
                                    .set("verb", verb)
                                    .set("ok", false)
                                    .set("exit", static_cast<int>(error.exit_code()))
                                    .set("error", error.text())
                                    .set("kind", name_of(error.kind()))
                                    .set("native", error.native())
                                    .set("left_behind", error.left())
                                    .set("hint", error.hint()));
  }
  std::lock_guard lock(mutex_);
  std::string text = cat(colored("error: ", 31), error.text());
  if (!error.native().empty()) text += cat(" (", error.native(), ")");
  text += "\n";
  if (!error.left().empty()) text += cat("left behind: ", error.left(), "\n");
  if (!error.hint().empty()) text += cat("hint: ", error.hint(), "\n");
  write_err(text);
}

ProgressSink Console::progress(const std::string& what) {
  std::lock_guard lock(mutex_);
  progress_started_ = clock_.steady();
  progress_last_ = Micros(0);
  if (options_.quiet) return {};
  return [this, what](const Progress& progress) { show(what, progress); };
}

void Console::show(const std::string& what, const Progress& progress) {
  std::lock_guard lock(mutex_);
  auto now = clock_.steady();
  Micros pause = options_.err_is_terminal ? Micros(200000) : Micros(Seconds(30));
  auto since = progress_last_.count() == 0 ? progress_started_ : progress_last_;
  if (now - since < pause) return;
  progress_last_ = now;
  double seconds = static_cast<double>((now - progress_started_).count()) / 1e6;
  double rate = seconds > 0 ? static_cast<double>(progress.done_bytes) / seconds : 0;
  std::string line = cat(what, ": ", human_size(progress.done_bytes));
  if (progress.total_bytes > 0) line += cat(" of ", human_size(progress.total_bytes));
  line += cat(", ", human_size(static_cast<std::uint64_t>(rate)), "/s");
  if (progress.total_bytes > progress.done_bytes && rate > 1) {
    auto left = static_cast<double>(progress.total_bytes - progress.done_bytes) / rate;
    line += cat(", ", time_left(left), " left");
  }
  if (progress.new_bytes) {
    auto fresh = std::min(*progress.new_bytes, progress.done_bytes);
    line += cat(", ", human_size(fresh), " new, ", human_size(progress.done_bytes - fresh),
                " deduplicated");
  }
  if (progress.items > 0) line += cat(", ", human_count(progress.items), " items");
  if (!options_.err_is_terminal) {
    write_err(line + "\n");
    return;
  }
  if (!progress.current.empty()) line += cat("  ", progress.current);
  std::fputs(("\r\x1b[K" + cut_to(line, line_width())).c_str(), stderr);
  std::fflush(stderr);
  progress_shown_ = true;
}

void Console::status(const std::string& line) {
  if (!options_.err_is_terminal || options_.quiet) return;
  std::lock_guard lock(mutex_);
  if (progress_shown_ && line.ends_with("> ")) return;
  std::fputs(("\r\x1b[K" + colored(cut_to(line, line_width()), 2)).c_str(), stderr);
  std::fflush(stderr);
  progress_shown_ = true;
}

void Console::end_progress() {
  std::lock_guard lock(mutex_);
  if (progress_shown_) write_err("");
}

std::string Console::ask(const std::string& question) {
  if (!options_.in_is_terminal) return {};
  std::lock_guard lock(mutex_);
  write_err(question + " ");
  std::string answer;
  std::getline(std::cin, answer);
  return std::string(trim(answer));
}

std::string Console::colored(const std::string& text, int code) const {
  return options_.color ? cat("\x1b[", code, "m", text, "\x1b[0m") : text;
}
std::string Console::bold(const std::string& text) const { return colored(text, 1); }

std::string table(const std::vector<std::vector<std::string>>& rows,
                  const std::vector<std::size_t>& right) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string pad(widths[i] - width_of(row[i]), ' ');
      bool to_right = std::find(right.begin(), right.end(), i) != right.end();
      line += to_right ? pad + row[i] : row[i] + pad;
      if (i + 1 < row.size()) line += "  ";
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += line + "\n";
  }
  return out;
}

}  // namespace lb::cli
