// logs: what a service wrote since it was started in the drill, counted by level.
#include <algorithm>

#include "foundation/base/text.h"
#include "recovery/check/comparison.h"
#include "recovery/check/log_line.h"
#include "recovery/check/scope.h"

namespace lb::check {

namespace {

constexpr std::size_t block_bytes = 256 << 10;
constexpr std::size_t line_bytes_max = 64 << 10;  // of a longer line only the start is judged
constexpr std::size_t lines_shown_max = 20;       // of each level

Result<std::string> log_of(const std::string& service, const CheckContext& context) {
  auto found = context.service_logs.find(service);
  if (found != context.service_logs.end()) return found->second;
  if (!context.sandboxed) {
    return Error(ErrorKind::unsupported,
                 cat("what service ", service,
                     " writes is known only in a drill, which starts it; here it runs without "
                     "Lifeboat: look into its own log"));
  }
  return Error(ErrorKind::invalid, cat("the drill has not started a service ", service));
}

plan::Comparison limit_of(const std::optional<plan::Comparison>& given) {
  if (given) return *given;
  plan::Comparison none;
  none.value = "0";
  return none;
}

struct Level {
  std::uint64_t count = 0;
  std::vector<std::string> first;  // lines with their number
};

class LogReader {
 public:
  explicit LogReader(const Scope& scope) : scope_(scope) {}

  // Up to where the log ends now: a service that goes on writing is not run after.
  Status read(const std::string& path) {
    auto& files = scope_.context.world.files;
    auto info = LB_TRY(files.info(path));
    // Beside it the service may write as it likes: what it put in its place is not opened.
    if (info.kind != FileKind::regular) {
      return Error(ErrorKind::invalid, "the log is not a file any more");
    }
    auto file = LB_TRY(files.open_read(path));
    Buffer block(block_bytes);
    for (std::uint64_t at = 0; at < info.size;) {
      LB_TRY(not_stopped(scope_.context));
      auto wanted = std::min<std::uint64_t>(block.size(), info.size - at);
      auto got = LB_TRY(file->read_at(MutableBytes(block).first(wanted), at));
      if (got == 0) break;  // made shorter meanwhile
      take(lb::text_of(ByteView(block).first(got)));
      at += got;
    }
    end_line();
    return {};
  }

  Level errors, warnings;
  std::uint64_t lines = 0;  // that hold anything
  std::uint64_t cut = 0;    // longer than what is judged

 private:
  void take(std::string_view text) {
    while (!text.empty()) {
      auto end = text.find('\n');
      auto part = text.substr(0, end);
      auto room = line_bytes_max - line_.size();
      if (part.size() > room) too_long_ = true;
      line_.append(part.substr(0, room));
      if (end == std::string_view::npos) return;
      end_line();
      text.remove_prefix(end + 1);
    }
  }

  void end_line() {
    ++number_;
    if (!trim(line_).empty()) {
      ++lines;
      if (too_long_) ++cut;
      auto level = level_of(line_);
      if (level == LineLevel::error) keep(errors);
      if (level == LineLevel::warning) keep(warnings);
    }
    line_.clear();
    too_long_ = false;
  }

  void keep(Level& level) const {
    ++level.count;
    if (level.first.size() == lines_shown_max) return;
    // Known secrets go before the line is made shorter or its parts are replaced.
    auto clean = scope_.redactor.clean(line_.substr(0, 16 * Evidence::line_bytes_max));
    level.first.push_back(cat("line ", number_, ": ", shown_line(clean)));
  }

  const Scope& scope_;
  std::string line_;
  bool too_long_ = false;
  std::uint64_t number_ = 0;
};

Status judge_level(const Level& level, const plan::Comparison& limit, const std::string& what,
                   Finding& out) {
  bool meets = LB_TRY(holds(limit, std::to_string(level.count)));
  for (const auto& line : level.first) {
    if (meets) {
      out.evidence.add(line);
    } else {
      out.evidence.problem(line);
    }
  }
  if (meets) return {};
  out.fail(cat(level.count, " lines tell ", what, ", expected ", text_of(limit),
               level.first.empty() ? "" : cat("; the first is ", level.first[0])));
  return {};
}

}  // namespace

Result<Finding> check_logs(const plan::CheckLogs& what, const Scope& scope) {
  LB_TRY(not_stopped(scope.context));
  auto path = LB_TRY(log_of(what.service, scope.context));
  auto named = cat("log of service ", what.service);
  LogReader log(scope);
  LB_TRY(log.read(path).context(named));
  auto errors = limit_of(what.errors);
  Finding out;
  out.examined = log.lines;
  out.expected = cat("errors ", text_of(errors),
                     what.warnings ? cat(", warnings ", text_of(*what.warnings)) : "");
  out.got =
      cat(log.errors.count, " errors, ", log.warnings.count, " warnings in ", log.lines, " lines");
  // Silence proves nothing: output that goes elsewhere looks the same.
  if (log.lines == 0) {
    out.fail(cat("service ", what.service,
                 " wrote nothing, so that nothing was examined; let it "
                 "write its log to its standard output, or take the check out"));
    return out;
  }
  LB_TRY(judge_level(log.errors, errors, "an error", out));
  if (what.warnings) LB_TRY(judge_level(log.warnings, *what.warnings, "a warning", out));
  if (log.cut > 0) {
    out.evidence.add(cat(log.cut, " lines are longer than ", human_size(line_bytes_max),
                         ", of which the start was judged"));
  }
  return out;
}

}  // namespace lb::check
