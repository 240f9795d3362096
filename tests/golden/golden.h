// What the golden repositories of each format version hold. They were written once and are read for
// ever; what stands here must never change. For tests only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

namespace lb::golden {

inline constexpr const char* passphrase = "golden passphrase";
inline constexpr const char* write_passphrase = "golden passphrase of a host that writes";
inline constexpr std::uint8_t key_file_byte = 0x47;

// The same bytes on every machine and in every year: no library's generator.
inline std::string noise(std::uint64_t seed, std::size_t size) {
  std::string out;
  for (std::uint64_t state = seed; out.size() < size;) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    out += static_cast<char>(state >> 56);
  }
  return out;
}

using Content = std::map<std::string, std::string>;

inline Content first_content() {
  Content out{{"", ""}, {"empty", ""}, {"noise", noise(1, 9000)}, {"text", {}}};
  for (int i = 0; i < 4000; ++i) out["text"] += "line " + std::to_string(i) + "\n";
  for (int i = 0; i < 60; ++i) out["many/" + std::to_string(100 + i)] = "file " + std::to_string(i);
  out[std::string("odd\0\n\xFF", 6)] = "odd name";
  return out;
}

inline Content second_content() {
  auto out = first_content();
  out["text"] += "one more line\n";
  out.erase("many/100");
  out["new"] = noise(2, 3000);
  return out;
}

// Of the repository whose packs were rewritten: frames enough for some to be of no use, some to be
// needed in part, and some whole.
inline Content large_content() {
  Content out;
  for (int file = 0; file < 16; ++file) {
    auto& text = out["large/" + std::to_string(100 + file)];
    for (int i = 0; i < 4000; ++i) {
      text += "line " + std::to_string(i) + " of file " + std::to_string(file) + "\n";
    }
  }
  return out;
}
inline Content thinned_content() {
  auto all = large_content();
  Content out{{"small", "small\n"}};
  for (int file : {100, 107, 108, 109, 110, 111, 112, 115}) {
    auto name = "large/" + std::to_string(file);
    out[name] = all[name];
  }
  return out;
}

inline std::string log_segment() { return noise(3, 4000); }
inline std::string log_tails() { return noise(4, 1500); }  // two: 1000 bytes and the rest
inline constexpr const char* history = "1\t0/3000000\tno recovery target specified\n";
inline constexpr const char* record = "{\"verdict\":\"PASS\"}";

// The ways in which a whole one was broken: one folder each, with what lies over the whole one.
inline const std::vector<std::string>& broken() {
  static const std::vector<std::string> names = {"flipped-pack", "missing-pack", "missing-index",
                                                 "cut-verdict", "damaged-slot"};
  return names;
}

// The same of the one whose packs were rewritten.
inline const std::vector<std::string>& broken_moved() {
  static const std::vector<std::string> names = {"flipped-move", "missing-move", "flipped-pack"};
  return names;
}

}  // namespace lb::golden
