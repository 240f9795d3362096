#include "recovery/check/encrypted_look.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace lb::check {

namespace {

constexpr std::size_t values = 256;

std::array<std::size_t, values> histogram(ByteView bytes) {
  std::array<std::size_t, values> out{};
  for (auto byte : bytes) ++out[byte];
  return out;
}

// Bits a byte, by Shannon.
double entropy(ByteView bytes) {
  double out = 0;
  auto total = static_cast<double>(bytes.size());
  for (auto count : histogram(bytes)) {
    if (count == 0) continue;
    auto share = static_cast<double>(count) / total;
    out -= share * std::log2(share);
  }
  return out;
}

// The entropy in proportion to what so few bytes can have at most.
double evenness(ByteView bytes, double alphabet) {
  auto most = std::log2(std::min(static_cast<double>(bytes.size()), alphabet));
  return most > 0 ? entropy(bytes) / most : 0;
}

struct Format {
  std::string_view name, mark;
  std::size_t offset = 0;
};

using namespace std::literals;

// Formats whose content is as even as encrypted content.
constexpr std::array<Format, 29> formats = {{
    {"gzip", "\x1f\x8b"sv},
    {"bzip2", "BZh"sv},
    {"xz",
     "\xfd"
     "7zXZ\0"sv},
    {"zstd", "\x28\xb5\x2f\xfd"sv},
    {"lz4", "\x04\x22\x4d\x18"sv},
    {"lzip", "LZIP"sv},
    {"zip", "PK\x03\x04"sv},
    {"zip", "PK\x05\x06"sv},
    {"7z", "7z\xbc\xaf\x27\x1c"sv},
    {"rar", "Rar!\x1a\x07"sv},
    {"compress", "\x1f\x9d"sv},
    {"png", "\x89PNG\r\n\x1a\n"sv},
    {"jpeg", "\xff\xd8\xff"sv},
    {"gif", "GIF8"sv},
    {"webp", "WEBP"sv, 8},
    {"jpeg 2000", "\0\0\0\x0cjP  "sv},
    {"jpeg xl", "\xff\x0a"sv},
    {"mp4", "ftyp"sv, 4},
    {"quicktime", "moov"sv, 4},
    {"matroska", "\x1a\x45\xdf\xa3"sv},
    {"mp3", "ID3"sv},
    {"mp3", "\xff\xfb"sv},
    {"ogg", "OggS"sv},
    {"flac", "fLaC"sv},
    {"pdf", "%PDF-"sv},
    {"woff2", "wOF2"sv},
    {"woff", "wOFF"sv},
    {"deb", "!<arch>\n"sv},
    {"rpm", "\xed\xab\xee\xdb"sv},
}};

struct Ending {
  std::string_view extension, format;
};

constexpr std::array<Ending, 25> endings = {{
    {"gz", "gzip"},      {"tgz", "gzip"}, {"bz2", "bzip2"}, {"xz", "xz"},    {"zst", "zstd"},
    {"zip", "zip"},      {"jar", "zip"},  {"docx", "zip"},  {"xlsx", "zip"}, {"pptx", "zip"},
    {"odt", "zip"},      {"ods", "zip"},  {"epub", "zip"},  {"7z", "7z"},    {"rar", "rar"},
    {"png", "png"},      {"jpg", "jpeg"}, {"jpeg", "jpeg"}, {"gif", "gif"},  {"webp", "webp"},
    {"mkv", "matroska"}, {"pdf", "pdf"},  {"flac", "flac"}, {"ogg", "ogg"},  {"woff2", "woff2"},
}};

bool begins_as(ByteView bytes, const Format& format) {
  if (bytes.size() < format.offset + format.mark.size()) return false;
  auto mark = view_of(format.mark);
  return std::equal(mark.begin(), mark.end(),
                    bytes.begin() + static_cast<std::ptrdiff_t>(format.offset));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

}  // namespace

bool looks_like_noise(ByteView bytes) {
  if (bytes.size() < noise_bytes_min) return false;
  // Chi-square with 255 degrees of freedom: noise gives 255, more than 400 once in some millions of
  // times. Compressed data is mostly far above it, text and tables beyond all measure.
  constexpr double chi_max = 400;
  auto expected = static_cast<double>(bytes.size()) / static_cast<double>(values);
  double chi = 0;
  for (auto count : histogram(bytes)) {
    auto off = static_cast<double>(count) - expected;
    chi += off * off / expected;
  }
  return chi <= chi_max;
}

std::string_view known_format(ByteView beginning) {
  for (const auto& format : formats) {
    if (begins_as(beginning, format)) return format.name;
  }
  return {};
}

bool lost_its_format(std::string_view name, ByteView beginning) {
  constexpr std::size_t bytes_min = 64;
  constexpr double even = 0.88;
  auto dot = name.rfind('.');
  if (dot == std::string_view::npos || beginning.size() < bytes_min) return false;
  std::string extension(name.substr(dot + 1));
  for (auto& c : extension) c = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  auto ending = std::find_if(endings.begin(), endings.end(),
                             [&](const auto& each) { return each.extension == extension; });
  if (ending == endings.end() || !known_format(beginning).empty()) return false;
  // Text under the name of a picture is somebody's mistake; no cipher leaves text.
  return evenness(beginning, static_cast<double>(values)) >= even;
}

bool text_looks_encrypted(std::string_view value) {
  constexpr std::size_t base64_min = 24, hex_min = 32;  // one block of a cipher
  constexpr double even = 0.78;                         // noise of one block is not evener
  while (!value.empty() && (value.back() == '=' || value.back() == '\n')) value.remove_suffix(1);
  std::size_t upper = 0, lower = 0, digits = 0, hex = 0, breaks = 0;
  for (char c : value) {
    if (c == '\n' || c == '\r') {
      ++breaks;  // long base64 stands in lines
      continue;
    }
    bool letter = is_upper(c) || is_lower(c);
    if (!letter && !is_digit(c) && c != '+' && c != '/' && c != '-' && c != '_') return false;
    upper += is_upper(c) ? 1U : 0U;
    lower += is_lower(c) ? 1U : 0U;
    digits += is_digit(c) ? 1U : 0U;
    hex += is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ? 1U : 0U;
  }
  // Of names run together, "CustomerReport2026", one letter in six is large; of noise four in ten.
  bool mixed = digits > 0 && 9 * upper > 2 * value.size() && 9 * lower > 2 * value.size();
  bool all_hex = hex == value.size() - breaks && digits > 0 && digits < hex;
  if (all_hex) return value.size() >= hex_min && evenness(view_of(value), 16) >= even;
  // What the last block leaves out of a base64 text are the two signs taken away above.
  return mixed && value.size() + 2 >= base64_min && evenness(view_of(value), 64) >= even;
}

bool bytes_look_encrypted(ByteView value) {
  constexpr std::size_t block = 16;
  // Noise is least even where it is about as long as there are values: 0.896 of what could be.
  constexpr double even = 0.86;
  if (value.size() < block || !known_format(value).empty()) return false;
  if (value.size() >= noise_bytes_min) return looks_like_noise(value);
  return evenness(value, static_cast<double>(values)) >= even;
}

}  // namespace lb::check
