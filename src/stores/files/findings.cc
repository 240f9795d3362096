#include "stores/files/findings.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::files {

namespace {

constexpr std::size_t lines_max = 1000;

std::string line(const std::string& path, const std::string& text) {
  return cat(path.empty() ? "." : printable(path), ": ", text);
}

}  // namespace

std::string reason(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::not_found:
      return "vanished while the backup ran";
    case ErrorKind::denied:
      return "permission denied";
    default:
      return error.message();
  }
}

void Findings::List::add(std::string text) {
  if (lines.size() < lines_max) {
    lines.push_back(std::move(text));
  } else {
    ++more;
  }
}

std::vector<std::string> Findings::List::sorted() const {
  auto out = lines;
  std::sort(out.begin(), out.end());
  if (more > 0) out.push_back(cat("and ", more, " more"));
  return out;
}

void Findings::unread(const std::string& path, const std::string& why) {
  std::lock_guard lock(mutex_);
  unread_.add(line(path, why));
}

void Findings::unread(const std::string& path, const Error& error) { unread(path, reason(error)); }

void Findings::note(const std::string& path, const std::string& text) {
  std::lock_guard lock(mutex_);
  notes_.add(line(path, text));
}

std::vector<std::string> Findings::unread_lines() const {
  std::lock_guard lock(mutex_);
  return unread_.sorted();
}

std::vector<std::string> Findings::all_lines() const {
  std::lock_guard lock(mutex_);
  auto out = unread_.sorted();
  auto notes = notes_.sorted();
  auto room = lines_max - std::min(lines_max, out.size());
  auto kept = std::min(room, notes.size());
  out.insert(out.end(), notes.begin(), notes.begin() + static_cast<std::ptrdiff_t>(kept));
  if (kept < notes.size()) out.push_back(cat("and ", notes.size() - kept, " more notes"));
  return out;
}

std::uint64_t Findings::unread_count() const {
  std::lock_guard lock(mutex_);
  return unread_.lines.size() + unread_.more;
}

}  // namespace lb::files
