#include "storage/repo/sealed_object.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/crypto/aead.h"
#include "storage/repo/format.h"
#include "storage/repo/frame_form.h"
#include "storage/repo/heal.h"

namespace lb::repo {

namespace {

// "LBO1", seal, three zero bytes.
constexpr std::string_view magic = "LBO1";
constexpr std::size_t header_bytes = 8;
constexpr std::size_t salt_bytes = 32;
constexpr std::size_t box_bytes = 32 + sealed_box_overhead_bytes;
// u32 sealed size, u8 flags (1: last).
constexpr std::size_t frame_head_bytes = 5;
constexpr std::size_t frame_plain_max = 1u << 28;

Error bad(const std::string& name, const std::string& what) {
  return Error(ErrorKind::corrupt, cat("object ", name, ": ", what)).with_exit(ExitCode::damaged);
}

std::size_t key_block_bytes(SealFor whom) {
  return whom == SealFor::writers ? salt_bytes : box_bytes;
}

std::string key_info(const Keyring& keys, SealFor whom) {
  return cat("lifeboat ", whom == SealFor::writers ? "writers " : "readers ", keys.repository_id);
}

Buffer aad_of(const Keyring& keys, const std::string& name, std::uint32_t number, bool last) {
  Buffer aad;
  ByteWriter out(aad);
  out.text(keys.repository_id);
  out.text(name);
  out.u32(number);
  out.u8(last ? 1 : 0);
  return aad;
}

Result<Secret> object_key(const Keyring& keys, SealFor whom, ByteView block) {
  if (whom == SealFor::writers)
    return hkdf_sha256(keys.write_key.bytes(), block, view_of(key_info(keys, whom)));
  if (!keys.may_read()) return may_not_read();
  auto inner = LB_TRY(open_box(keys.private_key, keys.public_key, block));
  return hkdf_sha256(inner.bytes(), keys.write_key.bytes(), view_of(key_info(keys, whom)));
}

// Walks the frames of an object, or of its beginning.
class FrameWalk {
 public:
  static Result<FrameWalk> begin(const Keyring& keys, const std::string& name, ByteView object) {
    bool whole = object.size() >= header_bytes && text_of(object.first(4)) == magic &&
                 object[4] <= 1 && object[5] == 0 && object[6] == 0 && object[7] == 0;
    if (!whole) return bad(name, "not a sealed object");
    auto whom = static_cast<SealFor>(object[4]);
    auto rest = object.subspan(header_bytes);
    if (rest.size() < key_block_bytes(whom)) return bad(name, "ends in its key block");
    auto key = object_key(keys, whom, rest.first(key_block_bytes(whom)));
    if (!key.ok() && key.error().kind() == ErrorKind::denied) return std::move(key).take_error();
    if (!key.ok()) return bad(name, key.error().message());
    return FrameWalk(keys, name, std::move(key).take(), rest.subspan(key_block_bytes(whom)));
  }

  Result<Buffer> next() {
    Buffer scratch;
    auto plain = LB_TRY(next(scratch));
    if (plain.data() == scratch.data()) {
      scratch.resize(plain.size());
      return scratch;
    }
    return Buffer(plain.begin(), plain.end());
  }
  // A view that is good until the next call.
  Result<ByteView> next(Buffer& scratch) {
    ByteReader in(rest_);
    auto size = in.u32();
    auto flags = in.u8();
    if (!size.ok() || !flags.ok() || *flags > 1)
      return bad(name_, cat("frame ", number_, " is cut short"));
    auto sealed = in.raw(*size);
    if (!sealed.ok()) return bad(name_, cat("frame ", number_, " is cut short"));
    last_ = *flags == 1;
    auto opened = aead_->open(frame_nonce(number_), aad_of(keys_, name_, number_, last_), *sealed);
    if (!opened.ok()) return bad(name_, cat("frame ", number_, " does not authenticate"));
    form_ = std::move(opened).take();
    auto plain = from_frame_form(form_, frame_plain_max, scratch);
    if (!plain.ok()) return bad(name_, cat("frame ", number_, ": ", plain.error().message()));
    ++number_;
    rest_ = rest_.subspan(frame_head_bytes + *size);
    return plain;
  }
  // Passes frames that were opened before.
  Status skip(std::size_t frames) {
    for (; frames > 0; --frames) {
      ByteReader in(rest_);
      auto size = LB_TRY(in.u32());
      LB_TRY(in.u8());
      LB_TRY(in.raw(size));
      rest_ = rest_.subspan(frame_head_bytes + size);
      ++number_;
    }
    return {};
  }
  bool last() const { return last_; }
  bool done() const { return rest_.empty(); }

 private:
  FrameWalk(const Keyring& keys, std::string name, Secret key, ByteView rest)
      : keys_(keys),
        name_(std::move(name)),
        aead_(std::make_unique<Aead>(std::move(key))),
        rest_(rest) {}

  const Keyring& keys_;
  std::string name_;
  std::unique_ptr<Aead> aead_;
  ByteView rest_;
  std::uint32_t number_ = 0;
  bool last_ = false;
  Buffer form_;  // of the frame opened last
};

}  // namespace

Buffer seal_object(const Keyring& keys, Random& random, SealFor whom, const std::string& name,
                   const std::vector<ByteView>& frames) {
  LB_ASSERT(!frames.empty());
  auto fresh = Secret(ByteView(random.bytes(32)));
  Buffer out;
  ByteWriter writer(out);
  writer.raw(view_of(magic));
  writer.u32(static_cast<std::uint32_t>(whom));  // one byte and three zeros
  Buffer block = whom == SealFor::writers
                     ? Buffer(fresh.bytes().begin(), fresh.bytes().end())
                     : seal_box(keys.public_key, fresh.bytes(), Secret(ByteView(random.bytes(32))));
  writer.raw(block);
  auto info = key_info(keys, whom);
  Aead aead(whom == SealFor::writers
                ? hkdf_sha256(keys.write_key.bytes(), fresh.bytes(), view_of(info))
                : hkdf_sha256(fresh.bytes(), keys.write_key.bytes(), view_of(info)));
  for (std::uint32_t number = 0; number < frames.size(); ++number) {
    LB_ASSERT(frames[number].size() <= frame_plain_max);
    bool last = number + 1 == frames.size();
    Buffer sealed;
    aead.seal(frame_nonce(number), aad_of(keys, name, number, last), {},
              to_frame_form(frames[number]), sealed);
    writer.u32(static_cast<std::uint32_t>(sealed.size()));
    writer.u8(last ? 1 : 0);
    writer.raw(sealed);
  }
  return out;
}

Result<std::vector<Buffer>> open_object(const Keyring& keys, const std::string& name,
                                        ByteView object) {
  auto walk = LB_TRY(FrameWalk::begin(keys, name, object));
  std::vector<Buffer> frames;
  do {
    frames.push_back(LB_TRY(walk.next()));
  } while (!walk.last());
  if (!walk.done()) return bad(name, "goes on after its last frame");
  return frames;
}

Status open_each_frame(const Keyring& keys, const std::string& name, ByteView object,
                       const std::function<Status(std::size_t number, ByteView plain)>& take) {
  auto walk = LB_TRY(FrameWalk::begin(keys, name, object));
  Buffer scratch;
  std::size_t number = 0;
  do {
    auto plain = LB_TRY(walk.next(scratch));
    LB_TRY(take(number++, plain));
  } while (!walk.last());
  if (!walk.done()) return bad(name, "goes on after its last frame");
  return {};
}

Result<std::vector<Buffer>> read_object(const Keyring& keys, const std::string& name,
                                        BlobStore& blobs) {
  return read_healing(blobs, name, [&](BlobStore& from) -> Result<std::vector<Buffer>> {
    auto object = LB_TRY(from.get(name));
    return open_object(keys, name, object);
  });
}

namespace {

// The beginning of an object, read as far as it is needed.
class LeadingBytes {
 public:
  static Result<LeadingBytes> read(const std::string& name, BlobStore& blobs) {
    auto info = LB_TRY(blobs.info(name));
    auto bytes = LB_TRY(
        blobs.get_range(name, 0, std::min<std::uint64_t>(info.size, first_frame_prefix_bytes)));
    return LeadingBytes(name, blobs, info.size, std::move(bytes));
  }
  ByteView bytes() const { return bytes_; }

  // Nothing is read beyond the end: whoever opens the frame finds it cut short.
  Status reach(std::uint64_t end) {
    if (end <= bytes_.size() || end > size_) return {};
    auto more = LB_TRY(blobs_.get_range(name_, bytes_.size(), end - bytes_.size()));
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    return {};
  }
  // To the end of the frame that begins at `at`, and a step beyond: the end.
  Result<std::uint64_t> reach_frame(std::uint64_t at) {
    LB_TRY(reach(at + frame_head_bytes));
    if (bytes_.size() < at + frame_head_bytes) return at;
    ByteReader in(ByteView(bytes_).subspan(at));
    auto size = LB_TRY(in.u32());
    LB_TRY(reach(at + frame_head_bytes + size));
    return at + frame_head_bytes + size;
  }

 private:
  LeadingBytes(std::string name, BlobStore& blobs, std::uint64_t size, Buffer bytes)
      : name_(std::move(name)), blobs_(blobs), size_(size), bytes_(std::move(bytes)) {}

  std::string name_;
  BlobStore& blobs_;
  std::uint64_t size_;
  Buffer bytes_;
};

Result<std::vector<Buffer>> leading_frames_in(
    const Keyring& keys, const std::string& name, BlobStore& blobs,
    const std::function<bool(const std::vector<Buffer>&)>& wants_more) {
  auto leading = LB_TRY(LeadingBytes::read(name, blobs));
  std::vector<Buffer> frames;
  std::uint64_t end = 0;
  do {
    if (frames.empty() && leading.bytes().size() > header_bytes) {
      end = header_bytes + key_block_bytes(static_cast<SealFor>(leading.bytes()[4] & 1));
    }
    end = LB_TRY(leading.reach_frame(end));
    auto walk = LB_TRY(FrameWalk::begin(keys, name, leading.bytes()));
    LB_TRY(walk.skip(frames.size()));
    frames.push_back(LB_TRY(walk.next()));
  } while (wants_more(frames));
  return frames;
}

}  // namespace

Result<std::vector<Buffer>> open_leading_frames(
    const Keyring& keys, const std::string& name, BlobStore& blobs,
    const std::function<bool(const std::vector<Buffer>&)>& wants_more) {
  return read_healing(blobs, name, [&](BlobStore& from) {
    return leading_frames_in(keys, name, from, wants_more);
  });
}

Result<Buffer> open_first_frame(const Keyring& keys, const std::string& name, BlobStore& blobs) {
  auto frames = LB_TRY(open_leading_frames(keys, name, blobs, [](const auto&) { return false; }));
  return std::move(frames.front());
}

}  // namespace lb::repo
