#include "storage/collect/moved_draft.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::repo {

namespace {

// Numbers the packs of the new verdict.
class PackNumbers {
 public:
  explicit PackNumbers(std::vector<StoredPack>& packs) : packs_(packs) {}
  std::uint32_t of(const StoredPack& pack) {
    auto next = static_cast<std::uint32_t>(packs_.size());
    auto [found, added] = numbers_.try_emplace(pack.name, next);
    if (added) packs_.push_back(pack);
    return found->second;
  }

 private:
  std::vector<StoredPack>& packs_;
  std::map<std::string, std::uint32_t> numbers_;
};

// About as many as encode_moved() makes of it.
std::size_t encoded_bytes(const MovedPack& pack) {
  return 48 + 7 * pack.frames.size() + 5 * pack.runs.size();
}

void add_frame(MovedFrame frame, std::span<const MovedRun> runs, MovedPack& out) {
  frame.first_run = static_cast<std::uint32_t>(out.runs.size());
  frame.runs = static_cast<std::uint32_t>(runs.size());
  out.runs.insert(out.runs.end(), runs.begin(), runs.end());
  out.frames.push_back(frame);
}

// Of what went from one frame into another, the runs that went on from there to the next.
std::vector<MovedRun> runs_through(const MovedPack& first, const MovedFrame& old,
                                   const MovedPack& second, const MovedFrame& next,
                                   std::uint32_t& base) {
  std::vector<MovedRun> out;
  std::uint32_t between = old.base;
  for (const auto& run : first.runs_of(old)) {
    for (const auto& kept : second.runs_of(next)) {
      auto begin = std::max(between, kept.offset);
      auto end = std::min(between + run.length, kept.offset + kept.length);
      if (begin >= end) continue;
      if (out.empty()) base = *second.offset_in(next, begin, end - begin);
      auto offset = run.offset + (begin - between);
      bool joins = !out.empty() && out.back().offset + out.back().length == offset;
      if (joins) {
        out.back().length += end - begin;
      } else {
        out.push_back({offset, end - begin});
      }
    }
    between += run.length;
  }
  return out;
}

// The two steps as one. What one step left behind is not there after the next either.
void add_through(const MovedPack& first, const MovedFrame& old, const MovedPack& second,
                 MovedFrame next, MovedPack& out) {
  auto through = next;
  next.frame = old.frame;
  if (through.whole()) {
    next.base = old.base;
    return add_frame(next, first.runs_of(old), out);
  }
  if (old.whole()) return add_frame(next, second.runs_of(through), out);
  auto runs = runs_through(first, old, second, through, next.base);
  if (!runs.empty()) add_frame(next, runs, out);
}

class Draft {
 public:
  Draft(FrameSurvey& survey, const RepackPlan& plan, const Rewritten& written,
        const DraftOptions& options)
      : survey_(survey), plan_(plan), written_(written), options_(options), numbers_(out_.packs) {}

  Result<Moved> run(const std::string& session) {
    out_.session = session;
    out_.looked = survey_.looked();
    auto said_again = what_to_say_again();
    for (const auto& [name, named] : survey_.named()) {
      MovedPack from{name, {}, {}};
      if (!plan_.moved.contains(name)) {
        if (!written_.places.contains(name)) continue;
        add_rewritten(name, named.live, from);
      } else {
        if (!said_again.contains(name)) continue;
        add_moved(plan_.moved.at(name), named.live, from);
      }
      LB_TRY(check(named.live, from));
      out_.from.push_back(std::move(from));
    }
    return std::move(out_);
  }

 private:
  // What was moved before and is not moved now needs no word more, unless its pack is still there;
  // but so that there is one to look into, as much is said again as has room.
  std::set<std::string> what_to_say_again() const {
    std::set<std::string> out;
    std::map<std::string, std::size_t, std::greater<>> rest;  // by verdict, the newest first
    for (const auto& [name, instead] : plan_.moved) {
      auto packs = instead.packs();
      bool moves = std::any_of(packs.begin(), packs.end(), [&](const auto* pack) {
        return written_.places.contains(pack->name);
      });
      if (moves || options_.there.contains(name)) {
        out.insert(name);
      } else {
        rest[instead.by->session] += encoded_bytes(*instead.from);
      }
    }
    std::size_t bytes = 0;
    for (auto& [session, size] : rest) {
      bool fits = bytes + size <= options_.carried_bytes_max;
      bytes += fits ? size : 0;
      for (const auto& [name, instead] : plan_.moved) {
        if (fits && instead.by->session == session) out.insert(name);
      }
    }
    return out;
  }

  void add_rewritten(const std::string& name, const FrameSet& live, MovedPack& out) {
    const auto& place = written_.places.at(name);
    for (auto number : live.numbers()) {
      const auto* frame = place.find(number);
      if (frame == nullptr) continue;  // a point that was forgotten since named it, or check() says
      auto moved = *frame;
      moved.pack = numbers_.of(written_.packs[frame->pack]);
      add_frame(moved, place.runs_of(*frame), out);
    }
  }

  void add_moved(const Instead& instead, const FrameSet& live, MovedPack& out) {
    for (auto number : live.numbers()) {
      const auto* old = instead.from->find(number);
      if (old == nullptr) continue;
      const auto& target = instead.by->packs[old->pack];
      auto rewritten = written_.places.find(target.name);
      if (rewritten == written_.places.end()) {
        auto same = *old;
        same.pack = numbers_.of(target);
        add_frame(same, instead.from->runs_of(*old), out);
        continue;
      }
      const auto* place = rewritten->second.find(old->number);
      if (place == nullptr) continue;
      auto next = *place;
      next.pack = numbers_.of(written_.packs[place->pack]);
      add_through(*instead.from, *old, rewritten->second, next, out);
    }
  }

  // Our own work is held against what is known to be named, before anything is given up for it.
  Status check(const FrameSet& live, const MovedPack& out) {
    const auto* chunks = survey_.chunks_of(out.name);
    if (chunks == nullptr) return check_frames(live, out);
    for (const auto& chunk : *chunks) {
      const auto* frame = out.find(chunk.frame);
      bool there = frame != nullptr && out.offset_in(*frame, chunk.offset, chunk.length);
      if (!there) return lost(chunk.frame, out.name);
    }
    return {};
  }
  static Status check_frames(const FrameSet& live, const MovedPack& out) {
    for (auto number : live.numbers()) {
      if (out.find(number) == nullptr) return lost(number, out.name);
    }
    return {};
  }
  static Error lost(std::uint32_t frame, const std::string& pack) {
    return Error(ErrorKind::internal, cat("frame ", frame, " of ", pack, " was not moved"));
  }

  FrameSurvey& survey_;
  const RepackPlan& plan_;
  const Rewritten& written_;
  const DraftOptions& options_;
  Moved out_;
  PackNumbers numbers_;
};

}  // namespace

Result<Moved> draft_moved(const std::string& session, FrameSurvey& survey, const RepackPlan& plan,
                          const Rewritten& written, const DraftOptions& options) {
  return Draft(survey, plan, written, options).run(session);
}

}  // namespace lb::repo
