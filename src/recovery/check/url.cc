#include "recovery/check/url.h"

namespace lb::check {

namespace {

bool unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

template <typename Keep>
std::string encoded(std::string_view text, Keep keep) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    if (keep(c)) {
      out += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

bool allowed_in_url(char c) {
  return c > ' ' && c < 0x7F && std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos;
}

}  // namespace

std::string percent_encoded(std::string_view text) { return encoded(text, unreserved); }

std::string url_safe(std::string_view text) { return encoded(text, allowed_in_url); }

std::string path_safe(std::string_view text) {
  return encoded(text, [](char c) {
    return allowed_in_url(c) && std::string_view("?#%").find(c) == std::string_view::npos;
  });
}

}  // namespace lb::check
