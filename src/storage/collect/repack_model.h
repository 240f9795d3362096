// Repacking as a model, beside that of collection (protocol_model.h), and a search through every
// interleaving: for tests only. Of one pack a snapshot that is there from the start names
// a chunk, and a writer that runs meanwhile finds that or another; two repackers may move it, and
// what the other moved; collectors may stall anywhere, points may be forgotten at any time. Steps
// that the other model shows to be safe however they fall apart are one step here. docs/format.md,
// "Repacking".
#pragma once

#include <unordered_map>
#include <vector>

#include "storage/collect/repack_model_state.h"

namespace lb::repo::repack_model {

class Explorer {
 public:
  Explorer(const Size& size, Break broken) : size_(size), broken_(broken) {}

  Outcome run(std::uint64_t states_max) {
    if (size_.moved) begin(moved(chunk_dead));
    begin(size_.moved ? moved(chunk_needed) : State());
    while (!todo_.empty() && seen_.size() < states_max) {
      at_ = todo_.back();
      todo_.pop_back();
      const auto& state = at_->first;
      count(state);
      if (!holds(state)) {
        outcome_.sound = false;
        outcome_.trace = trace();
        break;
      }
      environment(state);
      if (size_.writer) writer(state);
      for (int r = 2; r < (size_.two_repackers ? 4 : 3); ++r) repacker(state, r);
      for (int c = 0; c < size_.collectors; ++c) collector(state, c);
    }
    outcome_.states = seen_.size();
    return outcome_;
  }

 private:
  struct Step {
    const std::pair<const State, Step>* from;
    const char* what;
    int who;
  };
  using Node = std::pair<const State, Step>;

  void begin(const State& s) { todo_.push_back(&*seen_.emplace(s, Step{nullptr, "", 0}).first); }
  // `found`: the chunk that the writer relied on.
  static State moved(Bits found) {
    State s;
    s.packs = with(bit(0), bit(2));
    s.sealed = with(with(bit(0), bit(1)), bit(2));
    s.begun = bit(2);
    s.moves[0] = {bit(0), 1, {3, 0, 0, 0}, {chunk_needed, 0, 0, 0}};
    s.holds[0] = chunk_needed;
    s.chunk[1] = found;
    s.actors[0].pc = s.actors[1].pc = 9;
    return s;
  }
  static Bits counting(const State& s) { return without(s.sealed, s.ended); }
  bool looked_at(const Move& move, int snapshot) const {
    return broken_ == Break::speaks_for_all || (move.looked & bit(snapshot)) != 0;
  }

  // What a snapshot names is there, or where a move that looked at it says.
  bool holds(const State& s) const {
    for (int i = 0; i < 2; ++i) {
      if (!(counting(s) & bit(i)) || (s.packs & bit(s.names[i]))) continue;
      bool found = false;
      for (int r = 2; r < sessions; ++r) {
        const auto& move = s.moves[r - 2];
        auto target = move.to[s.names[i]];
        bool there = target != 0 && (s.packs & bit(target - 1)) != 0 &&
                     (move.has[s.names[i]] & s.chunk[i]) != 0;
        found = found || ((counting(s) & bit(r)) != 0 && there && (move.looked & bit(i)) != 0);
      }
      if (!found) return false;
    }
    return true;
  }
  void count(const State& s) {
    auto moves = counting(s) & repackings;
    outcome_.freed += (s.packs & 1) == 0 && (counting(s) & snapshots) != 0;
    outcome_.moved_twice += moves == repackings;
    outcome_.dropped += (s.ended & repackings & ~s.aborted) != 0;
    outcome_.aborted += s.aborted != 0;
  }
  std::string trace() const {
    std::string out;
    for (const auto* node = at_; node->second.from != nullptr; node = node->second.from) {
      out = node->second.what + std::to_string(node->second.who) + "; " + out;
    }
    return out;
  }
  void go(const State& next, const char* what, int who) {
    auto [node, fresh] = seen_.emplace(next, Step{at_, what, who});
    if (fresh) todo_.push_back(&*node);
  }

  void environment(const State& s) {
    for (int i = 0; i < sessions; ++i) {
      auto me = bit(i);
      auto next = s;
      if (size_.forgets && (counting(s) & me & snapshots)) {
        next.ended = with(s.ended, me);
        go(next, "forget ", i);
      }
      next = s;
      if (s.aborted & me & ~s.ended) {
        next.ended = with(s.ended, me);
        go(next, "end ", i);
      }
      next = s;
      if (s.ended & (s.sealed | s.aborted) & me) {
        next.sealed = without(s.sealed, me);
        next.aborted = without(s.aborted, me);
        next.intents = without(s.intents, me);
        go(next, "remove the verdict of ", i);
      }
    }
  }

  // Packs there that are neither condemned nor decided.
  static Bits usable(const State& s) {
    Bits blocked = 0;
    for (int n = s.closed; n < generations_max; ++n) {
      const auto& each = s.generations[n];
      if (each.g || each.d) blocked = with(blocked, each.d ? each.decided : each.condemned);
    }
    return without(s.packs, blocked);
  }

  void seal(const State& s, int session, const char* what) {
    auto me = bit(session);
    auto next = s;
    next.actors[session - 1] = {9, 0};
    bool over = broken_ == Break::verdict_over_abort && (me & repackings);
    if (!(s.aborted & me) || over) {
      next.sealed = with(s.sealed, me);
      next.aborted = without(s.aborted, me);
    }
    go(next, what, session);
  }

  void writer(const State& s) {
    auto next = s;
    auto& own = next.actors[0];
    switch (own.pc) {
      case 0:
        own.pc = 1;
        next.intents = with(s.intents, bit(1));
        return go(next, "intent of writer ", 1);
      case 1:
        own.pc = 2;
        own.usable = usable(s);
        return go(next, "writer lists ", 1);
      case 2:
        own.pc = 3;
        for (int pack : {0, 2, 3}) {
          if (s.actors[0].usable & bit(pack)) rely_on(s, pack);
        }
        if (s.actors[0].usable & without(0xFF, bit(1))) return;
        next.names[1] = 1;
        next.packs = with(s.packs, bit(1));
        return go(next, "upload by writer ", 1);
      case 3:
        return seal(s, 1, "verdict of writer ");
      default:
        return;
    }
  }

  void rely_on(const State& s, int pack) {
    auto next = s;
    next.actors[0] = {3, 0};
    next.names[1] = static_cast<Bits>(pack);
    for (Bits chunk : {chunk_needed, chunk_dead}) {
      if (!((pack == 0 ? both_chunks : s.holds[pack - 2]) & chunk)) continue;
      next.chunk[1] = chunk;
      go(next, "writer relies on pack ", pack);
    }
  }

  void repacker(const State& s, int r) {
    auto next = s;
    auto& own = next.actors[r - 1];
    const auto& move = s.moves[r - 2];
    bool late = broken_ == Break::verdict_before_packs || broken_ == Break::both_of_these;
    switch (own.pc) {
      case 0:
        own.pc = 1;
        if (broken_ != Break::no_intent) next.intents = with(s.intents, bit(r));
        next.begun = with(s.begun, bit(r));
        next.moves[r - 2].rank = s.begun != 0 ? 2 : 1;
        return go(next, "intent of repacker ", r);
      case 1:
        own.pc = 2;
        own.usable = broken_ == Break::carries_condemned ? s.packs : usable(s);
        return go(next, "repacker lists ", r);
      case 2:
        plan(s, r, true);
        return plan(s, r, false);
      case 3:
        own.pc = 4;
        if ((move.targets() & bit(r)) && !late) next.packs = with(s.packs, bit(r));
        return go(next, "packs of repacker ", r);
      case 4:
        if (!late) return seal(s, r, "verdict of repacker ");
        if (!(s.sealed & bit(r))) return seal(s, r, "verdict of repacker ");
        return;
      default:
        if (late && own.pc == 9 && (s.sealed & move.targets() & bit(r))) {
          own.pc = 10;
          next.packs = with(s.packs, bit(r));
          go(next, "packs of repacker ", r);
        }
    }
  }

  // `carry`: says again what was moved before, or leaves that to the other where the old pack is
  // gone; else moves it once more. Of a pack only what is named is moved.
  void plan(const State& s, int r, bool carry) {
    auto next = s;
    auto& move = next.moves[r - 2];
    auto can_use = s.actors[r - 1].usable;
    move.looked = counting(s) & snapshots;
    bool may_leave = false;
    for (int pack = 0; pack < sessions; ++pack) {
      auto wanted = named(s, pack, move.looked);
      if (wanted == 0) continue;
      bool knows = says_all(s, 5 - r, pack, wanted, can_use);
      if (!(s.packs & can_use & bit(pack)) && !knows) continue;
      may_leave = may_leave || (carry && knows && !(s.packs & bit(pack)));
      const auto& other = s.moves[3 - r];  // of 2: [1], of 3: [0]
      bool again = carry && knows;
      move.to[pack] = again ? other.to[pack] : static_cast<Bits>(r + 1);
      move.has[pack] = again ? other.has[pack] : wanted;
      if (!again) next.holds[r - 2] = with(next.holds[r - 2], wanted);
    }
    next.actors[r - 1] = {3, 0};
    if (may_leave) leave(next, r);
    go(next, carry ? "repacker carries on " : "repacker moves ", r);
  }
  void leave(State next, int r) {
    auto& move = next.moves[r - 2];
    for (int pack = 0; pack < sessions; ++pack) {
      if ((next.packs & bit(pack)) || move.to[pack] == r + 1) continue;
      move.to[pack] = move.has[pack] = 0;
    }
    go(next, "repacker leaves to the other ", r);
  }
  // The chunks of the pack that snapshots name.
  static Bits named(const State& s, int pack, Bits looked) {
    Bits out = 0;
    for (int i = 0; i < 2; ++i) {
      if ((looked & bit(i)) && s.names[i] == pack) out = with(out, s.chunk[i]);
    }
    return out;
  }
  bool says_all(const State& s, int r, int pack, Bits wanted, Bits can_use) const {
    const auto& move = s.moves[r - 2];
    bool blind = broken_ == Break::carries_left_behind;
    return (counting(s) & bit(r)) != 0 && move.to[pack] != 0 &&
           (can_use & bit(move.to[pack] - 1)) != 0 &&
           (blind || without(wanted, move.has[pack]) == 0);
  }

  // The move that stands for the pack in that snapshot; -1: none.
  int stands(const State& s, const Collector& own, int snapshot, bool oldest, bool seen) const {
    int best = -1;
    for (int r = 2; r < sessions; ++r) {
      const auto& move = s.moves[r - 2];
      auto target = move.to[s.names[snapshot]];
      bool counts = (own.moves & bit(r)) && looked_at(move, snapshot) && target != 0;
      if (!counts || (seen && !(own.packs & bit(target - 1)))) continue;
      bool better = best < 0 || (move.rank > s.moves[best - 2].rank) != oldest;
      if (better) best = r;
    }
    return best;
  }

  void need(const State& s, int c, Collector& own, Bits fresh) const {
    bool oldest = broken_ == Break::oldest_stands && c == 1;
    bool seen_only = broken_ == Break::moved_while_unseen;
    for (int i = 0; i < 2; ++i) {
      if (!(fresh & bit(i))) continue;
      int by = stands(s, own, i, oldest, seen_only);
      auto target = by < 0 ? Bits{0} : s.moves[by - 2].to[s.names[i]];
      bool blind = broken_ == Break::unseen_is_enough || broken_ == Break::both_of_these;
      bool moved = by >= 0 && (blind || (own.packs & bit(target - 1)));
      if (by >= 0) own.used = with(own.used, bit(by));
      if (by >= 0) own.needed = with(own.needed, bit(target - 1));
      if (!moved) own.needed = with(own.needed, bit(s.names[i]));
    }
  }

  static Bits begun(const State& s) { return with(s.intents, without(s.packs, 1)); }

  void end_round(State next, int c, const char* what) {
    auto round = next.collectors[c].round;
    next.collectors[c] = {};
    next.collectors[c].round = static_cast<Bits>(round + 1);
    go(next, what, c);
  }

  void collector(const State& s, int c) {
    if (s.collectors[c].round >= size_.rounds) return;
    return s.collectors[c].pc < 4 ? look(s, c) : collect(s, c);
  }

  void look(const State& s, int c) {
    auto next = s;
    auto& own = next.collectors[c];
    switch (own.pc) {
      case 0:
        own.pc = 1;
        own.ended = s.ended;
        own.packs = s.packs;
        if (size_.aborts) own.begun = begun(s);
        return go(next, "ledger, i/ and p/ by collector ", c);
      case 1:
        own.pc = 2;
        own.judged = with(s.sealed, s.aborted) & snapshots;
        if (!size_.pages) return list_rest(next, c);
        return go(next, "first part of e/ by collector ", c);
      case 2:
        return list_rest(next, c);
      default:
        own.pc = 4;
        if (own.moves != 0 && broken_ != Break::ledger_once) own.ended = with(own.ended, s.ended);
        own.moves = without(own.moves, own.ended);
        need(s, c, own, without(own.judged & s.sealed, own.ended) & snapshots);
        go(next, "ledger again by collector ", c);
        return drop_moves(next, c);
    }
  }

  void list_rest(State next, int c) {
    auto& own = next.collectors[c];
    own.pc = 3;
    own.judged = with(own.judged, with(next.sealed, next.aborted) & repackings);
    own.moves = without(next.sealed & repackings, own.ended);
    go(next, "e/ by collector ", c);
  }

  // Those that stand for nothing, once all they looked at is known.
  void drop_moves(State next, int c) {
    const auto& own = next.collectors[c];
    for (int r = 2; r < sessions; ++r) {
      const auto& move = next.moves[r - 2];
      bool known = without(move.looked, with(own.judged, own.ended)) == 0 ||
                   broken_ == Break::drops_moves_too_early;
      if (!(own.moves & bit(r)) || (own.used & bit(r)) || !known) continue;
      next.ended = with(next.ended, bit(r));
      go(next, "drops move ", r);
    }
  }

  // Again what is there; only what is new is read.
  void look_again(const State& s, int c, Collector& own) const {
    auto fresh = without(s.sealed, with(own.judged, s.ended));
    own.ended = with(own.ended, s.ended);
    own.packs = s.packs;
    if (size_.aborts) own.begun = begun(s);
    need(s, c, own, fresh & snapshots);
    for (int r = 2; r < sessions; ++r) {
      if (!(fresh & bit(r)) || broken_ == Break::later_moves_ignored) continue;
      own.needed = with(own.needed, s.moves[r - 2].targets());
    }
    own.judged = with(own.judged, with(s.sealed, s.aborted));
  }

  void collect(const State& s, int c) {
    auto next = s;
    auto& own = next.collectors[c];
    auto& generation = next.generations[own.generation];
    switch (own.pc) {
      case 4:
        return condemn(s, c);
      case 5:
        if (generation.d) own.pc = 9;
        if (generation.d) return go(next, "finds the decision, collector ", c);
        if (!generation.g) return end_round(next, c, "finds it closed, collector ");
        own.pc = 6;
        if (!generation.open) {
          generation.open = 1;
          generation.awaited = without(begun(s), with(s.ended, with(s.sealed, s.aborted)));
        }
        return go(next, "puts whom to wait for, collector ", c);
      case 6:
        return wait(s, c);
      case 7:
        own.pc = 8;
        look_again(s, c, own);
        own.set = without(generation.condemned, own.needed);
        return go(next, "looks once more, collector ", c);
      case 8:
        own.pc = 9;
        if (!generation.d) {
          generation.d = 1;
          generation.decided = own.set;
        }
        own.set = 0;
        return go(next, "decides, collector ", c);
      case 9:
        if (!generation.d || s.closed > own.generation) {
          return end_round(next, c, "finds it done, collector ");
        }
        own.pc = 10;
        own.set = generation.decided;
        return go(next, "reads the decision, collector ", c);
      default:
        if (own.set != 0) {
          next.packs = without(s.packs, own.set);
          own.set = 0;
          return go(next, "deletes, collector ", c);
        }
        next.closed = std::max(s.closed, static_cast<Bits>(own.generation + 1));
        go_on(next, c);
        return end_round(next, c, "closes, collector ");
    }
  }

  // A collector that finds more goes on with what it knows.
  void go_on(State next, int c) {
    auto& own = next.collectors[c];
    own.round = static_cast<Bits>(own.round + 1);
    if (own.round >= size_.rounds) return;
    look_again(next, c, own);
    own.pc = 4;
    own.generation = 0;
    go(next, "closes and goes on, collector ", c);
  }

  void condemn(const State& s, int c) {
    auto next = s;
    auto& own = next.collectors[c];
    own.pc = 5;
    for (int n = s.closed; n < generations_max; ++n) {
      if (!s.generations[n].g) continue;
      own.generation = static_cast<Bits>(n);
      return go(next, "takes over, collector ", c);
    }
    // Those of a running session belong to it; the old pack is of one that has ended.
    auto over = with(1, with(own.judged, own.ended));
    auto garbage = without(own.packs & over, own.needed);
    // An empty one serves to end sessions that are overdue.
    bool overdue = size_.aborts && without(own.begun, with(own.judged, own.ended)) != 0;
    if ((garbage == 0 && !overdue) || s.closed >= generations_max) {
      return end_round(next, c, "no garbage for collector ");
    }
    own.generation = s.closed;
    next.generations[s.closed].g = 1;
    next.generations[s.closed].condemned = garbage;
    go(next, "condemns, collector ", c);
  }

  void wait(const State& s, int c) {
    auto next = s;
    auto& own = next.collectors[c];
    const auto& generation = s.generations[own.generation];
    auto running = without(generation.awaited, with(s.ended, with(s.sealed, s.aborted)));
    if (running == 0) {
      own.pc = 7;
      return go(next, "all have ended, collector ", c);
    }
    for (int i = 1; i < sessions; ++i) {
      if (!(running & bit(i)) || !size_.aborts) continue;
      auto aborts = next;
      aborts.aborted = with(s.aborted, bit(i));
      go(aborts, "aborts ", i);
    }
  }

  const Size size_;
  const Break broken_;
  Outcome outcome_;
  std::unordered_map<State, Step, Hash> seen_;
  std::vector<const Node*> todo_;
  const Node* at_ = nullptr;
};

// Stops at the first violation, or when there are more than `states_max` states.
inline Outcome explore(const Size& size, Break broken, std::uint64_t states_max) {
  return Explorer(size, broken).run(states_max);
}

}  // namespace lb::repo::repack_model
