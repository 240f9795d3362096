// The plain form of every sealed frame: a compression byte (0 none, 1 zstd), the plain size, the
// data. The form itself is sealed, so that nobody without the key chooses what is decompressed.
// Thread-safe.
#pragma once

#include "foundation/base/bytes.h"
#include "foundation/crypto/aead.h"

namespace lb::repo {

// A form in two pieces, so that data that does not shrink need not be copied behind its head.
struct FormParts {
  ByteView head, data;
  std::size_t size() const { return head.size() + data.size(); }
};

Buffer to_frame_form(ByteView plain);
// The same of at most frame_bytes_max (format.h). The pieces lie in `plain`, or in memory of
// the calling thread that is good until its next call.
FormParts frame_form_of(ByteView plain);
// corrupt when it is malformed or says more than `plain_bytes_max`.
Result<Buffer> from_frame_form(ByteView form, std::size_t plain_bytes_max);
// The same without a copy: a view of `form`, or of `scratch`, which grows to the largest frame.
Result<ByteView> from_frame_form(ByteView form, std::size_t plain_bytes_max, Buffer& scratch);
// What the form says of itself; no byte is decompressed.
Result<std::uint32_t> plain_size_of(ByteView form, std::size_t plain_bytes_max);
AeadNonce frame_nonce(std::uint32_t number);

}  // namespace lb::repo
