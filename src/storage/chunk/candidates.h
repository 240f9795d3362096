// Candidates: the first, public and cheap stage of cutting. A border may lie only where a mix of
// the 32 bytes before it has a certain pattern, about one place in 1024. A shorter mix would follow
// the words of a text: too few candidates in one, too many in the next. Vector instructions look at
// 64 places at once; every kernel finds the same. Used by the Chunker alone. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lb {

inline constexpr std::size_t group_places = 64;
// Kernels look at so many bytes before the first place.
inline constexpr std::size_t candidate_look_back = 128;

// For `groups` times 64 places from `first` on: bit n of masks[g] says whether first + 64 g + n is
// a candidate. A place points behind the bytes that decide about it.
using MarkCandidates = void (*)(const std::uint8_t* first, std::size_t groups,
                                std::uint64_t* masks);

// One place.
bool is_candidate(const std::uint8_t* place);

struct CandidateKernel {
  const char* name;
  MarkCandidates mark;
};
// Those this processor can run, the fastest first; the last is plain C++.
const std::vector<CandidateKernel>& candidate_kernels();

}  // namespace lb
