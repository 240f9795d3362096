// PackScan: one pack from its end to its last frame, in reads of some MiB into buffers that are
// kept. It says what is wrong and which frames are bad. Used by the Verifier, one for each thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "storage/repo/frame_reader.h"

namespace lb::repo {

enum class ScanDepth {
  structure,      // the list of its chunks authenticates; every byte has its place
  authenticated,  // every byte is what a writer of this repository sealed at this place
  content,        // every frame is decompressed, every chunk compared with its hash
};

struct PackScanResult {
  std::vector<FooterFrame> frames;    // empty when the pack is not readable
  bool readable = false;              // its list of chunks is
  std::vector<std::uint32_t> bad;     // frames, ascending
  std::vector<std::string> problems;  // none: it is as it should be
  std::uint64_t bytes_read = 0, chunks = 0;
};

using ReadProgress = std::function<void(std::uint64_t bytes)>;

class PackScan {
 public:
  PackScan(const Core& core, FrameReader& reader, std::stop_token stop)
      : core_(core), reader_(reader), stop_(std::move(stop)) {}

  // `digest`: of the end of the pack as written; null when nobody said. An error only when stopped.
  Result<PackScanResult> run(const std::string& pack, std::uint64_t size, const Digest* digest,
                             ScanDepth depth, const ReadProgress& progress);

 private:
  struct Run {
    std::size_t first = 0, last = 0;  // frames
    ScanDepth depth = ScanDepth::authenticated;
  };
  Status read_frames(const std::string& pack, const PackEnd& end, ScanDepth depth,
                     PackScanResult& out, const ReadProgress& progress);
  void read_run(const std::string& pack, const PackEnd& end, const Run& run, PackScanResult& out);
  bool is_good(const std::string& pack, const PackEnd& end, std::uint32_t number,
               MutableBytes sealed, ScanDepth depth);

  const Core& core_;
  FrameReader& reader_;
  const std::stop_token stop_;
  Buffer sealed_, plain_;
  std::vector<ByteView> chunks_;
  std::vector<Digest> digests_;
};

}  // namespace lb::repo
