// Names and numbers of the repository format. docs/format.md is the reference; change both.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "foundation/base/result.h"

namespace lb::repo {

// Of new repositories. Older ones are read and written as they are: since 2 chunks are named by
// BLAKE3.
inline constexpr int format_version = 2;
inline constexpr int format_version_min = 1;
inline constexpr std::size_t chunk_bytes_min = 16 << 10;
inline constexpr std::size_t chunk_bytes_normal = 32 << 10;
inline constexpr std::size_t chunk_bytes_max = 256 << 10;
inline constexpr std::size_t page_chunk_bytes = 128 << 10;
// Of plain data; a frame closes when it has reached this: short ones where a few pages may be
// wanted alone, long ones, which shrink better and open quicker, where content is read as a whole.
inline constexpr std::size_t frame_bytes = 256 << 10;
inline constexpr std::size_t long_frame_bytes = 448 << 10;
inline constexpr std::size_t frame_bytes_max = 512 << 10;
inline constexpr std::size_t pack_bytes = 32 << 20;       // a pack closes when it reaches this
inline constexpr std::size_t block_bytes = 8 << 10;       // of a table, before compression
inline constexpr std::size_t upper_bytes_max = 64 << 10;  // of the list of blocks in a verdict
inline constexpr int zstd_level = 1;
inline constexpr std::size_t packs_per_index = 16;

inline constexpr const char* repo_key = "repo";
std::string slot_key(std::string_view name);
std::string intent_key(std::string_view session);
std::string verdict_key(std::string_view session);
std::string pack_key(std::string_view session, std::uint32_t number);  // "p/<session>/00000007"
// "x/<session>.00000000": a session puts one for every 16 packs, and one for the rest.
std::string index_key(std::string_view session, std::uint32_t number);
// "x/m<id>.00000000": stands for the indexes it names.
std::string merged_index_key(std::string_view id);
bool is_merged_index(std::string_view key);
std::string log_prefix(std::string_view log_id);
std::string log_timeline_prefix(std::string_view log_id, std::uint32_t timeline);
std::string log_key(std::string_view log_id, std::uint32_t timeline, std::uint64_t segment);
std::string log_tail_key(std::string_view log_id, std::uint32_t timeline, std::uint64_t segment,
                         std::uint64_t offset);
std::string history_key(std::string_view log_id, std::uint32_t timeline);
std::string record_prefix(std::string_view kind);
std::string record_key(std::string_view kind, std::string_view id);

// Any text as a key part: bytes outside [a-z0-9_-] become =XX (hexadecimal). Reversible.
std::string escape_part(std::string_view text);
Result<std::string> unescape_part(std::string_view part);

// 48-bit milliseconds and 80 random bits as 26 digits of base32 (0-9 a-v): sorts by time.
using IdBytes = std::array<std::uint8_t, 16>;
std::string id_text(const IdBytes& bytes);
IdBytes parse_id(std::string_view id);  // of what is_id() says is one
bool is_id(std::string_view text);

}  // namespace lb::repo
