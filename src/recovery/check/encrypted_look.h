// Whether content looks encrypted: even as noise, and not of a format that is compressed anyway.
// Pure. A judgement by samples, not a proof: what hides in a compressed format is not seen, and a
// compressed format without a mark at its beginning looks the same as encrypted content.
#pragma once

#include <string_view>

#include "foundation/base/bytes.h"

namespace lb::check {

// At least this much is needed to tell noise from the rest by its bytes alone.
inline constexpr std::size_t noise_bytes_min = 4096;

// Of at least noise_bytes_min bytes: all values come about equally often, as in encrypted content.
bool looks_like_noise(ByteView bytes);

// The name of the format, compressed by itself, whose mark stands at the beginning ("zip", "jpeg");
// empty: none that is known.
std::string_view known_format(ByteView beginning);

// A file by that name begins with a mark that these bytes do not have, and they are no text either:
// "holiday.jpg" that is no picture any more.
bool lost_its_format(std::string_view name, ByteView beginning);

// A value of a text column: long enough for a cipher's block, of nothing but hexadecimal or base64
// digits, and as even as noise is in them.
bool text_looks_encrypted(std::string_view value);
// A value of a bytea column, or what a small file holds.
bool bytes_look_encrypted(ByteView value);

}  // namespace lb::check
