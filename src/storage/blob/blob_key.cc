#include "storage/blob/blob_key.h"

#include "foundation/base/text.h"

namespace lb {

namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '=' || c == '-';
}

bool good_segment(const std::string& segment) {
  if (segment.empty() || segment.size() > 255 || segment.front() == '.') return false;
  for (char c : segment) {
    if (!plain(c)) return false;
  }
  return true;
}

}  // namespace

Status check_blob_key(std::string_view key) {
  bool good = key.size() <= 900 && !key.starts_with("tmp/");
  for (const auto& segment : split(key, '/')) good = good && good_segment(segment);
  if (good) return {};
  return Error(ErrorKind::invalid,
               cat("'", printable(key.substr(0, 100)), "' is not an object key"));
}

}  // namespace lb
