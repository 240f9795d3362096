// TzifReader: the bytes of a TZif file, taken apart with every length checked. Private to this
// folder.
#pragma once

#include <string_view>

#include "foundation/codec/time_zone.h"

namespace lb {

class TzifReader {
 public:
  explicit TzifReader(ByteView bytes) : left_(bytes) {}
  Result<TimeZone> read();

 private:
  struct Header {
    char version = 0;
    std::size_t isutc = 0, isstd = 0, leaps = 0, times = 0, types = 0, chars = 0;
    std::size_t bytes(std::size_t time_bytes) const;
  };
  Result<ByteView> take(std::size_t count);
  Result<Header> read_header();
  Status read_block(const Header& header, std::size_t time_bytes, TimeZone& zone);
  Status read_rule(TimeZone& zone);

  // Of the rule's text.
  static bool skip_name(std::string_view& text);
  static bool number(std::string_view& text, int digits_max, std::int64_t* out);
  static bool clock(std::string_view& text, std::int64_t hours_max, std::int64_t* out);
  static bool turn(std::string_view& text, TimeZone::Turn* out);

  ByteView left_;
};

}  // namespace lb
