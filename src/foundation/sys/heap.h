// How the process's heap gives memory back. Called by main before there are threads.
#pragma once

namespace lb {

// Every piece of this size or more is mapped for itself and given back when it is freed. Left alone
// the allocator raises its limit with the largest piece freed so far: then buffers come from the
// heap, which after hours of work among small pieces is a quarter larger than what is in it.
void map_large_pieces();
inline constexpr int large_piece_bytes = 256 << 10;

// The opposite, for a process that takes the same few large buffers again and again: they stay, so
// that the kernel need not clear new pages for each. All threads share one heap.
void keep_large_pieces();
// What such a process keeps and does not need, when it has nothing to do.
void give_back_pieces();

}  // namespace lb
