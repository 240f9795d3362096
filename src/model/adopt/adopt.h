// A runbook that was written as Markdown, made into a plan: what it says is taken over with the
// line it stands in, what is not understood is listed, what contradicts itself is reported. The
// plan is a beginning for people to read: commands wait for a review, addresses and keys are
// references to be set. Called by `runbook import`; never reads a file, never runs anything. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "model/adopt/markdown.h"

namespace lb::adopt {

// One heading, item, fence, row or paragraph of the source.
struct Piece {
  std::size_t line = 0;  // from 1
  Block::Kind kind = Block::Kind::paragraph;
  std::string text;  // of one line, plain, without secrets
  bool understood = false;
  std::string became;  // "runbook database-loss"; "comment": kept as words only
};

struct Contradiction {
  std::vector<std::size_t> lines;  // of the source, ascending
  std::string text;                // what stands against what
  std::string advice;
};

struct Remark {  // something was changed or left out
  std::size_t line = 0;
  std::string text;
};

struct Adoption {
  std::string yaml;           // passes plan check
  std::vector<Piece> pieces;  // every piece, in the order of the source
  std::vector<Contradiction> contradictions;
  std::vector<Remark> remarks;  // mended encoding, secrets that were not copied
  std::size_t runbooks = 0, phases = 0, steps = 0, checklists = 0, to_review = 0;

  std::size_t not_understood() const;
};

// `file`: the source's name as comments show it. `system`: name of the system; empty: from `file`.
// invalid: no text (empty, binary, more than markdown_bytes_max), or so much that no plan could
// hold it.
inline constexpr std::size_t markdown_bytes_max = std::size_t{1} << 20;
Result<Adoption> adopt(const std::string& file, std::string_view markdown,
                       const std::string& system = {});

}  // namespace lb::adopt
