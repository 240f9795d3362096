// Packs: frames of chunks, a sealed footer that lists them, a trailer of fixed size that holds the
// pack's key and finds the footer. docs/format.md, "Packs". Pure.
#pragma once

#include <memory>
#include <vector>

#include "foundation/crypto/aead.h"
#include "storage/repo/frame_form.h"
#include "storage/repo/keyring.h"
#include "storage/repo/types.h"

namespace lb::repo {

inline constexpr std::size_t pack_trailer_bytes = 128;
inline constexpr std::size_t pack_header_bytes = 8;

struct FooterChunk {
  Digest id{};                           // all 32 bytes; extents and indexes carry the first 16
  std::uint32_t offset = 0, length = 0;  // in the opened frame
};
struct FooterFrame {
  std::uint64_t offset = 0;  // in the pack
  std::uint32_t sealed_bytes = 0, plain_bytes = 0;
  std::vector<FooterChunk> chunks;
};

// The key of a new pack: a random inner key, and what it seals with.
struct PackKey {
  Secret inner, box_seed;
  std::shared_ptr<const Aead> aead;  // shared by the threads that seal into one pack
};
PackKey make_pack_key(const Keyring& keys, Random& random);

ByteView pack_header();
// Seals a frame's form (frame_form.h) to where it lies in the pack, aead_tag_bytes longer.
void seal_frame(const Keyring& keys, const Aead& key, const std::string& pack, std::uint32_t frame,
                const FormParts& form, MutableBytes out);
Result<Buffer> open_frame(const Keyring& keys, const Aead& key, const std::string& pack,
                          std::uint32_t frame, ByteView sealed);
// Authenticates a frame and decrypts it where it is; the result is its form.
Result<MutableBytes> open_form(const Keyring& keys, const Aead& key, const std::string& pack,
                               std::uint32_t frame, MutableBytes sealed);

// Footer and trailer, to be appended after the frames.
Buffer seal_footer(const Keyring& keys, const PackKey& key, const std::string& pack,
                   std::uint64_t footer_offset, const std::vector<FooterFrame>& frames);

struct PackTrailer {
  std::shared_ptr<const Aead> aead;
  std::uint64_t footer_offset = 0;
  std::uint32_t footer_bytes = 0;
};
Result<PackTrailer> open_trailer(const Keyring& keys, const std::string& pack, ByteView trailer);
Result<std::vector<FooterFrame>> open_footer(const Keyring& keys, const PackTrailer& trailer,
                                             const std::string& pack, ByteView sealed);
// Bounds-checked decoding of the opened footer: foreign bytes once a key has leaked.
Result<std::vector<FooterFrame>> decode_footer(ByteView bytes);

}  // namespace lb::repo
