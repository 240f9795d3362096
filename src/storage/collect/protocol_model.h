// The collection protocol as a model, and a search through every interleaving of its steps: for
// tests only. Writers want one chunk and may find it in pack 0; collectors may stall anywhere;
// any point may be forgotten at any time; what is swept may be swept at any time after. Where
// docs/format.md, "Care", gives an order, the steps here are that order, one store call each where
// another's call between two could matter.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lb::repo::model {

// One rule taken away.
enum class Break {
  none,
  no_wait,                   // decides at once
  list_before_intent,        // the writer looks before it says that it is there
  abort_without_verdict,     // the intent goes, nothing keeps the session from committing
  no_rescue,                 // deletes what it condemned
  delete_undecided,          // deletes what this collector thinks, not what is on record
  writer_forgets_ledger,     // does not look after its verdict whether it was aborted meanwhile
  reader_forgets_ledger,     // a verdict counts whenever it is there
  decision_outlives,         // carries out a decision put after its generation was closed
  packs_before_condemned,    // the writer lists packs before it lists what is condemned
  marker_before_ledger,      // the abort's verdict goes before the ledger names the session
  running_packs_garbage,     // packs of running sessions are condemned like others
  awaited_before_condemned,  // lists the sessions to wait for before the generation is on record
};

struct Size {
  int writers = 2, collectors = 2, rounds = 1;
  // Begin where pack 0 is condemned, writer 0 has committed with it all the same, and nothing is
  // decided: the search comes to the late quarrels of two collectors without the way there.
  bool condemned = false;
};

struct Outcome {
  bool sound = true;  // every point that counts has its packs; who was told "ok" has a point
  std::string trace;  // the steps to the violation
  std::uint64_t states = 0;
  std::uint64_t deleted = 0, rescued = 0, aborted = 0;  // states in which the model got so far
};
inline constexpr int writers_max = 2, collectors_max = 2, generations_max = 4;

// Sets of packs, sessions and generations are bits. Session 0 is there from the start and needs
// pack 0; writer i is session i + 1 and owns pack i + 1. Bytes only, so that states compare as
// memory.
struct Generation {
  std::uint8_t g = 0, condemned = 0, open = 0, awaited = 0, d = 0, decided = 0;
};
struct Writer {
  std::uint8_t pc = 0, g = 0, d = 0, closed = 0, blocked = 0, packs = 0, refs = 0;
};
struct Collector {
  std::uint8_t round = 0, pc = 0, generation = 0, closed = 0, ended = 0, begun = 0, packs = 0,
               judged = 0, set = 0, early = 0;
};
struct State {
  std::uint8_t packs = 1, intents = 0;
  std::uint8_t sealed = 1, aborted = 0;  // verdicts
  std::uint8_t refs[writers_max + 1] = {1, 0, 0};
  std::uint8_t ended = 0, closed = 0;       // the ledger
  std::uint8_t forgotten = 0, told_ok = 0;  // ghosts: not in the store
  Generation generations[generations_max];
  Writer writers[writers_max];
  Collector collectors[collectors_max];
  bool operator==(const State& other) const { return std::memcmp(this, &other, sizeof other) == 0; }
};
static_assert(sizeof(State) == 11 + 6 * generations_max + 7 * writers_max + 10 * collectors_max);

struct Hash {
  std::size_t operator()(const State& state) const {
    unsigned char bytes[sizeof state];
    std::memcpy(bytes, &state, sizeof state);
    std::uint64_t hash = 14695981039346656037u;
    for (auto byte : bytes) hash = (hash ^ byte) * 1099511628211u;
    return static_cast<std::size_t>(hash ^ hash >> 32);
  }
};

using Bits = std::uint8_t;
inline Bits bit(int i) { return static_cast<Bits>(1u << i); }
inline Bits without(Bits a, Bits b) { return static_cast<Bits>(a & ~b); }
inline Bits with(Bits a, Bits b) { return static_cast<Bits>(a | b); }

class Explorer {
 public:
  Explorer(const Size& size, Break broken) : size_(size), broken_(broken) {}

  Outcome run(std::uint64_t states_max) {
    auto first = size_.condemned ? condemned() : State();
    seen_.emplace(first, Step{nullptr, "", 0});
    todo_.push_back(&*seen_.begin());
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
      for (int i = 0; i < size_.writers; ++i) writer(state, i);
      for (int i = 0; i < size_.collectors; ++i) collector(state, i);
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

  static State condemned() {
    State s;
    s.sealed = bit(1);
    s.ended = s.forgotten = bit(0);
    s.refs[1] = 1;
    s.told_ok = bit(1);
    s.generations[0] = {1, 1, 1, bit(1), 0, 0};
    s.writers[0].pc = 9;
    return s;
  }
  Bits counting(const State& s) const {
    return broken_ == Break::reader_forgets_ledger ? s.sealed : without(s.sealed, s.ended);
  }
  Bits needed(const State& s, Bits sealed) const {
    Bits out = 0;
    for (int i = 0; i <= writers_max; ++i) {
      if (sealed & bit(i)) out = with(out, s.refs[i]);
    }
    return out;
  }
  bool holds(const State& s) const {
    bool whole = without(needed(s, counting(s)), s.packs) == 0;
    return whole && without(s.told_ok, with(s.forgotten, counting(s))) == 0;
  }
  void count(const State& s) {
    outcome_.deleted += (s.packs & 1) == 0;
    outcome_.rescued += (counting(s) & 1) == 0 && (needed(s, counting(s)) & 1) != 0;
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

  // Forgetting, and what sweeps of whatever collector may do by now.
  void environment(const State& s) {
    for (int i = 0; i <= size_.writers; ++i) {
      auto me = bit(i);
      auto next = s;
      if (s.sealed & me & ~s.ended) {
        next.ended = with(s.ended, me);
        next.forgotten = with(s.forgotten, me);
        go(next, "forget ", i);
      }
      next = s;
      if (s.ended & (s.sealed | s.aborted) & me) {
        next.sealed = without(s.sealed, me);
        next.aborted = without(s.aborted, me);
        next.intents = without(s.intents, me);
        go(next, "remove the verdict of ", i);
      }
      next = s;
      if (s.aborted & ~s.ended & me) {
        if (broken_ == Break::marker_before_ledger) next.aborted = without(s.aborted, me);
        next.ended = with(s.ended, me);
        if (broken_ == Break::marker_before_ledger) next.ended = s.ended;
        next.intents = without(s.intents, me);
        go(next, "end ", i);
      }
    }
    for (int n = 0; n < s.closed; ++n) {
      if (!s.generations[n].g && !s.generations[n].d) continue;
      auto next = s;
      next.generations[n] = {};
      go(next, "remove generation ", n);
    }
  }

  void writer(const State& s, int i) {
    const auto& w = s.writers[i];
    auto me = bit(i + 1);
    auto next = s;
    auto& own = next.writers[i];
    bool late_intent = broken_ == Break::list_before_intent;
    bool early_packs = broken_ == Break::packs_before_condemned;
    switch (w.pc) {
      case 0:
        own.pc = 1;
        if (!late_intent) next.intents = with(s.intents, me);
        if (early_packs) own.packs = s.packs;
        return go(next, "intent of writer ", i);
      case 1:
        own.pc = 2;
        for (int n = 0; n < generations_max; ++n) {
          if (s.generations[n].g) own.g = with(own.g, bit(n));
        }
        return go(next, "writer lists g/ ", i);
      case 2:
        own.pc = 3;
        for (int n = 0; n < generations_max; ++n) {
          if (s.generations[n].d) own.d = with(own.d, bit(n));
        }
        return go(next, "writer lists d/ ", i);
      case 3:
        own.pc = 4;
        own.closed = s.closed;
        return go(next, "writer reads the ledger ", i);
      case 4:
        return read_condemned(s, i);
      case 5:
        own.pc = 6;
        if (!early_packs) own.packs = s.packs;
        if (late_intent) next.intents = with(s.intents, me);
        return go(next, "writer lists p/ ", i);
      case 6:
        own.pc = 7;
        own.refs = own.packs & without(1, own.blocked) ? 1 : me;
        if (own.refs == me) next.packs = with(s.packs, me);
        own.g = own.d = own.closed = own.blocked = own.packs = 0;
        return go(next, own.refs == me ? "upload by writer " : "reuse by writer ", i);
      case 7:
        return seal(s, i);
      case 8:
        own.pc = 9;
        own.refs = 0;
        if (broken_ == Break::writer_forgets_ledger || !(s.ended & me)) {
          next.told_ok = with(s.told_ok, me);
        }
        return go(next, "writer reads the ledger again ", i);
      default:
        return;
    }
  }

  void read_condemned(const State& s, int i) {
    auto next = s;
    auto& own = next.writers[i];
    for (int n = own.closed; n < generations_max; ++n) {
      const auto& each = s.generations[n];
      bool decided = own.d & bit(n), condemned = own.g & bit(n);
      if ((decided && !each.d) || (!decided && condemned && !each.g)) {
        own = {};
        own.packs = s.writers[i].packs;
        own.pc = 1;
        return go(next, "writer looks again ", i);
      }
      if (decided || condemned) {
        own.blocked = with(own.blocked, decided ? each.decided : each.condemned);
      }
    }
    own.pc = 5;
    go(next, "writer reads what is condemned ", i);
  }

  void seal(const State& s, int i) {
    auto me = bit(i + 1);
    auto next = s;
    auto& own = next.writers[i];
    if (s.aborted & me) {
      own.pc = 9;
      own.refs = 0;
      return go(next, "writer finds its abort ", i);
    }
    own.pc = 8;
    if (s.sealed & me) return go(next, "writer finds its verdict ", i);
    next.sealed = with(s.sealed, me);
    next.refs[i + 1] = own.refs;
    go(next, "verdict of writer ", i);
    own.pc = 7;  // it landed, and the answer was lost
    go(next, "verdict without an answer of writer ", i);
  }

  void end_round(const State& s, State next, int i, const char* what) {
    auto round = s.collectors[i].round;
    next.collectors[i] = {};
    next.collectors[i].round = static_cast<std::uint8_t>(round + 1);
    go(next, what, i);
  }

  // Sessions with an intent or a pack.
  Bits begun(const State& s) const { return with(s.intents, without(s.packs, 1)); }

  void collector(const State& s, int i) {
    const auto& c = s.collectors[i];
    if (c.round >= size_.rounds) return;
    if (c.pc < 4) return mark(s, i);
    if (c.pc < 8) return await(s, i);
    decide(s, i);
  }

  void mark(const State& s, int i) {
    const auto& c = s.collectors[i];
    auto next = s;
    auto& own = next.collectors[i];
    switch (c.pc) {
      case 0:
        own.pc = 1;
        own.closed = s.closed;
        own.ended = s.ended;
        own.packs = s.packs;
        own.begun = begun(s);
        return go(next, "ledger, i/ and p/ by collector ", i);
      case 1: {
        own.pc = 2;
        auto verdicts = with(s.sealed, s.aborted);
        auto over = with(verdicts, own.ended);
        if (broken_ == Break::awaited_before_condemned) own.early = without(own.begun, over);
        auto live = needed(s, without(s.sealed, own.ended));
        // Pack 0 is of session 0, which has always ended; pack i + 1 of writer i.
        auto whose = with(1, broken_ == Break::running_packs_garbage ? Bits{0xFF} : over);
        own.set = without(own.packs & whose, live);
        own.packs = own.begun = own.ended = 0;
        return go(next, "e/ by collector ", i);
      }
      case 2:
        for (int n = own.closed; n < generations_max; ++n) {
          if (!s.generations[n].g) continue;
          own.generation = static_cast<std::uint8_t>(n);
          own.pc = 4;
          own.set = own.closed = 0;
          return go(next, "takes over, collector ", i);
        }
        if (own.set == 0 || own.closed >= generations_max) {
          return end_round(s, next, i, "no garbage for collector ");
        }
        own.pc = 3;
        return go(next, "lists g/, collector ", i);
      default:
        own.generation = own.closed;
        if (!s.generations[own.generation].g) {
          next.generations[own.generation].g = 1;
          next.generations[own.generation].condemned = own.set;
        }
        own.pc = 4;
        own.set = own.closed = 0;
        return go(next, "condemns, collector ", i);
    }
  }

  void await(const State& s, int i) {
    const auto& c = s.collectors[i];
    const auto& generation = s.generations[c.generation];
    auto next = s;
    auto& own = next.collectors[i];
    switch (c.pc) {
      case 4:
        if (generation.d) {
          own.pc = 10;
          return go(next, "finds the decision, collector ", i);
        }
        if (!generation.g) return end_round(s, next, i, "finds it closed, collector ");
        own.pc = generation.open ? 7 : 5;
        own.set = generation.awaited;
        own.ended = s.ended;
        own.begun = begun(s);
        return go(next, "i/ and p/ again by collector ", i);
      case 5:
        own.pc = 6;
        own.set = without(own.begun, with(own.ended, with(s.sealed, s.aborted)));
        if (broken_ == Break::awaited_before_condemned) own.set = own.early;
        own.begun = own.ended = own.early = 0;
        return go(next, "e/ again by collector ", i);
      case 6:
        own.pc = 7;
        if (generation.open) {
          own.set = generation.awaited;
        } else {
          next.generations[c.generation].open = 1;
          next.generations[c.generation].awaited = own.set;
        }
        return go(next, "puts whom to wait for, collector ", i);
      default:
        return wait(s, i);
    }
  }

  void wait(const State& s, int i) {
    auto next = s;
    auto& own = next.collectors[i];
    own.begun = own.ended = own.early = 0;
    auto running = without(own.set, with(s.ended, with(s.sealed, s.aborted)));
    if (broken_ == Break::no_wait || running == 0) {
      own.pc = 8;
      own.set = 0;
      return go(next, "all have ended, collector ", i);
    }
    for (int w = 1; w <= size_.writers; ++w) {
      if (!(running & bit(w))) continue;
      auto aborts = next;
      if (broken_ == Break::abort_without_verdict) {
        aborts.intents = without(s.intents, bit(w));
        aborts.collectors[i].set = without(own.set, bit(w));
      } else {
        aborts.aborted = with(s.aborted, bit(w));
      }
      go(aborts, "an abort by collector ", i);
    }
  }

  void decide(const State& s, int i) {
    const auto& c = s.collectors[i];
    const auto& generation = s.generations[c.generation];
    auto next = s;
    auto& own = next.collectors[i];
    switch (c.pc) {
      case 8: {
        own.pc = 9;
        auto live = needed(s, without(s.sealed, s.ended));
        if (broken_ == Break::no_rescue) live = 0;
        own.set = without(generation.condemned, live);
        return go(next, "e/ once more by collector ", i);
      }
      case 9:
        own.pc = broken_ == Break::delete_undecided ? 12 : 10;
        if (!generation.d) {
          next.generations[c.generation].d = 1;
          next.generations[c.generation].decided = own.set;
        }
        if (own.pc == 10) own.set = 0;
        return go(next, "decides, collector ", i);
      case 10:
        if (!generation.d) return end_round(s, next, i, "finds it done, collector ");
        own.pc = 11;
        own.set = generation.decided;
        return go(next, "reads the decision, collector ", i);
      case 11:
        if (s.closed > c.generation && broken_ != Break::decision_outlives) {
          return end_round(s, next, i, "finds it closed, collector ");
        }
        own.pc = 12;
        return go(next, "reads the ledger, collector ", i);
      case 12:
        if (own.set != 0) {
          auto pack = static_cast<Bits>(own.set & -own.set);
          next.packs = without(s.packs, pack);
          own.set = without(own.set, pack);
          return go(next, "deletes, collector ", i);
        }
        next.closed = std::max(s.closed, static_cast<Bits>(c.generation + 1));
        return end_round(s, next, i, "closes, collector ");
      default:
        return;
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

}  // namespace lb::repo::model
